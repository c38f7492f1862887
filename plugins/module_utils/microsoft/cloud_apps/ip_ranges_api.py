# SPDX-License-Identifier: GPL-3.0-or-later
"""IP ranges through the API for data enrichment, the one documented configuration write.

See docs/facts/defender_for_cloud_apps.md#ip-ranges.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from ...engine.errors import UnclearOutcome
from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ..collection_store import Endpoint
from .client import API, CloudAppsClient

COLLECTION = "subnet"
CATEGORIES = {"corporate": 1, "administrative": 2, "risky": 3, "vpn": 4, "cloud_provider": 5, "other": 6}
READ = "Settings.read or Investigation.read"
WRITE = "Settings.manage or Investigation.manage"


class IpRangesEndpoint(Endpoint):
    """How IP ranges are read and written."""

    def __init__(self, tenant: CloudAppsClient) -> None:
        self.tenant = tenant

    def read(self) -> QueryResult:
        """Return every range; the shape of a record is not documented, so text and object forms are both understood."""
        records = self.tenant.grid(f"{API}/subnet/", {}, permission=READ)
        return QueryResult(tuple(_row(record) for record in records))

    def create(self, write: Write, values: Mapping[str, str]) -> Row:
        """POST a new range; the answer is its id."""
        data = self.tenant.call("POST", f"{API}/subnet/create_rule/", body=_body(values), permission=WRITE)
        row_id = data if isinstance(data, str) else _id_of(data)
        if not row_id:
            raise UnclearOutcome(f"{self.tenant.name}: the answer to creating {write.label} holds no id")
        return {"sys_id": row_id}

    def update(self, write: Write, row_id: str, values: Mapping[str, str]) -> None:
        """POST the whole range: what is left out would be cleared. The same again does no harm."""
        path = f"{API}/subnet/{row_id}/update_rule/"
        self.tenant.call("POST", path, body=_body(values), permission=WRITE, repeatable=True)

    def delete(self, write: Write, row_id: str) -> None:
        """DELETE a range; one that is gone already is as wanted."""
        answer = self.tenant.session.request("DELETE", f"{API}/subnet/{row_id}/", accept_errors=True)
        if answer.status >= 400 and answer.status != 404:
            raise self.tenant.refusal(answer.error(self.tenant.context.redactor.scrub_text), WRITE)


def network(text: str) -> str:
    """Return a subnet as `address/bits`; a single address is a subnet of its own.

    Raises `ValueError` for what is no subnet.
    """
    return str(ipaddress.ip_network(text.strip(), strict=False))


def _body(values: Mapping[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": values["name"],
        "category": int(values["category"]),
        "subnets": _parts(values["subnets"]),
    }
    if values.get("organization"):
        body["organization"] = values["organization"]
    if values.get("tags"):
        body["tags"] = _parts(values["tags"])
    return body


def _parts(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def _row(record: Mapping[str, Any]) -> Row:
    return {
        "sys_id": _id_of(record),
        "name": str(record.get("name") or ""),
        "category": str(record.get("category") or ""),
        "subnets": ",".join(sorted(filter(None, (_subnet(entry) for entry in record.get("subnets") or [])))),
        "tags": ",".join(sorted(filter(None, (_tag(entry) for entry in record.get("tags") or [])))),
        "organization": str(record.get("organization") or ""),
        "built_in": "true" if record.get("builtIn") or record.get("isBuiltIn") else "false",
    }


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
