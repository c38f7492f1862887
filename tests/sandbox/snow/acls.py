# SPDX-License-Identifier: GPL-3.0-or-later
"""Access control, decided by the rows of `sys_security_acl`.

See docs/facts/servicenow_platform.md#access-rules, docs/facts/defender_for_cloud_apps.md#read-account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from . import hardening
from .callers import Caller
from .data.acls import FORBIDDING_TABLES, READ_ONLY_EXEMPT
from .errors import API_ACL, Refused, acl_refusal
from .instance import Instance
from .matching import Matcher, Predicate
from .query import parse
from .store import Database, Row

VERBS = {"create": "Insert", "write": "Update", "delete": "Delete"}


@dataclass(frozen=True, slots=True)
class Control:
    """One active ACL: the roles it requires (None: no role), and its condition on the row.

    One that `denies` grants nothing; it has to be passed in addition to those that grant.
    """

    roles: frozenset[str] | None
    condition: str
    admin_overrides: bool
    denies: bool = False

    def admits(self, caller: Caller, roles: frozenset[str]) -> bool:
        """Whether the caller passes, regardless of the condition."""
        return (self.admin_overrides and caller.is_admin) or self.roles is None or not self.roles.isdisjoint(roles)


@dataclass(slots=True)
class Controls:
    """All active ACLs by operation and name, with the decisions computed so far by role set."""

    by_name: dict[tuple[str, str], list[Control]]
    decisions: dict[tuple[str, str, frozenset[str]], Decision] = field(default_factory=dict)
    hidden: dict[tuple[str, str, frozenset[str]], frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether an operation on a table is allowed; with conditions, only for rows that meet one of them."""

    allowed: bool
    conditions: tuple[str, ...] = ()


def controls_of(database: Database) -> Controls:
    """The active ACLs, read from their tables once per change."""
    acls, roles, names = (
        database.rows(name) for name in ("sys_security_acl", "sys_security_acl_role", "sys_user_role")
    )
    return acls.derive(("controls", roles.stamp, names.stamp), lambda: Controls(_read_controls(database)))


def _read_controls(database: Database) -> dict[tuple[str, str], list[Control]]:
    found: dict[tuple[str, str], list[Control]] = {}
    for acl in database.scan("sys_security_acl"):
        if acl.get("active") != "true":
            continue
        needed = [
            row.get("sys_user_role", "")
            for row in database.lookup("sys_security_acl_role", "sys_security_acl", acl["sys_id"])
        ]
        names = frozenset(_role_name(database, role) for role in needed) if needed else None
        overrides, denies = acl.get("admin_overrides") == "true", acl.get("decision_type") == "deny"
        control = Control(names, acl.get("condition", ""), overrides, denies)
        found.setdefault((acl.get("operation", ""), acl.get("name", "")), []).append(control)
    return found


def _role_name(database: Database, sys_id: str) -> str:
    role = database.find("sys_user_role", sys_id)
    # An ACL that requires a deleted role admits no one through it.
    return role[1].get("name", "") if role is not None else f"?{sys_id}"


