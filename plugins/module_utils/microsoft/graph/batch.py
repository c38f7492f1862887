# SPDX-License-Identifier: GPL-3.0-or-later
"""Several calls of Microsoft Graph in one request (docs/facts/microsoft_graph.md#batches)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...engine.errors import EngineError
from ...transport.responses import Response
from ...transport.retry import RETRIED_STATUSES, RetryBudget, retry_after_seconds
from ..progress import Progress

if TYPE_CHECKING:
    from .client import GraphClient

MAX_CALLS = 20
READING = "GET"


@dataclass(frozen=True)
class Call:
    """One call of a batch; `path` follows the version and may carry a query."""

    path: str
    method: str = READING
    body: Any = None

    def request(self, number: int) -> dict[str, Any]:
        """Return the call as a batch takes it."""
        wire: dict[str, Any] = {"id": str(number), "method": self.method, "url": self.path}
        if self.body is not None:
            wire |= {"body": self.body, "headers": {"Content-Type": "application/json"}}
        return wire


def answered(graph: GraphClient, calls: Sequence[Call]) -> list[Response]:
    """Return the answers to `calls` in their order. Those that were throttled are sent again, after the longest wait asked for.

    A reading call is sent again after a passing failure, too; of a writing one nobody knows whether it was carried out.
    """
    settings = graph.session.settings
    answers: dict[int, Response] = {}
    progress = Progress(graph.context, graph.name)
    retry_budget = RetryBudget(settings.retries, settings.retry_deadline)
    open_calls = list(range(len(calls)))
    while open_calls:
        again: list[int] = []
        for start in range(0, len(open_calls), MAX_CALLS):
            part = open_calls[start : start + MAX_CALLS]
            answers |= _send(graph, {number: calls[number] for number in part})
            again += [number for number in part if _may_repeat(calls[number], answers[number])]
            progress.tell(f"{len(answers)} of {len(calls)} calls answered")
        delay = retry_budget.next_delay(_longest_wait([answers[number] for number in again])) if again else None
        if delay is None:
            break
        graph.context.warn(
            f"{graph.session.base_url}: {len(again)} of {len(calls)} calls of a batch failed, next attempt in {delay:.1f} s. "
            f"{graph.error_of(answers[again[0]])}"
        )
        time.sleep(delay)
        open_calls = again
    return [answers[number] for number in range(len(calls))]


def _send(graph: GraphClient, calls: Mapping[int, Call]) -> dict[int, Response]:
    only_reads = all(call.method == READING for call in calls.values())
    body = {"requests": [call.request(number) for number, call in calls.items()]}
    data = graph.send_batch(body, only_reads=only_reads).data
    found = data.get("responses") if isinstance(data, Mapping) else None
    answers = {
        str(each.get("id")): _inner(each, calls)
        for each in found or []
        if isinstance(each, Mapping) and str(each.get("id")) in {str(number) for number in calls}
    }
    missing = [call.path.partition("?")[0] for number, call in calls.items() if str(number) not in answers]
    if missing:
        raise EngineError(f"POST /v1.0/$batch: the answer leaves out {', '.join(missing)}")
    return {number: answers[str(number)] for number in calls}


def _inner(response: Mapping[str, Any], calls: Mapping[int, Call]) -> Response:
    call = calls[int(response["id"])]
    given = response.get("headers")
    headers = {str(name).lower(): str(value) for name, value in given.items()} if isinstance(given, Mapping) else {}
    status = int(response.get("status") or 0)
    return Response(call.method, f"/v1.0{call.path.partition('?')[0]}", status, headers, response.get("body"))


def _may_repeat(call: Call, answer: Response) -> bool:
    return answer.status == 429 or (answer.status in RETRIED_STATUSES and call.method == READING)


def _longest_wait(answers: Sequence[Response]) -> float | None:
    waits = [retry_after_seconds(answer.headers.get("retry-after")) for answer in answers]
    return max((wait for wait in waits if wait is not None), default=None)
