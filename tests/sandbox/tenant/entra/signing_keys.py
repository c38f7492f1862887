# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing keys of access tokens: sign and verify, and the public key set."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from ...snow.jwt import BadAssertion, decode, encode, unpack

KEY_ID = "tenant-signing-key"
FEDERATION_KEY_ID = "federation-signing-key"


@cache
def _key(key_id: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def sign(claims: dict[str, Any], key_id: str = KEY_ID) -> str:
    """Sign claims (RS256)."""
    header = {"typ": "JWT", "alg": "RS256", "kid": key_id}
    signed = ".".join(encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    return f"{signed}.{encode(_key(key_id).sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"


def claims_of(token: str, key_id: str = KEY_ID) -> dict[str, Any] | None:
    """The claims of a signed token; None if it is not a token or its signature is invalid."""
    try:
        _, claims = unpack(token)
        signed, _, signature = token.rpartition(".")
        public = _key(key_id).public_key()
        public.verify(decode(signature), signed.encode(), padding.PKCS1v15(), SHA256())
    except (BadAssertion, InvalidSignature, ValueError):
        return None
    return claims


def key_set(key_id: str = KEY_ID) -> dict[str, Any]:
    """The public key as a JSON Web Key Set."""
    numbers = _key(key_id).public_key().public_numbers()
    exponent, modulus = (
        encode(value.to_bytes((value.bit_length() + 7) // 8, "big")) for value in (numbers.e, numbers.n)
    )
    key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": key_id, "x5t": key_id, "e": exponent, "n": modulus}
    return {"keys": [key]}
