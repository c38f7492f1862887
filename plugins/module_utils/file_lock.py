# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of this machine that take turns: a small file in Ansible's temporary folder, locked by one at a time.

The files hold no secret; their names hold a digest of an address. A lock ends with its process, however that ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .transport.errors import BadConnectionOption

PAUSE = 0.1
PROGRESS_INTERVAL = 4.0


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


def file_for(address: str, ending: str, place: Path) -> Path:
    """Return the file in `place` on which processes that work with `address` take turns."""
    digest = hashlib.sha256(address.casefold().encode()).hexdigest()[:16]
    return place / f"servicenow_defender-{digest}.{ending}"


@contextmanager
def locked(file: Path, what: str, tell: Callable[[float], None] | None = None) -> Iterator[IO[str]]:
    """Hold the lock of `file`, made if need be, and give it open for reading and writing.

    `what` names the file in an error. `tell` is called with the seconds waited so far, every few seconds.
    """
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BadConnectionOption(f"{what} {file} cannot be kept: {error.strerror}") from None
    with os.fdopen(handle, "r+", encoding="ascii") as opened:
        if tell is None:
            fcntl.flock(opened, fcntl.LOCK_EX)
        else:
            _wait_for(opened, tell)
        yield opened


def _wait_for(opened: IO[str], tell: Callable[[float], None]) -> None:
    started = told = time.monotonic()
    while True:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE)
        else:
            return
        now = time.monotonic()
        if now - told >= PROGRESS_INTERVAL:
            told = now
            tell(now - started)
