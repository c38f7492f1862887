# SPDX-License-Identifier: GPL-3.0-or-later
"""Long-running operations of Resource Manager (docs/facts/defender_for_cloud.md#long-running-operations)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...engine.errors import EngineError
from ...transport.polling import ProgressLine, pause
from ...transport.responses import Response
from ...transport.retry import requested_pause

ASYNC, LOCATION = "azure-asyncoperation", "location"
SUCCEEDED, ENDED_BADLY = "succeeded", ("failed", "canceled")
FIRST_PAUSE, MIN_PAUSE, MAX_PAUSE = 0.5, 0.2, 10.0


def link_of(response: Response) -> str:
    """Return the link to the operation that `response` started, "" where it has none."""
    if response.status not in (201, 202):
        return ""
    return response.headers.get(ASYNC) or response.headers.get(LOCATION, "")


def wait_for_operation(
    response: Response, what: str, timeout: float, *, get: Callable[[str], Response], progress: ProgressLine
) -> Any:
    """Follow the operation that `response` started until it has ended, and return the last body.

    `get` requests an absolute link. `Azure-AsyncOperation` takes precedence over `Location`, and `Retry-After` over our own
    intervals. Raises `EngineError` when the operation failed, was canceled, or did not end within `timeout` seconds.
    """
    header = ASYNC if response.headers.get(ASYNC) else LOCATION
    link = link_of(response)
    interval = FIRST_PAUSE
    while link:
        retry_after = requested_pause(response.headers)
        wait = interval if retry_after is None else max(MIN_PAUSE, retry_after)
        interval = min(MAX_PAUSE, interval * 2)
        if progress.seconds + wait > timeout and wait > MAX_PAUSE:
            raise EngineError(
                f"{what} is still running, and Resource Manager asks for a pause of {wait:.0f} s, longer than is waited ({timeout:g} s "
                f"in all). Run again later to see how it ended"
            )
        pause(wait, progress, lambda seconds: f"{what}: running for {seconds:.0f} s")
        response = get(link)
        state = _state(response)
        if state in ENDED_BADLY:
            words = response.error().words
            raise EngineError(
                f"{what} {state}{': ' + words if words else ''}. Run again, or check the operation in the portal"
            )
        if state == SUCCEEDED or (header == LOCATION and response.status != 202 and not state):
            break
        if progress.seconds > timeout:
            raise EngineError(
                f"{what} has not ended within {timeout:g} s and is still running. Run again later to see how it ended"
            )
        link = response.headers.get(header) or link
    return response.data


def _state(response: Response) -> str:
    """Return the state in a body, in lower case, "" where it has none."""
    data = response.data if isinstance(response.data, Mapping) else {}
    return str(data.get("status") or "").lower()
