# SPDX-License-Identifier: GPL-3.0-or-later
"""Business rules and data policies of the tables. Those of tickets are in `tickets`.

See docs/facts/servicenow_platform.md#application-registry, docs/facts/servicenow_platform.md#related-oauth-tables,
docs/facts/servicenow_platform.md#records-on-the-wire, docs/facts/servicenow_platform.md#users-and-roles.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from . import tickets
from .configuration_compliance.integration import guarded_tables
from .data.identity import PROTECTED_ROLES
from .errors import Refused, cross_scope
from .hardening import guard
from .matching import Matcher
from .query import parse
from .role_grants import TABLE as GRANTS
from .role_grants import materialise, role_closure
from .store import Row
from .write_context import Rule, WriteContext


def before(change: WriteContext) -> None:
    """Run the rules before a row is stored; raises Refused if a rule aborts the write."""
    aborting = change.instance.knobs.abort.get(change.table)
    if aborting and change.caller is not None:
        raise change.abort(aborting)
    if change.caller is not None and change.table in guarded_tables(change.instance):
        raise cross_scope(change.table, change.operation)
    for rule in _rules(BEFORE, change):
        rule(change)
    if change.operation != "delete" and change.caller is not None:
        _data_policies(change)


def after(change: WriteContext) -> None:
    """Run the rules after a row is stored."""
    for rule in _rules(AFTER, change):
        rule(change)


def _rules(kind: dict[str, tuple[Rule, ...]], change: WriteContext) -> Iterator[Rule]:
    for name in reversed(tuple(change.instance.database.schema.ancestry(change.table))):
        yield from kind.get(name, ())


def _data_policies(change: WriteContext) -> None:
    database, query_context = change.instance.database, change.instance.query_context()
    for policy in database.lookup("sys_data_policy2", "model_table", change.table):
        matches = Matcher(database, change.table, query_context).predicate(parse(policy.get("conditions", "")))
        if policy.get("active") != "true" or not matches(change.row):
            continue
        columns = database.schema.tables[change.table].columns
        missing = [
            columns[rule["field"]].label
            for rule in database.lookup("sys_data_policy_rule", "sys_data_policy", policy["sys_id"])
            if rule.get("mandatory") == "true" and rule.get("field") in columns and not change.row.get(rule["field"])
        ]
        if missing:
            raise Refused(
                403,
                "Operation Failed",
                "Data Policy Exception: " + "; ".join(f"{label} is mandatory" for label in missing),
            )


def _unique(column: str, rule: str) -> Rule:
    def check(change: WriteContext) -> None:
        value = change.row.get(column, "")
        if change.operation == "delete" or change.caller is None or not value:
            return
        if any(
            row["sys_id"] != change.row["sys_id"]
            for row in change.instance.database.lookup(change.table, column, value)
        ):
            raise change.abort(rule)

    return check


def _user_name_and_state(change: WriteContext) -> None:
    row = change.row
    full = " ".join(filter(None, (row.get("first_name", ""), row.get("last_name", ""))))
    row["name"] = full or row.get("name", "")
    if change.operation == "update" and change.sets("locked_out") and row.get("locked_out") == "false":
        row["failed_attempts"] = ""


def _oauth_defaults(change: WriteContext) -> None:
    if change.operation != "insert":
        return
    row, knobs = change.row, change.instance.knobs
    columns = change.instance.database.schema.tables[change.table].columns
    row["client_id"] = row.get("client_id") or secrets.token_hex(16)
    row["client_uuid"] = row.get("client_uuid") or secrets.token_hex(16)
    if not row.get("client_secret") and knobs.auto_generate and row.get("public_client") != "true":
        row["client_secret"] = change.instance.cipher.encrypt(secrets.token_urlsafe(24))
    if "scope_restriction_status" in columns and not row.get("scope_restriction_status"):
        row["scope_restriction_status"] = knobs.default_scope_status


def _one_default_profile(change: WriteContext) -> None:
    if change.operation == "delete" or change.caller is None or change.row.get("default") != "true":
        return
    others = change.instance.database.lookup("oauth_entity_profile", "oauth_entity", change.row.get("oauth_entity", ""))
    if any(row.get("default") == "true" and row["sys_id"] != change.row["sys_id"] for row in others):
        raise change.abort("Validate OAuth entity profile")


def _grant(change: WriteContext) -> None:
    database, row = change.instance.database, change.row
    if change.caller is not None and change.operation == "delete" and row.get("inherited") == "true":
        raise change.abort("Prevent deletion of inherited roles")
    if change.operation != "insert":
        return
    row["inherited"], row["inh_count"] = "false", ""
    if change.caller is not None and not change.caller.is_admin and _reaches_protected(change, row.get("role", "")):
        raise change.abort("Only admin may grant admin")
    if change.instance.knobs.role_management_v2:
        for other in list(database.lookup(GRANTS, "user", row.get("user", ""))):
            if other.get("role") == row.get("role"):
                _merge_grant(change, other)


def _merge_grant(change: WriteContext, other: Row) -> None:
    # One row per user and role: the direct grant replaces the inherited row and keeps its count
    # (docs/facts/servicenow_platform.md#role-grants).
    if other.get("inherited") != "true" and change.caller is not None:
        raise change.abort("Prevent duplicate user roles")
    change.row["sys_id"], change.row["inh_count"] = other["sys_id"], other.get("inh_count", "")


def _reaches_protected(change: WriteContext, role: str) -> bool:
    database = change.instance.database
    names = {
        found[1].get("name") for each in role_closure(database, role) if (found := database.find("sys_user_role", each))
    }
    return not names.isdisjoint(PROTECTED_ROLES)


def _keep_while_inherited(change: WriteContext) -> None:
    # A row that is both direct and inherited stays as inherited.
    if change.operation == "delete" and change.row.get("inh_count"):
        change.is_absorbed = True
        change.instance.database.put(GRANTS, {**change.row, "inherited": "true"})


def _protected_role(change: WriteContext) -> None:
    guarded = change.row.get("name") in PROTECTED_ROLES or (change.old or {}).get("name") in PROTECTED_ROLES
    if guarded and change.caller is not None and (change.operation == "delete" or not change.caller.is_admin):
        raise change.abort("Protect base system roles")


def _containment(change: WriteContext) -> None:
    if change.operation == "delete" or change.caller is None:
        return
    role, contained = change.row.get("role", ""), change.row.get("contains", "")
    if role in role_closure(change.instance.database, contained):
        raise change.abort("Check for role recursion")
    if not change.caller.is_admin and _reaches_protected(change, contained):
        raise change.abort("Only admin may grant admin")


def _flatten_user(change: WriteContext) -> None:
    for user in {change.row.get("user", ""), (change.old or {}).get("user", "")} - {""}:
        _materialise(change, user)


def _flatten_everyone(change: WriteContext) -> None:
    for user in list(change.instance.database.rows("sys_user").by_id):
        _materialise(change, user)


def _materialise(change: WriteContext, user: str) -> None:
    counted = change.instance.knobs.role_management_v2
    materialise(change.instance.database, user, counted=counted, now=change.instance.timestamp())


def _cascade(*targets: tuple[str, str]) -> Rule:
    def remove(change: WriteContext) -> None:
        if change.operation == "delete":
            for table, column in targets:
                for row in list(change.instance.database.lookup(table, column, change.row["sys_id"])):
                    change.instance.database.remove(table, row["sys_id"])

    return remove


def _acl_roles_go(change: WriteContext) -> None:
    _cascade(("sys_security_acl_role", "sys_security_acl"))(change)


def _choices_follow(change: WriteContext) -> None:
    change.instance.redefine()


_GRANT_USERS = (_flatten_user,)
BEFORE: dict[str, tuple[Rule, ...]] = {
    "sys_user": (_unique("user_name", "Unique User ID"), _user_name_and_state),
    "sys_user_role": (_unique("name", "Unique role name"), _protected_role),
    "sys_user_role_contains": (_containment,),
    "sys_properties": (_unique("name", "Unique property name"), guard),
    "sys_user_has_role": (_grant, _keep_while_inherited),
    "oauth_entity": (_oauth_defaults,),
    "oauth_entity_profile": (_one_default_profile,),
    "task": (tickets.number, tickets.task, tickets.assignment),
    "sys_import_set": (tickets.number,),
    "incident": (tickets.incident,),
    "problem": (tickets.problem,),
    "change_request": (tickets.change_request,),
    "problem_task": (tickets.subtask,),
    "change_task": (tickets.subtask,),
    "sc_req_item": (tickets.subtask,),
    "sn_si_incident": (tickets.subtask,),
}
AFTER: dict[str, tuple[Rule, ...]] = {
    "sys_user": (_cascade((GRANTS, "user"), ("sys_user_grmember", "user")),),
    "sys_user_role": (
        _cascade((GRANTS, "role"), ("sys_user_role_contains", "role"), ("sys_user_role_contains", "contains")),
        _flatten_everyone,
    ),
    "sys_user_role_contains": (_flatten_everyone,),
    "sys_user_group": (_cascade(("sys_user_grmember", "group"), ("sys_group_has_role", "group")), _flatten_everyone),
    "sys_group_has_role": (_flatten_everyone,),
    "sys_user_has_role": _GRANT_USERS,
    "sys_user_grmember": _GRANT_USERS,
    "sys_security_acl": (_acl_roles_go,),
    "sys_choice": (_choices_follow,),
    "oauth_entity": (
        _cascade(("oauth_entity_profile", "oauth_entity"), ("oauth_entity_auth_scope_mapping", "oauth_entity")),
    ),
}
