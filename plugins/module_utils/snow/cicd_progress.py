# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations of the CI/CD API: start one, and follow its progress to the end.

See docs/facts/servicenow_platform.md#cicd-api.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..engine.errors import Refused, UnclearOutcome
from ..engine.plan import FAILED
from ..transport.errors import AmbiguousResponse
from ..transport.polling import ProgressLine, Wait, poll
from .client import ServiceNowClient
from .query import TableQuery

SUCCESSFUL, BROKEN, CANCELED = "2", "3", "4"
MAX_POLL_INTERVAL = 60.0
# The answer of an instance whose CI/CD API is off or missing: the operation itself may be possible
# (docs/facts/servicenow_platform.md#errors, docs/facts/servicenow_platform.md#cicd-api).
API_CLOSED = re.compile(r"requested uri|functionality (is )?inactive", re.IGNORECASE)
TRACKER_STATES = {"0": "0", "1": "1", "2": SUCCESSFUL, "3": BROKEN, "4": CANCELED}
Progress = Mapping[str, Any]


def start(client: ServiceNowClient, path: str, query: Mapping[str, str], what: str, remedy: str) -> Progress:
    """Send the POST that starts an operation, and return its progress; `what` and `remedy` are for messages.

    Raises `HttpError` for an error answer, and `UnclearOutcome` without a clear one.
    """
    try:
        answer = client.session.request("POST", path, query=dict(query))
    except AmbiguousResponse as unclear:
        raise UnclearOutcome(f"{client.name}: whether {what} was started is unclear. {unclear}. {remedy}") from None
    return _result(answer.data)


def follow(client: ServiceNowClient, what: str, progress: Progress, waiting: Wait) -> Progress:
    """Poll until the operation ends, with a line for every step. Raises `Refused` after the time that the user waits."""
    line = ProgressLine(client.context.progress)
    timeout, interval = waiting.timeout, waiting.interval
    max_interval = min(MAX_POLL_INTERVAL, timeout / 20)
    state = _state(client, what, progress)
    line.show(f"{state} after 0 s")
    polls = poll(timeout, interval, line, lambda seconds: f"{state} after {seconds:.0f} s", max_interval=max_interval)
    while not _has_ended(progress):
        if next(polls, None) is None:
            raise Refused(
                f"{client.name}: {what} is still running after {waiting.limit}. Run again later to check the result"
                f"{', or with a longer one' if waiting.option else ''}",
                status=FAILED,
            )
        progress = _progress(client, progress)
        if (new := _state(client, what, progress)) != state and not _has_ended(progress):
            state = new
            line.show(f"{state} after {line.seconds:.0f} s")
    line.show(f"{client.name}: {what}: {progress.get('status_label')} after {line.seconds:.0f} s")
    return progress


def failure_of(progress: Progress) -> str:
    """Return the platform's words about an operation that failed or was cancelled; "" for any other, which has not failed."""
    status = str(progress.get("status"))
    if status not in (BROKEN, CANCELED):
        return ""
    words = progress.get("error") or progress.get("status_message") or progress.get("status_label")
    return str(words or status)


def _has_ended(progress: Progress) -> bool:
    return str(progress.get("status")) in (SUCCESSFUL, BROKEN, CANCELED)


def _state(client: ServiceNowClient, what: str, progress: Progress) -> str:
    done = f"{progress.get('status_label') or 'Pending'} {progress.get('percent_complete', 0)} %"
    return f"{client.name}: {what}: {done}"


def _progress(client: ServiceNowClient, last: Progress) -> Progress:
    """Return the progress of an operation; if that is denied, its execution tracker has the same."""
    progress_id = str(last.get("links", {}).get("progress", {}).get("id", ""))
    answer = client.session.request("GET", f"/api/sn_cicd/progress/{progress_id}", accept_errors=True)
    if answer.status < 400:
        return {"links": last.get("links", {}), **_result(answer.data)}
    if answer.status not in (401, 403):
        raise answer.error(client.context.redactor.scrub_text)
    query = TableQuery(
        "sys_execution_tracker", f"sys_id={progress_id}", ("sys_id", "state", "percent_complete", "message"), limit=1
    )
    (found,) = client.query([query])
    if not found.rows:
        raise answer.error(client.context.redactor.scrub_text)
    row = found.rows[0]
    state = TRACKER_STATES.get(row.get("state", ""), "1")
    return {
        **last,
        "status": state,
        "percent_complete": row.get("percent_complete", 0),
        "status_message": row.get("message", ""),
    }


def _result(data: Any) -> Progress:
    result = data.get("result") if isinstance(data, Mapping) else None
    return result if isinstance(result, Mapping) else {}
