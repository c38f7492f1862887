# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report to its directory: atomically, readable by the owner only, one writer at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from .document import is_slice_of, merge
from .history import with_history
from .junit import to_junit
from .markdown import to_markdown
from .page import to_html
from .stored import from_json, to_json
from .values import Json, mappings

# In order of preference for the summary line.
FILES: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], bytes]]] = {
    "html": ("drift.html", to_html),
    "json": ("drift.json", to_json),
    "junit": ("drift.xml", to_junit),
    "markdown": ("drift.md", to_markdown),
}
# The first free one keeps a damaged report.
DAMAGED = ("drift.damaged.json", *(f"drift.damaged-{number}.json" for number in range(2, 100)))
# The report of a run of its own, of which the directory has another one.
OF_RUN = "drift.run-{}.json"
LOCK_TIMEOUT = 30.0
"""Seconds to wait for another slice."""
SAME_NIGHT = timedelta(days=1)
"""How long a slice of an earlier run may be late."""


class ReportError(Exception):
    """The report could not be written; the message is the reason, in one line."""


def write(directory: Path, document: Json, formats: Collection[str], now: datetime) -> tuple[Path, Json]:
    """Write the report and return the path of its preferred format, and the document as written.

    With a `run_id` in `document["play"]`, the report of the same run in `directory` is extended. That requires
    `drift.json`, which is then written in addition to `formats`. What changed since the report that is replaced is part of the new
    one. An earlier report that is damaged is kept under a name of `DAMAGED`, which is named in `document["play"]["notes"]`. A slice of a run whose report
    was replaced already does not replace a later one: it is written as `OF_RUN`, with a note. Raises ReportError.
    """
    run_id = document["play"].get("run_id")
    wanted = {*formats, "json"} if run_id else set(formats)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(directory / ".drift.lock"):
            earlier, note = _earlier(directory)
            is_slice = bool(run_id) and is_slice_of(earlier, str(run_id))
            if run_id and not is_slice and _is_late(earlier, str(run_id), now):
                return _beside(directory, document, str(earlier["play"].get("run_id")), now)
            kept = _kept_slice(directory, earlier, document, now) if run_id and not is_slice else ""
            document = merge(earlier, document, now) if is_slice else document
            document = with_history(document, earlier, same_run=is_slice)
            if notes := [*filter(None, (note, kept))]:
                document["play"] = {**document["play"], "notes": notes}
            # All files are rendered before the first one is replaced, so that they belong to the same report.
            rendered = {directory / name: render(document) for form, (name, render) in FILES.items() if form in wanted}
            for path, content in rendered.items():
                replace(path, content)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ReportError(f"the drift report could not be written to {directory}: {_reason(error)}") from error
    best = next(name for form, (name, _render) in FILES.items() if form in wanted)
    return directory / best, document


def _is_late(earlier: Any, run_id: str, now: datetime) -> bool:
    """Return whether the report of this run was replaced, within `SAME_NIGHT`, by that of a later one."""
    if not isinstance(earlier, Mapping) or not isinstance(earlier.get("play"), Mapping):
        return False
    rows = mappings(earlier.get("trend"))
    return any(row.get("run_id") == run_id and _is_recent(row.get("generated_at"), now) for row in rows)


def _is_recent(time_of_report: Any, now: datetime) -> bool:
    try:
        return now - datetime.fromisoformat(str(time_of_report)) < SAME_NIGHT
    except (ValueError, TypeError):
        return False


def _of_run(directory: Path, run_id: str) -> Path:
    return directory / OF_RUN.format(re.sub(r"[^A-Za-z0-9._-]", "_", run_id)[:100])


def _beside(directory: Path, document: Json, later: str, now: datetime) -> tuple[Path, Json]:
    """Write the report of a late slice as a file of its own, which other late slices of its run extend."""
    run_id = str(document["play"]["run_id"])
    path = _of_run(directory, run_id)
    known = _read(path)
    document = merge(known, document, now) if is_slice_of(known, run_id) else document
    note = f"the report in {directory} is of the later run {later}; the slice of run {run_id} is in {path.name}"
    replace(path, to_json(document))
    return path, {**document, "play": {**document["play"], "notes": [note]}}


def _kept_slice(directory: Path, earlier: Any, document: Json, now: datetime) -> str:
    """Keep a report that has no host in common, as slices that were given different names do; return a sentence, "" if that is not so."""
    play = earlier.get("play") if isinstance(earlier, Mapping) else None
    run_id = str(play.get("run_id") or "") if isinstance(play, Mapping) else ""
    hosts = earlier.get("hosts") if run_id else None
    is_other = isinstance(hosts, Mapping) and bool(hosts) and not {*hosts} & {*document["hosts"]}
    if not is_other or not _is_recent(earlier.get("generated_at"), now):
        return ""
    path = _of_run(directory, run_id)
    replace(path, to_json(earlier))
    return (
        f"the report of run {run_id} has other hosts than that of run {document['play']['run_id']}, which replaces it; it is kept as {path.name}. "
        f"Slices of one job need the same run_id"
    )


def _read(path: Path) -> Any:
    """Return the report in a file, None if it is not there or is damaged."""
    try:
        return from_json(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _earlier(directory: Path) -> tuple[Any, str]:
    """Return the earlier report, None if there is none, and a sentence if it is damaged and was kept under another name."""
    path = directory / FILES["json"][0]
    try:
        found = from_json(path.read_bytes())
    except FileNotFoundError:
        return None, ""
    except ValueError:
        found = None
    if found is not None:
        return found, ""
    kept = next((name for name in DAMAGED if not os.path.lexists(directory / name)), DAMAGED[-1])
    os.replace(path, directory / kept)
    return (
        None,
        f"the earlier report {path} is damaged, or of another version; it is kept as {kept}, and the new one begins a new trend",
    )


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
        reason = "a file is in the way" if isinstance(error, FileExistsError) else error.strerror
        return f"{reason} ({error.filename})" if error.filename else reason
    return f"{type(error).__name__}: {error}".replace("\n", " ")
