# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint of named locations that consist of IP ranges (docs/facts/microsoft_graph.md#named-locations)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from ...engine.errors import UnclearOutcome
from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ...transport.paged_list import checked_rows
from ..collection_store import Endpoint
from ..graph.client import GraphClient
from .marker import marked, unmarked

COLLECTION = "named_locations"
PATH = "/identity/conditionalAccess/namedLocations"
READ, WRITE = "Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"
TYPE = "#microsoft.graph.ipNamedLocation"
RANGE_TYPES = {4: "#microsoft.graph.iPv4CidrRange", 6: "#microsoft.graph.iPv6CidrRange"}


class NamedLocationsEndpoint(Endpoint):
    """Reads the named locations of a tenant, and writes those of this collection. `ids` has the id of each, by name."""

    noun = "named locations"

    def __init__(self, client: GraphClient) -> None:
        self.client = client
        self.ids: dict[str, str] = {}

    def read(self) -> QueryResult:
        """Return every named location that this collection manages."""
        records = self.client.rows(PATH, READ)
        rows = tuple(_row(record) for record in records if unmarked(str(record.get("displayName") or "")))
        self.ids |= {row["name"]: row["id"] for row in rows}
        return QueryResult(rows)

    def create(self, write: Write, values: Mapping[str, Any]) -> Row:
        """POST a location, which is not trusted: other policies may exempt trusted ones."""
        body = {
            "@odata.type": TYPE,
            "displayName": marked(values["name"]),
            "isTrusted": False,
            "ipRanges": list(_ranges(values)),
        }
        data = self.client.call("POST", PATH, WRITE, body=body).data
        row_id = str(data.get("id") or "") if isinstance(data, Mapping) else ""
        if not row_id:
            raise UnclearOutcome(f"{self.client.name}: the response to creating {write.label} contains no id")
        self.ids[values["name"]] = row_id
        return {"id": row_id}

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """PATCH the ranges, which replaces them all."""
        body = {"@odata.type": TYPE, "ipRanges": list(_ranges(values))}
        self.client.call("PATCH", f"{PATH}/{quote(row_id, safe='')}", WRITE, body=body, repeatable=True)


def _ranges(values: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for text in values["subnets"]:
        yield {"@odata.type": RANGE_TYPES[ipaddress.ip_network(text).version], "cidrAddress": text}


def _row(record: Mapping[str, Any]) -> Row:
    return {
        "id": str(record.get("id") or ""),
        "name": unmarked(str(record["displayName"])),
        "subnets": sorted(
            map(_subnet, checked_rows(record.get("ipRanges") or [], f"the ranges of {record['displayName']}"))
        ),
    }


def _subnet(entry: Mapping[str, Any]) -> str:
    """Return a range as `address/bits`, also one that is written with host bits."""
    text = str(entry.get("cidrAddress") or "")
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return text
