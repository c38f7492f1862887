# SPDX-License-Identifier: GPL-3.0-or-later
"""The CI/CD API: start an activation or installation and follow it to its end.

See docs/facts/servicenow_platform.md#cicd-api.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..engine.errors import Refused, UnclearOutcome
from ..engine.plan import FAILED
from ..engine.result import ManualStep
from ..transport.errors import AmbiguousResponse, HttpError
from ..transport.polling import ProgressLine, poll
from .activation import Activation
from .client import ServiceNowClient
from .query import TableQuery

REQUEST_ONLY, NOT_ENTITLED = "request_only", "not_entitled"
SUCCESSFUL, BROKEN, CANCELED = "2", "3", "4"
MAX_POLL_INTERVAL = 60.0
# The answer of an instance whose CI/CD API is off or missing: the operation itself may be possible
# (docs/facts/servicenow_platform.md#errors, docs/facts/servicenow_platform.md#cicd-api).
API_CLOSED = re.compile(r"requested uri|functionality (is )?inactive", re.IGNORECASE)
TRACKER_STATES = {"0": "0", "1": "1", "2": SUCCESSFUL, "3": BROKEN, "4": CANCELED}


def activate(client: ServiceNowClient, write: Activation) -> None:
    """Carry out an activation. Raises `Refused` with the status to note when it is not possible or fails."""
    try:
        progress = _start(client, write)
        if write.waiting.wanted:
            progress = _follow(client, write, progress)
    except HttpError as error:
        if error.status in (401, 403):
            raise
        message = f"{client.name} refused to activate {write.what}. {error}"
        raise _refusal(client, write, error.words, message, error.status) from None
    status = str(progress.get("status"))
    if status in (BROKEN, CANCELED):
        words = str(progress.get("error") or progress.get("status_message") or progress.get("status_label") or "")
        message = f"{client.name}: {write.what} ended with {progress.get('status_label') or status}: {words}"
        raise _refusal(client, write, words, message, 200)
    write.done.add(write.what.split(" ", 1)[1])


def _start(client: ServiceNowClient, write: Activation) -> Mapping[str, Any]:
    try:
        answer = client.session.request("POST", write.path, query=write.query)
    except AmbiguousResponse as unclear:
        raise UnclearOutcome(
            f"{client.name}: whether the activation of {write.what} was started is unclear. {unclear}. Run again: an activation that "
            f"has ended by then is recognized"
        ) from None
    return _result(answer.data)


def _follow(client: ServiceNowClient, write: Activation, progress: Mapping[str, Any]) -> Mapping[str, Any]:
    """Poll until the operation ends, with a line for every step. Raises `Refused` after the time that the user waits."""
    line = ProgressLine(client.context.progress)
    timeout, interval = write.waiting.timeout, write.waiting.interval
    max_interval = min(MAX_POLL_INTERVAL, timeout / 20)
    state = _state(client, write, progress)
    line.show(f"{state} after 0 s")
    polls = poll(timeout, interval, line, lambda seconds: f"{state} after {seconds:.0f} s", max_interval=max_interval)
    while not _has_ended(progress):
        if next(polls, None) is None:
            raise Refused(
                f"{client.name}: {write.what} is still running after {timeout:g} s (wait_timeout). Run again later to check "
                f"the result, or with a longer wait_timeout",
                status=FAILED,
            )
        progress = _progress(client, progress)
        if (new := _state(client, write, progress)) != state and not _has_ended(progress):
            state = new
            line.show(f"{state} after {line.seconds:.0f} s")
    line.show(f"{client.name}: {write.what}: {progress.get('status_label')} after {line.seconds:.0f} s")
    return progress


def _has_ended(progress: Mapping[str, Any]) -> bool:
    return str(progress.get("status")) in (SUCCESSFUL, BROKEN, CANCELED)


def _state(client: ServiceNowClient, write: Activation, progress: Mapping[str, Any]) -> str:
    done = f"{progress.get('status_label') or 'Pending'} {progress.get('percent_complete', 0)} %"
    return f"{client.name}: {write.what}: {done}"


def _progress(client: ServiceNowClient, last: Mapping[str, Any]) -> Mapping[str, Any]:
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


def _result(data: Any) -> Mapping[str, Any]:
    result = data.get("result") if isinstance(data, Mapping) else None
    return result if isinstance(result, Mapping) else {}


def _refusal(client: ServiceNowClient, write: Activation, words: str, message: str, status: int) -> Refused:
    """Return why the operation is not possible, with a manual step if there is one."""
    lower = words.lower()
    if API_CLOSED.search(words):
        return Refused(
            f"{message}. The CI/CD API of the instance is not available: have it activated, "
            f"or do this manually in the instance",
            status=FAILED,
        )
    if any(word in lower for word in ("entitle", "license", "subscription")):
        remedy = "The instance is not entitled to it; obtain it in the ServiceNow Store"
        return Refused(
            f"{message}. {remedy}", status=NOT_ENTITLED, step=_step(client, write, words, "ServiceNow Store > Get")
        )
    if "request" in lower or "support" in lower or status == 405:
        remedy = "ServiceNow activates it on request only"
        where = "Now Support > Service Catalog > Activate Plugin"
        return Refused(f"{message}. {remedy}", status=REQUEST_ONLY, step=_step(client, write, words or remedy, where))
    if status == 404 or "not found" in lower:
        return Refused(f"{message}. The instance does not have it; check the id", status=FAILED)
    return Refused(f"{message}. See the progress record and the plugin's log on the instance", status=FAILED)


def _step(client: ServiceNowClient, write: Activation, words: str, where: str) -> ManualStep:
    return ManualStep(
        id=write.what.replace(" ", ":"),
        title=f"Have {write.what} activated on {client.name}",
        reason=words,
        where=where,
        values={"Instance": client.session.base_url, "Plugin or application": write.what.split(" ", 1)[1]},
    )
