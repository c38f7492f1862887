# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a connector's synchronization: accounts and activities.

See docs/facts/defender_for_cloud_apps.md#capabilities, docs/facts/defender_for_cloud_apps.md#activities,
docs/facts/defender_for_cloud_apps.md#entities.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone
from typing import Any

from ..state import Row, Tenant
from .connectors import Connector
from .data import SERVICENOW

BACKFILL_MS = 3600 * 1000
"""Events of the last hour before connecting are fetched, according to the current documentation.

See docs/facts/defender_for_cloud_apps.md#changes-of-the-documents.
"""

_USER_COLUMNS = "sys_id,user_name,name,email,active,locked_out,last_login_time,sys_created_on,sys_created_by"
READS = {
    "sys_user": {"sysparm_fields": _USER_COLUMNS, "sysparm_limit": "1000"},
    "sys_user_has_role": {
        "sysparm_query": "role.name=admin",
        "sysparm_fields": "user",
        "sysparm_exclude_reference_link": "true",
        "sysparm_limit": "1000",
    },
    "sys_user_grmember": {"sysparm_fields": "user,group.name", "sysparm_exclude_reference_link": "true"},
    "sysevent": {
        "sysparm_query": "ORDERBYDESCsys_created_on",
        "sysparm_fields": "sys_id,name,parm1,parm2,user_name,sys_created_on,sys_created_by",
        "sysparm_limit": "500",
    },
}
# Only the platform events in the vendor's samples (docs/facts/microsoft_graph.md#servicenow-events).
_EVENTS = {"login": "Log on", "login.failed": "Failed log on", "logout": "Log out"}
_CATEGORIES = {"Log on": "LOGIN", "Failed log on": "FAILED_LOGIN", "Log out": "LOGOUT", "Create user": "CREATE_USER"}


def import_rows(tenant: Tenant, connector: Connector, tables: dict[str, list[Row]]) -> None:
    """Replace the accounts with those that were read, and add the new activities."""
    users = tables["sys_user"]
    administrators = {_text(row.get("user")) for row in tables["sys_user_has_role"]}
    groups: dict[str, list[str]] = {}
    for row in tables["sys_user_grmember"]:
        groups.setdefault(_text(row.get("user")), []).append(_text(row.get("group.name")))
    others = [row for row in tenant.entities if row["connectorId"] != connector.id]
    own = [_entity(connector, user, user["sys_id"] in administrators, groups) for user in users]
    tenant.entities[:] = others + own
    connector.users = len(own)
    if not tenant.knobs.silent:
        _add_activities(tenant, connector, users, tables["sysevent"], administrators)


def _text(value: Any) -> str:
    return str(value.get("value", "")) if isinstance(value, dict) else str(value or "")


def _milliseconds(text: str) -> int:
    if not text:
        return 0
    moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
    return int(moment.timestamp() * 1000)


def _entity(connector: Connector, user: Row, is_admin: bool, groups: dict[str, list[str]]) -> Row:
    key = {"id": user["sys_id"], "saas": SERVICENOW, "inst": connector.number}
    is_active = user.get("active") == "true"
    email = user.get("email", "")
    return {
        "_id": user["sys_id"][:24],
        "connectorId": connector.id,
        "type": "account",
        "id": user["sys_id"],
        "ii": f"{user['sys_id']}|{SERVICENOW}|{connector.number}",
        "pk": base64.b64encode(json.dumps(key, separators=(",", ":")).encode()).decode(),
        "entity": key,
        "app": SERVICENOW,
        "appName": "ServiceNow",
        "instance": connector.instance_id,
        "username": user.get("user_name", ""),
        "displayName": user.get("name") or user.get("user_name", ""),
        "email": email,
        "domain": email.partition("@")[2],
        "organization": None,
        "userGroups": groups.get(user["sys_id"], []),
        "isAdmin": is_admin,
        "isExternal": False,
        "isFake": False,
        "status": 2 if is_active and user.get("locked_out") != "true" else 3,
        "lastSeen": user.get("last_login_time") or None,
    }


def _add_activities(
    tenant: Tenant, connector: Connector, users: list[Row], events: list[Row], admins: set[str]
) -> None:
    since = connector.created - BACKFILL_MS
    seen = set(connector.seen)
    admin_names = {user["user_name"] for user in users if user["sys_id"] in admins}
    found: list[tuple[str, int, str, str, str]] = []
    for user in users:
        login = user.get("last_login_time", "")
        found.append((f"login:{user['sys_id']}:{login}", _milliseconds(login), "Log on", user["user_name"], ""))
        created = _milliseconds(user.get("sys_created_on", ""))
        found.append((f"user:{user['sys_id']}", created, "Create user", user["sys_created_by"], user["user_name"]))
    for event in events:
        action = _EVENTS.get(event.get("name", ""))
        if action:
            moment = _milliseconds(event.get("sys_created_on", ""))
            found.append((f"event:{event['sys_id']}", moment, action, event.get("parm1", ""), ""))
    for key, moment, action, user_name, about in found:
        if moment >= since and key not in seen:
            connector.seen.append(key)
            tenant.activities.append(
                activity(tenant, connector, moment, action, user_name, about, user_name in admin_names)
            )


def activity(
    tenant: Tenant, connector: Connector, moment: int, action: str, user_name: str, about: str, is_admin: bool
) -> Row:
    """One event in the format of the activities API. Its schema is not documented: only `_id` is reliable (3.1)."""
    category = f"EVENT_CATEGORY_{_CATEGORIES.get(action, 'UNSPECIFIED')}"
    key = tenant.new_id()
    objects = [{"type": "user", "role": 4, "name": user_name}]
    if about:
        objects.append({"type": "user", "role": 1, "name": about})
    return {
        "_id": f"{key}_{moment}",
        "tenantId": int(tenant.tenant_id[:6], 16),
        "aadTenantId": tenant.tenant_id,
        "appId": SERVICENOW,
        "saasId": SERVICENOW,
        "appName": "ServiceNow",
        "instance": connector.instance_id,
        "instanceName": connector.name,
        "timestamp": moment,
        "timestampRaw": moment,
        "created": tenant.now_ms(),
        "createdRaw": tenant.now_ms(),
        "source": 2,
        "eventTypeName": category,
        "eventTypeValue": category,
        "eventActionType": category,
        "description": f"{action}: {about}" if about else action,
        "actionType": action,
        "isAdminEvent": is_admin,
        "user": {"userName": user_name},
        "device": {"clientIP": "", "userAgent": "", "countryCode": None},
        "mainInfo": {"type": action, "eventObjects": objects},
        "severity": "INFO",
        "confidenceLevel": 30,
        "uid": f"{key}:{SERVICENOW}:{connector.number}",
    }
