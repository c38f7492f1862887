# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters, order and pages of Cloud Apps lists (docs/facts/defender_for_cloud_apps.md#api-lists)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...web import Call, Reply, json_reply
from ..errors import Refused, api_error
from ..state import Row, Tenant

_DAY_MS = 86400 * 1000
_MAX_SCANNED = 5000
_CURSOR = "_scan"


@dataclass(frozen=True)
class ListSpec:
    """Query options of one list: filter name -> path of the column; `date` is the column that scans are sorted by."""

    fields: Mapping[str, str]
    date: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the response besides `data`, `hasNext` and `total`."""


def list_reply(tenant: Tenant, call: Call, spec: ListSpec, rows: Iterable[Row]) -> Reply:
    """Answer a list call."""
    return json_reply(200, select_rows(tenant, list_parameters(call), spec, list(rows)))


def list_parameters(call: Call) -> Row:
    """The parameters of a list call: the JSON body of a POST, or the query string of a GET."""
    if call.method == "POST":
        return body_of(call)
    parameters: Row = dict(call.query)
    for name in ("filters", "skip", "limit", "isScan"):
        if name in parameters:
            parameters[name] = _parsed(parameters[name])
    return parameters


def body_of(call: Call) -> Row:
    """The JSON object in the body of a call, empty without a body."""
    content = _parsed(call.body.decode("utf-8", "replace")) if call.body.strip() else {}
    if not isinstance(content, dict):
        raise api_error(400, "The body must be a JSON object")
    return content


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise api_error(400, f"JSON parse error - {error}") from error


def select_rows(tenant: Tenant, parameters: Row, spec: ListSpec, rows: list[Row]) -> Row:
    """Filter, sort and page rows; returns the body of the response."""
    filters = parameters.get("filters") or {}
    cursor = filters.get(_CURSOR, {}).get("gt", 0) if isinstance(filters, dict) else 0
    found = [row for row in rows if matches(tenant, filters, spec, row)]
    column = spec.fields.get(str(parameters.get("sortField") or ""), spec.date)
    if column:
        descending = parameters.get("sortDirection", "desc") != "asc"
        found.sort(key=lambda row: _sortable(value_at(row, column)), reverse=descending)
    if parameters.get("isScan") is True:
        return _scanned(tenant, parameters, spec, found[cursor:], cursor)
    size = max(1, min(_number(parameters, "limit", tenant.knobs.page_size), tenant.knobs.page_size))
    start = max(0, _number(parameters, "skip", 0))
    page = found[start : start + size]
    more = start + len(page) < len(found)
    return {"data": page, "hasNext": more, "total": len(found), **spec.extra}


def _number(parameters: Row, name: str, fallback: int) -> int:
    value = parameters.get(name, fallback)
    if isinstance(value, bool) or not isinstance(value, int):
        raise api_error(400, f"{name}: A valid integer is required.")
    return value


def _scanned(tenant: Tenant, parameters: Row, spec: ListSpec, found: list[Row], cursor: int) -> Row:
    smallest = tenant.knobs.scan_size
    size = max(smallest, min(_number(parameters, "limit", smallest), _MAX_SCANNED))
    page = found[:size]
    if spec.date and len(found) > size:
        # Rows of the same time stay together: they move to the next page, unless they fill this one.
        border = value_at(found[size], spec.date)
        page = [row for row in page if value_at(row, spec.date) != border] or page
    filters = parameters.get("filters") or {}
    more = len(page) < len(found)
    following = {"nextQueryFilters": {**filters, _CURSOR: {"gt": cursor + len(page)}}} if more else {}
    return {"data": page, "hasNext": more, "total": len(found) + cursor, **spec.extra, **following}


def _sortable(value: Any) -> tuple[int, Any]:
    return (0, value) if isinstance(value, int | float) else (1, str(value))


def value_at(row: Any, path: str) -> Any:
    """The value at a dotted path, None if part of the path is missing."""
    for part in path.split("."):
        row = row.get(part) if isinstance(row, Mapping) else None
    return row


def matches(tenant: Tenant, filters: Any, spec: ListSpec, row: Row) -> bool:
    """Whether a row passes all filters; raises Refused for an unknown field or operator."""
    if not isinstance(filters, dict):
        raise api_error(400, "filters: must be an object")
    return all(
        _passes(tenant, operator, value_at(row, _column(spec, name)), wanted)
        for name, condition in filters.items()
        if name != _CURSOR
        for operator, wanted in _condition(name, condition).items()
    )


def _column(spec: ListSpec, name: str) -> str:
    if name not in spec.fields:
        raise api_error(400, f"filters: unknown field {name}")
    return spec.fields[name]


def _condition(name: str, condition: Any) -> Row:
    if not isinstance(condition, dict):
        raise api_error(400, f"filters: {name} must be an object of operators")
    return condition


def _passes(tenant: Tenant, operator: str, value: Any, wanted: Any) -> bool:
    test = OPERATORS.get(operator)
    if test is None:
        raise api_error(400, f"filters: unknown operator {operator}")
    values = value if isinstance(value, list) else [] if value is None else [value]
    choices = wanted if isinstance(wanted, list) else [wanted]
    try:
        return test(tenant, values, choices)
    except (TypeError, ValueError, KeyError) as error:
        raise _invalid_value(operator) from error


def _invalid_value(operator: str) -> Refused:
    return api_error(400, f"filters: the value of {operator} does not fit")


Test = Callable[[Tenant, list[Any], list[Any]], bool]


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict) and isinstance(value, dict):
        return all(value.get(name) == part for name, part in wanted.items())
    if isinstance(value, str) and isinstance(wanted, str):
        return value.lower() == wanted.lower()
    return bool(value == wanted)


def _any_same(_tenant: Tenant, values: list[Any], choices: list[Any]) -> bool:
    return any(_same(value, choice) for value in values for choice in choices)


def _text(test: Callable[[str, str], bool]) -> Test:
    def check(_tenant: Tenant, values: list[Any], choices: list[Any]) -> bool:
        return any(test(str(value).lower(), str(choice).lower()) for value in values for choice in choices)

    return check


def _order(test: Callable[[float, float], bool]) -> Test:
    def check(_tenant: Tenant, values: list[Any], choices: list[Any]) -> bool:
        return any(test(float(value), float(choices[0])) for value in values)

    return check


def _days(test: Callable[[float, float], bool]) -> Test:
    def check(tenant: Tenant, values: list[Any], choices: list[Any]) -> bool:
        border = tenant.now_ms() - float(choices[0]) * _DAY_MS
        return any(test(float(value), border) for value in values)

    return check


def _in_range(_tenant: Tenant, values: list[Any], choices: list[Any]) -> bool:
    if choices and not isinstance(choices[0], dict):
        choices = [{"start": choices[0], "end": choices[1]}]
    return any(choice["start"] <= value <= choice["end"] for value in values for choice in choices)


def _not(test: Test) -> Test:
    return lambda tenant, values, choices: not test(tenant, values, choices)


_starts = _text(str.startswith)
_contains = _text(lambda value, part: part in value)
OPERATORS: dict[str, Test] = {
    "eq": _any_same,
    "neq": _not(_any_same),
    "deq": _any_same,
    "gt": _order(lambda value, border: value > border),
    "gte": _order(lambda value, border: value >= border),
    "lt": _order(lambda value, border: value < border),
    "lte": _order(lambda value, border: value <= border),
    "gte_ndays": _days(lambda value, border: value >= border),
    "lte_ndays": _days(lambda value, border: value <= border),
    "range": _in_range,
    "contains": _contains,
    "ncontains": _not(_contains),
    "text": _contains,
    "startswith": _starts,
    "startswithsingle": _starts,
    "doesnotstartwith": _not(_starts),
    "endswith": _text(str.endswith),
    "isset": lambda _tenant, values, choices: bool(values) == (choices[0] is not False),
    "isnotset": lambda _tenant, values, choices: bool(values) != (choices[0] is not False),
}