class AccessCheck:
    """The access rights of one caller on one instance."""

    def __init__(self, instance: Instance, caller: Caller) -> None:
        self._instance = instance
        self._caller = caller
        self._controls = controls_of(instance.database)

    def decide(self, table: str, operation: str) -> Decision:
        """Evaluate the ACLs; the nearest table in the hierarchy that has ACLs decides."""
        # A read needs an elevated role to be assigned, a write needs it raised, which no REST call can do
        # (docs/facts/servicenow_platform.md#access-rules).
        roles = self._caller.assigned if operation == "read" else self._caller.roles
        key = (table, operation, roles)
        decide = self._controls.decisions.get(key)
        if decide is None:
            decide = self._controls.decisions[key] = self._evaluate(table, operation, roles)
        return decide

    def _evaluate(self, table: str, operation: str, roles: frozenset[str]) -> Decision:
        for name in (*self._instance.database.schema.ancestry(table), "*"):
            controls = self._controls.by_name.get((operation, name))
            if controls:
                if any(control.denies and not control.admits(self._caller, roles) for control in controls):
                    return Decision(False)
                controls = [control for control in controls if not control.denies]
                passed = [control.condition for control in controls if control.admits(self._caller, roles)]
                overridden = self._caller.is_admin and any(control.admin_overrides for control in controls)
                if overridden or "" in passed:
                    return Decision(True)
                return Decision(bool(passed), tuple(passed))
        return Decision(False)

    def hidden_columns(self, table: str, operation: str = "read") -> frozenset[str]:
        """The columns of a table that the caller may not read (or write)."""
        roles = self._caller.assigned if operation == "read" else self._caller.roles
        key = (table, operation, roles)
        hidden = self._controls.hidden.get(key)
        if hidden is None:
            hidden = self._controls.hidden[key] = frozenset(self._hidden(table, operation, roles))
        denied = self._instance.knobs.acl.deny_field
        return hidden | frozenset(denied[table]) if table in denied else hidden

    def may_not_query(self, table: str, column: str, *, is_exact: bool) -> bool:
        """Whether a query access rule keeps the caller from a condition on a column, or from sorting by it."""
        knobs = self._instance.knobs.acl
        denied = (knobs.deny_match if is_exact else knobs.deny_range).get(table, [])
        return column in denied or "*" in denied

    def _hidden(self, table: str, operation: str, roles: frozenset[str]) -> Iterator[str]:
        ancestry = tuple(self._instance.database.schema.ancestry(table))
        for column in self._instance.database.schema.tables[table].columns:
            names = (*(f"{name}.{column}" for name in ancestry), *(f"{name}.*" for name in ancestry))
            for name in names:
                controls = self._controls.by_name.get((operation, name))
                if controls:
                    denying = [control for control in controls if control.denies]
                    granting = [control for control in controls if not control.denies]
                    if not (_admit(granting, any, self._caller, roles) and _admit(denying, all, self._caller, roles)):
                        yield column
                    break

    def row_filter(self, table: str) -> Predicate | None:
        """The filter of rows that the caller can read; None: all rows. Raises Refused where reading is a 403."""
        denial = self._instance.knobs.acl.deny_table.get(table)
        decide = self.decide(table, "read")
        if denial == "403" or (not decide.allowed and table in FORBIDDING_TABLES):
            raise Refused(403, *API_ACL)
        if denial or not decide.allowed:
            return lambda _row: False
        tests = [self._condition(table, condition) for condition in decide.conditions]
        if table == "sys_properties" and not self._caller.is_admin:
            tests = [_both(_any(tests), self._may_read_property)]
        if table == "sys_properties" and self._instance.knobs.hidden_properties:
            tests = [_both(_any(tests), self._is_not_hidden)]
        if table in self._instance.knobs.acl.hidden_rows:
            hidden = self._condition(table, self._instance.knobs.acl.hidden_rows[table])
            tests = [_both(_any(tests), lambda row: not hidden(row))]
        return _any(tests) if tests else None

    def _condition(self, table: str, condition: str) -> Predicate:
        query_context = self._instance.query_context(self._caller.user_id, self._caller.user_name)
        return Matcher(self._instance.database, table, query_context).predicate(parse(condition))

    def _may_read_property(self, row: Row) -> bool:
        wanted = _roles(row.get("read_roles", ""))
        return not wanted or not wanted.isdisjoint(self._caller.assigned)

    def _is_not_hidden(self, row: Row) -> bool:
        return row.get("name") not in self._instance.knobs.hidden_properties

    def sees(self, table: str, row: Row) -> bool:
        """Whether the caller can read a row."""
        test = self.row_filter(table)
        return test is None or test(row)

    def check_write(self, table: str, operation: str, row: Row | None) -> None:
        """Refuse a write that the caller has no right to. `row` is the stored row; None on insert."""
        knobs = self._instance.knobs.acl
        denied = {"create": knobs.deny_insert, "write": knobs.deny_update, "delete": knobs.deny_delete}[operation]
        decide = self.decide(table, operation)
        if table in denied or not decide.allowed or self._is_read_only(table, operation):
            raise acl_refusal(VERBS[operation])
        tests = [self._condition(table, condition) for condition in decide.conditions] if row is not None else []
        if row is not None and not _any(tests)(row):
            raise acl_refusal(VERBS[operation])
        if table == "sys_properties" and row is not None and not self._may_write_property(row):
            raise acl_refusal(VERBS[operation])

    def _may_write_property(self, row: Row) -> bool:
        # security_admin among the write roles requires elevation, even of administrators
        # (docs/facts/servicenow_platform.md#roles, docs/facts/servicenow_hardening.md#who-may-write-a-setting).
        wanted = _roles(row.get("write_roles", ""))
        is_foreign = row.get("sys_scope", "global") != "global" and self._instance.knobs.scoped_writes == "refused"
        if hardening.is_locked(row.get("name", "")) or is_foreign:
            return False
        if "security_admin" in wanted:
            return "security_admin" in self._caller.roles
        return self._caller.is_admin or not wanted.isdisjoint(self._caller.roles)

    def _is_read_only(self, table: str, operation: str) -> bool:
        if "snc_read_only" not in self._caller.roles or not self._instance.plugin_is_active("com.snc.read_only.role"):
            return False
        name = f"glide.security.snc_read_only_role.tables.exempt_{operation}"
        return table not in _roles(self._instance.property(name, ",".join(READ_ONLY_EXEMPT)))

    def may_call(self, endpoint: str) -> bool:
        """Whether the caller passes the ACL of a REST endpoint, if one is active."""
        controls = self._controls.by_name.get(("execute", endpoint))
        return not controls or any(control.admits(self._caller, self._caller.roles) for control in controls)


def _admit(
    controls: list[Control], which: Callable[[Iterable[bool]], bool], caller: Caller, roles: frozenset[str]
) -> bool:
    """Whether the caller passes any, or all, of the ACLs."""
    return which(control.admits(caller, roles) for control in controls)


def _roles(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _any(tests: list[Predicate]) -> Predicate:
    if not tests:
        return lambda _row: True
    if len(tests) == 1:
        return tests[0]
    return lambda row: any(test(row) for test in tests)


def _both(one: Predicate, other: Predicate) -> Predicate:
    return lambda row: one(row) and other(row)
