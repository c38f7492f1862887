# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys under which an object of one platform is found again on the other."""

from __future__ import annotations

import hashlib

DIGITS = 40


def stable_key(prefix: str, text: str) -> str:
    """Return `prefix` and the first 40 hex digits of the SHA-256 of `text`, which may hold anything that a platform sends.

    With a short prefix it fits into the 100 characters of ServiceNow's `correlation_id`.
    """
    return prefix + hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:DIGITS]
