# SPDX-License-Identifier: GPL-3.0-or-later
"""Security connectors of AWS and GCP: here only scopes of rules and integrations (facts 2.4)."""

from __future__ import annotations

from ...web import Reply, json_reply
from ..arm.errors import not_found
from ..arm.provider_manifest import SECURITY
from ..arm.routes import Ask, Resource, shown
from ..arm.scopes import RESOURCE, SUBSCRIPTION
from ..arm.state import Row
from .recommendations import LOCATION

_TYPE = f"{SECURITY}/securityConnectors"


def _shown(row: Row) -> Row:
    return {**shown(row, _TYPE), "location": LOCATION, "tags": {}}


def list_connectors(ask: Ask) -> Reply:
    """Answer the connectors of a subscription or of a resource group."""
    rows = [row for row in ask.arm.connectors() if ask.scope.holds(row["_id"].lower())]
    return ask.page(rows, _shown)


def get_connector(ask: Ask) -> Reply:
    """Answer one connector."""
    wanted = f"{ask.scope.text}/providers/{_TYPE}/{ask.names['name']}".lower()
    row = next((row for row in ask.arm.connectors() if row["_id"].lower() == wanted), None)
    if row is None:
        raise not_found(f"The Resource '{_TYPE}/{ask.names['name']}' was not found.", "ResourceNotFound")
    return json_reply(200, _shown(row))


RESOURCES = (
    Resource(SECURITY, "securityConnectors", "securityConnectors", {"GET": list_connectors}, (SUBSCRIPTION, RESOURCE)),
    Resource(SECURITY, "securityConnectors", "securityConnectors/{name}", {"GET": get_connector}, (RESOURCE,)),
)
