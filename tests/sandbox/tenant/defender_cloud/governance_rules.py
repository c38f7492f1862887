# SPDX-License-Identifier: GPL-3.0-or-later
"""Governance rules (docs/facts/defender_for_cloud.md#governance-rules)."""

from __future__ import annotations

import re
import uuid
from typing import Any

from ...web import Reply, json_reply
from ..arm import long_running
from ..arm.errors import arm_error, bad_request, not_found
from ..arm.provider_manifest import SECURITY
from ..arm.routes import ArmRequest, Resource, shown
from ..arm.scopes import CONNECTOR, GOVERNED
from ..arm.state import Row, moment
from .plan_check import require_plan

TYPE = f"{SECURITY}/governanceRules"
_TIMEFRAME = r"[0-9]+\.[0-9]{2}:[0-9]{2}:[0-9]{2}"
_REQUIRED = ("displayName", "rulePriority", "ruleType", "sourceResourceType", "conditionSets", "ownerSource")
_CHOICES = {"ruleType": ("Integrated", "ServiceNow"), "sourceResourceType": ("Assessments",)}
_TYPES: dict[str, type] = {
    **dict.fromkeys(("displayName", "description", "remediationTimeframe"), str),
    **dict.fromkeys(("isGracePeriod", "isDisabled", "includeMemberScopes"), bool),
    **dict.fromkeys(("conditionSets", "excludedScopes"), list),
    **dict.fromkeys(("ownerSource", "governanceEmailNotification"), dict),
}
_READ_ONLY = ("tenantId", "metadata")


def list_rules(request: ArmRequest) -> Reply:
    """Answer the rules of a scope, and those of the management group that apply to it."""
    rows = request.arm.at("rules", request.scope)
    for above in request.arm.above(request.scope):
        if request.scope.kind == CONNECTOR and above.subscription:
            continue
        rows += [row for row in request.arm.at("rules", above) if row["properties"].get("includeMemberScopes")]
    return request.page(rows, lambda row: _shown(request, row))


def get_rule(request: ArmRequest) -> Reply:
    """Answer one rule."""
    return json_reply(200, _shown(request, _existing(request)))


def put_rule(request: ArmRequest) -> Reply:
    """Create or replace a rule; unknown properties are kept, as the portal sends unpublished ones."""
    check_id(request.names["name"], "ruleId")
    sent = request.properties()
    _check(sent)
    if sent["ruleType"] == "ServiceNow" and request.tenant.knobs.servicenow_rules == "refused bare":
        more: Any = sent.get("additionalData")
        if not isinstance(more, dict) or not more.get("integrationId"):
            raise bad_request("A rule of the type ServiceNow needs an integration.", target="properties.additionalData")
    require_plan(request)
    _check_priority(request, sent["rulePriority"])
    old = request.arm.get("rules", request.scope, request.names["name"])
    properties = {name: value for name, value in sent.items() if name not in _READ_ONLY}
    properties |= audit_properties(request, old)
    row, new = request.arm.put("rules", request.scope, request.names["name"], properties)
    return json_reply(201 if new else 200, _shown(request, row))


def delete_rule(request: ArmRequest) -> Reply:
    """Start to delete a rule."""
    row = request.arm.get("rules", request.scope, request.names["name"])
    return long_running.start_operation(request, long_running.DELETE_RULE, row) if row is not None else Reply(204)


def execute_rule(request: ArmRequest) -> Reply:
    """Start to apply a rule to the currently unhealthy findings; the body is optional."""
    sent = request.body() if request.call.body.strip() else {}
    if not isinstance(sent.get("override", False), bool):
        raise bad_request("'override' must be a boolean.", target="override")
    require_plan(request)
    return long_running.start_operation(
        request, long_running.EXECUTE, _existing(request), override=sent.get("override", False)
    )


def check_id(name: str, what: str) -> None:
    """Refuse a name that is not a GUID, with the message reported for rules."""
    try:
        uuid.UUID(name)
    except ValueError as error:
        text = f"Incorrect Route - {what} can't be empty Guid"
        raise bad_request(text, code="InvalidParameter", target=what) from error


