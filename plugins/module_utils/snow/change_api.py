# SPDX-License-Identifier: GPL-3.0-or-later
"""Change requests through the Change Management API (docs/facts/servicenow_tickets.md#change-management-api)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ..engine.plan import CREATE, Write
from ..engine.store import Order
from ..transport.errors import HttpError
from ..transport.responses import Response
from .batch import WriteRequest, Written

CHANGE_PATH = "/api/sn_chg_rest/v1/change"
NO_API = "does not represent any resource"

_absent: set[str] = set()


@dataclass
class ChangeWrite(Write):
    """A write of a change request that goes through the change API, or the Table API where the instance has none.

    `template` is the id of the template of a new standard change, which only the change API can create.
    """

    template: str = ""


def goes_there(base_url: str, write: Write) -> bool:
    """Return whether `write` is one for the change API of the instance."""
    return isinstance(write, ChangeWrite) and (bool(write.template) or base_url not in _absent)


def request(order: Order) -> WriteRequest:
    """Return the request that carries out `order`."""
    if order.write.action == CREATE:
        template = order.write.template if isinstance(order.write, ChangeWrite) else ""
        path = f"{CHANGE_PATH}/standard/{quote(template, safe='')}" if template else CHANGE_PATH
        return WriteRequest("POST", path, {}, order.values)
    return WriteRequest("PATCH", f"{CHANGE_PATH}/{quote(order.row_id, safe='')}", {}, order.values)


def is_absent(base_url: str, written: Written) -> bool:
    """Return whether the instance answered that it has no change API, and remember it."""
    absent = isinstance(written, HttpError) and (
        NO_API in written.words or (written.status == 404 and "No Record" not in written.words)
    )
    if absent:
        _absent.add(base_url)
    return absent


def record_of(answer: Response) -> Mapping[str, Any]:
    """Return the record of an answer: the documentation shows it as an object, and in an array of one."""
    result = answer.data.get("result") if isinstance(answer.data, Mapping) else None
    if isinstance(result, list):
        result = result[0] if len(result) == 1 else None
    return result if isinstance(result, Mapping) else {}


def ignored(record: Mapping[str, Any]) -> list[str]:
    """Return the fields that the API reports as ignored."""
    meta = record.get("__meta")
    fields = meta.get("ignoredFields") if isinstance(meta, Mapping) else None
    return [str(name) for name in fields] if isinstance(fields, list) else []
