# SPDX-License-Identifier: GPL-3.0-or-later
"""Request templates of contracts: JSON with `${placeholder}` in its strings, and marks for encoded values.

The syntax is that of `string.Template`, with braces only: `$$` is a dollar sign. A mapping whose one key is in `ENCODERS`
is replaced by its value, encoded. Nothing is ever evaluated.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

TOKEN = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>[a-z][a-z0-9_]*)\}|(?P<invalid>))")
INVALID = re.compile(r"\$(\{[^{}]*\}?)?")
FORM = "$form"


def _base64(value: Any) -> str:
    return base64.b64encode(str(value).encode()).decode()


def _base64url(value: Any) -> str:
    return base64.urlsafe_b64encode(str(value).encode()).decode()


def _unpadded(encode: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: encode(value).rstrip("=")


ENCODERS: dict[str, Callable[[Any], str]] = {
    "$json": lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
    "$base64": _base64,
    "$base64url": _base64url,
    "$base64_unpadded": _unpadded(_base64),
    "$base64url_unpadded": _unpadded(_base64url),
    "$url": lambda value: quote(str(value), safe=""),
    FORM: urlencode,
}


def encoder_of(node: Any) -> str:
    """Return the mark of an encoded value, "" for any other node."""
    if isinstance(node, Mapping) and len(node) == 1:
        (key,) = node
        return str(key) if key in ENCODERS else ""
    return ""


def placeholder(name: str) -> str:
    """Return the placeholder `name` as it is written in a template."""
    return f"${{{name}}}"


def escape(text: str) -> str:
    """Return `text` as a template that renders to it."""
    return text.replace("$", "$$")


def unescape(text: str) -> str:
    """Return the text of a template without placeholders."""
    return text.replace("$$", "$")


def render(node: Any, values: Mapping[str, Any]) -> Any:
    """Return `node` with every placeholder replaced by its value. A string that is one placeholder keeps the value's type.

    Raises `KeyError` for a placeholder without a value.
    """
    if isinstance(node, str):
        whole = TOKEN.fullmatch(node)
        return values[whole["name"]] if whole and whole["name"] else _substitute(node, lambda name: str(values[name]))
    if isinstance(node, list):
        return [render(item, values) for item in node]
    if isinstance(node, Mapping):
        mark = encoder_of(node)
        if mark:
            return ENCODERS[mark](render(node[mark], values))
        return {key: render(item, values) for key, item in node.items()}
    return node


def render_url(url: str, values: Mapping[str, Any]) -> str:
    """Return `url` with every placeholder replaced by its percent-encoded value; a scope is a path and keeps its slashes."""
    return _substitute(url, lambda name: quote(str(values[name]), safe="/" if name == "scope" else ""))


def _substitute(text: str, value_of: Callable[[str], str]) -> str:
    return TOKEN.sub(lambda found: value_of(found["name"]) if found["name"] else "$", text)


def strings_of(node: Any) -> Iterator[str]:
    """Yield every string of a template, without the keys of mappings."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for item in node:
            yield from strings_of(item)
    elif isinstance(node, Mapping):
        for item in node.values():
            yield from strings_of(item)


def find_placeholders(node: Any) -> Iterator[str]:
    """Yield the name of every placeholder in `node`."""
    for text in strings_of(node):
        yield from (found["name"] for found in TOKEN.finditer(text) if found["name"])


def find_invalid(node: Any) -> Iterator[str]:
    """Yield each dollar sign that starts neither a placeholder nor `$$`, with the braces that follow it."""
    for text in strings_of(node):
        starts = (found.start() for found in TOKEN.finditer(text) if found["invalid"] is not None)
        yield from (found[0] for found in (INVALID.match(text, start) for start in starts) if found)
