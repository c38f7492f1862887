# SPDX-License-Identifier: GPL-3.0-or-later
"""Security alerts and the locations that they are stored in (docs/facts/defender_for_cloud.md#alerts)."""

from __future__ import annotations

from collections.abc import Callable

from ...web import Reply, json_reply
from ..arm import activity_log
from ..arm.errors import not_found
from ..arm.provider_manifest import SECURITY
from ..arm.routes import ArmRequest, Resource
from ..arm.scopes import RESOURCE, SUBSCRIPTION
from ..arm.state import Row
from .recommendations import LOCATION

_TYPE = f"{SECURITY}/Locations/alerts"
_STATES = {"dismiss": "Dismissed", "resolve": "Resolved", "activate": "Active", "inProgress": "InProgress"}


def list_alerts(request: ArmRequest) -> Reply:
    """Answer the alerts of a subscription or of a resource group, of all locations or of one."""
    rows = request.arm.below("cloud_alerts", request.scope)
    if request.names.get("location", LOCATION).lower() != LOCATION:
        rows = []
    return request.page(rows, _shown)


def get_alert(request: ArmRequest) -> Reply:
    """Answer one alert."""
    return json_reply(200, _shown(_found(request)))


def locations(request: ArmRequest) -> Reply:
    """Answer the location in which the data of a subscription is stored."""
    shown = {
        "id": f"{request.scope.text}/providers/{SECURITY}/locations/{LOCATION}",
        "name": LOCATION,
        "type": f"{SECURITY}/locations",
        "properties": {"homeRegionName": LOCATION},
    }
    return request.page([shown], dict)


def _set_state(state: str) -> Callable[[ArmRequest], Reply]:
    def answer(request: ArmRequest) -> Reply:
        row = _found(request)
        row["properties"] = {**row["properties"], "status": state}
        activity_log.record(request, row["_id"])
        return Reply(204)

    return answer


def _found(request: ArmRequest) -> Row:
    name = request.names["name"]
    if request.names["location"].lower() == LOCATION:
        for row in request.arm.below("cloud_alerts", request.scope):
            if row["name"].lower() == name.lower():
                return row
    raise not_found(f"The alert '{name}' could not be found.", "AlertNotFound")


def _shown(row: Row) -> Row:
    return {"id": row["_id"], "name": row["name"], "type": _TYPE, "properties": row["properties"]}


_SCOPES = (SUBSCRIPTION, RESOURCE)
_KIND = "locations/alerts"
_ONE = "locations/{location}/alerts/{name}"
RESOURCES = (
    Resource(SECURITY, "alerts", "alerts", {"GET": list_alerts}, _SCOPES),
    Resource(SECURITY, "locations", "locations", {"GET": locations}, (SUBSCRIPTION,)),
    Resource(SECURITY, _KIND, "locations/{location}/alerts", {"GET": list_alerts}, _SCOPES),
    Resource(SECURITY, _KIND, _ONE, {"GET": get_alert}, _SCOPES),
    *(
        Resource(SECURITY, _KIND, f"{_ONE}/{verb}", {"POST": _set_state(state)}, _SCOPES, post=f"{verb}/action")
        for verb, state in _STATES.items()
    ),
)
