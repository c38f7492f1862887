# SPDX-License-Identifier: GPL-3.0-or-later
"""How encrypted columns keep their values.

A one-way `password` is a salted hash, a two-way `password2` is encrypted with the instance's key. A value that was
written raw, without the platform's encryption, is stored as it was sent and is unusable.

See docs/facts/servicenow_platform.md#encrypted-columns, docs/facts/servicenow_platform.md#users.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

ONE_WAY = "$SHA256$"
TWO_WAY = "$KMF$"
MASK = "********"


def hash_password(plain: str) -> str:
    """Hash a password."""
    salt = secrets.token_hex(8)
    return f"{ONE_WAY}{salt}${hashlib.sha256((salt + plain).encode()).hexdigest()}"


def password_matches(plain: str, stored: str) -> bool:
    """Whether a password matches the stored hash; an unhashed value never does."""
    if not stored.startswith(ONE_WAY) or not plain:
        return False
    salt, _, digest = stored[len(ONE_WAY) :].partition("$")
    return hmac.compare_digest(digest, hashlib.sha256((salt + plain).encode()).hexdigest())


class Cipher:
    """The two-way encryption of one instance. Not secure: the simulator holds only made-up secrets."""

    def __init__(self, instance: str) -> None:
        self._key = hashlib.sha256(f"key of {instance}".encode()).digest()

    def encrypt(self, plain: str) -> str:
        """Encrypt a value for storage; equal values have different ciphertexts."""
        nonce = secrets.token_bytes(12)
        data = plain.encode()
        return TWO_WAY + base64.b64encode(nonce + self._mix(nonce, data)).decode()

    def decrypt(self, stored: str) -> str | None:
        """Return the plain value; None if it was not encrypted."""
        if not stored.startswith(TWO_WAY):
            return None
        raw = base64.b64decode(stored[len(TWO_WAY) :])
        return self._mix(raw[:12], raw[12:]).decode()

    def _mix(self, nonce: bytes, data: bytes) -> bytes:
        stream = hashlib.shake_256(self._key + nonce).digest(len(data))
        return bytes(left ^ right for left, right in zip(data, stream, strict=True))
