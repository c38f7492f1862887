# SPDX-License-Identifier: GPL-3.0-or-later
"""The posture that connectors read from their instances, and its score.

See docs/facts/servicenow_hardening.md#secure-score-controls, docs/facts/microsoft_graph.md#secure-score.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..cloud_apps.connectors import DISABLED, Connector
from ..knobs import TenantKnobs
from ..state import Row, Tenant
from . import controls
from .controls import Control

_TABLES = {"property": "sys_properties", "plugin": "v_plugin", "action": "sysevent_script_action"}
_KEYS = {"property": ("name", "value"), "plugin": ("id", "active"), "action": ("sys_id", "active")}
_ON = ("true", "active")


def queries() -> dict[str, dict[str, str]]:
    """The queries of a connector to each of the three tables."""
    found = {}
    for kind, table in _TABLES.items():
        key, value = _KEYS[kind]
        names = [name for control in controls.servicenow() if control.kind == kind for name in control.names]
        found[table] = {"sysparm_query": f"{key}IN{','.join(names)}", "sysparm_fields": f"{key},{value}"}
    return found


def posture_of(tables: dict[str, list[Row]]) -> Row:
    """The posture in the rows: kind -> name -> value."""
    return {
        kind: {row[_KEYS[kind][0]]: row[_KEYS[kind][1]] for row in tables[table]} for kind, table in _TABLES.items()
    }


def listed_controls(tenant: Tenant) -> list[tuple[Control, bool]]:
    """All controls of the tenant, and whether each is deprecated."""
    knobs = tenant.knobs
    found = []
    for control in [*controls.servicenow(), *map(controls.unknown, knobs.score_unknown)]:
        is_retired = control.id in knobs.score_retired
        if is_retired and knobs.score_retired_as == "absent":
            continue
        category = "Apps" if knobs.score_categories == "2024" else control.category
        found.append((replace(control, category=category), is_retired))
    return [*found, *((control, False) for control in controls.others())]


def scored_connectors(tenant: Tenant) -> list[Connector]:
    """The connectors whose posture counts."""
    return [
        connector
        for connector in tenant.connectors.values()
        if connector.posture and connector.posture_read and connector.state != DISABLED
    ]


def score(tenant: Tenant, control: Control, connectors: list[Connector]) -> tuple[float, str]:
    """The points of a control, and its description."""
    if not control.is_servicenow:
        return control.reached, "Recorded elsewhere."
    good = [connector.name for connector in connectors if follows(tenant.knobs, control, connector.posture_found)]
    bad = sorted({connector.name for connector in connectors} - set(good))
    text = f"{len(good)} of {len(connectors)} connected ServiceNow instances follow this recommendation."
    text += f" These do not: {', '.join(bad)}." if bad else ""
    return _points(tenant, control, len(good), len(connectors)), text


def _points(tenant: Tenant, control: Control, good: int, total: int) -> float:
    latest = next((row for row in reversed(tenant.control_updates) if row["control"] == control.id), None)
    if latest is not None and latest["state"] == "ThirdParty" and tenant.knobs.score_third_party == "won":
        return control.points
    if tenant.knobs.score_combination == "share":
        return round(control.points * good / total, 2)
    is_won = good == total if tenant.knobs.score_combination == "every" else good > 0
    return control.points if is_won else 0.0


def follows(knobs: TenantKnobs, control: Control, found: Row) -> bool:
    """Whether an instance follows a control. How a missing row is scored is unknown: a knob decides."""
    values: dict[str, Any] = found.get(control.kind, {})
    if control.kind != "property":
        return any(values.get(name, "").lower() in _ON for name in control.names)
    name = control.names[0]
    value = values.get(name)
    if value is None and knobs.score_missing == "in force":
        value = controls.FALLBACKS.get(name)
    return value is not None and _passes(control.test, value.strip().lower())


def _passes(test: str, value: str) -> bool:
    verb, _, limit = test.partition(" ")
    if verb == "=":
        return value == limit
    return value.isdecimal() and int(value) <= int(limit)
