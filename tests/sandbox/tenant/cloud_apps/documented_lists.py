# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented lists of Cloud Apps: activities, entities, alerts, files.

See docs/facts/defender_for_cloud_apps.md#documented-api.
"""

from __future__ import annotations

import base64
import binascii
import json
from urllib.parse import unquote

from ...web import Call, Reply, json_reply
from ..errors import Refused, api_error
from ..routes import Route, Table
from ..state import Row, Tenant
from .instance_client import InstanceClient
from .list_query import ListSpec, body_of, list_reply, select_rows

READ = ("Investigation.read", "Investigation.manage")
MANAGE = ("Investigation.manage",)

ACTIVITIES = ListSpec(
    {
        "service": "appId",
        "instance": "instance",
        "source": "source",
        "date": "timestamp",
        "created": "created",
        "activity.eventActionType": "eventActionType",
        "activity.id": "_id",
        "activity.type": "isAdminEvent",
        "activity.alertId": "alertId",
        "actionType": "actionType",
        "ip.address": "device.clientIP",
        "ip.category": "device.ipCategory",
        "location.country": "device.countryCode",
        "user.username": "user.userName",
        "entity": "entity",
        "policy": "policy",
        "text": "description",
    },
    date="timestamp",
)
ENTITIES = ListSpec(
    {
        "app": "app",
        "instance": "instance",
        "type": "type",
        "isAdmin": "isAdmin",
        "isExternal": "isExternal",
        "domain": "domain",
        "organization": "organization",
        "userGroups": "userGroups",
        "status": "status",
        "entity": "entity",
    }
)
ALERTS = ListSpec(
    {
        "entity.service": "service",
        "entity.instance": "instance",
        "entity.policy": "policy",
        "entity.entity": "entity",
        "alertOpen": "isOpen",
        "severity": "severityValue",
        "resolutionStatus": "resolutionStatusValue",
        "date": "timestamp",
        "read": "isRead",
    },
    date="timestamp",
    extra={"max": 10000, "moreThanTotal": False},
)
FILES = ListSpec(
    {
        "service": "appId",
        "instance": "instance",
        "sharing": "sharing",
        "collaborators.withDomain": "domains",
        "policy": "policies",
        "quarantined": "quarantined",
        "createdDate": "createdDate",
        "modifiedDate": "modifiedDate",
    },
    date="modifiedDate",
)
_CLOSED = {"benign": 4, "false_positive": 3, "true_positive": 5}


def activities(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """List activities."""
    client.refresh()
    return list_reply(tenant, call, ACTIVITIES, tenant.activities)


def activity_count(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """Count activities."""
    total = select_rows(tenant, {**body_of(call), "skip": 0}, ACTIVITIES, list(tenant.activities))["total"]
    return json_reply(200, {"total": total, "moreThanTotal": False})


def activity(tenant: Tenant, call: Call, client: InstanceClient, key: str) -> Reply:
    """Fetch one activity."""
    return json_reply(200, _one(tenant.activities, unquote(key)))


def feedback(tenant: Tenant, call: Call, client: InstanceClient, key: str) -> Reply:
    """Accept feedback on an activity."""
    _one(tenant.activities, unquote(key))
    return json_reply(200, {})


def entities(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """List accounts."""
    client.refresh()
    return list_reply(tenant, call, ENTITIES, tenant.entities)


def entity(tenant: Tenant, call: Call, client: InstanceClient, key: str) -> Reply:
    """Fetch one account by its key, which is JSON in base64."""
    return json_reply(200, _entity(tenant, key))


def entity_tree(tenant: Tenant, call: Call, client: InstanceClient, key: str) -> Reply:
    """Fetch an account with its related objects."""
    return json_reply(200, {"data": [_entity(tenant, key)]})


def alerts(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """List alerts."""
    return list_reply(tenant, call, ALERTS, tenant.alerts)


def alert(tenant: Tenant, call: Call, client: InstanceClient, key: str) -> Reply:
    """Fetch one alert."""
    return json_reply(200, _one(tenant.alerts, key))


def close_alerts(tenant: Tenant, call: Call, client: InstanceClient, kind: str) -> Reply:
    """Close alerts by filter: close_benign, close_false_positive, close_true_positive."""
    if kind not in _CLOSED:
        raise _unknown()
    chosen = select_rows(tenant, {"filters": body_of(call).get("filters")}, ALERTS, list(tenant.alerts))["data"]
    for row in chosen:
        row.update(isOpen=False, resolutionStatusValue=_CLOSED[kind])
    return json_reply(200, {f"closed_{kind}": len(chosen)} if chosen else {f"closed_{kind}": 0, "alertsNotFound": []})


def mark_alert(tenant: Tenant, call: Call, client: InstanceClient, key: str, mark: str) -> Reply:
    """Mark an alert as read or unread."""
    if mark not in ("read", "unread"):
        raise _unknown()
    _one(tenant.alerts, key)["isRead"] = mark == "read"
    return json_reply(200, {})


def files(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """List files."""
    return list_reply(tenant, call, FILES, tenant.files)


def file(tenant: Tenant, call: Call, client: InstanceClient, key: str) -> Reply:
    """Fetch one file."""
    return json_reply(200, _one(tenant.files, key))


def _unknown() -> Refused:
    return api_error(404, "Not found.")


def _one(rows: list[Row], key: str) -> Row:
    for row in rows:
        if row.get("_id") == key:
            return row
    raise _unknown()


def _entity(tenant: Tenant, key: str) -> Row:
    try:
        wanted = json.loads(base64.b64decode(unquote(key), validate=True))
    except (ValueError, binascii.Error) as error:
        raise api_error(400, "The key is not base64 of a JSON object") from error
    for row in tenant.entities:
        if row["entity"] == wanted:
            return row
    raise _unknown()


TABLE = Table(
    Route("GET POST", "/v1/activities", activities, READ),
    Route("POST", "/v1/activities/count", activity_count, READ),
    Route("GET", "/v1/activities/{key}", activity, READ),
    Route("POST", "/v1/activities/{key}/feedback", feedback, READ),
    Route("GET POST", "/v1/entities", entities, READ),
    Route("GET", "/v1/entities/{key}/retrieve_tree", entity_tree, READ),
    Route("GET", "/v1/entities/{key}", entity, READ),
    Route("GET POST", "/v1/alerts", alerts, READ),
    Route("POST", "/v1/alerts/close_{kind}", close_alerts, MANAGE),
    Route("POST", "/v1/alerts/{key}/{mark}", mark_alert, READ),
    Route("GET", "/v1/alerts/{key}", alert, READ),
    # No permission covers files: they require a legacy token or a user (2.3).
    Route("GET POST", "/v1/files", files),
    Route("GET", "/v1/files/{key}", file),
)
