# SPDX-License-Identifier: GPL-3.0-or-later
"""Undocumented routes that read connectors and related data (docs/facts/defender_for_cloud_apps.md#reading-connectors).

Where the response is unknown, it contains the minimum.
"""

from __future__ import annotations

from ...web import Call, Reply, json_reply
from ..errors import portal_error
from ..routes import Route, Table
from ..state import Row, Tenant
from . import data
from .connectors import PASSWORD
from .instance_client import InstanceClient
from .list_query import ListSpec, body_of, list_reply, select_rows

LIST_SPEC = ListSpec(
    {
        "app": "appId",
        "appId": "appId",
        "service": "appId",
        "instanceName": "instanceName",
        "name": "name",
        "isConnected": "api.isConnected",
    }
)


def _rows(tenant: Tenant) -> list[Row]:
    return [*(connector.row() for connector in tenant.connectors.values()), data.microsoft_365()]


def connectors(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """List connectors of all apps."""
    client.refresh()
    return list_reply(tenant, call, LIST_SPEC, _rows(tenant))


def count(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """Count connectors."""
    total = select_rows(tenant, {"filters": body_of(call).get("filters")}, LIST_SPEC, _rows(tenant))["total"]
    return json_reply(200, {"total": total, "moreThanTotal": False})


def metadata(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """List the filters of connectors."""
    return json_reply(200, {"filters": [{"name": name} for name in LIST_SPEC.fields]})


def table_config(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """Return the values of the list's columns."""
    return json_reply(200, {})


def last_activity(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """Return the time of the latest activity of each instance."""
    latest: dict[str, int] = {}
    for row in tenant.activities:
        key = str(row.get("instance"))
        latest[key] = max(latest.get(key, 0), row.get("timestamp", 0))
    return json_reply(200, {"data": latest})


def apps_by_status(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """Count apps in the three buckets of the dashboard."""
    counts = {"protected": 0, "needAttention": 0, "notProtected": 0}
    for row in _rows(tenant):
        api = row["api"]
        bucket = "needAttention" if api.get("hasWarnings") else "protected" if api["isConnected"] else "notProtected"
        counts[bucket] += 1
    return json_reply(200, {"data": counts})


def instances_by_app(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """Count instances of each app."""
    counts: dict[str, int] = {}
    for row in _rows(tenant):
        counts[str(row["appId"])] = counts.get(str(row["appId"]), 0) + 1
    return json_reply(200, {"data": counts})


def supported_apps(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """List the apps that can be connected."""
    apps = [{"appId": data.SERVICENOW, "name": "ServiceNow"}, {"appId": data.MICROSOFT_365, "name": "Microsoft 365"}]
    return json_reply(200, {"data": apps})


def configuration(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """Return the settings of an app's connectors without secrets; the format is a guess."""
    if call.query.get("appId") != str(data.SERVICENOW):
        raise portal_error(404, "NotFound", "There is no such app")
    wanted = call.query.get("instanceId")
    found = [
        {
            "connectorId": connector.id,
            "appId": data.SERVICENOW,
            "instanceId": connector.instance_id,
            "instanceName": connector.name,
            "instanceUrl": connector.instance_url,
            "userName": connector.username,
            "authType": "basic" if connector.mode == PASSWORD else "oauth",
        }
        for connector in tenant.connectors.values()
        if wanted in (None, str(connector.instance_id), connector.id)
    ]
    return json_reply(200, {"data": found})


def _services(tenant: Tenant) -> list[Row]:
    # In the recorded catalogue `appId` of an instance is its number shifted left by 20 bits, ORed with `saasId`.
    return [
        {
            **connector.row(),
            "appId": connector.instance_id,
            "saasId": data.SERVICENOW,
            "_tid": int(tenant.tenant_id[:6], 16),
            "apiConnected": connector.is_connected,
            "proxied": False,
            "protected": connector.is_connected,
        }
        for connector in tenant.connectors.values()
    ]


def services(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """Return the catalogue of services."""
    return json_reply(200, {"data": _services(tenant)})


def instances(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """List connected instances."""
    rows = [row for row in _services(tenant) if row["apiConnected"]]
    return json_reply(200, {"data": rows, "hasNext": False, "total": len(rows)})


def apps(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """List connected apps."""
    rows = [{"appId": data.MICROSOFT_365, "name": "Microsoft 365", "childSaasIds": []}]
    if any(connector.is_connected for connector in tenant.connectors.values()):
        rows.append({"appId": data.SERVICENOW, "name": "ServiceNow", "childSaasIds": []})
    return json_reply(200, {"data": rows, "hasNext": False, "total": len(rows)})


def activity_types(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """Complete the names of activity types."""
    names = sorted({row["actionType"] for row in tenant.activities if row.get("appId") == data.SERVICENOW})
    search = call.query.get("search", "").lower()
    items = [
        {"category": name, "appid": data.SERVICENOW, "service_name": "ServiceNow", "id": name}
        for name in names
        if search in name.lower()
    ]
    return json_reply(200, {"records": {"items": items}})


def server_url(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """Return the tenant's API URL."""
    return json_reply(200, f"{call.base}/mda")


def governance(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """List governance actions: always empty."""
    return json_reply(200, {"data": [], "hasNext": False, "total": 0})


_ROOT = "/v1/app_connectors"
TABLE = Table(
    Route("GET POST", _ROOT, connectors),
    Route("POST", f"{_ROOT}/count", count),
    Route("GET", f"{_ROOT}/metadata", metadata),
    Route("GET", f"{_ROOT}/table_config_values", table_config),
    Route("GET", f"{_ROOT}/last_activity", last_activity),
    Route("GET", f"{_ROOT}/dashboard/get_apps_count_by_status", apps_by_status),
    Route("GET", f"{_ROOT}/dashboard/get_app_connectors_count_by_status", apps_by_status),
    Route("GET", f"{_ROOT}/dashboard/get_instance_count_by_app", instances_by_app),
    Route("GET", f"{_ROOT}/dashboard/get_supported_apps_metadata", supported_apps),
    Route("GET", "/app_connectors/get_app_connectors_config", configuration),
    Route("GET", "/v1/connected_services/apps", apps),
    Route("GET", "/v1/connected_services/instances", instances),
    Route("GET", "/services", services),
    Route("GET", "/v1/autocomplete/activity-types", activity_types),
    Route("GET", "/about/server_url", server_url),
    Route("GET POST", "/v1/governance", governance),
)
