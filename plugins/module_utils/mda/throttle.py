# SPDX-License-Identifier: GPL-3.0-or-later
"""Never more calls a minute than a tenant answers, over all processes of this machine (Cloud Apps facts 2.5).

Each call reserves its moment in a small file that processes lock in turn, and then waits for it without the lock.
The file holds times and nothing else; its name holds a digest of the tenant's address.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..transport.errors import BadConnectionOption

CALLS = 30
# A little over a minute: what we send evenly can arrive bunched.
WINDOW = 61.0
# Where a refusal does not say how long to wait (facts 2.5: Microsoft's own module waits a minute).
PAUSE = 60.0
TELL_FROM = 2.0


def folder() -> Path:
    """Return the temporary folder of Ansible, made if need be; the system's where that cannot be written."""
    home = Path(os.environ.get("ANSIBLE_HOME") or "~/.ansible")
    wanted = Path(os.environ.get("ANSIBLE_LOCAL_TEMP") or home / "tmp").expanduser()
    try:
        wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(wanted, os.W_OK):
            return wanted
    except OSError:
        pass
    own = Path(tempfile.gettempdir()) / f"servicenow_defender-{os.getuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    return own


@dataclass
class Throttle:
    """The record of calls to the tenant at `url`; `tell` shows a line to the user before a long wait."""

    url: str
    tell: Callable[[str], None]
    place: Path = field(default_factory=folder)

    @property
    def file(self) -> Path:
        """Where the record is kept."""
        digest = hashlib.sha256(self.url.casefold().encode()).hexdigest()[:16]
        return self.place / f"servicenow_defender-{digest}.calls"

    def take(self) -> None:
        """Wait until another call is due, and count it."""
        wait = self._changed(_reserved)
        if wait >= TELL_FROM:
            self.tell(f"waiting {wait:.0f} s: the tenant answers {CALLS} calls a minute")
        if wait > 0:
            time.sleep(wait)

    def hold(self, seconds: float) -> None:
        """Let no call start within `seconds`: the tenant counts calls of others, too."""
        self._changed(lambda times, now: (_held(times, now, seconds), 0.0))

    def _changed(self, change: Callable[[list[float], float], tuple[list[float], float]]) -> float:
        try:
            handle = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BadConnectionOption(f"the record of calls {self.file} cannot be kept: {error.strerror}") from None
        with os.fdopen(handle, "r+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            now = time.time()
            times, wait = change(_recent(file.read(), now), now)
            file.seek(0)
            file.write(json.dumps([round(moment, 3) for moment in times]))
            file.truncate()
            return wait


def _recent(text: str, now: float) -> list[float]:
    """Return the moments that still count, in order. A clock that was set back makes a record worthless."""
    try:
        times = sorted(float(moment) for moment in json.loads(text or "[]"))
    except (TypeError, ValueError):
        return []
    if times and times[-1] > now + WINDOW * (len(times) / CALLS + 1):
        return []
    return [moment for moment in times if moment > now - WINDOW]


def _reserved(times: list[float], now: float) -> tuple[list[float], float]:
    due = max(now, times[-CALLS] + WINDOW) if len(times) >= CALLS else now
    return [*times, due], due - now


def _held(times: list[float], now: float, seconds: float) -> list[float]:
    return sorted([*times, *[now + seconds - WINDOW] * CALLS])
