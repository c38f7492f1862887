# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows that the `tickets` knob changes: choice lists, data policies, an ACL."""

from __future__ import annotations

from .data.ticket_states import LEGACY_PROBLEM_STATES, OLD_CLOSE_CODES
from .instance import Instance
from .schema import schema_of
from .store import stable_id

_OPEN_ONLY = "active=true"
_POLICY = "Mandatory on this instance"


def apply_knobs(instance: Instance) -> None:
    """Apply the knob to the rows."""
    _choice_lists(instance)
    _data_policies(instance)
    _closed_tickets(instance)


def _choice_lists(instance: Instance) -> None:
    settings = instance.knobs.tickets
    wanted: dict[str, dict[str, str]] = {"incident.close_code": {}, "problem.state": {}}
    if settings.close_codes == "old":
        wanted["incident.close_code"] = {code: code for code in OLD_CLOSE_CODES}
    if settings.problem_model == "legacy":
        wanted["problem.state"] = LEGACY_PROBLEM_STATES
    for path, choices in {**wanted, **settings.choices}.items():
        table, _, column = path.partition(".")
        replace_choices(instance, table, column, choices or _shipped(instance, table, column))
    instance.redefine()


def _shipped(instance: Instance, table: str, column: str) -> dict[str, str]:
    return schema_of(instance.knobs.release).tables[table].columns[column].choices


def replace_choices(instance: Instance, table: str, column: str, choices: dict[str, str]) -> None:
    """Replace the rows of `sys_choice` for a column: value -> label."""
    rows = [row for row in instance.database.lookup("sys_choice", "name", table) if row.get("element") == column]
    if {row.get("value", ""): row.get("label", "") for row in rows} == choices:
        return
    for row in rows:
        instance.database.remove("sys_choice", row["sys_id"])
    for place, (value, label) in enumerate(choices.items()):
        row = {
            "sys_id": stable_id("sys_choice", f"{table}.{column}.{value}"),
            "name": table,
            "element": column,
            "value": value,
            "label": label,
            "language": "en",
            "sequence": str(place),
            "inactive": "false",
            **instance.stamps("system"),
        }
        instance.database.put("sys_choice", row)


def _data_policies(instance: Instance) -> None:
    for policy in list(instance.database.lookup("sys_data_policy2", "short_description", _POLICY)):
        for rule in list(instance.database.lookup("sys_data_policy_rule", "sys_data_policy", policy["sys_id"])):
            instance.database.remove("sys_data_policy_rule", rule["sys_id"])
        instance.database.remove("sys_data_policy2", policy["sys_id"])
    for table, columns in instance.knobs.tickets.mandatory.items():
        policy = {"short_description": _POLICY, "model_table": table, "active": "true", "enforce_import": "true"}
        policy.update(sys_id=instance.new_id(), **instance.stamps("system"))
        instance.database.put("sys_data_policy2", policy)
        for column in columns:
            rule = {"sys_data_policy": policy["sys_id"], "table": table, "field": column, "mandatory": "true"}
            rule.update(sys_id=instance.new_id(), **instance.stamps("system"))
            instance.database.put("sys_data_policy_rule", rule)


def _closed_tickets(instance: Instance) -> None:
    wanted = "true" if instance.knobs.tickets.closed_read_only else "false"
    for table in ("incident", "problem", "change_request"):
        key = f"{table}:write:{_OPEN_ONLY}"
        found = instance.database.find("sys_security_acl", stable_id("sys_security_acl", key))
        if found is None:
            continue
        condition = _OPEN_ONLY if wanted == "true" else ""
        if found[1].get("condition", "") != condition:
            row = {**found[1], "condition": condition}
            instance.database.put("sys_security_acl", {name: value for name, value in row.items() if value})
