# SPDX-License-Identifier: GPL-3.0-or-later
"""Many reads in one round trip through the Batch API, or one by one where it is refused."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from ..transport.answers import Answer, Raw, read_answer
from ..transport.errors import HttpError, NoClearAnswer, NotJson
from ..transport.retry import RETRIED_STATUSES
from ..transport.session import Session
from .query import TableQuery

BATCH_PATH = "/api/now/v1/batch"
MOST_AT_ONCE = 100
# Refused for good: the API is missing, forbidden, or not served (400 is "Requested URI does not represent any resource").
NOT_TO_BE_HAD = frozenset({400, 403, 404, 405, 406, 415, 501})
ROUNDS = 3

_without_batch: set[str] = set()


def read_tables(session: Session, queries: Sequence[TableQuery]) -> list[Answer]:
    """Return the answers to `queries`, in order, error answers included.

    One query goes out alone, more as one batch. What a batch leaves unserviced or answers with a passing fault is asked
    again, at last one by one (which has its own patience).
    """
    answers: dict[int, Answer] = {}
    waiting = list(range(len(queries)))
    for _round in range(ROUNDS):
        if len(waiting) < 2 or session.base_url in _without_batch:
            break
        for start in range(0, len(waiting), MOST_AT_ONCE):
            answers.update(_batch(session, {index: queries[index] for index in waiting[start : start + MOST_AT_ONCE]}))
        waiting = [index for index in waiting if index not in answers]
    for index in waiting:
        query = queries[index]
        answers[index] = session.request("GET", query.path, query=query.parameters, accept_errors=True)
    return [answers[index] for index in range(len(queries))]


def _batch(session: Session, queries: dict[int, TableQuery]) -> dict[int, Answer]:
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
    body = {"batch_request_id": "1", "rest_requests": requests}
    try:
        # Every inner request is a GET, so the POST changes nothing and may be repeated.
        answer = session.request("POST", BATCH_PATH, body=body, only_reads=True, repeatable=True)
    except HttpError as error:
        if error.status not in NOT_TO_BE_HAD:
            raise
        _without_batch.add(session.base_url)
        return {}
    except NotJson:
        _without_batch.add(session.base_url)
        return {}
    serviced = answer.data.get("serviced_requests", []) if isinstance(answer.data, dict) else []
    final: dict[int, Answer] = {}
    for item in serviced:
        index = _index(item, queries)
        if index is None:
            continue
        inner = _inner_answer(queries[index].path, item)
        if inner is not None and inner.status not in RETRIED_STATUSES:
            final[index] = inner
    return final


def _index(item: Any, queries: dict[int, TableQuery]) -> int | None:
    text = str(item.get("id", "")) if isinstance(item, dict) else ""
    return int(text) if text.isdecimal() and int(text) in queries else None


def _inner_answer(path: str, item: dict[str, Any]) -> Answer | None:
    """Return the decoded inner answer, or None when it has to be asked for again."""
    try:
        status = int(item.get("status_code", 0))
        body = base64.b64decode(item.get("body") or "")
        headers = {str(h.get("name", "")).lower(): str(h.get("value", "")) for h in item.get("headers") or []}
        headers.setdefault("content-type", "application/json")
        return read_answer("GET", path, Raw(status, headers, body)) if status >= 200 else None
    except (AttributeError, TypeError, ValueError, NoClearAnswer, NotJson):
        return None
