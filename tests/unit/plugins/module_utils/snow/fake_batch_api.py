# SPDX-License-Identifier: GPL-3.0-or-later
"""The Batch API, played on top of answers to single requests (docs/facts/servicenow_platform.md#batch-api)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.unit.plugins.module_utils.loopback import Received, Reply, answer

Single = Callable[[Received], Reply]
BATCH = "/api/now/v1/batch"


def inner_requests(batch: Received) -> list[Received]:
    """Return the requests that a batch carries."""
    found = []
    for item in batch.json["rest_requests"]:
        parts = urlsplit(item["url"])
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        headers = {"batch-id": item["id"], **{h["name"].lower(): h["value"] for h in item["headers"]}}
        found.append(Received(item["method"], parts.path, query, headers, b""))
    return found


def serviced(request: Received, reply: Reply) -> dict[str, Any]:
    """Return the entry of a batch answer for one inner request."""
    return {
        "id": request.headers["batch-id"],
        "status_code": reply.status,
        "status_text": "",
        "body": base64.b64encode(reply.body).decode(),
        "headers": [{"name": name, "value": value} for name, value in reply.headers.items()],
        "execution_time": 8,
    }


def with_batches(single: Single, *, most: int = 1000) -> Single:
    """Return a way to answer that understands batches, of which it services the first `most` requests."""

    def answered(request: Received) -> Reply:
        if request.path != BATCH:
            return single(request)
        inner = inner_requests(request)
        return answer(
            {
                "batch_request_id": request.json["batch_request_id"],
                "serviced_requests": [serviced(one, single(one)) for one in inner[:most]],
                "unserviced_requests": [one.headers["batch-id"] for one in inner[most:]],
            }
        )

    return answered
