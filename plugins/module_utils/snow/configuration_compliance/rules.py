# SPDX-License-Identifier: GPL-3.0-or-later
"""Assignment rules and remediation task rules: who owns a deviation, and which deviations are one task.

See docs/facts/configuration_compliance.md#rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.field import BOOLEAN, Field, Reference, kind_of
from ...engine.plan import Plan, SecretDecision
from ...engine.reconcile import reconcile
from ...engine.result import ABSENT, PRESENT, WHOLE, Drift, Result, Unproven
from ...engine.snapshot import Snapshot
from ..query import TableQuery, TableRows, any_of
from ..store import InstanceStore
from .configuration import DiscoveredRow
from .rule_forms import APPLIES_TO, FORMS, GROUPS, RULE_TABLES, TASK, RuleForm, choice_for_groups, columns_of, rule_step

MAX_GROUP_KEYS = 6
_ENTRY: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": [PRESENT, ABSENT], "default": PRESENT},
    "active": {"type": "bool"},
    "order": {"type": "int"},
    "condition": {"type": "str"},
    "description": {"type": "str"},
    "group": {"type": "str"},
    "extra_fields": {"type": "dict"},
}
RULES_OPTIONS: dict[str, dict[str, Any]] = {
    "assignment_rules": {"type": "list", "elements": "dict", "options": _ENTRY},
    "remediation_task_rules": {
        "type": "list",
        "elements": "dict",
        "options": {**_ENTRY, "group_by": {"type": "list", "elements": "str"}},
    },
}
# Options that are columns of their own.
PLAIN = ("active", "order", "condition", "description")
PLATFORM = "The names of these columns are not published, and sys_dictionary does not show them to the account"


class Rule(DiscoveredRow):
    """One rule. A write that the instance refuses, such as one from another application scope, becomes a manual step."""

    noun = "rule"
    stage = 3

    def __init__(
        self, form: RuleForm, table: str, columns: Mapping[str, str], entry: Mapping[str, Any], using: str
    ) -> None:
        self.form, self.entry, self.table = form, entry, table
        name = columns["name"]
        self.key = (name,)
        wanted = {option: entry[option] for option in PLAIN if entry[option] is not None}
        fields = [Field(name)]
        fields += [Field(o, columns[o], kind=BOOLEAN if o == "active" else kind_of(v)) for o, v in wanted.items()]
        values: dict[str, Any] = {name: entry["name"], **wanted}
        if entry["group"]:
            fields.append(Field("group", columns["group"], reference=Reference(GROUPS, "name")))
            values["group"] = entry["group"]
            if using:
                fields.append(Field("assign_using", columns["assign_using"]))
                values["assign_using"] = using
        if "table" in columns:
            fields.append(Field("table", columns["table"]))
            self.on_create = {"table": APPLIES_TO}
        self.fields = tuple(fields)
        step = rule_step(form, entry, "The table of rules may be writable only in the scope of the application")
        label = f"{form.noun} {entry['name']}"
        super().__init__(values, label, step, state=entry["state"], extra_fields=entry["extra_fields"])

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare; by which fields a new remediation task rule groups is entered manually."""
        plan = super().plan(snapshot, secrets)
        if self.entry.get("group_by") and self.row is None and plan.writes:
            reason = (
                "The columns of group keys are not published. The step is returned when the rule is created, as they cannot be read either; "
                "a rule without group keys makes one task of all its results"
            )
            plan.manual_steps.append(rule_step(self.form, self.entry, reason))
        return plan


