# SPDX-License-Identifier: GPL-3.0-or-later
"""Several calls of Microsoft Graph in one request (docs/facts/microsoft_graph.md#batches)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...engine.errors import EngineError
from ...transport.polling import ProgressLine, pause
from ...transport.responses import Response
from ...transport.retry import RETRIED_STATUSES, RetryBudget, requested_pause
from ...transport.session import Session

MAX_CALLS = 20
READING = "GET"


@dataclass(frozen=True)
class Call:
    """One call of a batch; `path` follows the version and may carry a query."""

    path: str
    method: str = READING
    body: Any = None
    headers: Mapping[str, str] | None = None

    def request(self, number: int) -> dict[str, Any]:
        """Return the call in the form that a batch requires."""
        wire: dict[str, Any] = {"id": str(number), "method": self.method, "url": self.path}
        headers = dict(self.headers or {})
        if self.body is not None:
            wire["body"] = self.body
            headers["Content-Type"] = "application/json"
        return {**wire, "headers": headers} if headers else wire


@dataclass
class BatchSender:
    """Sends calls in batches. `send` posts one batch; retries follow the settings of `session`."""

    send: Callable[..., Response]
    session: Session
    progress: ProgressLine

    def responses(self, calls: Sequence[Call]) -> list[Response]:
        """Return the responses to `calls` in their order. Throttled ones are sent again after the longest requested pause.

        A reading call is also sent again after a transient failure; a writing one is not, as it may have been carried out.
        """
        responses: dict[int, Response] = {}
        retry_budget = RetryBudget(self.session.settings.retries, self.session.settings.retry_deadline)
        open_calls = list(range(len(calls)))
        while open_calls:
            again: list[int] = []
            for start in range(0, len(open_calls), MAX_CALLS):
                part = open_calls[start : start + MAX_CALLS]
                responses |= self._send({number: calls[number] for number in part})
                again += [number for number in part if _may_repeat(calls[number], responses[number])]
                self.progress.report(f"{len(responses)} of {len(calls)} calls answered")
            failed = [responses[number] for number in again]
            delay = retry_budget.next_delay(_longest_pause(failed)) if failed else None
            if delay is None:
                break
            self._pause(delay, failed, len(calls))
            open_calls = again
        return [responses[number] for number in range(len(calls))]

    def _pause(self, delay: float, failed: Sequence[Response], total: int) -> None:
        caller = self.session.caller
        caller.warn(
            f"{self.session.base_url}: {len(failed)} of {total} calls of a batch failed, next attempt in {delay:.1f} s. "
            f"{failed[0].error(caller.redactor.scrub_text)}"
        )
        pause(delay, self.progress, lambda _seconds: f"{len(failed)} of {total} calls failed and will be sent again")

    def _send(self, calls: Mapping[int, Call]) -> dict[int, Response]:
        only_reads = all(call.method == READING for call in calls.values())
        body = {"requests": [call.request(number) for number, call in calls.items()]}
        data = self.send(body, only_reads=only_reads).data
        found = data.get("responses") if isinstance(data, Mapping) else None
        responses = {
            str(each.get("id")): _inner(each, calls)
            for each in found or []
            if isinstance(each, Mapping)
            and str(each.get("id")) in {str(number) for number in calls}
            and str(each.get("status")).isdecimal()
        }
        missing = [call.path.partition("?")[0] for number, call in calls.items() if str(number) not in responses]
        if missing:
            raise EngineError(f"POST /v1.0/$batch: the response does not contain {', '.join(missing)}")
        return {number: responses[str(number)] for number in calls}


def _inner(response: Mapping[str, Any], calls: Mapping[int, Call]) -> Response:
    call = calls[int(response["id"])]
    found = response.get("headers")
    headers = {str(name).lower(): str(value) for name, value in found.items()} if isinstance(found, Mapping) else {}
    return Response(
        call.method, f"/v1.0{call.path.partition('?')[0]}", int(response["status"]), headers, response.get("body")
    )


def _may_repeat(call: Call, response: Response) -> bool:
    return response.status == 429 or (response.status in RETRIED_STATUSES and call.method == READING)


def _longest_pause(responses: Sequence[Response]) -> float | None:
    pauses = [requested_pause(response.headers) for response in responses]
    return max((seconds for seconds in pauses if seconds is not None), default=None)
