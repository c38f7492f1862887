# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole instance: everything that a task describes of it, as one list of resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import Resource
from ..activation import Wait
from ..specs import (
    OAUTH_APPLICATION_OPTIONS,
    PLUGIN_OPTIONS,
    RECORD_OPTIONS,
    ROLE_OPTIONS,
    TABLE_ACLS_OPTIONS,
    USER_OPTIONS,
    Options,
    entries,
)
from .oauth_application import OAuthApplication
from .plugins import Plugins
from .properties import Properties, encrypted_values
from .record import Record, write_only_values
from .role import Role
from .table_acls import TableAcls
from .user import User

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
    """Return the secrets that options of free form hold."""
    secrets = [value for entry in params.get("records") or [] for value in write_only_values(entry)]
    return secrets + encrypted_values(params.get("properties") or {})


def resources_of(params: Mapping[str, Any]) -> list[Resource]:
    """Return the resources that the options of `snow_instance` describe. Raises `InvalidInput` for one described twice."""
    resources: list[Resource] = []
    for option, kind in KINDS.items():
        resources += [kind.from_params(entry) for entry in params.get(option) or []]
    if params.get("properties"):
        resources.append(Properties(params["properties"]))
    if params.get("plugins"):
        resources.append(Plugins(params["plugins"], [], Wait()))
    labels = [resource.label for resource in resources if not isinstance(resource, TableAcls)]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise InvalidInput(f"described more than once: {', '.join(twice)}")
    return resources
