# SPDX-License-Identifier: GPL-3.0-or-later
"""Detect applications, tables, jobs and rows in one batch of queries. What the account cannot read is unknown, never absent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ...engine.snapshot import Row
from ...engine.store import Account
from ..account import ADMIN, account_of, account_queries
from ..query import Counts, TableQuery, TableRows, any_of, encoded
from ..resources.plugins import ACTIVE_WORDS
from .constants import (
    ALWAYS_PRESENT_SCOPE,
    ALWAYS_PRESENT_TABLE,
    COMPLIANCE,
    COMPLIANCE_SCOPE,
    DEFINITIONS,
    FIRST_WITH_CLOUD,
    IMPLEMENTATIONS,
    JOB_TABLES,
    NEW,
    OLD,
    OLD_STORE_ID,
    PLUGINS,
    RESULTS,
    RUN_AS,
    SCOPES,
    TESTS,
    USEM,
    USEM_INTEGRATION,
    USEM_TABLE,
)

if TYPE_CHECKING:
    from ..client import ServiceNowClient

ACTIVE, INACTIVE, ABSENT, UNKNOWN = "active", "inactive", "absent", "unknown"
BOTH, NONE = "both", "none"
OF_THE_APPLICATIONS = f"nameSTARTSWITH{NEW}^ORnameSTARTSWITH{OLD}"

JOB_COLUMNS = (
    "sys_id", "name", "active", "run_as", "run_as.user_name", "instance", "implementation", "integration_instance", "run_type",
    "run_period", "run_time", "run_start",
)  # fmt: skip


def detection_queries(client: ServiceNowClient) -> dict[str, TableQuery]:
    """Return the queries of the first batch, by name.

    See docs/facts/configuration_compliance.md#detecting-what-is-installed,
    docs/facts/configuration_compliance.md#framework-tables, docs/facts/servicenow_platform.md#package-tables.
    """
    users, roles = account_queries(client.grant, client.params)
    tables = f"{OF_THE_APPLICATIONS}^OR{any_of('name', (ALWAYS_PRESENT_TABLE, RESULTS, IMPLEMENTATIONS, USEM_TABLE))}"
    listed = (*SCOPES, ALWAYS_PRESENT_SCOPE)
    queries = {
        "users": users,
        "roles": roles,
        "v_plugin": TableQuery("v_plugin", any_of("id", PLUGINS), ("sys_id", "id", "version", "active")),
        "v_plugin any": TableQuery("v_plugin", "", ("sys_id", "id"), limit=1),
        "sys_plugins": TableQuery("sys_plugins", any_of("source", PLUGINS), ("sys_id", "source", "version", "active")),
        "sys_store_app": TableQuery("sys_store_app", any_of("scope", SCOPES), ("sys_id", "scope", "version", "active")),
        "sys_store_app any": TableQuery("sys_store_app", "", ("sys_id", "scope"), limit=1),
        "sys_scope": TableQuery("sys_scope", any_of("scope", listed), ("sys_id", "scope", "version", "active")),
        "tables": TableQuery("sys_db_object", tables, ("sys_id", "name", "label", "super_class.name")),
        "columns": TableQuery(
            "sys_dictionary", f"{OF_THE_APPLICATIONS}^elementISNOTEMPTY",
            ("sys_id", "name", "element", "column_label", "internal_type", "max_length", "reference"),
        ),
        "choices": TableQuery("sys_choice", OF_THE_APPLICATIONS, ("sys_id", "name", "element", "value", "label")),
        "tests": TableQuery(TESTS, "", ("sys_id", "source"), limit=1),
        "results": TableQuery(RESULTS, "", ("sys_id",), limit=1),
        "counts": counts_query(),
        "implementations": TableQuery(
            IMPLEMENTATIONS, "",
            ("sys_id", "name", "active", "is_default", "integration", "integration.name", "integration.id", "integration.source"),
        ),
        "definitions": TableQuery(
            DEFINITIONS, "", ("sys_id", "name", "label", "display_name", "elem_type", "integration", "default_value")
        ),
        "run_as": TableQuery("sys_user", encoded({"user_name": RUN_AS}), ("sys_id", "user_name"), limit=2),
    }  # fmt: skip
    queries.update({table: TableQuery(table, "", JOB_COLUMNS) for table in JOB_TABLES})
    return queries


def counts_query() -> Counts:
    """Return the query that counts test results by source and result."""
    return Counts(RESULTS, "", ("source", "result"), optional=True)


@dataclass
class Detected:
    """The results of the first batch. `versions` are those installed, by scope or plugin id."""

    answers: Mapping[str, TableRows]
    account: Account | None
    versions: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)

    def rows(self, name: str) -> tuple[Row, ...]:
        """Return the rows of the query `name`."""
        return self.answers[name].rows

    # -- Configuration Compliance -------------------------------------------------------------------------------------

    @property
    def compliance(self) -> str:
        """The state of Configuration Compliance: active, inactive, absent or unknown.

        A missing table proves that it is absent (docs/facts/servicenow_platform.md#errors); the lists of applications may
        be outdated or hidden.
        """
        listed = {self.states[COMPLIANCE], self.states[COMPLIANCE_SCOPE]}
        if not all(self._table_missing(name) for name in ("tests", "results")):
            readable = not self.answers["tests"].refused or not self.answers["results"].refused
            return ACTIVE if readable or ACTIVE in listed else UNKNOWN
        return INACTIVE if INACTIVE in listed and ACTIVE not in listed else ABSENT

    def _table_missing(self, name: str) -> bool:
        return "Invalid table" in self.answers[name].refused

    # -- the integration ----------------------------------------------------------------------------------------------

    @property
    def generation(self) -> str:
        """Which application reads Defender for Cloud: `sn_vul_msft_tvm` (new), `sn_vul_asc` (old), both, none or unknown."""
        new, old = self._new_state(), self._old_state()
        if ACTIVE in (new, old):
            # An active one counts, even if the other one is not visible.
            return BOTH if new == old else NEW if new == ACTIVE else OLD
        return UNKNOWN if UNKNOWN in (new, old) else NONE

    def _new_state(self) -> str:
        state = self._by_tables(NEW, self.states[NEW])
        version = self.versions.get(NEW, "")
        # Older versions are Threat and Vulnerability Management alone
        # (docs/facts/configuration_compliance.md#names-and-versions).
        return ABSENT if state == ACTIVE and version and _major(version) < FIRST_WITH_CLOUD else state

    def _old_state(self) -> str:
        states = (self.states[OLD], self.states[OLD_STORE_ID])
        state = next((s for s in (ACTIVE, INACTIVE, UNKNOWN) if s in states), ABSENT)
        return self._by_tables(OLD, state)

    def _by_tables(self, prefix: str, listed: str) -> str:
        """Decide by the tables where the lists of applications do not show it."""
        names = {row.get("name", "") for row in self.rows("tables")}
        if listed in (ACTIVE, INACTIVE):
            return listed
        if any(name.startswith(prefix) for name in names):
            return ACTIVE
        return ABSENT if listed == ABSENT or ALWAYS_PRESENT_TABLE in names else UNKNOWN

    @property
    def scope(self) -> str:
        """The scope of the application to configure: the new one if both are installed, "" if neither is."""
        return {NEW: NEW, OLD: OLD, BOTH: NEW}.get(self.generation, "")

    @property
    def line(self) -> str:
        """The product line: classic, usem or unknown. The migration to usem is irreversible."""
        new = self.versions.get(NEW, "")
        if new and self._new_state() == ACTIVE:
            return "usem" if _major(new) >= USEM_INTEGRATION else "classic"
        version = self.versions.get(COMPLIANCE) or self.versions.get(COMPLIANCE_SCOPE, "")
        if version:
            return "usem" if _major(version) >= USEM else "classic"
        names = {row.get("name", "") for row in self.rows("tables")}
        if USEM_TABLE in names:
            return "usem"
        return "classic" if RESULTS in names else UNKNOWN

    # -- roles of the account -----------------------------------------------------------------------------------------

    def lacks(self, *roles: str) -> bool:
        """Return whether the account certainly has none of `roles`, nor admin."""
        known = self.account.roles if self.account else None
        return known is not None and not known & {*roles, ADMIN}


def detect(client: ServiceNowClient) -> Detected:
    """Run all queries that do not depend on earlier results."""
    queries = detection_queries(client)
    asked = [replace(query, optional=True) for query in queries.values()]
    answers = dict(zip(queries, client.query(asked), strict=True))
    if all(answer.refused for answer in answers.values()):
        # The whole API is closed to this account or token: raise the platform's own message.
        client.query([replace(queries["users"], optional=False)])
    found = Detected(answers, account_of(answers["users"].rows, answers["roles"].rows))
    for plugin in PLUGINS:
        rows = [row for row in answers["v_plugin"].rows if row.get("id") == plugin]
        rows += [row for row in answers["sys_plugins"].rows if row.get("source") == plugin]
        visible = bool(answers["v_plugin"].rows or answers["v_plugin any"].rows)
        _record_state(found, plugin, rows, visible)
    for scope in SCOPES:
        rows = [
            row for name in ("sys_store_app", "sys_scope") for row in answers[name].rows if row.get("scope") == scope
        ]
        visible = bool(answers["sys_store_app any"].rows or answers["sys_scope"].rows)
        _record_state(found, scope, rows, visible)
    return found


def _record_state(found: Detected, name: str, rows: Iterable[Row], visible: bool) -> None:
    """Record the best state that any list shows of a plugin or an application: some ids are listed as both."""
    rows = list(rows)
    active = [row for row in rows if row.get("active", "true").lower() in ACTIVE_WORDS]
    state = ACTIVE if active else INACTIVE if rows else ABSENT if visible else UNKNOWN
    known = found.states.get(name, UNKNOWN)
    order = (UNKNOWN, ABSENT, INACTIVE, ACTIVE)
    found.states[name] = max(known, state, key=order.index)
    for version in (row.get("version", "") for row in active):
        if version and _numbers(version) > _numbers(found.versions.get(name, "")):
            found.versions[name] = version


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def _major(version: str) -> int:
    return (_numbers(version) or [0])[0]