def reconcile_rules(instance: InstanceStore, params: Mapping[str, Any]) -> Result:
    """Bring the rules of both kinds to their desired state.

    Raises `InvalidInput` for invalid entries, and if Configuration Compliance is not installed, except in check mode, where an earlier task
    may install it.
    """
    wanted = [(form, entry) for form in FORMS for entry in params[form.option] or []]
    _check(wanted)
    tables, columns, choices = _dictionary(instance)
    present = {row.get("name", "") for row in tables.rows}
    rules: list[Rule] = []
    left = Result()
    for form, entry in wanted:
        table = form.table_of(present)
        label = f"{form.noun} {entry['name']}"
        if not table and not (instance.check_mode or tables.refused):
            raise InvalidInput(
                f"{label}: {instance.name} has no table {' or '.join(form.tables)}; Configuration Compliance is not installed"
            )
        if not table:
            why = tables.refused or "Configuration Compliance is not installed yet"
            left.unproven.append(Unproven(label, WHOLE, why))
            continue
        known = columns_of(form, [row for row in columns.rows if row.get("name") == table])
        using = choice_for_groups(
            [row for row in choices.rows if row.get("name") == table], known.get("assign_using", "")
        )
        unknown = _unknown(form, entry, known, using)
        if unknown:
            left.manual_steps.append(rule_step(form, entry, columns.refused or f"{PLATFORM}: {', '.join(unknown)}"))
            left.drift.append(Drift(label, "state", None, entry["state"]))
        else:
            rules.append(Rule(form, table, known, entry, using))
    result = reconcile(instance, *rules) if rules else Result()
    result.manual_steps += left.manual_steps
    result.drift += left.drift
    result.unproven += [
        *left.unproven,
        *(Unproven(rule.label, WHOLE, rule.unreadable) for rule in rules if rule.unreadable),
    ]
    result.output = {
        "msg": f"{instance.name}: {_summary(result, len(wanted))}",
        "rules": [{"kind": rule.form.option, "table": rule.table, **rule.as_result(rule.row)} for rule in rules],
    }
    return result


def _check(wanted: list[tuple[RuleForm, Mapping[str, Any]]]) -> None:
    seen: set[tuple[str, str]] = set()
    for form, entry in wanted:
        label = f"{form.noun} {entry['name']}"
        if not entry["name"].strip():
            raise InvalidInput(f"{form.option}: name must not be empty")
        if (form.option, entry["name"]) in seen:
            raise InvalidInput(f"{form.option} lists {entry['name']} twice")
        seen.add((form.option, entry["name"]))
        if entry["condition"] == "" and entry["state"] == PRESENT:
            raise InvalidInput(
                f"{label}: condition is empty, which every result meets; set one, such as active=true, or leave it out"
            )
        if form is TASK and len(entry["group_by"] or ()) > MAX_GROUP_KEYS:
            raise InvalidInput(
                f"{label}: group_by has {len(entry['group_by'])} fields; a rule has up to {MAX_GROUP_KEYS}"
            )


def _dictionary(instance: InstanceStore) -> tuple[TableRows, TableRows, TableRows]:
    named = any_of("name", RULE_TABLES)
    fields = ("sys_id", "name", "element", "column_label", "internal_type", "reference")
    tables, columns, choices = instance.client.query([
        TableQuery("sys_db_object", named, ("sys_id", "name"), optional=True),
        TableQuery("sys_dictionary", f"{named}^elementISNOTEMPTY", fields, optional=True),
        TableQuery("sys_choice", named, ("sys_id", "name", "element", "value", "label"), optional=True),
    ])  # fmt: skip
    return tables, columns, choices


def _unknown(form: RuleForm, entry: Mapping[str, Any], columns: Mapping[str, str], using: str) -> list[str]:
    """Return the labels of the fields whose column is not known. A rule without its condition would apply to everything."""
    needed = ["name"]
    if entry["state"] == PRESENT:
        needed += [option for option in (*PLAIN, "group") if entry[option] not in (None, "")]
    missing = [form.labels[option] for option in needed if option not in columns]
    if entry["state"] == PRESENT and entry["group"] and "assign_using" in columns and not using:
        missing.append(form.labels["assign_using"])
    return missing


def _summary(result: Result, count: int) -> str:
    if not (result.drift or result.unproven):
        return f"{count} rule{'' if count == 1 else 's'} in sync"
    parts = [f"{len(result.drift)} deviation{'' if len(result.drift) == 1 else 's'}"] if result.drift else []
    parts += [f"{len(result.manual_steps)} to enter manually"] if result.manual_steps else []
    parts += [f"{len(result.unproven)} unproven"] if result.unproven else []
    return ", ".join(parts)
