# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes secrets from everything that a user, a log or a report can see."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from .escapes import escaped_pattern, may_hold_escapes, unescaped
from .words import one_line

MASK = "********"

# Shorter values are masked only as whole texts: "1" as a password must not mask every digit.
MIN_SEARCHED_LENGTH = 4


def _lower_hex(text: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), text)


def _base64_cores(raw: bytes) -> set[str]:
    """Return the base64 text that `raw` leaves inside a longer encoded string, for each of the three alignments."""
    cores = set()
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + raw).decode()
        # The first and last characters also encode neighbouring bytes; those between depend on the secret alone.
        whole = encoded[(0, 2, 3)[lead] : (lead + len(raw)) * 8 // 6]
        # As in a URL, and in a URL within one.
        in_url = whole.replace("+", "%2B").replace("/", "%2F")
        in_lower = whole.replace("+", "%2b").replace("/", "%2f")
        cores |= {whole, whole.replace("+", "-").replace("/", "_"), in_url, in_lower, in_url.replace("%", "%25")}
    return {core for core in cores if len(core) >= MIN_SEARCHED_LENGTH}


def _wire_bytes(secret: str) -> set[bytes]:
    """Return `secret` as the bytes that get encoded in base64: in UTF-8 or Latin-1, escaped for a form or JSON before."""
    raw = secret.encode(errors="surrogatepass")
    texts = (quote(raw, safe=""), quote(raw), quote_plus(raw), json.dumps(secret)[1:-1])
    latin, lost = secret.encode("latin-1", errors="replace"), sum(ord(character) > 0xFF for character in secret)
    return {raw, *([latin] if 4 * lost <= len(secret) else []), *(text.encode() for text in texts)}


def encodings(secret: str) -> set[str]:
    """Return `secret` raw, as part of a line, URL-encoded, JSON-escaped, base64-encoded at any alignment, and in hexadecimal digits."""
    raw = secret.encode(errors="surrogatepass")
    in_urls = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    in_urls |= set(map(_lower_hex, in_urls))
    escaped = {json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret)}
    cores = {core for form in _wire_bytes(secret) for core in _base64_cores(form)}
    in_hex = {raw.hex(), raw.hex().upper()}
    return {secret, one_line(secret), *in_urls, *in_hex, *(form[1:-1] for form in escaped), *cores}


class Redactor:
    """Masks the secrets of one run in any value.

    A token that is obtained during the run is added before it is used.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.secrets: set[str] = set()
        self._forms: tuple[str, ...] | None = None
        self._readable: dict[str, str] = {}
        for secret in secrets:
            self.add(secret)

    def add(self, secret: object) -> None:
        """Treat `secret` (a string; anything else is ignored) as a secret from now on."""
        if isinstance(secret, str) and secret and secret not in self.secrets:
            self.secrets.add(str(secret))
            self._forms = None

    def forget(self, secret: str) -> None:
        """Show `secret` from now on: it is what the user requested."""
        self.secrets.discard(secret)
        self._forms = None

    def scrub_text(self, text: str) -> str:
        """Return `text` with every known secret masked, in all its encodings."""
        if text in self.secrets:
            return MASK
        found = [form for form in self._searched() if form in text]
        text = re.sub("|".join(map(re.escape, found)), MASK, text) if found else text
        for secret in self._escaped_in(text):
            text = escaped_pattern(secret).sub(MASK, text)
        return text

    def scrub(self, value: Any) -> Any:
        """Return `value` (any nesting of mappings, sequences and scalars) with every known secret masked."""
        texts = set(_texts(value))
        together = "\0".join(texts)
        # Nearly every result contains no secret, which one search of its whole text shows.
        dirty = self.scrub_text(together) != together or not texts.isdisjoint(self.secrets)
        return _mapped(value, self.scrub_text if dirty else str)

    def _searched(self) -> tuple[str, ...]:
        """Return every form to search for, the longest first: one can be part of another."""
        if self._forms is None:
            forms = {
                form
                for secret in self.secrets
                if len(secret) >= MIN_SEARCHED_LENGTH
                for form in encodings(secret)
                if len(form) >= MIN_SEARCHED_LENGTH
            }
            self._forms = tuple(sorted(forms, key=len, reverse=True))
        return self._forms

    def _escaped_in(self, text: str) -> list[str]:
        """Return the secrets, the longest first, that `text` seems to hold with escapes of any kind."""
        if not may_hold_escapes(text):
            return []
        readable = unescaped(text)
        known = sorted((secret for secret in self.secrets if len(secret) >= MIN_SEARCHED_LENGTH), key=len, reverse=True)
        for secret in known:
            if secret not in self._readable:
                self._readable[secret] = unescaped(secret)
        return [secret for secret in known if self._readable[secret] in readable]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, (list, tuple, set)):
        for item in value:
            yield from _texts(item)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {_mapped(key, change): _mapped(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_mapped(item, change) for item in value]
    return value
