# SPDX-License-Identifier: GPL-3.0-or-later
"""Many reads or many writes in one round trip through the Batch API, or one by one where it is refused."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Union
from urllib.parse import urlencode

from ..transport.errors import AmbiguousResponse, HttpError, UnexpectedPage
from ..transport.responses import RawResponse, Response, read_response
from ..transport.retry import RETRIED_STATUSES, RetryBudget, retry_after_seconds
from ..transport.session import Session
from .query import TableQuery

BATCH_PATH = "/api/now/v1/batch"
MAX_BATCH_SIZE = 100
# Refused for good: the API is missing, forbidden, or not served (400 is "Requested URI does not represent any resource").
NOT_TO_BE_HAD = frozenset({400, 403, 404, 405, 406, 415, 501})
ROUNDS = 3

# 5 MB of input, and 30 s for the whole batch (docs/facts/servicenow_platform.md#batch-api). Both with room to spare; a
# user, too, is to see every few seconds that something happens.
MAX_BYTES = 3_000_000
MAX_WRITES, FIRST_WRITES, MIN_WRITES = 150, 40, 5
SECONDS = 2.5

_without_batch: set[str] = set()


def read_tables(session: Session, queries: Sequence[TableQuery]) -> list[Response]:
    """Return the answers to `queries`, in order, error answers included.

    One query goes out alone, more as one batch. What a batch leaves unserviced or answers with a passing fault is asked
    again, at last one by one (which has its own patience).
    """
    answers: dict[int, Response] = {}
    waiting = list(range(len(queries)))
    for _round in range(ROUNDS):
        if len(waiting) < 2 or session.base_url in _without_batch:
            break
        for start in range(0, len(waiting), MAX_BATCH_SIZE):
            answers.update(
                _batch(session, {index: queries[index] for index in waiting[start : start + MAX_BATCH_SIZE]})
            )
        waiting = [index for index in waiting if index not in answers]
    for index in waiting:
        query = queries[index]
        answers[index] = session.request("GET", query.path, query=query.parameters, accept_errors=True)
    return [answers[index] for index in range(len(queries))]


def _batch(session: Session, queries: dict[int, TableQuery]) -> dict[int, Response]:
    """Send one batch of GETs; return the answers that are final, by the index of their query."""
    requests = [
        {
            "id": str(index),
            "method": "GET",
            "url": query.url,
            "headers": [{"name": "Accept", "value": "application/json"}],
            "exclude_response_headers": False,
        }
        for index, query in queries.items()
    ]
    try:
        # Every inner request is a GET, so the POST changes nothing and may be repeated.
        answer = session.request("POST", BATCH_PATH, body=_carrying(requests), only_reads=True, repeatable=True)
    except HttpError as error:
        if error.status not in NOT_TO_BE_HAD:
            raise
        _without_batch.add(session.base_url)
        return {}
    except UnexpectedPage:
        _without_batch.add(session.base_url)
        return {}
    final: dict[int, Response] = {}
    for index, item in _serviced(answer, queries):
        inner = _inner_answer("GET", queries[index].path, item)
        if inner is not None and inner.status not in RETRIED_STATUSES:
            final[index] = inner
    return final


def _carrying(requests: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"batch_request_id": "1", "rest_requests": list(requests)}


def _serviced(answer: Response, asked: Mapping[int, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield what a batch says of each request, with the index that was its id."""
    serviced = answer.data.get("serviced_requests", []) if isinstance(answer.data, dict) else []
    for item in serviced:
        text = str(item.get("id", "")) if isinstance(item, dict) else ""
        if text.isdecimal() and int(text) in asked:
            yield int(text), item


def _inner_answer(method: str, path: str, item: dict[str, Any]) -> Response | None:
    """Return the decoded inner answer, or None when it has to be asked for again."""
    try:
        status = int(item.get("status_code", 0))
        body = base64.b64decode(item.get("body") or "")
        headers = {str(h.get("name", "")).lower(): str(h.get("value", "")) for h in item.get("headers") or []}
        headers.setdefault("content-type", "application/json")
        return read_response(method, path, RawResponse(status, headers, body)) if status >= 200 else None
    except (AttributeError, TypeError, ValueError, AmbiguousResponse, UnexpectedPage):
        return None


