# SPDX-License-Identifier: GPL-3.0-or-later
"""Assessments: one recommendation about one resource (docs/facts/defender_for_cloud.md#assessments)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...web import Reply, json_reply
from ..arm.errors import bad_request, not_found
from ..arm.provider_manifest import SECURITY
from ..arm.routes import ArmRequest, Resource
from ..arm.scopes import CONNECTOR, GROUP, RESOURCE, SUBSCRIPTION, TENANT, Scope
from ..arm.state import Row, moment
from .assessment_metadata import in_version, metadata_of

if TYPE_CHECKING:
    from ..arm.state import ArmState

_TYPE = f"{SECURITY}/assessments"
CODES = ("Healthy", "Unhealthy", "NotApplicable")
_SOURCES = ("Azure", "OnPremise", "OnPremiseSql")
_PORTAL = "www.portal.azure.com/?fea#blade/Microsoft_Azure_Security/RecommendationsBlade/assessmentKey"


def list_assessments(request: ArmRequest) -> Reply:
    """Answer the assessments of a scope and below it, page by page; a list has no metadata and links."""
    rows = [
        row
        for row in request.arm.below("assessments", request.scope)
        if request.arm.lists_findings(request.tenant, Scope(row["scope"]).subscription)
    ]
    return request.page(rows, lambda row: _shown(request, row))


def get_assessment(request: ArmRequest) -> Reply:
    """Answer one assessment; `$expand` is links or metadata."""
    expand = request.call.query.get("$expand", "")
    if expand not in ("", "links", "metadata"):
        raise bad_request(f"'{expand}' is not a valid value of $expand.", target="$expand")
    row = existing(request)
    content = _shown(request, row)
    if expand == "links":
        content["properties"]["links"] = {"azurePortalUri": f"{_PORTAL}/{row['name']}"}
    if expand == "metadata":
        content["properties"]["metadata"] = in_version(metadata_of(request, row["name"]) or {}, request.version)
    return json_reply(200, content)


def put_assessment(request: ArmRequest) -> Reply:
    """Create or update an assessment of a custom recommendation."""
    name, sent = request.names["name"], request.properties()
    status, source = sent.get("status"), sent.get("resourceDetails")
    if not isinstance(status, dict) or status.get("code") not in CODES:
        raise bad_request(f"'status.code' must be one of {', '.join(CODES)}.", target="properties.status.code")
    if not isinstance(source, dict) or source.get("source") not in _SOURCES:
        text = f"'resourceDetails.source' must be one of {', '.join(_SOURCES)}."
        raise bad_request(text, target="properties.resourceDetails.source")
    about = metadata_of(request, name)
    if about is None:
        # That the metadata must exist is documented (3.2), the error is not: LIKELY.
        raise bad_request(f"The assessment metadata '{name}' does not exist. Create it first.")
    old = request.arm.get("assessments", request.scope, name)
    details = {**source, "id": request.scope.text} if source["source"] == "Azure" else source
    properties: Row = {"resourceDetails": details, "displayName": about["displayName"]}
    properties["status"] = {text: status[text] for text in ("code", "cause", "description") if status.get(text)}
    properties["additionalData"] = sent.get("additionalData") or {}
    before: Row = old["properties"]["status"] if old else {}
    dated(properties["status"], before, request.now)
    row, new = request.arm.put("assessments", request.scope, name, properties)
    return json_reply(201 if new else 200, _shown(request, row))


def dated(status: Row, before: Row, now: float) -> None:
    """Set the dates of a status: the second one changes with the code."""
    same = before.get("code") == status["code"]
    status["firstEvaluationDate"] = before.get("firstEvaluationDate") or moment(now)
    status["statusChangeDate"] = before["statusChangeDate"] if same and "statusChangeDate" in before else moment(now)


def delete_assessment(request: ArmRequest) -> Reply:
    """Delete an assessment and its assignments."""
    key = request.arm.id_of("assessments", request.scope, request.names["name"]).lower()
    if request.arm.assessments.pop(key, None) is None:
        return Reply(204)
    forget_assignments(request.arm, key)
    return Reply(200)


def forget_assignments(arm: ArmState, key: str) -> None:
    """Delete the assignments of an assessment."""
    for gone in [each for each in arm.assignments if each.startswith(f"{key}/")]:
        del arm.assignments[gone]


def existing(request: ArmRequest) -> Row:
    """The assessment of a path; raises Refused if it does not exist."""
    row = request.arm.get("assessments", request.scope, request.names["name"])
    if row is None:
        raise not_found(f"Assessment '{request.names['name']}' was not found on '{request.scope.text}'.")
    return row


def _shown(request: ArmRequest, row: Row) -> Row:
    properties = dict(row["properties"])
    if request.version < "2025-05-04":
        properties.pop("risk", None)
    if request.version < "2021-06-01":
        # The dates exist since 2021-06-01: LIKELY, from the models of the versions.
        left = ("code", "cause", "description")
        properties["status"] = {name: value for name, value in properties["status"].items() if name in left}
    return {"id": row["_id"], "name": row["name"], "type": _TYPE, "properties": properties}


RESOURCES = (
    Resource(
        SECURITY,
        "assessments",
        "assessments",
        {"GET": list_assessments},
        (GROUP, SUBSCRIPTION, CONNECTOR, RESOURCE, TENANT),
    ),
    Resource(
        SECURITY,
        "assessments",
        "assessments/{name}",
        {"GET": get_assessment, "PUT": put_assessment, "DELETE": delete_assessment},
        (SUBSCRIPTION, CONNECTOR, RESOURCE),
    ),
)
