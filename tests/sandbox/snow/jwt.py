# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON Web Tokens: verify incoming assertions, sign outgoing tokens.

See docs/facts/servicenow_platform.md#related-oauth-tables, docs/facts/servicenow_platform.md#token-revocation-and-keys.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

KEY_ID = "platform-signing-key"


class BadAssertion(ValueError):
    """An assertion that is not a valid JSON Web Token."""


def encode(data: bytes) -> str:
    """Encode bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    """Decode base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def unpack(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token without verifying it; raises BadAssertion."""
    try:
        header, claims, _ = token.split(".")
        parts = json.loads(decode(header)), json.loads(decode(claims))
    except (ValueError, binascii.Error) as error:
        raise BadAssertion("not a JSON Web Token") from error
    if not all(isinstance(part, dict) for part in parts):
        raise BadAssertion("not a JSON Web Token")
    return parts


def verify_shared(token: str, key: str) -> bool:
    """Verify an HS256 signature."""
    signed, _, signature = token.rpartition(".")
    return hmac.compare_digest(encode(hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()), signature)


def sign_shared(claims: dict[str, Any], key: str, kid: str = "") -> str:
    """Sign an HS256 token, as a client does that shares a key with the instance."""
    header = {"alg": "HS256", "typ": "JWT", **({"kid": kid} if kid else {})}
    signed = ".".join(encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    return f"{signed}.{encode(hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest())}"


def verify_certificate(token: str, pem: str) -> bool:
    """Verify an RS256 signature with the key of a certificate."""
    signed, _, signature = token.rpartition(".")
    try:
        key = load_pem_x509_certificate(pem.encode()).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            return False
        key.verify(decode(signature), signed.encode(), padding.PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


@cache
def _signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def sign(claims: dict[str, Any]) -> str:
    """Sign claims with the platform's key (RS256)."""
    header = {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
    signed = ".".join(encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    return f"{signed}.{encode(_signing_key().sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"


def public_keys() -> dict[str, Any]:
    """The key set that verifies tokens of `sign`."""
    numbers = _signing_key().public_key().public_numbers()
    exponent, modulus = (
        encode(value.to_bytes((value.bit_length() + 7) // 8, "big")) for value in (numbers.e, numbers.n)
    )
    return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "e": exponent, "n": modulus}]}
