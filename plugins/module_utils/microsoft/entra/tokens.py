# SPDX-License-Identifier: GPL-3.0-or-later
"""Access tokens of Entra: what a token response holds, and the claims within a token."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

from ...transport.session import Session
from ...transport.token_cache import Token

# The default lifetime in Entra, about an hour, where a response does not state one.
DEFAULT_LIFETIME = 3599.0


def token_of(data: Mapping[str, Any]) -> Token:
    """Return the token of a response: `access_token`, with `expires_in` (seconds) or `expires_on` (epoch seconds)."""
    lifetime = _number(data.get("expires_in"))
    ends = _number(data.get("expires_on"))
    if lifetime is None:
        lifetime = ends - time.time() if ends is not None else DEFAULT_LIFETIME
    return Token(str(data["access_token"]), lifetime, data)


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of an access token, unverified; none where it is not a JSON Web Token.

    Microsoft calls the token opaque to clients, so the claims serve only to recognize the caller.
    """
    try:
        body = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def caller_claims(session: Session) -> Mapping[str, Any]:
    """Return the claims of the token that `session` signs in with, such as `oid`, the object id of the caller."""
    claims: Mapping[str, Any] = getattr(session.signer, "claims", None) or {}
    return claims


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
