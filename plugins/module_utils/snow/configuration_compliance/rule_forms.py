# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms of assignment rules and remediation task rules, and the columns that an instance has for their fields.

Tables and labels are published, the names of most columns are not: they are found by label and type
(docs/facts/configuration_compliance.md#rules).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...engine.result import ManualStep
from ...engine.snapshot import Row
from .constants import RESULTS

GROUPS = "sys_user_group"
USER_GROUP = "User group"
# What a rule of the line 30.x applies to.
APPLIES_TO = RESULTS
ADMINISTRATION = "All > Configuration Compliance > Administration"


@dataclass(frozen=True)
class RuleForm:
    """One kind of rule: the option that lists its rules, its `tables` (of the line 30.x and of 15.x), and its form."""

    option: str
    noun: str
    tables: tuple[str, str]
    where: str
    labels: Mapping[str, str]

    def table_of(self, present: Iterable[str]) -> str:
        """Return the table that the instance uses, "" if it has neither: 30.x replaces the tables of 15.x."""
        return next((table for table in self.tables if table in present), "")


_LABELS = {"name": "Name", "active": "Active", "description": "Description"}
ASSIGNMENT = RuleForm(
    "assignment_rules",
    "assignment rule",
    ("sn_sec_wf_assign_rule", "sn_vulc_assignment_rule"),
    f"{ADMINISTRATION} > Assignment Rules",
    {
        **_LABELS,
        "order": "Execution order",
        "condition": "Condition",
        "assign_using": "Assign using",
        "group": USER_GROUP,
    },
)
TASK = RuleForm(
    "remediation_task_rules",
    "remediation task rule",
    ("sn_sec_rem_task_rule", "sn_vulc_grouping_rule"),
    f"{ADMINISTRATION} > Remediation Task Rules",
    {
        **_LABELS,
        "order": "Execution order",
        "condition": "Conditions",
        "assign_using": "Assign test result groups by",
        "group": USER_GROUP,
        "group_by": "Group test results from: Test Result, using field",
    },
)
FORMS = (ASSIGNMENT, TASK)
RULE_TABLES = tuple(table for form in FORMS for table in form.tables)


def columns_of(form: RuleForm, rows: Iterable[Row]) -> dict[str, str]:
    """Return the column of each field that follows from the dictionary rows of a rule's table."""
    rows = list(rows)
    found = {
        "name": _only(rows, lambda row: row.get("element") in ("name", "rule_name")),
        "active": _only(rows, lambda row: row.get("element") == "active"),
        "description": _only(rows, lambda row: _label(row) == "description"),
        "order": _only(rows, lambda row: _label(row) in ("execution order", "order")),
        "condition": _only(rows, lambda row: row.get("internal_type") == "conditions"),
        "group": _only(rows, lambda row: row.get("reference") == GROUPS),
        "assign_using": _only(rows, lambda row: _label(row) == form.labels["assign_using"].casefold()),
        "table": _only(rows, lambda row: row.get("internal_type") == "table_name"),
    }
    return {name: column for name, column in found.items() if column}


def choice_for_groups(choices: Iterable[Row], column: str) -> str:
    """Return the stored value of the choice "User group" of a column, "" if it is ambiguous."""
    values = {
        row.get("value", "")
        for row in choices
        if row.get("element") == column and row.get("label", "").strip().casefold() == USER_GROUP.casefold()
    }
    return values.pop() if len(values) == 1 else ""


def rule_step(form: RuleForm, entry: Mapping[str, Any], reason: str) -> ManualStep:
    """Return the step to enter or remove a rule manually, with every value by the label of the form."""
    values = {
        label: ", ".join(value)
        if isinstance(value, list)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
        for option, label in form.labels.items()
        if (value := entry.get(option)) not in (None, "", [])
    }
    if entry.get("group"):
        values[form.labels["assign_using"]] = USER_GROUP
    values |= {str(name): str(value) for name, value in (entry.get("extra_fields") or {}).items()}
    removes = entry["state"] == "absent"
    return ManualStep(
        id=f"configuration_compliance:{form.option}:{entry['name']}",
        title=f"{'Remove' if removes else 'Enter'} the {form.noun} {entry['name']}",
        reason=reason,
        where=f"{form.where} > {entry['name'] if removes else 'New'}",
        values={"Name": entry["name"]} if removes else values,
    )


def _only(rows: Iterable[Row], fits: Callable[[Row], bool]) -> str:
    found = {str(row.get("element", "")) for row in rows if fits(row)} - {""}
    return next(iter(found)) if len(found) == 1 else ""


def _label(row: Row) -> str:
    return str(row.get("column_label", "")).strip().casefold()
