# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifies that a role may read the tables that a connector reads.

Access rules are writable only in a session with `security_admin` elevated, which no REST call can have
(docs/facts/servicenow_platform.md#access-rules). So this resource verifies, and returns a manual step with every value to enter
and an update set that holds the rules. At most, the update set of an instance where they were created manually is taken over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...ansible_module import Params, TaskContext
from ...engine.errors import InvalidInput
from ...engine.plan import Plan, Resource, SecretDecision
from ...engine.result import UNKNOWN, Drift, ManualStep
from ...engine.snapshot import PlannedId, Query, Row, Snapshot
from ..options import Options
from ..update_set_file import COMMIT_CLICKS, IMPORT_CLICKS, UpdateSetContent
from ..update_sets.take_over import SOURCE_OPTIONS, TakeOver
from .table_acl_rows import ACL, ACL_ROLE, ROLES, rule_id, rule_rows

GRANTED, MISSING, NEEDS_ELEVATION = "granted", "missing", "needs_elevation"
# Every instance has this table and rules for it: no visible rule means that the account may not read them.
ALWAYS_THERE = "sys_user"
TABLES = "sys_db_object"
UNREADABLE = f"the calling account may not read {ACL}, which requires admin or security_admin"
# What makes a rule grant less than its role suggests (docs/facts/servicenow_platform.md#access-rules).
NARROWING = ("decision_type", "condition", "advanced", "script")
DENY = "deny"
TABLE_ACLS_OPTIONS: Options = {
    "role": {"type": "str", "required": True},
    "tables": {"type": "list", "elements": "str", "required": True},
    "operation": {"type": "str", "choices": ["read"], "default": "read"},
    "update_set_file": {"type": "str"},
    **SOURCE_OPTIONS,
}


class TableAcls(Resource):
    """Record rules that let `role` do `operation` on `tables`.

    `update_set_file` is where the caller saves `update_set`; `take_over` is the update set of another instance that has the rules.
    """

    def __init__(
        self,
        role: str,
        tables: list[str],
        operation: str,
        update_set_file: str = "",
        take_over: TakeOver | None = None,
    ) -> None:
        self.role, self.tables, self.operation = role, list(dict.fromkeys(tables)), operation
        self.update_set_file, self.take_over = update_set_file, take_over
        self.label = f"table_acls {role}"
        self.title = title_for(role, operation)
        self.update_set = UpdateSetContent(self.title, "", [])
        if not role.strip() or not all(table.strip() for table in tables):
            raise InvalidInput(f"{self.label}: role and tables must not be empty or blank")

    @classmethod
    def from_params(cls, params: Mapping[str, Any], take_over: TakeOver | None = None) -> TableAcls:
        """Return the access rules of a task or of an entry of `snow_instance`."""
        return cls(
            params["role"], params["tables"], params["operation"], params.get("update_set_file") or "", take_over
        )

    def reads(self) -> list[Query]:
        """Return the queries for the rules of the tables, for the roles they require, and for the tables themselves."""
        tables = tuple(self.tables)
        seen = tuple(dict.fromkeys((*tables, ALWAYS_THERE)))
        return [
            Query(
                ACL, "name", seen, ("sys_id", "name", "operation", "type", "active", "decision_type", "sys_updated_on"),
                optional=True,
            ),
            Query(
                ACL_ROLE,
                "sys_security_acl.name",
                tables,
                (
                    "sys_id", "sys_user_role.name", "sys_security_acl", "sys_security_acl.name", "sys_security_acl.operation",
                    "sys_security_acl.type", "sys_security_acl.active",
                    *(f"sys_security_acl.{column}" for column in NARROWING),
                ),
                optional=True,
            ),
            Query(TABLES, "name", seen, ("sys_id", "name"), optional=True),
            Query(ROLES, "name", (self.role,), ("sys_id", "name"), optional=True),
            *(self.take_over.reads() if self.take_over else ()),
        ]  # fmt: skip

    def further_queries(self, snapshot: Snapshot) -> list[Query]:
        """Return the queries for the retrieved update sets, if there is a source."""
        return self.take_over.further_queries(snapshot) if self.take_over else []

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Evaluate each table; one that is not granted is drift and part of the manual step."""
        plan = Plan(self.label, bulk=True, in_sync_statuses=(GRANTED,))
        verdicts = {table: self._verdict(snapshot, table) for table in self.tables}
        for table, status in verdicts.items():
            outcome = {
                "object": f"table_acl {table} ({self.role})",
                "table": table,
                "role": self.role,
                "status": status,
            }
            if status == UNKNOWN:
                outcome["reason"] = UNREADABLE
            note = self._note(snapshot, table) if status == GRANTED else ""
            plan.outcomes.append({**outcome, "note": note} if note else outcome)
            plan.warnings += [f"{outcome['object']} is granted, but {note}"] if note else []
            if status in (MISSING, NEEDS_ELEVATION):
                plan.drift.append(Drift(f"table_acl {table} ({self.role})", self.operation, status, GRANTED))
        self._plan_open_tables(plan, snapshot, secrets)
        if UNKNOWN in verdicts.values():
            plan.warnings.append(
                f"whether role {self.role} may {self.operation} {', '.join(t for t, s in verdicts.items() if s == UNKNOWN)} "
                f"is unknown: {UNREADABLE}"
            )
        return plan

    def _plan_open_tables(self, plan: Plan, snapshot: Snapshot, secrets: SecretDecision) -> None:
        outcomes = [outcome for outcome in plan.outcomes if outcome["status"] == NEEDS_ELEVATION]
        tables = [outcome["table"] for outcome in outcomes]
        for table in tables:
            self._warn_of_rule_without_role(plan, snapshot, table)
        rows = rule_rows(snapshot, self.role, self.operation, tables)
        rules = "1 access rule" if len(tables) == 1 else f"{len(tables)} access rules"
        description = f"{rules} that let the role {self.role} {self.operation} the tables of Microsoft Defender"
        self.update_set = UpdateSetContent(self.title, description, rows)
        # The file holds the rules as soon as the role exists, which this run may create.
        has_file = bool(rows or PlannedId(ROLES, "name", self.role) in snapshot.planned)
        steps = [self._step(tables, self.update_set_file if has_file else "")] if tables else []
        if self.take_over:
            self.take_over.plan(plan, snapshot, secrets, outcomes, steps)
        else:
            plan.manual_steps += steps

    def _warn_of_rule_without_role(self, plan: Plan, snapshot: Snapshot, table: str) -> None:
        """Warn of an imported rule whose role is missing: it admits every user (docs/facts/servicenow_platform.md#access-rules)."""
        own = rule_id(self.role, self.operation, table)
        is_there = any(
            row["sys_id"] == own and row.get("active") == "true" for row in snapshot.rows(ACL, "name", table)
        )
        if is_there and not snapshot.rows(ACL_ROLE, "sys_security_acl.name", table, {"sys_security_acl": own}):
            plan.warnings.append(
                f"the rule {own} lets every user {self.operation} {table}, as its role {self.role} is missing: the update set was committed "
                f"in part. Add the role to the rule, or delete the rule"
            )

    def _grants(self, snapshot: Snapshot, table: str) -> list[Row]:
        """Return the rules that let the role in; one that only denies grants nothing."""
        return [
            row for row in snapshot.rows(ACL_ROLE, "sys_security_acl.name", table)
            if row.get("sys_user_role.name") == self.role and self._is_record_rule(row, "sys_security_acl.")
            and not _denies(row, "sys_security_acl.")
        ]  # fmt: skip

    def _note(self, snapshot: Snapshot, table: str) -> str:
        """Return what may still refuse the role on a granted table; "" if nothing does."""
        narrowed = [_narrowed_by(row, "sys_security_acl.") for row in self._grants(snapshot, table)]
        # Of several rules, one without a condition is sufficient.
        notes = [] if "" in narrowed else [f"{narrowed[0]} of the rule narrows which rows"]
        rules = snapshot.rows(ACL, "name", table)
        if any(self._is_record_rule(row) and _denies(row) for row in rules):
            notes.append("a rule that denies access unless it is passed exists for the table")
        return "; ".join(notes)

    def _verdict(self, snapshot: Snapshot, table: str) -> str:
        if self._grants(snapshot, table):
            return GRANTED
        if snapshot.refused(ACL_ROLE, "sys_security_acl.name") or snapshot.hidden_count(
            ACL_ROLE, "sys_security_acl.name"
        ):
            return UNKNOWN
        visible_tables = snapshot.all_rows(TABLES, "name")
        if visible_tables and not any(row.get("name") == table for row in visible_tables):
            # v_ tables are virtual: not every release lists them.
            return NEEDS_ELEVATION if table.startswith("v_") else MISSING
        return NEEDS_ELEVATION if snapshot.all_rows(ACL, "name") else UNKNOWN

    def _is_record_rule(self, row: Mapping[str, str], prefix: str = "") -> bool:
        return (
            row.get(f"{prefix}operation") == self.operation
            and row.get(f"{prefix}type", "record") == "record"
            and row.get(f"{prefix}active", "true") == "true"
        )

    def _step(self, tables: list[str], file: str) -> ManualStep:
        manually = "System Security > Access Control (ACL) > New, once for each table"
        values = {
            "Type": "record",
            "Operation": self.operation,
            "Decision Type": "Allow If",
            "Active": "true",
            "Name": ", ".join(tables),
            "Requires role": self.role,
        }
        where = manually
        if file:
            where = f"{IMPORT_CLICKS} > {file}; open {self.title} > {COMMIT_CLICKS}; or {manually}"
            values["Update set file"] = file
        return ManualStep(
            id=f"table_acls:{self.role}:{self.operation}",
            title=f"Create {len(tables)} access control rules for the role {self.role}",
            reason="Access rules are writable only with the elevated role security_admin, which no API call can have",
            where=f"ServiceNow: user menu > Elevate role > security_admin, then {where}",
            values=values,
        )


def take_over_of(params: Params, task: Params, context: TaskContext) -> TakeOver | None:
    """Return the update set that `params` take the rules from, None for none; `task` are all options of the task."""
    return TakeOver.of(params, task, context, title_for(params["role"], params["operation"]))


def title_for(role: str, operation: str) -> str:
    """Return the name of the update set with the rules of a role."""
    return f"Defender: {operation} access of {role}"


def _denies(row: Row, prefix: str = "") -> bool:
    return str(row.get(f"{prefix}decision_type", "")).strip().lower() == DENY


def _narrowed_by(row: Row, prefix: str) -> str:
    """Return what narrows a rule; a script counts where the rule is advanced, or where that cannot be read."""
    scripted = row.get(f"{prefix}script", "").strip() and row.get(f"{prefix}advanced", "true") != "false"
    parts = ["a condition"] if row.get(f"{prefix}condition", "").strip() else []
    return " and ".join([*parts, *(["a script"] if scripted else [])])
