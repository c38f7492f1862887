# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret of an application as Graph shows it: everything but its value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ...timestamps import parse

NEVER = datetime.max.replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class Secret:
    """A secret by its key id, with its display name, and from when until when it is valid."""

    key_id: str
    name: str
    begins: datetime
    ends: datetime

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> Secret:
        """Return the secret of an entry of `passwordCredentials`."""
        begins, ends = (shown.get(name) for name in ("startDateTime", "endDateTime"))
        return cls(
            str(shown["keyId"]),
            str(shown.get("displayName") or ""),
            parse(str(begins)) if begins else datetime.fromtimestamp(0, timezone.utc),
            parse(str(ends)) if ends else NEVER,
        )


def days_left(ends: datetime, now: datetime) -> int:
    """Return the whole days until `ends`, 0 if it has passed."""
    return max(0, (ends - now) // timedelta(days=1))
