# SPDX-License-Identifier: GPL-3.0-or-later
"""Access rules as rows of an update set.

See docs/facts/servicenow_platform.md#access-rules, docs/facts/servicenow_platform.md#update-sets.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...engine.snapshot import Snapshot
from ..update_set_file import Columns, NamedReference, UpdateRow, derived_id

ACL, ACL_ROLE, ROLES = "sys_security_acl", "sys_security_acl_role", "sys_user_role"


def rule_rows(snapshot: Snapshot, role: str, operation: str, tables: Iterable[str]) -> list[UpdateRow]:
    """Return a rule and its role for each table; none while the role does not exist.

    Ids follow from role, operation and table, so that a rule is the same one on every instance. Roles come before rules: a rule
    without a role, which a commit that fails in between would leave, admits every user.
    """
    role_ids = [row["sys_id"] for row in snapshot.rows(ROLES, "name", role)]
    if len(role_ids) != 1:
        return []
    updated = {row["sys_id"]: row.get("sys_updated_on", "") for row in snapshot.all_rows(ACL, "name")}
    rules: list[UpdateRow] = []
    links: list[UpdateRow] = []
    for table in tables:
        acl, link = rule_id(role, operation, table), derived_id(ACL_ROLE, role, operation, table)
        rule = {
            "active": "true",
            "admin_overrides": "true",
            "advanced": "false",
            "decision_type": "allow",
            "description": f"Lets {role} {operation} {table}, as Microsoft documents for Defender for Cloud Apps",
            "name": table,
            "operation": operation,
            "sys_class_name": ACL,
            "sys_name": table,
            "sys_update_name": f"{ACL}_{acl}",
            "type": "record",
        }
        required: Columns = {
            "sys_class_name": ACL_ROLE,
            "sys_name": f"{table}.{role}",
            "sys_security_acl": NamedReference(acl, table),
            "sys_update_name": f"{ACL_ROLE}_{link}",
            "sys_user_role": NamedReference(role_ids[0], role),
        }
        rules.append(UpdateRow(ACL, acl, table, rule, updated.get(acl, "")))
        links.append(UpdateRow(ACL_ROLE, link, f"{table}.{role}", required, updated.get(acl, "")))
    return [*links, *rules]


def rule_id(role: str, operation: str, table: str) -> str:
    """Return the id of the rule that `rule_rows` makes for a table."""
    return derived_id(ACL, role, operation, table)