def audit_properties(request: ArmRequest, old: Row | None) -> Row:
    """The properties that the vendor adds to a rule or an integration: tenant, author and time."""
    by, when = request.principal, moment(request.now)
    made: Row = old["properties"]["metadata"] if old and "metadata" in old["properties"] else {}
    created = {"createdBy": made.get("createdBy", by), "createdOn": made.get("createdOn", when)}
    return {"tenantId": request.tenant.tenant_id, "metadata": {**created, "updatedBy": by, "updatedOn": when}}


def _existing(request: ArmRequest) -> Row:
    row = request.arm.get("rules", request.scope, request.names["name"])
    if row is None:
        raise not_found(f"Governance rule '{request.names['name']}' was not found.")
    return row


def _check(sent: Row) -> None:
    for name in _REQUIRED:
        if sent.get(name) is None:
            raise bad_request(f"'{name}' is required.", target=f"properties.{name}")
    for name, kind in _TYPES.items():
        if sent.get(name) is not None and not isinstance(sent[name], kind):
            raise bad_request(f"'{name}' has a wrong type.", target=f"properties.{name}")
    _check_values(sent)
    for each in sent["conditionSets"]:
        _check_set(each)


def _check_values(sent: Row) -> None:
    for name, allowed in _CHOICES.items():
        if sent[name] not in allowed:
            raise bad_request(f"'{name}' must be one of {', '.join(allowed)}.", target=f"properties.{name}")
    priority = sent["rulePriority"]
    if not isinstance(priority, int) or isinstance(priority, bool) or not 0 <= priority <= 1000:
        raise bad_request("'rulePriority' must be an integer between 0 and 1000.", target="properties.rulePriority")
    if not re.fullmatch(_TIMEFRAME, sent.get("remediationTimeframe") or "0.00:00:00"):
        text = "'remediationTimeframe' must look like 7.00:00:00."
        raise bad_request(text, target="properties.remediationTimeframe")
    if sent["ownerSource"].get("type") not in ("ByTag", "Manually"):
        raise bad_request("'ownerSource.type' must be ByTag or Manually.", target="properties.ownerSource")


def _check_set(conditions: Any) -> None:
    found = conditions.get("conditions") if isinstance(conditions, dict) else None
    if not isinstance(found, list):
        raise bad_request("A condition set needs 'conditions'.", target="properties.conditionSets")
    for each in found:
        texts = [each.get(name) for name in ("property", "value")] if isinstance(each, dict) else [None]
        if not all(isinstance(text, str) and text for text in texts):
            text = "A condition needs 'property' and 'value', both strings; 'In' takes a string with a JSON array."
            raise bad_request(text, target="properties.conditionSets")
        if each.get("operator") not in ("Equals", "In"):
            raise bad_request("'operator' must be Equals or In.", target="properties.conditionSets")


def _check_priority(request: ArmRequest, priority: int) -> None:
    for row in request.arm.at("rules", request.scope):
        if row["properties"]["rulePriority"] == priority and row["name"].lower() != request.names["name"].lower():
            # That it is refused is documented, the error is not: LIKELY.
            text = f"A governance rule with the priority {priority} already exists on this scope."
            raise arm_error(409, "Conflict", text, target="properties.rulePriority")


def _shown(request: ArmRequest, row: Row) -> Row:
    return shown(row, TYPE, bare=request.tenant.knobs.bare_ids)


RESOURCES = (
    Resource(SECURITY, "governanceRules", "governanceRules", {"GET": list_rules}, GOVERNED),
    Resource(
        SECURITY,
        "governanceRules",
        "governanceRules/{name}",
        {"GET": get_rule, "PUT": put_rule, "DELETE": delete_rule},
        GOVERNED,
    ),
    # The reference lists reading and writing only; running a rule is treated as writing it: LIKELY.
    Resource(
        SECURITY, "governanceRules", "governanceRules/{name}/execute", {"POST": execute_rule}, GOVERNED, post="write"
    ),
)
