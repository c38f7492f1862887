# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance as far as hardening reads it: rows by table, stored where each setting is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.reconcile import Account
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.snapshot import (
    Query,
    QueryResult,
    Snapshot,
    merged,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.assessment import Assessment, assess
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.baseline import Selection, select
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.catalogue import BY_ID, Setting
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.observe import Observer

TABLES = (
    "sys_properties", "v_plugin", "sys_plugins", "sys_scope", "ecc_agent", "sysevent_script_action", "multi_factor_criteria",
    "sys_public", "ip_access", "blacklisted_password", "password_policy", "pwd_cred_store", "ecc_agent_property",
)  # fmt: skip
APPLICATIONS = {
    "customer_service": "sn_customerservice", "external_registration": "sn_ext_usr_reg",
    "certificate_management": "sn_disco_certmgmt", "generative_ai": "sn_aia", "field_service": "sn_fsm",
    "social_qa": "sn_kb_social_qa", "impact": "sn_impact_common", "event_management": "evt_mgmt",
}  # fmt: skip
DOMAINS = "com.glide.domain.msp_extensions.installer"
OAUTH = "com.snc.platform.security.oauth"


class Shown:
    """What one account sees of an instance: all rows but `hidden`, which are counted unless `counts_all` is false."""

    def __init__(self, release: str = "xanadu", *, roles: Iterable[str] = ("admin",), counts_all: bool = True) -> None:
        self.tables: dict[str, list[dict[str, str]]] = {table: [] for table in TABLES}
        self.hidden: set[str] = set()
        self.refused: dict[str, str] = {}
        self.roles, self.counts_all, self.numbers = frozenset(roles), counts_all, 0
        self.asked: list[list[Query]] = []
        self.add("sys_properties", name="glide.buildname", value=release.capitalize())
        self.add("v_plugin", id=OAUTH, active="active")

    def add(self, table: str, **values: str) -> dict[str, str]:
        """Put a row there."""
        self.numbers += 1
        row = {"sys_id": f"{self.numbers:032x}", **values}
        self.tables[table].append(row)
        return row

    def property(self, name: str, value: str, **more: str) -> None:
        """Give a property a row."""
        self.add("sys_properties", name=name, value=value, **{"write_roles": "", "sys_scope": "global", **more})

    def put(self, setting: Setting, value: str) -> None:
        """Give a setting a value, wherever it is kept, and let the instance have what the setting belongs to."""
        self.belongs(setting)
        if setting.kind == "property":
            self.property(setting.name, value)
        elif setting.kind == "plugin":
            self.add("v_plugin", id=setting.name, active="active" if value == "true" else "inactive")
        else:
            self._place(setting, value)

    def belongs(self, setting: Setting) -> None:
        """Let the instance have the application and the domains that a setting needs."""
        if setting.group == "app:mid_server":
            self.add("ecc_agent")
        elif setting.group.startswith("app:") and setting.group != "app:any scoped":
            name = setting.group.removeprefix("app:")
            self.add("sys_scope", scope=APPLICATIONS.get(name, name), active="true")
        if setting.id == "acl.domain_join":
            self.add("v_plugin", id=DOMAINS, active="active")

    def _place(self, setting: Setting, value: str) -> None:
        table, _slash, sys_id = setting.name.partition("/")
        if sys_id:
            self.add(table, active=value)["sys_id"] = sys_id
        elif setting.comparator == "min_active_records":
            for _number in range(int(value)):
                self.add("ip_access", active="true")
            self.add("ip_access", active="false")
        elif setting.comparator == "min_records":
            self.tables["blacklisted_password"] = [{"sys_id": str(number)} for number in range(int(value))]
        elif setting.id == "log.mid_audit":
            self.add("ecc_agent_property", name="mid.log.command_audit.enable", value=value)
        elif setting.id == "acl.scope_app_data":
            self.property("glide.enforce_security_scope.x_acme", value)
        elif setting.id == "acl.scope_impersonate":
            self.property("x_acme.impersonateCheck", value)
        elif "." in setting.name and "/" not in setting.name and " " not in setting.name:
            table, column = setting.name.split(".")
            self.add(table, **{column: value})

    # -- being read --------------------------------------------------------------------------------------------------

    def account(self) -> Account:
        """Return who looks."""
        return Account("svc_ansible", self.roles)

    def answer(self, reads: list[Query]) -> list[QueryResult]:
        """Answer as the Table API does."""
        self.asked.append(reads)
        return [self._answer(read) for read in reads]

    def _answer(self, read: Query) -> QueryResult:
        if read.collection in self.refused:
            return QueryResult(refused=self.refused[read.collection])
        if read.collection not in self.tables:
            return QueryResult(refused=f"GET {read.collection} -> 400 Invalid table {read.collection}")
        rows = [row for row in self.tables[read.collection] if _matches(read, row)]
        seen = [row for row in rows if row["sys_id"] not in self.hidden]
        total = len(rows if self.counts_all else seen)
        page = [row for row in (rows[: read.limit] if read.limit else rows) if row in seen]
        return QueryResult(tuple({n: v for n, v in row.items() if n in read.columns} for row in page), "", total)

    def assess(self, selection: Selection, *, production: bool | None = None) -> dict[str, Assessment]:
        """Return the verdicts on a selection, by id."""
        observer = Observer(selection.settings, self.account, production)
        reads = merged(observer.reads())
        snapshot = Snapshot.of(reads, self.answer(reads), "sys_id")
        further = merged(observer.further_queries(snapshot))
        if further:
            snapshot.answers += zip(further, self.answer(further), strict=True)
        return {entry.setting.id: entry for entry in assess(selection, observer, snapshot)}

    def verdict(self, id: str, *, production: bool | None = None, override: Any = None) -> Assessment:
        """Return the verdict on one setting."""
        overrides = {} if override is None else {id: override}
        return self.assess(select(ids=[id], overrides=overrides), production=production)[BY_ID[id].id]


def _matches(read: Query, row: dict[str, str]) -> bool:
    if any(row.get(name) != value for name, value in read.where):
        return False
    if not read.values:
        return True
    actual = row.get(read.column, "")
    if read.operator == "STARTSWITH":
        return actual.startswith(read.values)
    if read.operator == "ENDSWITH":
        return actual.endswith(read.values)
    return actual in read.values
