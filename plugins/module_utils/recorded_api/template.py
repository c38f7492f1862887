# SPDX-License-Identifier: GPL-3.0-or-later
"""Request templates of contracts: JSON with `{{ placeholder }}` in its strings, and marks for what is encoded.

A mapping with one of the keys of `ENCODERS` stands for a string: what is below it, encoded. Nothing is ever evaluated.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

PLACEHOLDER = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}")
FORM = "$form"


def _base64(value: Any) -> str:
    return base64.b64encode(str(value).encode()).decode()


def _base64url(value: Any) -> str:
    return base64.urlsafe_b64encode(str(value).encode()).decode()


ENCODERS: dict[str, Callable[[Any], str]] = {
    "$json": lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
    "$base64": _base64,
    "$base64url": _base64url,
    "$url": lambda value: quote(str(value), safe=""),
    FORM: urlencode,
}


def encoder_of(node: Any) -> str:
    """Return the mark that `node` carries, "" for none."""
    if isinstance(node, Mapping) and len(node) == 1:
        (key,) = node
        return str(key) if key in ENCODERS else ""
    return ""


def rendered(node: Any, values: Mapping[str, Any]) -> Any:
    """Return `node` with every placeholder replaced by its value. A string that is nothing else keeps the value's type.

    Raises `KeyError` for a placeholder without a value.
    """
    if isinstance(node, str):
        whole = PLACEHOLDER.fullmatch(node)
        return values[whole[1]] if whole else PLACEHOLDER.sub(lambda found: str(values[found[1]]), node)
    if isinstance(node, list):
        return [rendered(item, values) for item in node]
    if isinstance(node, Mapping):
        mark = encoder_of(node)
        if mark:
            return ENCODERS[mark](rendered(node[mark], values))
        return {key: rendered(item, values) for key, item in node.items()}
    return node


def rendered_url(url: str, values: Mapping[str, Any]) -> str:
    """Return `url` with every placeholder replaced by its percent-encoded value; a scope is a path and keeps its slashes."""
    return PLACEHOLDER.sub(lambda found: quote(str(values[found[1]]), safe="/" if found[1] == "scope" else ""), url)


def placeholders(node: Any) -> Iterator[str]:
    """Yield the name of every placeholder in `node`."""
    if isinstance(node, str):
        yield from PLACEHOLDER.findall(node)
    elif isinstance(node, list):
        for item in node:
            yield from placeholders(item)
    elif isinstance(node, Mapping):
        for item in node.values():
            yield from placeholders(item)
