# SPDX-License-Identifier: GPL-3.0-or-later
"""Governance assignments: owner, due date and ticket of a finding.

See docs/facts/defender_for_cloud.md#governance-assignments.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from ...web import Reply, json_reply
from ..arm.errors import bad_request, not_found
from ..arm.provider_manifest import SECURITY
from ..arm.routes import ArmRequest, Resource, shown
from ..arm.scopes import CONNECTOR, GROUP, RESOURCE, SUBSCRIPTION
from ..arm.state import Row
from .assessments import existing
from .plan_check import require_plan

TYPE = f"{SECURITY}/assessments/governanceAssignments"
_KEY = re.compile(r"[-\w._()]+")
_LARGEST = 2**31 - 1
_EMAIL = ("disableManagerEmailNotification", "disableOwnerEmailNotification", "emailNotificationDayOfWeek")


def list_assignments(request: ArmRequest) -> Reply:
    """Answer the assignments of a recommendation on a scope and below it; only of the scope itself if it is a resource."""
    name = request.names["name"].lower()
    rows = [row for row in request.arm.below("assignments", request.scope) if row["assessment"].lower() == name]
    return request.page(rows, lambda row: shown(row, TYPE))


def get_assignment(request: ArmRequest) -> Reply:
    """Answer one assignment."""
    row = request.arm.get("assignments", request.scope, _name(request))
    if row is None:
        text = f"Governance assignment '{request.names['key']}' of assessment '{request.names['name']}' was not found."
        raise not_found(text)
    return json_reply(200, shown(row, TYPE))


def put_assignment(request: ArmRequest) -> Reply:
    """Create or replace an assignment; missing properties are removed."""
    if not _KEY.fullmatch(request.names["name"]):
        raise bad_request(f"'{request.names['name']}' is not a valid assessment name.", target="assessmentName")
    properties = _checked(request.properties())
    require_plan(request)
    existing(request)
    row, new = request.arm.put(
        "assignments", request.scope, _name(request), properties, assessment=request.names["name"]
    )
    row.setdefault("integration", "")
    row.setdefault("rule", "")
    return json_reply(201 if new else 200, shown(row, TYPE))


def delete_assignment(request: ArmRequest) -> Reply:
    """Delete an assignment."""
    key = request.arm.id_of("assignments", request.scope, _name(request)).lower()
    return Reply(200 if request.arm.assignments.pop(key, None) else 204)


def _name(request: ArmRequest) -> str:
    return f"{request.names['name']}/{request.names['key']}"


def _checked(sent: Row) -> Row:
    """The valid properties; unknown ones are dropped silently."""
    out: Row = {}
    if sent.get("owner") is not None:
        out["owner"] = _typed(sent, "owner", str)
    if sent.get("remediationDueDate") is None:
        raise bad_request("'remediationDueDate' is required.", target="properties.remediationDueDate")
    out["remediationDueDate"] = checked_moment(sent, "remediationDueDate")
    eta = _typed(sent, "remediationEta", dict)
    if eta is not None:
        if not eta.get("eta") or not eta.get("justification"):
            text = "'remediationEta' needs both 'eta' and 'justification'."
            raise bad_request(text, target="properties.remediationEta")
        out["remediationEta"] = {"eta": checked_moment(eta, "eta"), "justification": _typed(eta, "justification", str)}
    out["isGracePeriod"] = bool(_typed(sent, "isGracePeriod", bool))
    mail = _typed(sent, "governanceEmailNotification", dict)
    if mail is not None:
        out["governanceEmailNotification"] = {name: mail[name] for name in _EMAIL if name in mail}
    more = _typed(sent, "additionalData", dict)
    if more is not None:
        out["additionalData"] = _ticket(more)
    return out


def _ticket(sent: Row) -> Row:
    out: Row = {}
    number = sent.get("ticketNumber")
    if number is not None:
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= _LARGEST:
            text = f"The value '{number}' of 'ticketNumber' must be an integer between 0 and {_LARGEST}."
            raise bad_request(text, target="properties.additionalData.ticketNumber")
        out["ticketNumber"] = number
    for name in ("ticketLink", "ticketStatus"):
        if sent.get(name) is not None:
            out[name] = _typed(sent, name, str)
    return out


def _typed(sent: Row, name: str, kind: type) -> Any:
    value = sent.get(name)
    if value is not None and not isinstance(value, kind):
        words = {str: "a string", bool: "a boolean", dict: "an object"}
        raise bad_request(f"'{name}' must be {words[kind]}.", target=f"properties.{name}")
    return value


def checked_moment(sent: Row, name: str) -> str:
    """A date-time of a body as it was sent; raises Refused for anything else."""
    text = _typed(sent, name, str)
    # The vendor writes seven digits of a second, Python reads six.
    plain = re.sub(r"(\.\d{1,6})\d*", r"\1", text)
    plain = re.sub(r"\.(\d+)", lambda digits: f".{digits[1]:0<6}", plain)
    try:
        datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", plain))
    except ValueError as error:
        raise bad_request(f"'{name}' must be a date-time, not '{text}'.", target=f"properties.{name}") from error
    return str(text)


_PATH = "assessments/{name}/governanceAssignments"
_KIND = "assessments/governanceAssignments"
RESOURCES = (
    Resource(SECURITY, _KIND, _PATH, {"GET": list_assignments}, (GROUP, SUBSCRIPTION, CONNECTOR, RESOURCE)),
    Resource(
        SECURITY,
        _KIND,
        f"{_PATH}/{{key}}",
        {"GET": get_assignment, "PUT": put_assignment, "DELETE": delete_assignment},
        (SUBSCRIPTION, CONNECTOR, RESOURCE),
    ),
)
