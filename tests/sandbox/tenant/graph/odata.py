# SPDX-License-Identifier: GPL-3.0-or-later
"""Query options of Graph lists: $filter, $select, $top, $skip, $count, and the link to the next page."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlencode

from multidict import CIMultiDict

from ...web import Call, Reply
from ..errors import graph_error
from ..state import Row

_TEST = re.compile(r"\s*(\w+)\s+(eq|ne|gt|ge|lt|le)\s+('(?:[^']|'')*'|[^\s()]+)\s*")
_STARTS = re.compile(r"\s*startswith\(\s*(\w+)\s*,\s*('(?:[^']|'')*')\s*\)\s*", re.IGNORECASE)
_COMPARE = {"gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le}
_WORDS = {"true": True, "false": False, "null": None}
Test = Callable[[Row], bool]


def page(call: Call, rows: list[Row], size: int, context: str) -> dict[str, Any]:
    """One page of a list: `$top` and `$skip` limit rows, `$filter` selects them; raises Refused."""
    query = call.query
    tests = _filter(query.get("$filter", ""))
    found = [row for row in rows if any(all(test(row) for test in each) for each in tests)]
    start, top = _number(query, "$skip", 0), _number(query, "$top", 0)
    length = min(top or size, size)
    content: dict[str, Any] = {"@odata.context": f"{call.base}/graph/v1.0/$metadata#{context}"}
    if query.get("$count", "").lower() == "true":
        content["@odata.count"] = len(found)
    # Rows beyond `$top` have no link.
    end = start + length
    if end < len(found) and (not top or top > size):
        more = {**query, "$skip": str(end), **({"$top": str(top - length)} if top else {})}
        content["@odata.nextLink"] = f"{call.base}{call.path}?{urlencode(more)}"
    return {**content, "value": found[start:end]}


def selected(call: Call, row: Row, default: tuple[str, ...]) -> Row:
    """The properties of a row in `$select`, or the default ones."""
    wanted = [name.strip() for name in call.query.get("$select", "").split(",") if name.strip()]
    return {name: row.get(name) for name in wanted or default}


def count(call: Call, rows: list[Row]) -> Reply:
    """The number of rows that `$filter` selects, as `/$count` returns it: text that requires the header of advanced queries."""
    if call.headers.get("ConsistencyLevel", "").lower() != "eventual":
        raise graph_error(400, "Request_BadRequest", "$count is not currently supported.")
    tests = _filter(call.query.get("$filter", ""))
    number = sum(any(all(test(row) for test in each) for each in tests) for row in rows)
    return Reply(200, str(number).encode(), CIMultiDict({"Content-Type": "text/plain"}))


def without_annotations(body: Row) -> Row:
    """The properties of a body: `@odata.type` and other annotations describe them only."""
    return {name: value for name, value in body.items() if "@" not in name}


def moment(seconds: float) -> str:
    """A point in time in the format of Graph."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(query: dict[str, str], name: str, fallback: int) -> int:
    text = query.get(name, "")
    if text and not text.isdecimal():
        raise graph_error(400, "BadRequest", f"Invalid value '{text}' for {name} query option found.")
    return int(text) if text else fallback


def _filter(text: str) -> list[list[Test]]:
    """Alternatives of conditions joined by `and`; raises Refused for unsupported syntax."""
    if not text.strip():
        return [[]]
    return [tests for each in _split(text, "or") for tests in _all_of(_split(each, "and"))]


def _all_of(parts: list[str]) -> list[list[Test]]:
    """The alternatives of parts joined by `and`, of which each can have alternatives of its own in parentheses."""
    found: list[list[Test]] = [[]]
    for part in parts:
        text = part.strip()
        inner = _filter(text[1:-1]) if text.startswith("(") and text.endswith(")") else [[_test(part)]]
        found = [[*before, *tests] for before in found for tests in inner]
    return found


def _split(text: str, word: str) -> list[str]:
    """The parts of a text between a word outside of quotes and parentheses."""
    parts, depth, start = [], 0, 0
    for found in re.finditer(rf"'(?:[^']|'')*'|[()]|\s{word}\s", text):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if found[0].strip() == word and not depth:
            parts.append(text[start : found.start()])
            start = found.end()
    return [*parts, text[start:]]


def _test(text: str) -> Test:
    found = _TEST.fullmatch(text)
    if found:
        name, verb, value = found[1], found[2], _literal(found[3])
        return lambda row: (
            row.get(name) is not None and _COMPARE[verb](str(row[name]), str(value))
            if verb in _COMPARE
            else ((_folded(row.get(name)) == _folded(value)) == (verb == "eq"))
        )
    found = _STARTS.fullmatch(text)
    if found:
        name, start = found[1], str(_literal(found[2])).casefold()
        return lambda row: str(row.get(name) or "").casefold().startswith(start)
    raise graph_error(400, "BadRequest", f"Invalid filter clause: '{text.strip()}'.")


def _literal(text: str) -> Any:
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    return _WORDS.get(text.lower(), float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else text)


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
