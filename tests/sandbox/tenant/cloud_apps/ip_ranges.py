# SPDX-License-Identifier: GPL-3.0-or-later
"""IP ranges, the one documented configuration of Cloud Apps (docs/facts/defender_for_cloud_apps.md#ip-ranges)."""

from __future__ import annotations

import ipaddress
from typing import Any

from ...web import Call, Reply, json_reply
from ..errors import Refused, api_error
from ..routes import Route, Table, text_of
from ..state import Row, Tenant
from . import data
from .documented_lists import MANAGE, READ
from .instance_client import InstanceClient
from .list_query import ListSpec, body_of, list_reply

LIST_SPEC = ListSpec({"category": "category", "tags": "tags", "builtIn": "builtIn", "name": "name", "_id": "_id"})
_CATEGORIES = range(1, 7)


def list_ranges(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """List IP ranges."""
    return list_reply(tenant, call, LIST_SPEC, tenant.subnets)


def create(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """Create an IP range; the response is its id as a string."""
    row = _row(tenant, call, tenant.new_id())
    if any(other["name"] == row["name"] for other in tenant.subnets):
        raise api_error(400, f"An IP range called {row['name']} exists already")
    tenant.subnets.append(row)
    return json_reply(200, row["_id"])


def update(tenant: Tenant, call: Call, client: InstanceClient, key: str) -> Reply:
    """Replace an IP range as a whole; missing fields are cleared."""
    place = _place(tenant, key)
    tenant.subnets[place] = _row(tenant, call, key)
    return json_reply(200, key)


def delete(tenant: Tenant, call: Call, client: InstanceClient, key: str) -> Reply:
    """Delete an IP range."""
    del tenant.subnets[_place(tenant, key)]
    return json_reply(200, {})


def _place(tenant: Tenant, key: str) -> int:
    for place, row in enumerate(tenant.subnets):
        if row["_id"] == key:
            return place
    raise api_error(404, "Not found.")


def _row(tenant: Tenant, call: Call, key: str) -> Row:
    body = body_of(call)
    name, category, ranges = text_of(body, "name").strip(), body.get("category"), body.get("subnets")
    if not name:
        raise _required("name")
    if not isinstance(category, int) or category not in _CATEGORIES:
        raise api_error(400, f"category: {category!r} is not a valid choice.")
    if not isinstance(ranges, list) or not ranges:
        raise _required("subnets")
    tags = body.get("tags") or []
    if not isinstance(tags, list):
        raise api_error(400, "tags: must be a list")
    texts = [_checked(text) for text in ranges]
    return data.subnet(key, name, category, texts, tenant.now_ms(), text_of(body, "organization"), tags)


def _required(name: str) -> Refused:
    return api_error(400, f"{name}: This field is required.")


def _checked(text: Any) -> str:
    try:
        ipaddress.ip_network(text if isinstance(text, str) else "", strict=False)
    except ValueError as error:
        raise api_error(400, f"subnets: {text!r} is not an IP range") from error
    return str(text)


_READ = (*READ, "Settings.read", "Settings.manage")
_WRITE = (*MANAGE, "Settings.manage")
TABLE = Table(
    # The overview page of the documentation prints the root without the version.
    Route("GET POST", "/subnet", list_ranges, _READ),
    Route("GET POST", "/v1/subnet", list_ranges, _READ),
    Route("POST", "/v1/subnet/create_rule", create, _WRITE),
    Route("POST", "/v1/subnet/{key}/update_rule", update, _WRITE),
    Route("DELETE", "/v1/subnet/{key}", delete, _WRITE),
)
