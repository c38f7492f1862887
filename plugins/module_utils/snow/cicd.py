# SPDX-License-Identifier: GPL-3.0-or-later
"""Activations and installations over the CI/CD API, to their end (docs/facts/servicenow_platform.md#cicd-api)."""

from __future__ import annotations

from ..engine.errors import Refused
from ..engine.plan import FAILED
from ..engine.result import ManualStep
from ..transport.errors import HttpError
from .activation import Activation
from .cicd_progress import API_CLOSED, failure_of, follow, start
from .client import ServiceNowClient

REQUEST_ONLY, NOT_ENTITLED = "request_only", "not_entitled"


def activate(client: ServiceNowClient, write: Activation) -> None:
    """Carry out an activation. Raises `Refused` with the status to note when it is not possible or fails."""
    remedy = "Run again: an activation that has ended by then is recognized"
    try:
        progress = start(client, write.path, write.query, f"the activation of {write.what}", remedy)
        if write.waiting.wanted:
            progress = follow(client, write.what, progress, write.waiting)
    except HttpError as error:
        if error.status in (401, 403):
            raise
        message = f"{client.name} refused to activate {write.what}. {error}"
        raise _refusal(client, write, error.words, message, error.status) from None
    words = failure_of(progress)
    if words:
        ended = progress.get("status_label") or progress.get("status")
        raise _refusal(client, write, words, f"{client.name}: {write.what} ended with {ended}: {words}", 200)
    write.done.add(write.what.split(" ", 1)[1])


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
