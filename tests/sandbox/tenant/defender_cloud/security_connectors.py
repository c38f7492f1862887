# SPDX-License-Identifier: GPL-3.0-or-later
"""Security connectors of AWS and GCP: only as scopes of rules and integrations.

See docs/facts/defender_for_cloud.md#security-connectors.
"""

from __future__ import annotations

from ...web import Reply, json_reply
from ..arm.errors import not_found
from ..arm.provider_manifest import SECURITY
from ..arm.routes import ArmRequest, Resource, shown
from ..arm.scopes import RESOURCE, SUBSCRIPTION
from ..arm.state import Row
from .recommendations import LOCATION

_TYPE = f"{SECURITY}/securityConnectors"


def _shown(row: Row) -> Row:
    return {**shown(row, _TYPE), "location": LOCATION, "tags": {}}


def list_connectors(request: ArmRequest) -> Reply:
    """Answer the connectors of a subscription or of a resource group."""
    rows = [row for row in request.arm.connectors() if request.scope.holds(row["_id"].lower())]
    return request.page(rows, _shown)


def get_connector(request: ArmRequest) -> Reply:
    """Answer one connector."""
    wanted = f"{request.scope.text}/providers/{_TYPE}/{request.names['name']}".lower()
    row = next((row for row in request.arm.connectors() if row["_id"].lower() == wanted), None)
    if row is None:
        raise not_found(f"The Resource '{_TYPE}/{request.names['name']}' was not found.", "ResourceNotFound")
    return json_reply(200, _shown(row))


RESOURCES = (
    Resource(SECURITY, "securityConnectors", "securityConnectors", {"GET": list_connectors}, (SUBSCRIPTION, RESOURCE)),
    Resource(SECURITY, "securityConnectors", "securityConnectors/{name}", {"GET": get_connector}, (RESOURCE,)),
)
