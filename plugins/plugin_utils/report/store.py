# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report to its directory: atomically, readable by the owner only, one writer at a time."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from .document import is_slice_of, merge, to_json
from .junit import to_junit
from .page import to_html
from .values import Json

# In order of preference for the summary line.
FILES: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], bytes]]] = {
    "html": ("drift.html", to_html),
    "json": ("drift.json", to_json),
    "junit": ("drift.xml", to_junit),
}
LOCK_TIMEOUT = 30.0
"""Seconds to wait for another slice."""


class ReportError(Exception):
    """The report could not be written; the message is the reason, in one line."""


def write(directory: Path, document: Json, formats: Collection[str], now: datetime) -> tuple[Path, Json]:
    """Write the report and return the path of its preferred format, and the document as written.

    With a `run_id` in `document["play"]`, the report of the same run in `directory` is extended. That requires
    `drift.json`, which is then written in addition to `formats`. Raises ReportError.
    """
    run_id = document["play"].get("run_id")
    wanted = {*formats, "json"} if run_id else set(formats)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(directory / ".drift.lock"):
            earlier = read(directory / FILES["json"][0])
            if run_id and is_slice_of(earlier, run_id):
                document = merge(earlier, document, now)
            # All files are rendered before the first one is replaced, so that they belong to the same report.
            rendered = {directory / name: render(document) for form, (name, render) in FILES.items() if form in wanted}
            for path, content in rendered.items():
                replace(path, content)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ReportError(f"the drift report could not be written to {directory}: {_reason(error)}") from error
    best = next(name for form, (name, _render) in FILES.items() if form in wanted)
    return directory / best, document


def read(path: Path) -> Any:
    """Return the JSON in `path`, None if there is none."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def replace(path: Path, content: bytes) -> None:
    """Replace `path` with `content` atomically, with mode 0600."""
    # mkstemp creates the file with mode 0600, in the same directory, so that the rename is atomic.
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, waiting up to LOCK_TIMEOUT seconds for another slice."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        give_up_at = time.monotonic() + LOCK_TIMEOUT
        while not _try_lock(handle):
            if time.monotonic() > give_up_at:
                raise TimeoutError(errno.ETIMEDOUT, f"another run has held {path} for {LOCK_TIMEOUT:.0f} seconds")
            time.sleep(0.05)
        yield
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({error.filename})" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}".replace("\n", " ")