# -- writing --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WriteRequest:
    """A POST or PATCH; `body` is sent as JSON."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, str]

    @property
    def as_inner(self) -> dict[str, Any]:
        """The request as part of a batch, but for its id."""
        return {
            "method": self.method,
            "url": f"{self.path}?{urlencode(self.query)}" if self.query else self.path,
            "headers": [
                {"name": "Accept", "value": "application/json"},
                {"name": "Content-Type", "value": "application/json"},
            ],
            "exclude_response_headers": False,
            "body": base64.b64encode(json.dumps(self.body).encode()).decode(),
        }


# An answer to a write: that of the platform, an error answer included, or none that is clear.
Written = Union[Response, HttpError, AmbiguousResponse]  # noqa: UP007 (evaluated at run time, where pylint knows no | of classes)


@dataclass
class Pace:
    """How many writes go out together: as many as the platform carried out in a few seconds so far."""

    size: int = FIRST_WRITES
    most: int = field(default=MAX_WRITES)

    def learn(self, count: int, seconds: float) -> None:
        """Take note that `count` writes took so many seconds."""
        if count:
            self.size = max(MIN_WRITES, min(self.most, int(count * SECONDS / max(seconds, 0.001))))

    def slow_down(self) -> None:
        """Take note that the platform did not get through with what it was sent."""
        self.size = self.most = max(MIN_WRITES, self.size // 2)


def write_all(
    session: Session, requests: Sequence[WriteRequest], pace: Pace, tell: Callable[[str], None]
) -> list[Written]:
    """Return what became of each request, in order. Each is sent once.

    Sent again is only what the platform surely did not do, because it limits the rate of requests (429). Whatever else
    has no clear answer may have been carried out: a cut batch, an inner 5xx, and what a batch leaves unserviced, since
    that can be an answer for which there was no more room (docs/facts/servicenow_platform.md#batch-api).
    """
    results: dict[int, Written] = {}
    retry_budget = RetryBudget(session.settings.retries, session.settings.retry_deadline)
    waiting = dict(enumerate(requests))
    while waiting:
        for part in _parts(waiting):
            started = time.monotonic()
            if len(part) > 1 and session.base_url not in _without_batch:
                results.update(_write_batch(session, part))
            missing = {index: request for index, request in part.items() if index not in results}
            for index, request in missing.items():
                results[index] = _write_one(session, request)
            pace.learn(len(part), time.monotonic() - started)
        limited = [index for index in waiting if _status(results[index]) == 429]
        delay = retry_budget.next_delay(_longest_wait(results[index] for index in limited)) if limited else None
        if delay is None:
            break
        _pause(delay, len(limited), tell)
        waiting = {index: waiting[index] for index in limited}
        for index in limited:
            del results[index]
    if any(isinstance(result, AmbiguousResponse) for result in results.values()):
        pace.slow_down()
    return [_as_error(session, results[index]) for index in range(len(requests))]


def _parts(requests: Mapping[int, WriteRequest]) -> list[dict[int, WriteRequest]]:
    """Return the requests in parts that the platform takes as one batch."""
    parts: list[dict[int, WriteRequest]] = [{}]
    size = 0
    for index, request in requests.items():
        more = len(json.dumps(request.as_inner))
        if parts[-1] and size + more > MAX_BYTES:
            parts.append({})
            size = 0
        parts[-1][index] = request
        size += more
    return parts


def _write_batch(session: Session, requests: Mapping[int, WriteRequest]) -> dict[int, Written]:
    """Send one batch of writes; return what became of them, or nothing where the Batch API is not to be had."""
    inner = [{"id": str(index), **request.as_inner} for index, request in requests.items()]
    try:
        answer = session.request("POST", BATCH_PATH, body=_carrying(inner), repeatable=False)
    except HttpError as error:
        if error.status not in NOT_TO_BE_HAD:
            raise
        _without_batch.add(session.base_url)
        return {}
    except UnexpectedPage as page:
        # A page in front of the API, most likely; but who knows what was done behind it.
        _without_batch.add(session.base_url)
        return {index: AmbiguousResponse(str(page)) for index in requests}
    except AmbiguousResponse as unclear:
        return dict.fromkeys(requests, unclear)
    results: dict[int, Written] = {
        index: AmbiguousResponse(f"{request.method} {request.path}: the batch does not say what became of it")
        for index, request in requests.items()
    }
    for index, item in _serviced(answer, requests):
        request = requests[index]
        written = _inner_answer(request.method, request.path, item)
        if written is not None and written.status < 500:
            results[index] = written
    return results


def _write_one(session: Session, request: WriteRequest) -> Written:
    try:
        return session.request(
            request.method, request.path, query=request.query, body=dict(request.body), repeatable=False
        )
    except HttpError as error:
        if error.status == 401:
            raise
        return error
    except AmbiguousResponse as unclear:
        return unclear


def _as_error(session: Session, written: Written) -> Written:
    if isinstance(written, Response) and written.status >= 400:
        return written.error(session.caller.redactor.scrub_text)
    return written


def _status(written: Written) -> int:
    return written.status if isinstance(written, Response) else 0


def _longest_wait(written: Iterator[Written]) -> float | None:
    waits = [retry_after_seconds(one.headers.get("retry-after")) for one in written if isinstance(one, Response)]
    known = [wait for wait in waits if wait is not None]
    return max(known) if known else None


def _pause(seconds: float, waiting: int, tell: Callable[[str], None]) -> None:
    """Wait, and say every few seconds for how long still."""
    while seconds > 0:
        if seconds >= SECONDS:
            tell(f"{waiting} writes wait {seconds:.0f} s, because the instance limits the rate of requests")
        time.sleep(min(seconds, SECONDS))
        seconds -= SECONDS
