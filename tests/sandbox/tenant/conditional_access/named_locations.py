# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph: named locations (docs/facts/microsoft_graph.md#named-locations)."""

from __future__ import annotations

import ipaddress
import uuid
from typing import Any

from ...web import Call, Reply, json_reply
from ..errors import graph_error
from ..graph import odata
from ..routes import Route, Table
from ..secure_score.scores import read_json
from ..state import Row, Tenant
from .access import READ, WRITE, found, require, shown

_TYPE = "#microsoft.graph.ipNamedLocation"
_VERSIONS = {"#microsoft.graph.iPv4CidrRange": 4, "#microsoft.graph.iPv6CidrRange": 6}
_MAX_RANGES = 2000


def named_locations(tenant: Tenant, call: Call) -> Reply:
    """Answer a GET of all named locations."""
    require(tenant, call, READ)
    rows = [shown(row) for row in tenant.named_locations]
    return json_reply(200, odata.page(call, rows, tenant.knobs.graph_page, "namedLocations"))


def create(tenant: Tenant, call: Call) -> Reply:
    """Answer a POST of an IP named location."""
    require(tenant, call, READ, WRITE)
    body = read_json(call)
    _check(body)
    if not body.get("displayName") or not body.get("ipRanges"):
        raise graph_error(400, "BadRequest", "displayName and ipRanges are required.")
    key, now = str(uuid.uuid4()), odata.moment(tenant.now())
    times = {"createdDateTime": now, "modifiedDateTime": now}
    row = {"_id": key, "id": key, "isTrusted": False, **body, **times}
    tenant.named_locations.append(row)
    return json_reply(201, shown(row))


def update(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer a PATCH: what is not sent stays."""
    require(tenant, call, READ, WRITE)
    row, body = found(tenant.named_locations, key), read_json(call)
    _check(body)
    row.update({**body, "modifiedDateTime": odata.moment(tenant.now())})
    return Reply(204)


def _check(body: Row) -> None:
    if body.get("@odata.type") != _TYPE:
        raise graph_error(400, "BadRequest", "The @odata.type of the named location is missing or not supported.")
    ranges: list[Any] = body.get("ipRanges") or []
    if len(ranges) > _MAX_RANGES:
        raise graph_error(400, "BadRequest", f"A named location has at most {_MAX_RANGES} ranges.")
    for entry in ranges:
        try:
            network = ipaddress.ip_network(str(entry.get("cidrAddress")), strict=False)
            is_valid = network.version == _VERSIONS.get(entry.get("@odata.type")) and (
                network.version == 6 or network.prefixlen > 8
            )
        except ValueError:
            is_valid = False
        if not is_valid:
            raise graph_error(400, "BadRequest", f"Invalid IP address range: {entry.get('cidrAddress')}.")


_PATH = "/graph/v1.0/identity/conditionalAccess/namedLocations"
TABLE = Table(
    Route("GET", _PATH, named_locations),
    Route("POST", _PATH, create),
    Route("PATCH", f"{_PATH}/{{key}}", update),
)
