# SPDX-License-Identifier: GPL-3.0-or-later
"""Standard assignments, of which those with the effect Exempt are exemptions (docs/facts/defender_for_cloud.md#exemptions)."""

from __future__ import annotations

import re

from ...web import Reply, json_reply
from ..arm.errors import bad_request, not_found
from ..arm.provider_manifest import SECURITY
from ..arm.routes import ArmRequest, Resource, shown
from ..arm.scopes import CONNECTOR, GROUP, RESOURCE, SUBSCRIPTION
from ..arm.state import Row, moment
from .assessments import dated
from .governance_assignments import checked_moment

_TYPE = f"{SECURITY}/standardAssignments"
_NAME = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_CATEGORIES = ("waiver", "mitigated")


def list_exemptions(request: ArmRequest) -> Reply:
    """Answer those of a scope and below it."""
    return request.page(request.arm.below("exemptions", request.scope), lambda row: shown(row, _TYPE))


def get_exemption(request: ArmRequest) -> Reply:
    """Answer one."""
    row = request.arm.get("exemptions", request.scope, request.names["name"])
    if row is None:
        raise not_found(f"Standard assignment '{request.names['name']}' was not found.")
    return json_reply(200, shown(row, _TYPE))


def put_exemption(request: ArmRequest) -> Reply:
    """Create or replace one; an assessment of the resource becomes not applicable."""
    name, sent = request.names["name"], request.properties()
    if not _NAME.fullmatch(name):
        raise bad_request(f"'{name}' is not a valid standard assignment name.", target="standardAssignmentName")
    data = sent.get("exemptionData")
    if sent.get("effect") != "Exempt" or not isinstance(data, dict):
        raise bad_request("Only the effect 'Exempt' with 'exemptionData' is simulated.", target="properties.effect")
    if data.get("exemptionCategory") not in _CATEGORIES:
        text = f"'exemptionCategory' must be one of {', '.join(_CATEGORIES)}."
        raise bad_request(text, target="properties.exemptionData.exemptionCategory")
    if not (data.get("assignedAssessment") or {}).get("assessmentKey") or not sent.get("assignedStandard"):
        raise bad_request(
            "'assignedAssessment.assessmentKey' and 'assignedStandard' are required.", target="properties"
        )
    kept = {key: sent[key] for key in ("displayName", "description", "assignedStandard", "effect") if sent.get(key)}
    if sent.get("expiresOn"):
        kept["expiresOn"] = checked_moment(sent, "expiresOn")
    now = moment(request.now)
    kept |= {"exemptionData": data, "metadata": {"createdOn": now, "lastUpdatedOn": now}}
    row, new = request.arm.put("exemptions", request.scope, name, kept)
    _apply(request, row, {"code": "NotApplicable", "cause": "Exempt"})
    return json_reply(201 if new else 200, shown(row, _TYPE))


def delete_exemption(request: ArmRequest) -> Reply:
    """Delete one; the assessment of the resource is unhealthy again."""
    key = request.arm.id_of("exemptions", request.scope, request.names["name"]).lower()
    row = request.arm.exemptions.pop(key, None)
    if row is None:
        return Reply(204)
    _apply(request, row, {"code": "Unhealthy"})
    return Reply(200)


def _apply(request: ArmRequest, row: Row, status: Row) -> None:
    about = row["properties"]["exemptionData"]["assignedAssessment"]["assessmentKey"]
    assessment = request.arm.get("assessments", request.scope, about)
    if assessment is not None:
        dated(status, assessment["properties"]["status"], request.now)
        assessment["properties"] = {**assessment["properties"], "status": status}


_ANYWHERE = (GROUP, SUBSCRIPTION, CONNECTOR, RESOURCE)
RESOURCES = (
    Resource(SECURITY, "standardAssignments", "standardAssignments", {"GET": list_exemptions}, _ANYWHERE[:3]),
    Resource(
        SECURITY,
        "standardAssignments",
        "standardAssignments/{name}",
        {"GET": get_exemption, "PUT": put_exemption, "DELETE": delete_exemption},
        _ANYWHERE,
    ),
)
