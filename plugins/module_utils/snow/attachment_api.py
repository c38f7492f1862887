# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of records through the Attachment API (docs/facts/servicenow_platform.md#attachment-api)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from ..engine.plan import CREATE, Write
from ..engine.store import Order
from .batch import WriteRequest

PATH, TABLE = "/api/now/attachment", "sys_attachment"
CONTENT_TYPE = "text/csv"


@dataclass
class AttachmentWrite(Write):
    """A write that attaches a text file to a record, or removes one: its values are the parameters, and `content`."""


def request(order: Order) -> WriteRequest:
    """Return the request that carries out `order`."""
    if order.write.action != CREATE:
        return WriteRequest("DELETE", f"{PATH}/{quote(order.row_id, safe='')}", {}, {})
    query = {name: order.values[name] for name in ("table_name", "table_sys_id", "file_name")}
    return WriteRequest("POST", f"{PATH}/file", query, {}, content=order.values["content"], content_type=CONTENT_TYPE)


def file_path(attachment: str) -> str:
    """Return the path of the content of a file."""
    return f"{PATH}/{quote(attachment, safe='')}/file"


def file_parts(rows: Sequence[tuple[str, int]], limit: int) -> list[list[str]]:
    """Return the ids of files (id, bytes) in parts of at most `limit` bytes, each file whole."""
    parts: list[list[str]] = []
    size = 0
    for name, count in rows:
        if not parts or size + count > limit:
            parts.append([])
            size = 0
        parts[-1].append(name)
        size += count
    return parts
