# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole instance: everything that a task sets on it, as one list of resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import Resource
from ..activation import DEFAULT_WAIT
from ..options import Options, entries
from .oauth_application import OAUTH_APPLICATION_OPTIONS, OAuthApplication
from .plugins import PLUGIN_OPTIONS, Plugins
from .properties import Properties, encrypted_values
from .record import RECORD_OPTIONS, Record, write_only_values
from .role import ROLE_OPTIONS, Role
from .table_acls import TABLE_ACLS_OPTIONS, TableAcls
from .user import USER_OPTIONS, User

INSTANCE_OPTIONS: Options = {
    "roles": entries(ROLE_OPTIONS),
    "users": entries(USER_OPTIONS),
    "oauth_applications": entries(OAUTH_APPLICATION_OPTIONS),
    "table_acls": entries(TABLE_ACLS_OPTIONS),
    "properties": {"type": "dict"},
    "plugins": entries(PLUGIN_OPTIONS),
    "records": entries(RECORD_OPTIONS),
}
KINDS: dict[str, Any] = {
    "roles": Role,
    "users": User,
    "oauth_applications": OAuthApplication,
    "table_acls": TableAcls,
    "records": Record,
}


def secrets_of(params: Mapping[str, Any]) -> list[Any]:
    """Return the secrets in options of free form."""
    secrets = [value for entry in params.get("records") or [] for value in write_only_values(entry)]
    return secrets + encrypted_values(params.get("properties") or {})


def resources_of(params: Mapping[str, Any]) -> list[Resource]:
    """Return the resources for the options of `snow_instance`. Raises `InvalidInput` for one that is listed twice."""
    resources: list[Resource] = []
    for option, kind in KINDS.items():
        resources += [kind.from_params(entry) for entry in params.get(option) or []]
    if params.get("properties"):
        resources.append(Properties(params["properties"]))
    if params.get("plugins"):
        resources.append(Plugins(params["plugins"], [], DEFAULT_WAIT))
    labels = [resource.label for resource in resources if not isinstance(resource, TableAcls)]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise InvalidInput(f"listed more than once: {', '.join(twice)}")
    return resources
