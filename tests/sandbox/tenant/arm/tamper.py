# SPDX-License-Identifier: GPL-3.0-or-later
"""Out-of-band changes to the state of Resource Manager, for the control API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...settings import SettingError
from ..defender_cloud.assessments import CODES, dated, forget_assignments
from .scopes import Scope
from .state import TABLES, ArmState, Row

if TYPE_CHECKING:
    from ..state import Tenant

_OUTSIDE = ("name", "scope", "assessment", "integration", "rule", "authentication")
"""Keys of a row outside `properties`."""


def tamper(
    tenant: Tenant, table: str, match: Mapping[str, Any], values: Mapping[str, Any], change: Mapping[str, Any]
) -> list[str]:
    """Insert, update or delete rows; returns their ids.

    A name is a key of the row or one of its properties; `status` of an assessment is its code and updates its date.
    """
    arm = tenant.arm
    if table == "assessments" and values.get("status", CODES[0]) not in CODES:
        raise SettingError(f"status must be one of {', '.join(CODES)}")
    if change.get("insert"):
        return [_inserted(arm, table, values, tenant.now())]
    rows: dict[str, Row] = getattr(arm, table)
    found = [key for key, row in rows.items() if all(_value(arm, table, row, name) == match[name] for name in match)]
    if not found:
        raise SettingError(f"no row of {table} matches {dict(match)}")
    ids = [rows[key]["_id"] for key in found]
    for key in found:
        if change.get("delete"):
            del rows[key]
            if table == "assessments":
                forget_assignments(arm, key)
        else:
            _write(table, rows[key], values, tenant.now())
    return ids


def _inserted(arm: ArmState, table: str, values: Mapping[str, Any], now: float) -> str:
    name, scope = values.get("name"), values.get("scope")
    if not name or not scope:
        raise SettingError(f"a row of {table} needs name and scope")
    if table == "assignments":
        if not values.get("assessment"):
            raise SettingError("an assignment needs assessment, the name of its assessment")
        name = f"{values['assessment']}/{name}"
    hidden: dict[str, Row] = {
        "assignments": {"integration": "", "rule": ""},
        "integrations": {"authentication": {}},
    }
    row, _ = arm.put(table, Scope(f"/{scope.strip('/')}"), name, {}, **hidden.get(table, {}))
    if table == "assessments":
        row["properties"] = {"resourceDetails": {"source": "Azure", "id": row["scope"]}, "additionalData": {}}
        known = arm.metadata.get(name.lower())
        row["properties"]["displayName"] = known["properties"]["displayName"] if known else name
        values = {"status": "Unhealthy", **values}
    _write(table, row, {key: value for key, value in values.items() if key not in ("name", "scope")}, now)
    return str(row["_id"])


def _value(arm: ArmState, table: str, row: Row, name: str) -> Any:
    if name == "subscription":
        return Scope(row["scope"]).subscription
    if table == "assessments" and name == "severity":
        return arm.severity(row)
    if table == "assessments" and name == "status":
        return row["properties"]["status"]["code"]
    return row[name] if name in row else row["properties"].get(name)


def _write(table: str, row: Row, values: Mapping[str, Any], now: float) -> None:
    for name, value in values.items():
        if table == "assessments" and name == "status":
            status = {"code": value}
            dated(status, row["properties"].get("status", {}), now)
            row["properties"] = {**row["properties"], "status": status}
        elif name == "properties":
            row["properties"] = dict(value)
        elif name in _OUTSIDE:
            row[name] = value
        else:
            row["properties"] = {**row["properties"], name: value}


def is_mine(table: str | None) -> bool:
    """Whether a table is one of these."""
    return table in TABLES
