# SPDX-License-Identifier: GPL-3.0-or-later
"""Query options of Graph lists: $filter, $select, $top, $skip, $count, and the link to the next page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from ...web import Call
from ..errors import graph_error
from ..state import Row

_TEST = re.compile(r"\s*(\w+)\s+(eq|ne)\s+('(?:[^']|'')*'|[^\s()]+)\s*")
_STARTS = re.compile(r"\s*startswith\(\s*(\w+)\s*,\s*('(?:[^']|'')*')\s*\)\s*", re.IGNORECASE)
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


def _number(query: dict[str, str], name: str, fallback: int) -> int:
    text = query.get(name, "")
    if text and not text.isdecimal():
        raise graph_error(400, "BadRequest", f"Invalid value '{text}' for {name} query option found.")
    return int(text) if text else fallback


def _filter(text: str) -> list[list[Test]]:
    """Alternatives of conditions joined by `and`; raises Refused for unsupported syntax."""
    if not text.strip():
        return [[]]
    return [[_test(part) for part in _split(each, "and")] for each in _split(text, "or")]


def _split(text: str, word: str) -> list[str]:
    return re.split(rf"\s+{word}\s+(?=(?:[^']*'[^']*')*[^']*$)", text)


def _test(text: str) -> Test:
    found = _TEST.fullmatch(text)
    if found:
        name, verb, value = found[1], found[2], _literal(found[3])
        return lambda row: (_folded(row.get(name)) == _folded(value)) == (verb == "eq")
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
