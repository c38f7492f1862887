# SPDX-License-Identifier: GPL-3.0-or-later
"""When the refresh token of an integration ends: Defender for Cloud does not show it."""

from __future__ import annotations

from datetime import timedelta

from ...engine.accepted_credentials import ACCEPTED_AT, recorded
from ...token_end import time_of


def token_end(accepted: str, lifespan: int | None = None, expires_at: str | None = None) -> str:
    """Return until when a refresh token can be valid (ISO 8601, UTC), "" if that is not known.

    The latest expiry on the instance, `expires_at`, bounds it, as does the `lifespan` of the application in seconds from when the
    integration accepted its credentials, which the record `accepted` holds.
    """
    start = time_of(recorded(accepted, ACCEPTED_AT))
    by_lifespan = start + timedelta(seconds=lifespan) if start and lifespan else None
    ends = [end for end in (by_lifespan, time_of(expires_at)) if end]
    return min(ends).isoformat(timespec="seconds") if ends else ""
