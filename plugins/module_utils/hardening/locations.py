# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the settings are stored that are neither a property nor a plugin.

See docs/facts/servicenow_hardening.md#who-may-write-a-setting, docs/facts/servicenow_hardening.md#evaluation-rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from .catalogue.setting import OTHER, Setting


@dataclass(frozen=True)
class RecordLocation:
    """One row of `table` and its `column`; `absent` is the value that a missing row stands for."""

    table: str
    sys_id: str
    column: str = "active"
    absent: str = ""


@dataclass(frozen=True)
class CountLocation:
    """The number of rows of `table` that match `where`."""

    table: str
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ColumnLocation:
    """`column` of every row of `table` that matches `where`. The names of most of these columns are not confirmed."""

    table: str
    column: str
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class PatternLocation:
    """One property for each scope, all with this beginning or end."""

    operator: str
    text: str


@dataclass(frozen=True)
class NoLocation:
    """No record holds the value."""


Location = Union[RecordLocation, CountLocation, ColumnLocation, PatternLocation, NoLocation]  # noqa: UP007 (as in setting.py)

NAMED: dict[str, Location] = {
    # The page is public as long as its row exists and is active.
    "va.embed_public": RecordLocation("sys_public", "04b1905473222300e985658b4cf6a7ef", absent="false"),
    "network.ip_access_rules": CountLocation("ip_access", (("active", "true"),)),
    "auth.password_denylist_rows": CountLocation("blacklisted_password"),
    "auth.password_min_length": ColumnLocation("password_policy", "min_length"),
    "auth.password_max_length": ColumnLocation("password_policy", "max_length"),
    "auth.password_store_policy": ColumnLocation("pwd_cred_store", "enable_password_policy"),
    "log.mid_audit": ColumnLocation("ecc_agent_property", "value", (("name", "mid.log.command_audit.enable"),)),
    "acl.scope_app_data": PatternLocation("STARTSWITH", "glide.enforce_security_scope."),
    "acl.scope_impersonate": PatternLocation("ENDSWITH", ".impersonateCheck"),
}

# Scopes and plugins that show that an application is installed, by group
# (docs/facts/servicenow_hardening.md#evaluation-rules). A property of the group shows it as well.
APPLICATION_SCOPES = {
    "customer_service": ("sn_customerservice", "sn_guest_walkup_cs"),
    "external_registration": ("sn_ext_usr_reg",),
    "certificate_management": ("sn_disco_certmgmt",),
    "generative_ai": ("sn_aia", "sn_ai_security", "sn_itsm_aia"),
    "field_service": ("sn_fsm",),
    "social_qa": ("sn_kb_social_qa",),
    "impact": ("sn_impact_common",),
    "event_management": ("evt_mgmt",),
}
MID_SERVER, MID_SERVER_TABLE = "mid_server", "ecc_agent"
ANY_SCOPE = "any scoped"
# Joins matter only with domain separation (ServiceNow documentation of the plugin).
DOMAIN_SEPARATION = {"acl.domain_join": "com.glide.domain.msp_extensions.installer"}


def location_of(setting: Setting) -> Location | None:
    """Return where a setting is stored that is neither a property nor a plugin; None for these two."""
    if setting.kind != OTHER:
        return None
    if setting.id in NAMED:
        return NAMED[setting.id]
    table, slash, sys_id = setting.name.partition("/")
    return RecordLocation(table, sys_id) if slash and len(sys_id) == 32 else NoLocation()


def scopes_of(application: str) -> tuple[str, ...]:
    """Return the scopes that show that an application is installed."""
    return APPLICATION_SCOPES.get(application, (application,) if application.startswith("sn_") else ())
