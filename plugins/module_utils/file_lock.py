# SPDX-License-Identifier: GPL-3.0-or-later
"""File locks between the processes of this machine, on small files in Ansible's temporary folder.

The files contain no secret; their names contain a digest of an address. A lock ends with its process, even if that is killed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .transport.errors import BadConnectionOption
from .transport.polling import PROGRESS_INTERVAL, ProgressLine, pause

RETRY_INTERVAL = 0.1


def folder() -> Path:
    """Return the temporary folder of Ansible, created if missing; a folder of the system's if that is not writable."""
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
    """Return the file in `place` that serializes the processes that work with `address`."""
    digest = hashlib.sha256(address.casefold().encode()).hexdigest()[:16]
    return place / f"servicenow_defender-{digest}.{ending}"


@contextmanager
def locked(file: Path, what: str, report: Callable[[float], None] | None = None) -> Iterator[IO[str]]:
    """Hold the lock of `file`, created if missing, and yield it open for reading and writing.

    `what` names the file in an error. `report` is called with the seconds waited so far, every few seconds.
    """
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BadConnectionOption(f"{what} {file} cannot be written: {error.strerror}") from None
    with os.fdopen(handle, "r+", encoding="ascii") as opened:
        if report is None:
            fcntl.flock(opened, fcntl.LOCK_EX)
        else:
            _wait_for(opened, report)
        yield opened


def _wait_for(opened: IO[str], report: Callable[[float], None]) -> None:
    progress = ProgressLine(lambda _line: report(progress.seconds), PROGRESS_INTERVAL)
    while True:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pause(RETRY_INTERVAL, progress, lambda _seconds: "")
        else:
            return
