# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns what a browser sent into a template: what the user typed, and what is new each time, becomes a placeholder."""

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

from ....recorded_api.template import ENCODERS, rendered

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)
RANDOM = re.compile(r"[0-9a-f]{16,}|(?=[^0-9]*[0-9])(?=[^a-zA-Z]*[a-zA-Z])[A-Za-z0-9_+/=-]{16,}", re.I)
BASE64 = re.compile(r"[A-Za-z0-9+/]{6,}={0,2}")
BASE64URL = re.compile(r"[A-Za-z0-9_-]{6,}={0,2}")
DAY = 86400.0


def looks_random(text: str) -> bool:
    """Return whether `text` is made for one occasion: a UUID, a long hexadecimal number, a token."""
    return bool(UUID.fullmatch(text) or RANDOM.fullmatch(text))


@dataclass
class Templater:
    """Knows the values to replace. `typed` maps names to what the user typed, `told` what an answer brought to its name.

    `found` collects the names of typed values that were met, `used` everything else that was made a placeholder, and
    `kept` what looks made for the occasion and had to stay as it was.
    """

    typed: Mapping[str, str]
    told: dict[str, str] = field(default_factory=dict)
    originals: dict[str, Any] = field(default_factory=dict)
    found: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
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
        """Return the template of one string, be it plain or encoded.

        Encodings come before parts of the text: in JSON within JSON, a value may stand escaped.
        """
        for name, value in self.typed.items():
            if text == value:
                self.found.add(name)
                return f"{{{{ {name} }}}}"
        for mark, decode in DECODERS.items():
            inner = decode(text)
            if inner is None:
                continue
            before = set(self.found)
            made = self.body(inner)
            if made != inner and (mark == "$json" or ENCODERS[mark](self._restored(made)) == text):
                return {mark: made}
            self.found = before
        plain = self._plain(text)
        return plain if plain != text else self._occasional(text)

    # -- parts --------------------------------------------------------------------------------------------------------

    def _plain(self, text: str) -> str:
        """Replace typed values that stand in `text` as they are: the whole of it, or a part with clear borders."""
        for name, value in self._longest_first():
            if text == value:
                self.found.add(name)
                return f"{{{{ {name} }}}}"
        made: list[str] = [text]
        for name, value in self._longest_first():
            pattern = re.compile(rf"(?<![\w.-]){re.escape(value)}(?![\w-]|\.\w)")
            for position in range(0, len(made), 2):
                pieces = pattern.split(made[position])
                if len(pieces) > 1:
                    self.found.add(name)
                    joined = [piece for part in pieces for piece in (part, f"{{{{ {name} }}}}")][:-1]
                    made[position : position + 1] = joined
        return "".join(made)

    def _longest_first(self) -> list[tuple[str, str]]:
        return sorted(self.typed.items(), key=lambda item: -len(item[1]))

    def _in_url(self, text: str) -> str:
        made = self._plain(text)
        if made == text:
            made = self._occasional(text)
        pieces = re.split(r"(\{\{ \w+ \}\})", made)
        return "".join(piece if piece.startswith("{{ ") else quote(piece, safe="") for piece in pieces)

    def _occasional(self, text: str) -> str:
        """Replace what an answer brought, a new UUID, or the time."""
        if text in self.told:
            return f"{{{{ {self.told[text]} }}}}"
        if UUID.fullmatch(text):
            return self._new("uuid", text)
        if text.isdigit() and len(text) in (10, 13):
            return str(self._number(int(text)))
        moment = _moment(text)
        if moment is not None and self._is_now(moment):
            return self._new("now", text)
        if looks_random(text):
            self.kept.add(text)
        return text

    def _number(self, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return value
        if str(value) in self.told:
            return f"{{{{ {self.told[str(value)]} }}}}"
        if self._is_now(value / 1000):
            return self._new("now_ms", value)
        return self._new("now_s", value) if self._is_now(value) else value

    def _new(self, kind: str, value: Any) -> str:
        """Return the placeholder of something new; equal UUIDs share one, different ones do not."""
        name = kind
        if kind == "uuid":
            known = [key for key, original in self.originals.items() if original == value]
            count = sum(key.startswith("uuid") for key in self.originals)
            name = known[0] if known else "uuid" if not count else f"uuid_{count + 1}"
        self.originals[name] = value
        return f"{{{{ {name} }}}}"

    def _is_now(self, moment: float) -> bool:
        return self.started is not None and abs(moment - self.started) < DAY

    def _restored(self, made: Any) -> Any:
        values = {**self.originals, **self.typed, **{name: text for text, name in self.told.items()}}
        return rendered(made, values)


def _moment(text: str) -> float | None:
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


def _from_base64(alphabet: re.Pattern[str], altchars: bytes) -> Callable[[str], str | None]:
    def decode(text: str) -> str | None:
        if len(text) % 4 or not alphabet.fullmatch(text):
            return None
        try:
            inner = base64.b64decode(text, altchars=altchars, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        return inner if inner.isprintable() else None

    return decode


def _from_url(text: str) -> str | None:
    return unquote(text) if "%" in text and unquote(text) != text else None


# In the order in which they are tried.
DECODERS: dict[str, Callable[[str], Any]] = {
    "$json": _from_json,
    "$base64": _from_base64(BASE64, b"+/"),
    "$base64url": _from_base64(BASE64URL, b"-_"),
    "$url": _from_url,
}


def strings(node: Any) -> Iterator[str]:
    """Yield every string in `node`, and every one that is hidden in an encoded string."""
    if isinstance(node, Mapping):
        for item in node.values():
            yield from strings(item)
    elif isinstance(node, list):
        for item in node:
            yield from strings(item)
    elif isinstance(node, str):
        yield node
        for decode in DECODERS.values():
            inner = decode(node)
            if inner is not None:
                yield from strings(inner)
