# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph: advanced hunting over the events of connected apps (docs/facts/microsoft_graph.md#hunting)."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any

from ...web import Call, Reply, json_reply
from ..cloud_apps.data import SERVICENOW
from ..errors import graph_error
from ..routes import Route, Table
from ..state import Row, Tenant
from .kql import KqlError, Result, run, text_of
from .permissions import require_security

_PERMISSION = "ThreatHunting.Read.All"
_MAX_DAYS = 30
_MAX_ROWS = 100_000


def _columns(text: str) -> list[str]:
    return text.split()


_COLUMNS = _columns(
    """
    Timestamp ActionType ActivityType Application ApplicationId AppInstanceId AccountObjectId AccountId
    AccountDisplayName AccountType IsAdminOperation IsExternalUser IsImpersonated DeviceType OSPlatform UserAgent
    UserAgentTags IPAddress IPTags IPCategory IsAnonymousProxy CountryCode City Isp ActivityObjects ObjectName
    ObjectType ObjectId RawEventData AdditionalFields LastSeenForUser UncommonForUser AuditSource SessionData
    OAuthAppId ReportId
    """
)
_NODES = _columns("NodeId NodeLabel NodeName Categories NodeProperties EntityIds")
_BEHAVIORS = _columns(
    """
    Timestamp BehaviorId ActionType Description Categories AttackTechniques ServiceSource DetectionSource DataSources
    DeviceId AccountUpn AccountObjectId StartTime EndTime AdditionalFields
    """
)


def hunt(tenant: Tenant, call: Call) -> Reply:
    """Answer `/v1.0/security/runHuntingQuery`."""
    require_security(tenant, call, _PERMISSION)
    _check_quota(tenant)
    body = _body(call)
    query = body.get("query")
    if not isinstance(query, str) or not query.strip():
        raise graph_error(400, "BadRequest", "The query is missing.")
    now = datetime.fromtimestamp(tenant.now(), timezone.utc)
    try:
        start, end = _span(body.get("timespan"), now)
        result = run(query, _tables(tenant, start, end))
    except KqlError as error:
        raise graph_error(400, "BadRequest", str(error)) from error
    shown = [_shown(row) for row in result.rows[:_MAX_ROWS]]
    name, kind = ("Name", "Type") if tenant.knobs.hunting_schema == "Name" else ("name", "type")
    schema = [{name: column, kind: _type_of(column, result.rows)} for column in result.columns]
    context = f"{call.base}/graph/v1.0/$metadata#microsoft.graph.security.huntingQueryResults"
    return json_reply(200, {"@odata.context": context, "schema": schema, "results": shown})


def _check_quota(tenant: Tenant) -> None:
    limit, now = tenant.knobs.hunting_calls, tenant.now()
    while tenant.hunting_calls and tenant.hunting_calls[0] <= now - 60:
        tenant.hunting_calls.popleft()
    if limit and len(tenant.hunting_calls) >= limit:
        wait = str(int(tenant.hunting_calls[0] + 60 - now) + 1)
        text = "The number of hunting calls exceeded the quota of the tenant."
        raise graph_error(429, "TooManyRequests", text, {"Retry-After": wait})
    tenant.hunting_calls.append(now)


def _body(call: Call) -> Row:
    if "json" not in call.headers.get("Content-Type", ""):
        raise graph_error(415, "UnsupportedMediaType", "The content type must be application/json.")
    try:
        content = json.loads(call.body)
    except ValueError as error:
        raise graph_error(400, "BadRequest", "Unable to read JSON request payload.") from error
    return {name.lower(): value for name, value in content.items()} if isinstance(content, dict) else {}


_DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)


def _duration(text: str) -> timedelta | None:
    found = _DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        return None
    return timedelta(**{name: int(value) for name, value in found.groupdict().items() if value})


