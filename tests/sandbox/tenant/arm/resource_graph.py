# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource Graph: the table `securityresources`, with the subset of KQL that hunting supports.

See docs/facts/defender_for_cloud.md#resource-graph.
"""

from __future__ import annotations

import base64
import binascii

from ...web import Reply, json_reply
from ..graph.kql import KqlError, Result, run
from .errors import arm_error, bad_request
from .roles import may
from .routes import ArmRequest, Resource
from .scopes import TENANT, Scope
from .state import Row
from .throttle import spend_quota

_COLUMNS = (
    *("id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy", "sku"),
    *("plan", "properties", "tags", "identity", "zones", "extendedLocation"),
)
_TYPES = {
    "assessments": "microsoft.security/assessments",
    "assignments": "microsoft.security/assessments/governanceassignments",
    "rules": "microsoft.security/governancerules",
    "integrations": "microsoft.security/integrations",
    "pricings": "microsoft.security/pricings",
    "cloud_alerts": "microsoft.security/locations/alerts",
}
_MAX_ROWS = 1000


def resources(request: ArmRequest) -> Reply:
    """Answer a query over the rows that the caller can read; 1,000 rows per page."""
    spend_quota(request.tenant)
    body = request.body()
    query, options = body.get("query"), body.get("options") or {}
    if not isinstance(query, str) or not query.strip() or not isinstance(options, dict):
        raise bad_request("The request is incorrect: 'query' is required.", code="BadRequest", target="query")
    table = Result(list(_COLUMNS), _rows(request, body))
    known = Result(list(_COLUMNS), _resources(request, body) if query.lstrip().lower().startswith("resources") else [])
    try:
        result = run(
            query, {"securityresources": table, "SecurityResources": table, "resources": known, "Resources": known}
        )
    except KqlError as error:
        details = [
            {"code": "InvalidQuery", "message": "Query is invalid."},
            {"code": "ParserFailure", "message": str(error)},
        ]
        raise arm_error(
            400, "BadRequest", "Please provide below info when asking for support.", details=details
        ) from error
    start = _place(options)
    size = min(int(options.get("$top") or _MAX_ROWS), _MAX_ROWS)
    data = result.rows[start : start + size]
    content: Row = {
        "totalRecords": len(result.rows),
        "count": len(data),
        "data": data,
        "facets": [],
        "resultTruncated": "false",
    }
    limit = request.tenant.knobs.graph_truncates
    if limit and len(result.rows) > limit:
        content |= {"data": data[:limit], "count": min(limit, len(data)), "resultTruncated": "true"}
    elif start + size < len(result.rows):
        content["$skipToken"] = base64.urlsafe_b64encode(f"{start + size}".encode()).decode()
    return json_reply(200, content)


def _place(options: Row) -> int:
    token = options.get("$skipToken")
    if not token:
        return int(options.get("$skip") or 0)
    try:
        return int(base64.urlsafe_b64decode(str(token)))
    except (binascii.Error, ValueError) as error:
        raise bad_request("The skip token is invalid.", code="BadRequest", target="$skipToken") from error


def _rows(request: ArmRequest, body: Row) -> list[Row]:
    asked = [str(each).lower() for each in body.get("subscriptions") or request.arm.subscriptions]
    seen = {
        each
        for each in asked
        if each in request.arm.subscriptions
        and may(
            request.tenant, Scope(f"/subscriptions/{each}"), "Microsoft.Security/assessments/read", request.principal
        )
    }
    out = []
    for table, kind in _TYPES.items():
        for row in getattr(request.arm, table).values():
            subscription = Scope(row["scope"]).subscription
            if table == "assessments" and not request.arm.lists_findings(request.tenant, subscription):
                continue
            if subscription in seen or (not subscription and seen):
                out.append(_row(request, table, kind, row, subscription))
    return out


def _resources(request: ArmRequest, body: Row) -> list[Row]:
    """The resources that have findings, with the tags of the knob in turn."""
    asked = [str(each).lower() for each in body.get("subscriptions") or request.arm.subscriptions]
    tags = request.tenant.knobs.resource_tags
    found = {row["scope"].lower(): row["scope"] for row in request.arm.assessments.values()}
    rows = []
    for number, scope in enumerate(found.values()):
        if Scope(scope).subscription in asked and "/providers/" in scope and _may_read(request, scope):
            values = {key: every[number % len(every)] for key, every in tags.items()}
            shown = {key: value for key, value in values.items() if value} or None
            rows.append({**dict.fromkeys(_COLUMNS), "id": scope, "name": scope.rpartition("/")[2], "tags": shown})
    return rows


def _may_read(request: ArmRequest, scope: str) -> bool:
    """Whether the caller may read the resources of a subscription: the roles of security do not include that."""
    subscription = Scope(f"/subscriptions/{Scope(scope).subscription}")
    return may(request.tenant, subscription, "Microsoft.Resources/resources/read", request.principal)


def _row(request: ArmRequest, table: str, kind: str, row: Row, subscription: str) -> Row:
    parts = row["scope"].lower().split("/")
    group = parts[parts.index("resourcegroups") + 1] if "resourcegroups" in parts else ""
    known = {
        "id": row["_id"],
        "name": row["name"],
        "type": kind,
        "tenantId": request.tenant.tenant_id,
        "subscriptionId": subscription,
        "resourceGroup": group,
        "properties": _properties(request, table, row),
    }
    return {**dict.fromkeys(_COLUMNS), **known}


def _properties(request: ArmRequest, table: str, row: Row) -> Row:
    properties: Row = dict(row["properties"])
    if table == "assessments":
        about = request.arm.metadata.get(row["name"].lower(), {}).get("properties", {})
        details = properties["resourceDetails"]
        # Queries of the vendor use Source and Id with capitals.
        properties["resourceDetails"] = {name[:1].upper() + name[1:]: value for name, value in details.items()}
        properties["metadata"] = about
    if table == "assignments":
        properties["assignedResourceId"] = row["_id"].lower().rpartition("/governanceassignments/")[0]
        properties["assignmentKey"] = row["name"]
    return properties


RESOURCES = (Resource("Microsoft.ResourceGraph", "resources", "resources", {"POST": resources}, (TENANT,)),)
