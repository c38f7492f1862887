# SPDX-License-Identifier: GPL-3.0-or-later
"""File locks between the processes of a user on this machine, on small files in a temporary folder.

The files contain no secret; their names contain a digest of an address. A lock ends with its process, even if that is killed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .transport.errors import BadConnectionOption
from .transport.polling import PROGRESS_INTERVAL, ProgressLine, pause

RETRY_INTERVAL = 0.1


def folder() -> Path:
    """Return the folder of locks, created if missing: one for each user of this machine, the same for all homes of Ansible.

    Without a temporary folder of the system's that is ours alone, the temporary folder of Ansible.
    """
    own = Path(tempfile.gettempdir()) / f"servicenow_defender-{os.getuid()}"
    try:
        own.mkdir(mode=0o700, exist_ok=True)
        found = own.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
            return own
    except OSError:
        pass
    home = Path(os.environ.get("ANSIBLE_HOME") or "~/.ansible")
    place = Path(os.environ.get("ANSIBLE_LOCAL_TEMP") or home / "tmp").expanduser()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


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


@contextmanager
def turn(address: str, name: str, show: Callable[[str], None]) -> Iterator[None]:
    """Hold the turn to create rows, or take update sets over, at `address`, one run of this machine after the other; `show` gets a line while it waits.

    `name` is the platform's, for the user.
    """

    def report(seconds: float) -> None:
        show(f"{name}: waiting for {seconds:.0f} s for another run on this machine that writes there")

    with locked(file_for(address, "turn", folder()), "the record of turns", report):
        yield


def _wait_for(opened: IO[str], report: Callable[[float], None]) -> None:
    progress = ProgressLine(lambda _line: report(progress.seconds), PROGRESS_INTERVAL)
    while True:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pause(RETRY_INTERVAL, progress, lambda _seconds: "")
        else:
            return
