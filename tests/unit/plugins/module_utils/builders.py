# SPDX-License-Identifier: GPL-3.0-or-later
"""Descriptions as tasks give them, with the defaults that Ansible fills in."""

from __future__ import annotations

from typing import Any

from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.resources.oauth_application import (
    OAUTH_APPLICATION_OPTIONS,
    OAuthApplication,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.resources.plugins import Plugins
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.resources.properties import Properties
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.resources.record import (
    RECORD_OPTIONS,
    Record,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.resources.role import ROLE_OPTIONS, Role
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.resources.table_acls import (
    TABLE_ACLS_OPTIONS,
    TableAcls,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.resources.user import USER_OPTIONS, User


def params(options: dict[str, dict[str, Any]], given: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that Ansible makes of what a task gives."""
    assert set(given) <= set(options), set(given) - set(options)
    return {**{name: option.get("default") for name, option in options.items()}, **given}


def role(name: str, **given: Any) -> Role:
    return Role.from_params(params(ROLE_OPTIONS, {"name": name, **given}))


def user(user_name: str, **given: Any) -> User:
    return User.from_params(params(USER_OPTIONS, {"user_name": user_name, **given}))


def application(name: str, **given: Any) -> OAuthApplication:
    return OAuthApplication.from_params(params(OAUTH_APPLICATION_OPTIONS, {"name": name, **given}))


def record(table: str, match: dict[str, Any], **given: Any) -> Record:
    return Record.from_params(params(RECORD_OPTIONS, {"table": table, "match": match, **given}))


def acls(role_name: str, *tables: str) -> TableAcls:
    return TableAcls.from_params(params(TABLE_ACLS_OPTIONS, {"role": role_name, "tables": list(tables)}))


def properties(desired: dict[str, Any], *, create_missing: bool = True, max_writes: int | None = None) -> Properties:
    return Properties.from_params({"properties": desired, "create_missing": create_missing, "max_writes": max_writes})


def plugins(
    *ids: str, applications: list[dict[str, Any]] | None = None, wait: bool = True, timeout: float = 1800.0
) -> Plugins:
    waiting = {"wait": wait, "wait_timeout": timeout, "poll_interval": 10.0}
    entries = [{"id": plugin, "state": "active"} for plugin in ids]
    return Plugins.from_params({"plugins": entries, "applications": applications, **waiting})


def whole() -> list[Any]:
    """Return a role, an account with it, and an application that runs as the account: each refers to the one before."""
    return [
        role("u_defender", description="For Defender", contains=["rest_service"]),
        user("svc_defender", first_name="Defender", roles=["u_defender", "itil"], password="Pass-word-1"),
        application(
            "CloudAppSecurity",
            client_secret="c1ient-Secret",
            access_token_lifespan=3600,
            redirect_urls=["https://a.example/", "https://b.example/"],
            scope_restriction="broad",
            oauth_user="svc_defender",
        ),
    ]