def _span(given: Any, now: datetime) -> tuple[datetime, datetime]:
    """The time range of a query: a duration, start/end, start/duration or duration/end (5.1)."""
    oldest = now - timedelta(days=_MAX_DAYS)
    if given is None:
        return oldest, now
    if not isinstance(given, str):
        raise KqlError("Invalid timespan.")
    first, _, last = given.partition("/")
    length = _duration(first)
    if not last:
        if length is None:
            raise KqlError(f"Invalid timespan '{given}'.")
        return max(oldest, now - length), now
    if length is not None:
        end = _moment_of(last)
        return end - length, end
    start, length = _moment_of(first), _duration(last)
    return start, start + length if length is not None else _moment_of(last)


def _moment_of(text: str) -> datetime:
    """Read a point in time; without a zone it is UTC. Raises KqlError."""
    try:
        moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text.strip()))
    except ValueError as error:
        raise KqlError(f"Invalid timespan: {text!r} is not a datetime.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _tables(tenant: Tenant, start: datetime, end: datetime) -> dict[str, Result]:
    accounts = {row["mailNickname"].casefold(): row for row in tenant.users}
    events = [_event(row, accounts) for row in [*tenant.activities, *_suspicious(tenant)]]
    covered = [row for row in events if start <= row["Timestamp"] <= end]
    empty = {name: Result(_BEHAVIORS, []) for name in ("BehaviorInfo", "BehaviorEntities")}
    # The exposure graph has no time (docs/facts/exposure_management.md#retrieved-data).
    nodes = [{name: row.get(name) for name in _NODES} for row in tenant.exposure_nodes]
    return {"CloudAppEvents": Result(_COLUMNS, covered), "ExposureGraphNodes": Result(_NODES, nodes), **empty}


def _suspicious(tenant: Tenant) -> list[Row]:
    """A failed sign-in one hour ago of each user in the knob."""
    about = {"actionType": "Failed log on", "appName": "ServiceNow", "appId": SERVICENOW, "instance": SERVICENOW}
    moment = tenant.now_ms() - 3600 * 1000
    names = tenant.knobs.suspects
    return [{**about, "_id": f"suspect-{name}", "timestamp": moment, "user": {"userName": name}} for name in names]


def _event(activity: Row, accounts: dict[str, Row]) -> Row:
    user = activity.get("user", {}).get("userName", "")
    account = accounts.get(user.casefold(), {})
    return {
        **dict.fromkeys(_COLUMNS),
        "Timestamp": datetime.fromtimestamp(activity["timestamp"] / 1000, timezone.utc),
        "ActionType": activity.get("actionType"),
        "ActivityType": activity.get("actionType"),
        "Application": activity.get("appName"),
        "ApplicationId": activity.get("appId"),
        # The number of the instance; shifted left by 20 bits and ORed with the app it is that of the connector (3.2).
        "AppInstanceId": activity.get("instance", 0) >> 20,
        "AccountId": user,
        "AccountObjectId": account.get("id"),
        "AccountDisplayName": account.get("displayName", user),
        "AccountType": "Admin" if activity.get("isAdminEvent") else "Regular",
        "IsAdminOperation": bool(activity.get("isAdminEvent")),
        "IsExternalUser": False,
        "IsImpersonated": False,
        "IPAddress": activity.get("device", {}).get("clientIP"),
        "ActivityObjects": activity.get("mainInfo", {}).get("eventObjects", []),
        "RawEventData": {"action": activity.get("actionType"), "user": user},
        "AuditSource": "Defender for Cloud Apps app connector",
        "ReportId": activity["_id"],
    }


def _shown(row: Row) -> Row:
    shown: Row = {}
    for name, value in row.items():
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            shown[f"{name}@odata.type"] = "#Collection(String)"
            shown[name] = value
        elif isinstance(value, datetime | timedelta | list | dict):
            shown[name] = text_of(value)
        else:
            shown[name] = value
    return shown


def _type_of(column: str, rows: list[Row]) -> str:
    value = next((row[column] for row in rows if row.get(column) is not None), None)
    kinds = ((bool, "Boolean"), (int, "Int64"), (float, "Double"), (datetime, "DateTime"), (list | dict, "Object"))
    if value is None and column == "Timestamp":
        return "DateTime"
    return next((name for kind, name in kinds if isinstance(value, kind)), "String")


TABLE = Table(Route("POST", "/graph/v1.0/security/runHuntingQuery", hunt))
