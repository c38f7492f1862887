# SPDX-License-Identifier: GPL-3.0-or-later
"""Describes existing governance rules in the options of mdc_governance_rule, and names what these options cannot express."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ...engine.errors import InvalidInput
from ...engine.snapshot import Row
from ...number_ranges import range_problem
from ...secret_names import SECRET_NAME
from ..arm.json_properties import document_of, properties_of
from ..arm.scopes import Scope, same_path
from .governance_rule import NOTIFICATIONS, PLAIN, RULE_OPTIONS, GovernanceRule
from .governance_rule_conditions import KINDS
from .governance_rule_properties import unknown_of
from .governance_rules_api import SERVICENOW, GovernanceRulesEndpoint

Json = Mapping[str, Any]
DEFAULTS = {name: option.get("default") for name, option in RULE_OPTIONS.items()}
MAILS = "governanceEmailNotification"
# Option -> the property that it stands for.
PROPERTIES = {
    **PLAIN,
    **dict.fromkeys(KINDS, "conditionSets"),
    "owner": "ownerSource",
    "remediation_timeframe_days": "remediationTimeframe",
    "excluded_scopes": "excludedScopes",
    **{option: f"{MAILS}.{name}" for option, name in NOTIFICATIONS.items()},
}
# What a rule of the type ServiceNow has beyond the public schema.
TICKETS = "integration instance and ticket type"


def described_rules(endpoint: GovernanceRulesEndpoint, scope: Scope) -> list[dict[str, Any]]:
    """Return the rules in effect on `scope`, its own first, then by name.

    Each is as mdc_governance_rule returns it, with `inherited_from` ("" for its own), `options` (those of the module that
    describe it, {} if it cannot be managed) and `not_described` (properties that no option expresses).
    """
    rows = endpoint.read().rows
    found = [_described(row, rows, scope, endpoint.inherited_from(document_of(row))) for row in rows]
    return sorted(found, key=lambda rule: (rule["inherited_from"], rule["display_name"], rule["id"]))


def _described(row: Row, rows: Iterable[Row], scope: Scope, inherited_from: str) -> dict[str, Any]:
    shown = {**_rule(row, scope).as_result(row, properties_of(row)), "inherited_from": inherited_from}
    left = [*_unexpressed(shown, properties_of(row))]
    options: dict[str, Any] = {"display_name": row["name"]}
    for option, name in PROPERTIES.items():
        if shown[option] in (None, "", [], {}) or name in left:
            continue
        if _expresses(option, shown[option], row, rows, scope):
            options[option] = shown[option]
        else:
            left.append(name)
    extra = {name: value for name, value in shown["extra_properties"].items() if not _may_be_secret(name, value)}
    left += sorted(shown["extra_properties"].keys() - extra.keys())
    options |= {"extra_properties": extra} if extra else {}
    unmanageable = TICKETS in left or _is_ambiguous(row, rows)
    left += ["displayName"] if _is_ambiguous(row, rows) else []
    return {**shown, "options": {} if unmanageable else options, "not_described": left}


def _rule(row: Row, scope: Scope, **options: Any) -> GovernanceRule:
    return GovernanceRule({**DEFAULTS, "display_name": row["name"].strip() or row["id"], **options}, scope, list)


def _unexpressed(shown: Json, properties: Json) -> Iterator[str]:
    """Yield the properties of a rule that have a form of their own."""
    if shown["condition_sets"] and not any(shown[kind] for kind in KINDS):
        yield "conditionSets"
    if not shown["owner"].keys() <= RULE_OPTIONS["owner"]["options"].keys():
        yield "ownerSource"
    if properties.get("sourceResourceType", "Assessments") != "Assessments":
        yield "sourceResourceType"
    mails = properties.get(MAILS) or {}
    yield from sorted(f"{MAILS}.{name}" for name in mails.keys() - set(NOTIFICATIONS.values()))
    if shown["rule_type"] == SERVICENOW and not unknown_of(properties):
        yield TICKETS


def _expresses(option: str, value: Any, row: Row, rows: Iterable[Row], scope: Scope) -> bool:
    """Return whether the module accepts a value and finds the rule in sync with it."""
    validator = ArgumentSpecValidator({option: RULE_OPTIONS[option]})
    if validator.validate({option: value}).error_messages or range_problem(option, value):
        return False
    try:
        aspects = list(_rule(row, scope, **{option: value}).aspects(properties_of(row), list(rows)))
    except InvalidInput:
        return False
    return bool(aspects) and not any(aspect.is_drift for aspect in aspects)


def _may_be_secret(name: str, value: Any) -> bool:
    if SECRET_NAME.search(re.sub(r"([a-z])([A-Z])", r"\1_\2", name)):
        return True
    if isinstance(value, list):
        return any(_may_be_secret("", each) for each in value)
    return isinstance(value, Mapping) and any(_may_be_secret(str(key), each) for key, each in value.items())


def _is_ambiguous(row: Row, rows: Iterable[Row]) -> bool:
    """Return whether a rule has no name of its own on its scope: the module finds rules by their name."""
    place = _place(row)
    return (
        not row["name"].strip()
        or sum(other["name"] == row["name"] and same_path(_place(other), place) for other in rows) > 1
    )


def _place(row: Row) -> str:
    """Return the id of a rule without its last part."""
    return str(document_of(row).get("id") or "").rpartition("/")[0]
