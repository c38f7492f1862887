# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns a recorded request into a template: values that the user entered or that were generated become placeholders."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from ..template import ENCODERS, FORM, escape, placeholder, render

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)
RANDOM = re.compile(r"[0-9a-f]{16,}|(?=[^0-9]*[0-9])(?=[^a-zA-Z]*[a-zA-Z])[A-Za-z0-9_+/=-]{16,}", re.I)
BASE64 = re.compile(r"[A-Za-z0-9+/]{6,}={0,2}")
BASE64URL = re.compile(r"[A-Za-z0-9_-]{6,}={0,2}")
FORM_TEXT = re.compile(r"[\w.\[\]-]+=[^&=\s]*(?:&[\w.\[\]-]+=[^&=\s]*)+")
DAY = 86400.0


def looks_random(text: str) -> bool:
    """Return whether `text` looks generated: a UUID, a long hexadecimal number, a token."""
    return bool(UUID.fullmatch(text) or RANDOM.fullmatch(text))


@dataclass
class Templater:
    """Replaces values by placeholders. `user_input` maps names to entered values, `response_values` values to names.

    `matched` collects the names of entered values that were found, `generated` the original of each generated value, and
    `unresolved` the values that look generated and have no known source.
    """

    user_input: Mapping[str, str]
    response_values: dict[str, str] = field(default_factory=dict)
    generated: dict[str, Any] = field(default_factory=dict)
    matched: set[str] = field(default_factory=set)
    unresolved: set[str] = field(default_factory=set)
    started: float | None = None

    def body(self, node: Any) -> Any:
        """Return the template of a decoded body."""
        if isinstance(node, Mapping):
            return {key: self.body(item) for key, item in node.items()}
        if isinstance(node, list):
            return [self.body(item) for item in node]
        if isinstance(node, str):
            return self.text(node)
        return self._number(node)

    def url(self, url: str) -> str:
        """Return the template of an address: path segments and values of the query."""
        parts = urlsplit(url)
        path = "/".join(self._in_url(unquote(segment)) for segment in parts.path.split("/"))
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        query = "&".join(f"{quote(name, safe='')}={self._in_url(value)}" for name, value in pairs)
        return f"{parts.scheme}://{parts.netloc}{path}{'?' + query if query else ''}"

    def text(self, text: str) -> Any:
        """Return the template of one string, plain or encoded.

        Encodings are tried before parts of the text: a value in JSON within JSON can be escaped.
        """
        for name, value in self.user_input.items():
            if text == value:
                self.matched.add(name)
                return placeholder(name)
        for mark, decode in DECODERS.items():
            inner = decode(text)
            if inner is None:
                continue
            before = set(self.matched)
            template = self.body(inner)
            if template != _escape_strings(inner) and _same(mark, self._restore(template), inner, text):
                return {mark: template}
            self.matched = before
        return self._replace(text, escape)

    # -- parts --------------------------------------------------------------------------------------------------------

    def _replace(self, text: str, encode: Callable[[str], str]) -> str:
        """Return the template of a plain text. `encode` is applied to its literal parts."""
        pieces = self._split(text)
        if len(pieces) == 1:
            return self._replace_generated(text) or encode(text)
        return "".join(piece if odd % 2 else encode(piece) for odd, piece in enumerate(pieces))

    def _split(self, text: str) -> list[str]:
        """Return literal parts and placeholders of entered values in turn: values that are all of `text` or a word in it."""
        pieces: list[str] = [text]
        for name, value in sorted(self.user_input.items(), key=lambda item: -len(item[1])):
            if text == value:
                self.matched.add(name)
                return ["", placeholder(name), ""]
            pattern = re.compile(rf"(?<![\w.-]){re.escape(value)}(?![\w-]|\.\w)")
            for position in range(len(pieces) - 1, -1, -2):
                parts = pattern.split(pieces[position])
                if len(parts) > 1:
                    self.matched.add(name)
                    pieces[position : position + 1] = [p for part in parts for p in (part, placeholder(name))][:-1]
        return pieces

    def _in_url(self, text: str) -> str:
        return self._replace(text, lambda piece: quote(piece, safe=""))

    def _replace_generated(self, text: str) -> str:
        """Return the placeholder of a value from a response, a new UUID, or the time; "" for any other text."""
        if text in self.response_values:
            return placeholder(self.response_values[text])
        if UUID.fullmatch(text):
            return self._generated("uuid", text)
        if text.isdigit() and len(text) in (10, 13):
            number = self._number(int(text))
            return number if isinstance(number, str) else ""
        timestamp = _timestamp(text)
        if timestamp is not None and self._is_now(timestamp):
            return self._generated("now", text)
        if looks_random(text):
            self.unresolved.add(text)
        return ""

    def _number(self, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return value
        if str(value) in self.response_values:
            return placeholder(self.response_values[str(value)])
        if self._is_now(value / 1000):
            return self._generated("now_ms", value)
        return self._generated("now_s", value) if self._is_now(value) else value

    def _generated(self, kind: str, value: Any) -> str:
        """Return the placeholder of a generated value; equal UUIDs share one, different UUIDs do not."""
        name = kind
        if kind == "uuid":
            known = [key for key, original in self.generated.items() if original == value]
            count = sum(key.startswith("uuid") for key in self.generated)
            name = known[0] if known else "uuid" if not count else f"uuid_{count + 1}"
        self.generated[name] = value
        return placeholder(name)

    def _is_now(self, timestamp: float) -> bool:
        return self.started is not None and abs(timestamp - self.started) < DAY

    def _restore(self, template: Any) -> Any:
        from_responses = {name: text for text, name in self.response_values.items()}
        return render(template, {**self.generated, **self.user_input, **from_responses})


def _escape_strings(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _escape_strings(item) for key, item in node.items()}
    if isinstance(node, list):
        return [_escape_strings(item) for item in node]
    return escape(node) if isinstance(node, str) else node


def _timestamp(text: str) -> float | None:
    if not re.match(r"\d{4}-\d\d-\d\dT", text):
        return None
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def _from_json(text: str) -> Any:
    if text[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _from_base64(alphabet: re.Pattern[str], altchars: bytes, *, padded: bool = True) -> Callable[[str], str | None]:
    def decode(text: str) -> str | None:
        if not padded:
            # One character more than groups of four encodes nothing; without a rest, the padded form is the same.
            text = text + "=" * (-len(text) % 4) if len(text) % 4 in (2, 3) and "=" not in text else ""
        if not text or len(text) % 4 or not alphabet.fullmatch(text):
            return None
        try:
            inner = base64.b64decode(text, altchars=altchars, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        return inner if inner.isprintable() or _from_json(inner) is not None else None

    return decode


def _from_form(text: str) -> dict[str, str] | None:
    if not FORM_TEXT.fullmatch(text):
        return None
    pairs = parse_qsl(text, keep_blank_values=True)
    return dict(pairs) if len(dict(pairs)) == len(pairs) else None


def _same(mark: str, restored: Any, inner: Any, text: str) -> bool:
    """Return whether an encoded template restores what was sent: JSON in another layout, and another quoting, mean the same."""
    is_exact = mark in ("$json", "$url", FORM) or ENCODERS[mark](inner) == text
    return is_exact and _meaning(restored) == _meaning(inner)


def _meaning(node: Any) -> Any:
    """Return `node` with every encoded string decoded, so that only the layout of JSON and the way of quoting are lost."""
    if isinstance(node, Mapping):
        return {key: _meaning(item) for key, item in node.items()}
    if isinstance(node, list):
        return [_meaning(item) for item in node]
    if isinstance(node, str):
        for mark, decode in DECODERS.items():
            inner = decode(node)
            if inner is not None:
                return (mark, _meaning(inner))
    return node


def _from_url(text: str) -> str | None:
    return unquote(text) if "%" in text and unquote(text) != text else None


# In the order in which they are tried.
DECODERS: dict[str, Callable[[str], Any]] = {
    "$json": _from_json,
    FORM: _from_form,
    "$base64": _from_base64(BASE64, b"+/"),
    "$base64url": _from_base64(BASE64URL, b"-_"),
    "$base64_unpadded": _from_base64(BASE64, b"+/", padded=False),
    "$base64url_unpadded": _from_base64(BASE64URL, b"-_", padded=False),
    "$url": _from_url,
}


def decoded_strings(node: Any) -> Iterator[str]:
    """Yield every string in `node`, and every string that an encoded string contains."""
    if isinstance(node, Mapping):
        for item in node.values():
            yield from decoded_strings(item)
    elif isinstance(node, list):
        for item in node:
            yield from decoded_strings(item)
    elif isinstance(node, str):
        yield node
        for decode in DECODERS.values():
            inner = decode(node)
            if inner is not None:
                yield from decoded_strings(inner)
