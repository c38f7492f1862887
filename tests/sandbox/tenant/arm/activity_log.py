# SPDX-License-Identifier: GPL-3.0-or-later
"""The activity log of a subscription, with the actions on alerts (docs/facts/defender_for_cloud.md#activity-log)."""

from __future__ import annotations

import re

from ...web import Reply
from .errors import bad_request
from .routes import ArmRequest, Resource
from .scopes import SUBSCRIPTION
from .state import Row, moment

INSIGHTS = "Microsoft.Insights"
SECONDS = len("2026-01-31T10:00:00")
_START = re.compile(r"\s*eventTimestamp ge '([^']+)'", re.I)
_END = re.compile(r" and eventTimestamp le '([^']+)'", re.I)
_RESOURCE = re.compile(r" and resourceUri eq '([^']+)'", re.I)


def record(request: ArmRequest, resource: str) -> None:
    """Add the events of an action: that it was started, and that it succeeded."""
    parts = request.call.path.rstrip("/").split("/")
    kind = "Microsoft.Security/locations/alerts"
    for status in ("Started", "Succeeded"):
        number = len(request.arm.activities)
        request.arm.activities[f"{number:08}"] = {
            "subscription": request.scope.subscription,
            "event": {
                "eventTimestamp": moment(request.now),
                "operationName": {"value": f"{kind}/{parts[-1]}/action", "localizedValue": f"{parts[-1]} an alert"},
                "status": {"value": status, "localizedValue": status},
                "resourceId": resource,
                "caller": request.principal,
            },
        }


def list_events(request: ArmRequest) -> Reply:
    """Answer the events of a subscription, the newest first. A filter with a start is required."""
    text = request.call.query.get("$filter", "")
    start = _START.match(text)
    if start is None:
        raise bad_request("The start time is missing in the filter.", code="BadRequest")
    rest = text[start.end() :]
    end, resource = _END.search(rest), _RESOURCE.search(rest)
    found = [
        row["event"]
        for row in request.arm.activities.values()
        if row["subscription"] == request.scope.subscription
        and row["event"]["eventTimestamp"][:SECONDS] >= start[1][:SECONDS]
        and (end is None or row["event"]["eventTimestamp"][:SECONDS] <= end[1][:SECONDS])
        and (resource is None or row["event"]["resourceId"].lower() == resource[1].lower())
    ]
    columns = [name.strip() for name in request.call.query.get("$select", "").split(",") if name.strip()]

    def show(event: Row) -> Row:
        return {name: event[name] for name in columns if name in event} if columns else event

    return request.page(found[::-1], show)


RESOURCES = (
    Resource(
        INSIGHTS, "eventtypes", "eventtypes/management/values", {"GET": list_events}, (SUBSCRIPTION,),
        action_kind="eventtypes/values",
    ),
)  # fmt: skip
