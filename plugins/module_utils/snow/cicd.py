# SPDX-License-Identifier: GPL-3.0-or-later
"""The CI/CD API: start an activation or installation and follow it to its end.

See docs/facts/servicenow_platform.md#cicd-api.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from ..engine.errors import Refused, UnclearOutcome
from ..engine.plan import FAILED
from ..engine.result import ManualStep
from ..transport.errors import AmbiguousResponse, HttpError
from .activation import Activation
from .client import ServiceNowClient
from .query import TableQuery

REQUEST_ONLY, NOT_ENTITLED = "request_only", "not_entitled"
SUCCESSFUL, BROKEN, CANCELED = "2", "3", "4"
SLOWEST_POLL = 60.0
# What an instance says whose CI/CD API is off or missing: the operation itself may be fine
# (docs/facts/servicenow_platform.md#errors, docs/facts/servicenow_platform.md#cicd-api).
API_CLOSED = re.compile(r"requested uri|functionality (is )?inactive", re.IGNORECASE)
TRACKER_STATES = {"0": "0", "1": "1", "2": SUCCESSFUL, "3": BROKEN, "4": CANCELED}


def activate(client: ServiceNowClient, write: Activation) -> None:
    """Carry out an activation. Raises `Refused` with the status to note when it cannot be or does not end well."""
    try:
        progress = _start(client, write)
        if write.waiting.wait:
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
            f"has ended by then is seen"
        ) from None
    return _result(answer.data)


def _follow(client: ServiceNowClient, write: Activation, progress: Mapping[str, Any]) -> Mapping[str, Any]:
    """Poll until the operation ends. Shows progress; gives up after the user's time limit, and says so."""
    started = time.monotonic()
    interval = float(write.waiting.interval)
    shown = ""
    while str(progress.get("status")) not in (SUCCESSFUL, BROKEN, CANCELED):
        waited = time.monotonic() - started
        line = f"{client.name}: {write.what}: {progress.get('status_label') or 'Pending'} {progress.get('percent_complete', 0)} %"
        if line != shown:
            client.context.progress(f"{line} after {waited:.0f} s")
            shown = line
        if waited + interval > write.waiting.timeout:
            raise Refused(
                f"{client.name}: {write.what} had not ended after {write.waiting.timeout:g} s (wait_timeout); it goes on in the "
                f"instance. Run again later, or with a longer wait_timeout",
                status=FAILED,
            )
        time.sleep(interval)
        interval = min(interval * 1.5, SLOWEST_POLL, max(interval, write.waiting.timeout / 20))
        progress = _progress(client, progress)
    client.context.progress(
        f"{client.name}: {write.what}: {progress.get('status_label')} after {time.monotonic() - started:.0f} s"
    )
    return progress


def _progress(client: ServiceNowClient, last: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ask for the progress of an operation; where that is denied, its execution tracker holds the same."""
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
    """Return why the operation cannot be, with the manual step where a person can still get it done."""
    lower = words.lower()
    if API_CLOSED.search(words):
        return Refused(
            f"{message}. The CI/CD API of the instance is not available: have it activated, "
            f"or do this by hand in the instance",
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
        return Refused(f"{message}. The instance does not know it; check the id", status=FAILED)
    return Refused(f"{message}. See the progress record and the plugin's log on the instance", status=FAILED)


def _step(client: ServiceNowClient, write: Activation, words: str, where: str) -> ManualStep:
    return ManualStep(
        id=write.what.replace(" ", ":"),
        title=f"Have {write.what} activated on {client.name}",
        reason=words,
        where=where,
        values={"Instance": client.session.base_url, "Plugin or application": write.what.split(" ", 1)[1]},
    )
