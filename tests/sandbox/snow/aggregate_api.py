# SPDX-License-Identifier: GPL-3.0-or-later
"""The Aggregate API (docs/facts/servicenow_platform.md#aggregate-api)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..web import Call, Reply, json_reply
from .acls import AccessCheck
from .callers import Caller
from .errors import NO_RESOURCE, QUERY_DENIED, Refused
from .instance import Instance
from .matching import Matcher
from .operators import TESTS
from .query import parse
from .store import Row
from .values import ValueFormatter

AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "avg": lambda numbers: sum(numbers) / len(numbers),
    "min": min,
    "max": max,
    "sum": sum,
}


def stats(instance: Instance, caller: Caller, call: Call, parts: list[str]) -> Reply:
    """Answer `/api/now/stats/{table}`."""
    if call.method not in ("GET", "HEAD"):
        raise Refused(405, "Method not Supported")
    if len(parts) != 1:
        raise Refused(400, NO_RESOURCE)
    table = parts[0]
    if table not in instance.database.schema.tables:
        raise Refused(400, f"Invalid table {table}")
    matcher = Matcher(instance.database, table, instance.query_context(caller.user_id, caller.user_name))
    rows = _rows(instance, caller, call, table, matcher)
    columns = [name for name in _listed(call, "sysparm_group_by") if instance.database.schema.column(table, name)]
    if not columns:
        return json_reply(200, {"result": {"stats": _figures(call, rows)}})
    groups: dict[tuple[str, ...], list[Row]] = {}
    getters = [matcher.getter(name) for name in columns]
    for row in rows:
        groups.setdefault(tuple(get(row) for get in getters), []).append(row)
    results = [
        {"stats": _figures(call, members), "groupby_fields": _group_fields(instance, call, table, columns, values)}
        for values, members in _ordered(call, columns, groups)
        if _passes_having(call, members)
    ]
    return json_reply(200, {"result": results})


def _rows(instance: Instance, caller: Caller, call: Call, table: str, matcher: Matcher) -> list[Row]:
    access = AccessCheck(instance, caller)
    query = parse(call.query.get("sysparm_query", ""))
    if not query.fields().isdisjoint(access.hidden_columns(table)):
        raise Refused(403, *QUERY_DENIED)
    seen = access.row_filter(table)
    return [row for row in matcher.select(query) if seen is None or seen(row)]


def _listed(call: Call, parameter: str) -> list[str]:
    return [name.strip() for name in call.query.get(parameter, "").split(",") if name.strip()]


def _numbers(rows: list[Row], column: str) -> list[float]:
    found = []
    for row in rows:
        try:
            found.append(float(row.get(column, "")))
        except ValueError:
            continue
    return found


def _text(number: float) -> str:
    return f"{number:.4f}".rstrip("0").rstrip(".")


def _figures(call: Call, rows: list[Row]) -> dict[str, Any]:
    figures: dict[str, Any] = {"count": str(len(rows))} if call.flag("sysparm_count") else {}
    for name, compute in AGGREGATES.items():
        for column in _listed(call, f"sysparm_{name}_fields"):
            numbers = _numbers(rows, column)
            figures.setdefault(name, {})[column] = _text(compute(numbers)) if numbers else ""
    return figures


def _group_fields(
    instance: Instance, call: Call, table: str, columns: list[str], values: tuple[str, ...]
) -> list[dict[str, str]]:
    mode, formatter = call.query.get("sysparm_display_value", "false"), ValueFormatter(instance)
    fields = []
    for name, value in zip(columns, values, strict=True):
        found = instance.database.schema.column(table, name)
        display = formatter.display(found[0], value) if found else value
        entry = {"field": name, "value": display if mode == "true" else value}
        fields.append({**entry, "display_value": display} if mode == "all" else entry)
    return fields


def _ordered(
    call: Call, columns: list[str], groups: dict[tuple[str, ...], list[Row]]
) -> list[tuple[tuple[str, ...], list[Row]]]:
    """Sort groups by value, or by `sysparm_order_by`: `field`, `field^DESC` or `COUNT^DESC`."""
    ordered = sorted(groups.items())
    wanted, _, direction = call.query.get("sysparm_order_by", "").partition("^")
    if wanted.upper() == "COUNT":
        ordered.sort(key=lambda group: len(group[1]), reverse=direction.upper() == "DESC")
    elif wanted in columns:
        place = columns.index(wanted)
        ordered.sort(key=lambda group: group[0][place], reverse=direction.upper() == "DESC")
    return ordered


def _passes_having(call: Call, rows: list[Row]) -> bool:
    """`aggregate^field^operator^value`, such as `count^state^>^3`."""
    parts = call.query.get("sysparm_having", "").split("^")
    if len(parts) != 4 or parts[2] not in TESTS:
        return True
    name, column, operator, value = parts
    numbers = _numbers(rows, column)
    figure = (
        float(len(rows)) if name == "count" else AGGREGATES[name](numbers) if numbers and name in AGGREGATES else 0.0
    )
    return TESTS[operator]("integer", value)(_text(figure))
