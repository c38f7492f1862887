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
from ..transport.polling import ProgressLine, pause
from ..transport.responses import RawResponse, Response, read_response
from ..transport.retry import RETRIED_STATUSES, RetryBudget, come_back, retry_after_seconds
from ..transport.session import Session
from .query import TableQuery

BATCH_PATH = "/api/now/v1/batch"
MAX_BATCH_SIZE = 100
# Statuses of an API that is missing, forbidden or not served (400 is "Requested URI does not represent any resource").
NO_BATCH_API = frozenset({400, 403, 404, 405, 406, 415, 501})
MAX_ROUNDS = 3

# The limits are 5 MB of input, and 30 s for the whole batch (docs/facts/servicenow_platform.md#batch-api). Batches stay well
# below both, also so that the user sees progress every few seconds.
MAX_BYTES = 3_000_000
MAX_WRITES, FIRST_WRITES, MIN_WRITES = 150, 40, 5
BATCH_SECONDS = PROGRESS_INTERVAL = 2.5

_without_batch: set[str] = set()


def read_tables(session: Session, queries: Sequence[TableQuery]) -> list[Response]:
    """Return the answers to `queries`, in order, error answers included.

    One query is sent alone, more as one batch. Queries that a batch leaves unserviced or answers with a transient error are
    sent again, finally one by one (with the retries of the session).
    """
    answers: dict[int, Response] = {}
    waiting = list(range(len(queries)))
    for _round in range(MAX_ROUNDS):
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
    """Send one batch of GETs; return the final answers, by the index of their query."""
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
        answer = session.request("POST", BATCH_PATH, body=carrying(requests), only_reads=True, repeatable=True)
    except HttpError as error:
        if error.status not in NO_BATCH_API:
            raise
        _without_batch.add(session.base_url)
        return {}
    except UnexpectedPage:
        _without_batch.add(session.base_url)
        return {}
    final: dict[int, Response] = {}
    for index, item in serviced(answer, queries):
        inner = _inner_answer("GET", queries[index].path, item)
        if inner is not None and inner.status not in RETRIED_STATUSES:
            final[index] = inner
    return final


