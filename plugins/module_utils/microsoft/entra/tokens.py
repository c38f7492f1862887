# SPDX-License-Identifier: GPL-3.0-or-later
"""What every source of tokens returns."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What Entra grants by default, about an hour; taken where an answer does not say.
USUAL_LIFE = 3599.0


@dataclass(frozen=True)
class Fetched:
    """A token and the seconds that it lives."""

    text: str
    life: float


def fetched(data: Mapping[str, Any]) -> Fetched:
    """Return the token of an answer: `access_token`, with `expires_in` (seconds) or `expires_on` (epoch seconds)."""
    life = _number(data.get("expires_in"))
    ends = _number(data.get("expires_on"))
    if life is None:
        life = ends - time.time() if ends is not None else USUAL_LIFE
    return Fetched(str(data["access_token"]), life)


def claims_of(token: str) -> dict[str, Any]:
    """Return what an access token says of its owner, unproven; nothing of one that is no JSON Web Token.

    Microsoft calls the token opaque to clients, so it serves only to recognize ourselves.
    """
    try:
        body = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
