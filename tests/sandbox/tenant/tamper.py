# SPDX-License-Identifier: GPL-3.0-or-later
"""Out-of-band changes to the tenant, for the control API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..settings import SettingError
from .arm import tamper as arm
from .cloud_apps.connectors import Connector
from .state import Row, Tenant

_KNOWN = {"table", "match", "values", "insert", "delete"}


def tamper(tenant: Tenant, change: Mapping[str, Any]) -> dict[str, Any]:
    """Insert, update or delete rows of a table; connectors by their own fields. Raises SettingError."""
    unknown = sorted(set(change) - _KNOWN)
    if unknown:
        raise SettingError(f"unknown key {', '.join(unknown)}; known: {', '.join(sorted(_KNOWN))}")
    table, match, values = change.get("table"), change.get("match", {}), change.get("values", {})
    if table not in tenant.tables():
        raise SettingError(f"unknown table {table!r}; known: {', '.join(tenant.tables())}")
    if arm.is_mine(table):
        return {"ids": arm.tamper(tenant, table, match, values, change)}
    if table == "connectors":
        return {"ids": _tamper_connectors(tenant, match, values, change)}
    rows: list[Row] = getattr(tenant, table)
    if change.get("insert"):
        row = {"_id": tenant.new_id(), **values}
        rows.append(row)
        return {"ids": [row["_id"]]}
    found = [row for row in rows if all(row.get(name) == value for name, value in match.items())]
    if not found:
        raise SettingError(f"no row of {table} matches {dict(match)}")
    if change.get("delete"):
        rows[:] = [row for row in rows if row not in found]
    for row in found:
        row.update(values)
    return {"ids": [row["_id"] for row in found]}


def _tamper_connectors(
    tenant: Tenant, match: Mapping[str, Any], values: Mapping[str, Any], change: Mapping[str, Any]
) -> list[str]:
    known = {each.name for each in fields(Connector)}
    unknown = sorted((set(match) | set(values)) - known)
    if unknown:
        raise SettingError(f"unknown field {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    if change.get("insert"):
        blank = {"id": tenant.new_id(), "name": "", "instance_url": "", "username": "", "password": ""}
        connector = Connector(**{"number": len(tenant.connectors), "created": tenant.now_ms(), **blank, **values})
        tenant.connectors[connector.id] = connector
        return [connector.id]
    found = [
        connector
        for connector in tenant.connectors.values()
        if all(getattr(connector, name) == value for name, value in match.items())
    ]
    if not found:
        raise SettingError(f"no connector matches {dict(match)}")
    for connector in found:
        if change.get("delete"):
            del tenant.connectors[connector.id]
        for name, value in {**({"synced": 0} if "state" in values else {}), **values}.items():
            # A state that was set from outside stays: the connector no longer synchronizes.
            setattr(connector, name, value)
    return [connector.id for connector in found]
