# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint of IP ranges, the API for data enrichment: the one documented configuration write.

See docs/facts/defender_for_cloud_apps.md#ip-ranges.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from ...engine.errors import UnclearOutcome
from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ...transport.paged_list import recognized_rows
from ..collection_store import Endpoint
from .client import API, CloudAppsClient

COLLECTION = "subnet"
CATEGORIES = {"corporate": 1, "administrative": 2, "risky": 3, "vpn": 4, "cloud_provider": 5, "other": 6}
NAMES = {number: name for name, number in CATEGORIES.items()}
READ = "Settings.read or Investigation.read"
WRITE = "Settings.manage or Investigation.manage"


class IpRangesEndpoint(Endpoint):
    """Reads and writes IP ranges."""

    noun = "IP ranges"

    def __init__(self, client: CloudAppsClient) -> None:
        self.client = client

    def read(self) -> QueryResult:
        """Return every range. The shape of a record is not documented, so texts and objects are both accepted."""
        records = self.client.rows(f"{API}/subnet/", {}, permission=READ)
        return QueryResult(tuple(map(_row, recognized_rows(records, f"{API}/subnet/", ("_id", "id"), ("name",)))))

    def create(self, write: Write, values: Mapping[str, Any]) -> Row:
        """POST a new range; the response is its id."""
        data = self.client.call("POST", f"{API}/subnet/create_rule/", body=_body(values), permission=WRITE)
        row_id = data if isinstance(data, str) else _id_of(data)
        if not row_id:
            raise UnclearOutcome(f"{self.client.name}: the response to creating {write.label} contains no id")
        return {"id": row_id}

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """POST the whole range: omitted keys would be cleared. Safe to repeat."""
        path = f"{API}/subnet/{row_id}/update_rule/"
        self.client.call("POST", path, body=_body(values), permission=WRITE, repeatable=True)

    def delete(self, write: Write, row_id: str) -> None:
        """DELETE a range; a range that is already deleted is no error."""
        response = self.client.session.request("DELETE", f"{API}/subnet/{row_id}/", accept_errors=True)
        scrub = self.client.context.redactor.scrub_text
        if response.status >= 400 and response.status != 404:
            raise self.client.refusal(response.error(scrub), WRITE)
        self.note_not_found(write, response, scrub)


def network(text: str) -> str:
    """Return a subnet as `address/bits`; a single address becomes a subnet.

    Raises `ValueError` for any other text.
    """
    return str(ipaddress.ip_network(text.strip(), strict=False))


def _body(values: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": values["name"],
        "category": CATEGORIES.get(values["category"], values["category"]),
        "subnets": values["subnets"],
    }
    if values.get("organization"):
        body["organization"] = values["organization"]
    if values.get("tags"):
        body["tags"] = values["tags"]
    return body


def _row(record: Mapping[str, Any]) -> Row:
    category = record.get("category")
    return {
        "id": _id_of(record),
        "name": str(record.get("name") or ""),
        "category": NAMES.get(_number(category), category),
        "subnets": sorted(filter(None, (_subnet(entry) for entry in record.get("subnets") or []))),
        "tags": sorted(filter(None, (_tag(entry) for entry in record.get("tags") or []))),
        "organization": str(record.get("organization") or ""),
        "built_in": bool(record.get("builtIn") or record.get("isBuiltIn")),
    }


def _number(category: Any) -> int:
    return int(category) if str(category).isdigit() else 0


def _id_of(record: Any) -> str:
    return str(record.get("_id") or record.get("id") or "") if isinstance(record, Mapping) else ""


def _subnet(entry: Any) -> str:
    text = str(entry.get("originalString") or entry.get("address") or "") if isinstance(entry, Mapping) else str(entry)
    try:
        return network(text)
    except ValueError:
        return text


def _tag(entry: Any) -> str:
    return str(entry.get("name") or entry.get("id") or "") if isinstance(entry, Mapping) else str(entry)
