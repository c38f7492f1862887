# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole instance: everything that a task sets on it, as one list of resources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import Resource
from ...engine.result import WHOLE, Result, Unproven
from ...engine.secret_policy import ALWAYS
from ..activation import DEFAULT_WAIT
from ..options import Options, entries
from ..update_set_file import update_set_file
from ..update_sets.source import connection_secrets
from ..update_sets.take_over import TakeOver
from .oauth_application import OF_INSTANCE_OPTIONS, OAuthApplication
from .oauth_tokens import CopiedTokens, OAuthTokens
from .plugins import PLUGIN_OPTIONS, Plugins
from .properties import Properties, encrypted_values
from .record import RECORD_OPTIONS, Record, write_only_values
from .role import ROLE_OPTIONS, Role
from .table_acls import TABLE_ACLS_OPTIONS, TableAcls
from .user import USER_OPTIONS, User

INSTANCE_OPTIONS: Options = {
    "roles": entries(ROLE_OPTIONS),
    "users": entries(USER_OPTIONS),
    "oauth_applications": entries(OF_INSTANCE_OPTIONS),
    "table_acls": entries(TABLE_ACLS_OPTIONS),
    "properties": {"type": "dict"},
    "plugins": entries(PLUGIN_OPTIONS),
    "records": entries(RECORD_OPTIONS),
    "revoke_tokens": {"type": "list", "elements": "str", "no_log": False},
}
KINDS: dict[str, Any] = {
    "roles": Role,
    "users": User,
    "oauth_applications": OAuthApplication,
    "table_acls": TableAcls,
    "records": Record,
}
# Options of these that are secrets which the caller may not know.
SECRETS = {"users": "password", "oauth_applications": "client_secret"}
NOT_SUPPLIED = "the secret is not stored, or was not supplied"
SUPPLY = "Restore servicenow_defender_secrets, or set the secret by a variable"


def secrets_of(params: Mapping[str, Any]) -> list[Any]:
    """Return the secrets in options of free form."""
    secrets = [value for entry in params.get("records") or [] for value in write_only_values(entry)]
    secrets += [value for entry in params.get("table_acls") or [] for value in connection_secrets(entry)]
    return secrets + encrypted_values(params.get("properties") or {})


def writes_in_any_case(params: Mapping[str, Any]) -> bool:
    """Return whether the options ask for a write in any case: a secret that is always written."""
    policies = [entry.get("update_password") for entry in params.get("users") or []]
    policies += [entry.get("update_secret") for entry in params.get("oauth_applications") or []]
    return ALWAYS in policies


def without_unknown_secrets(params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the options without secrets that are empty, and these: option of each object, by label."""
    known, unknown = dict(params), {}
    for option, secret in SECRETS.items():
        entries_of_kind = []
        for entry in params.get(option) or []:
            if entry.get(secret) == "":
                unknown[KINDS[option].from_params({**entry, secret: None}).label] = secret
                entry = {**entry, secret: None}
            entries_of_kind.append(entry)
        known[option] = entries_of_kind
    return known, unknown


def unproven_secrets(result: Result, unknown: Mapping[str, str]) -> list[Unproven]:
    """Return which secrets of existing objects could not be compared, as the caller does not know them."""
    created = {entry.object for entry in result.drift if entry.field == WHOLE}
    return [
        Unproven(
            label, secret, f"{NOT_SUPPLIED} ({secret} is empty), so whether the instance has it is not known. {SUPPLY}"
        )
        for label, secret in unknown.items()
        if label not in created
    ]


def resources_of(
    params: Mapping[str, Any], take_over: Callable[[Mapping[str, Any]], TakeOver | None] = lambda _entry: None
) -> list[Resource]:
    """Return the resources for the options of `snow_instance`. Raises `InvalidInput` for one that is listed twice.

    `take_over` returns where an entry of `table_acls` takes its rules from; by default from nowhere.
    """
    resources: list[Resource] = []
    for option, kind in KINDS.items():
        given = params.get(option) or []
        if kind is TableAcls:
            resources += [TableAcls.from_params(entry, take_over(entry)) for entry in given]
        else:
            resources += [kind.from_params(entry) for entry in given]
    resources += [CopiedTokens(each) for each in resources if isinstance(each, OAuthApplication) and each.own_client_id]
    if params.get("properties"):
        resources.append(Properties(params["properties"]))
    if params.get("plugins"):
        resources.append(Plugins(params["plugins"], [], DEFAULT_WAIT))
    if params.get("revoke_tokens"):
        resources.append(OAuthTokens(params["revoke_tokens"]))
    labels = [resource.label for resource in resources if not isinstance(resource, TableAcls)]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise InvalidInput(f"listed more than once: {', '.join(twice)}")
    return resources


def rules_to_import(instance: str, resources: Iterable[Resource]) -> str:
    """Return the open access rules among `resources` as a file of update sets; "" for none."""
    return update_set_file(instance, [each.update_set for each in resources if isinstance(each, TableAcls)])