def carrying(requests: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the body of a batch."""
    return {"batch_request_id": "1", "rest_requests": list(requests)}


def has_batches(session: Session) -> bool:
    """Return whether the instance has the Batch API, as far as that is known."""
    return session.base_url not in _without_batch


def serviced(answer: Response, asked: Mapping[int, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the answer of a batch to each request, with the index that was its id."""
    serviced = answer.data.get("serviced_requests", []) if isinstance(answer.data, dict) else []
    for item in serviced:
        text = str(item.get("id", "")) if isinstance(item, dict) else ""
        if text.isdecimal() and int(text) in asked:
            yield int(text), item


def _inner_answer(method: str, path: str, item: dict[str, Any]) -> Response | None:
    """Return the decoded inner answer, or None when the request has to be sent again."""
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
    """A POST, PATCH or DELETE; `body` is sent as JSON, or in its place `content`, a text of `content_type`."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, str]
    content: str | None = None
    content_type: str = "application/json"

    @property
    def data(self) -> bytes:
        """The body as it is sent."""
        return (json.dumps(self.body) if self.content is None else self.content).encode()

    @property
    def as_inner(self) -> dict[str, Any]:
        """The request as part of a batch, but for its id."""
        return {
            "method": self.method,
            "url": f"{self.path}?{urlencode(self.query)}" if self.query else self.path,
            "headers": [
                {"name": "Accept", "value": "application/json"},
                {"name": "Content-Type", "value": self.content_type},
            ],
            "exclude_response_headers": False,
            "body": base64.b64encode(self.data).decode(),
        }


# The answer to a write: that of the platform, an error included, or that its outcome is ambiguous.
Written = Union[Response, HttpError, AmbiguousResponse]  # noqa: UP007 (evaluated at run time, where pylint knows no | of classes)


@dataclass
class Pace:
    """How many writes are sent together: as many as the platform has carried out in a few seconds so far."""

    size: int = FIRST_WRITES
    max_size: int = field(default=MAX_WRITES)

    def learn(self, count: int, seconds: float) -> None:
        """Note that `count` writes took this many seconds."""
        if count:
            self.size = max(MIN_WRITES, min(self.max_size, int(count * BATCH_SECONDS / max(seconds, 0.001))))

    def slow_down(self) -> None:
        """Note that the platform did not finish what it was sent."""
        self.size = self.max_size = max(MIN_WRITES, self.size // 2)


def write_all(
    session: Session, requests: Sequence[WriteRequest], pace: Pace, show: Callable[[str], None]
) -> list[Written]:
    """Return the answer to each request, in order. Each is sent once.

    Only writes that the platform certainly did not do, because it limits the rate of requests (429), are sent again. All
    others without a clear answer may have been carried out: a cut batch, an inner 5xx, and requests that a batch leaves
    unserviced, since their answer may not have fitted (docs/facts/servicenow_platform.md#batch-api).
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
        _wait_for_rate_limit(delay, len(limited), show)
        waiting = {index: waiting[index] for index in limited}
        for index in limited:
            del results[index]
    if any(isinstance(result, AmbiguousResponse) for result in results.values()):
        pace.slow_down()
    return [_as_error(session, results[index]) for index in range(len(requests))]


def _parts(requests: Mapping[int, WriteRequest]) -> list[dict[int, WriteRequest]]:
    """Return the requests in parts that the platform accepts as one batch."""
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
    """Send one batch of writes; return the answers, or nothing if the Batch API is not available."""
    inner = [{"id": str(index), **request.as_inner} for index, request in requests.items()]
    try:
        answer = session.request("POST", BATCH_PATH, body=carrying(inner), repeatable=False)
    except HttpError as error:
        if error.status not in NO_BATCH_API:
            raise
        _without_batch.add(session.base_url)
        return {}
    except UnexpectedPage as page:
        # Most likely a page in front of the API; but the writes may have been carried out.
        _without_batch.add(session.base_url)
        return {index: AmbiguousResponse(str(page)) for index in requests}
    except AmbiguousResponse as unclear:
        return dict.fromkeys(requests, unclear)
    results: dict[int, Written] = {
        index: AmbiguousResponse(f"{request.method} {request.path}: the answer of the batch does not include it")
        for index, request in requests.items()
    }
    for index, item in serviced(answer, requests):
        request = requests[index]
        written = _inner_answer(request.method, request.path, item)
        if written is not None and written.status < 500:
            results[index] = written
    return results


def _write_one(session: Session, request: WriteRequest) -> Written:
    try:
        return session.request(
            request.method,
            request.path,
            query=request.query,
            content=request.data,
            headers={"Content-Type": request.content_type},
            repeatable=False,
        )
    except HttpError as error:
        if error.status == 401:
            raise
        return error
    except AmbiguousResponse as unclear:
        return unclear


def _as_error(session: Session, written: Written) -> Written:
    if isinstance(written, Response) and written.status >= 400:
        error = written.error(session.caller.redactor.scrub_text)
        asked = retry_after_seconds(written.headers.get("retry-after")) if written.status == 429 else None
        return error.with_hint(come_back(asked, session.settings.retry_deadline))
    return written


def _status(written: Written) -> int:
    return written.status if isinstance(written, Response) else 0


def _longest_wait(written: Iterator[Written]) -> float | None:
    waits = [retry_after_seconds(one.headers.get("retry-after")) for one in written if isinstance(one, Response)]
    known = [wait for wait in waits if wait is not None]
    return max(known) if known else None


def _wait_for_rate_limit(seconds: float, waiting: int, show: Callable[[str], None]) -> None:
    line = ProgressLine(show, PROGRESS_INTERVAL)
    pause(
        seconds,
        line,
        lambda waited: (
            f"{waiting} writes wait {seconds - waited:.0f} s, because the instance limits the rate of requests"
        ),
    )
