# SPDX-License-Identifier: GPL-3.0-or-later
"""Caches the access tokens of this process: one for each set of credentials, renewed before it expires."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MIN_LIFETIME = 5.0


@dataclass(frozen=True)
class Token:
    """An access token and how long it is valid (seconds); `details` is the whole token response."""

    text: str
    lifetime: float
    details: Mapping[str, Any] = field(default_factory=dict)


class TokenCache:
    """Tokens by key. A token is used until `renew_before` seconds before it expires, or for half of a shorter lifetime."""

    def __init__(self, renew_before: float) -> None:
        self.renew_before = renew_before
        self._entries: dict[str, tuple[Token, float]] = {}

    def token(self, key: str, request: Callable[[], Token]) -> Token:
        """Return the cached token of `key`, or a new one from `request` if there is none or it has expired."""
        entry = self._entries.get(key)
        if entry is None or entry[1] <= time.monotonic():
            new = request()
            usable = new.lifetime - min(self.renew_before, new.lifetime / 2)
            entry = self._entries[key] = (new, time.monotonic() + max(MIN_LIFETIME, usable))
        return entry[0]

    def forget(self, key: str) -> bool:
        """Drop the token of `key` after it was refused; return whether there was one."""
        return self._entries.pop(key, None) is not None

    def clear(self) -> None:
        """Drop every token."""
        self._entries.clear()


def key_of(*parts: str) -> str:
    """Return the key of credentials. It is a digest, so that the cache contains no credentials."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
