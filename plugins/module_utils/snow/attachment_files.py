# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of attached files, many in one round trip (docs/facts/servicenow_platform.md#attachment-api)."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from ..transport.errors import HttpError, UnexpectedPage
from ..transport.session import Session
from .batch import BATCH_PATH, carrying, has_batches, serviced


def read_files(session: Session, paths: Sequence[str]) -> list[str | None]:
    """Return the content of each file as text, None for one that cannot be read; in one round trip, or one by one."""
    found: dict[int, str | None] = {}
    if len(paths) > 1 and has_batches(session):
        requests = [
            {"id": str(index), "method": "GET", "url": path, "headers": [], "exclude_response_headers": True}
            for index, path in enumerate(paths)
        ]
        try:
            answer = session.request("POST", BATCH_PATH, body=carrying(requests), only_reads=True, repeatable=True)
        except (HttpError, UnexpectedPage):
            answer = None
        for index, item in serviced(answer, dict(enumerate(paths))) if answer else ():
            if str(item.get("status_code")) == "200":
                found[index] = base64.b64decode(item.get("body") or "").decode("utf-8", "replace")
            elif str(item.get("status_code")) in ("403", "404"):
                found[index] = None
    for index, path in enumerate(paths):
        if index not in found:
            answer = session.request("GET", path, accept_errors=True, as_text=True)
            found[index] = str(answer.data) if answer.status == 200 and answer.data is not None else None
    return [found[index] for index in range(len(paths))]
