# SPDX-License-Identifier: GPL-3.0-or-later
"""Defender plans (docs/facts/defender_for_cloud.md#plans): string booleans, extensions, one change at a time."""

from __future__ import annotations

import json
import re
from typing import Any

from ...web import Reply, json_reply
from ..arm.errors import arm_error, bad_request, not_found
from ..arm.provider_manifest import SECURITY
from ..arm.routes import ArmRequest, Resource
from ..arm.scopes import RESOURCE, SUBSCRIPTION, Scope
from ..arm.state import FIRST_SEEN, PLANS, Row, moment

_TYPE = f"{SECURITY}/pricings"
_MACHINES = ("microsoft.compute/virtualmachines/", "microsoft.hybridcompute/machines/")
_REPLACED = {"KubernetesService": ["Containers"], "ContainerRegistry": ["Containers"], "Dns": ["VirtualMachines"]}
# The sub-plan that a plan gets if the request names none.
_DEFAULT_SUB_PLAN = {"VirtualMachines": "P2"}
# Sub-plans that cannot be chosen any more (docs/facts/defender_for_cloud.md#plans).
_OLD_SUB_PLANS = {"KeyVaults": ("PerTransaction",), "Arm": ("PerApiCall",)}
# Extensions of each plan; those with True are enabled with it, as in the vendor's example.
_OFFERED: dict[str, dict[str, bool]] = {
    "CloudPosture": {
        "AgentlessVmScanning": True,
        "AgentlessDiscoveryForKubernetes": True,
        "SensitiveDataDiscovery": True,
        "ContainerRegistriesVulnerabilityAssessments": True,
        "EntraPermissionsManagement": False,
        "ApiPosture": False,
        "AgentlessServerlessPosture": False,
        "ServerlessContainers": False,
        "DatabricksSecurityPosture": False,
    },
    "VirtualMachines": {"AgentlessVmScanning": True, "MdeDesignatedSubscription": False},
    "StorageAccounts": {"OnUploadMalwareScanning": False, "SensitiveDataDiscovery": False},
    "Containers": {"ContainerRegistriesVulnerabilityAssessments": True},
}


def list_pricings(request: ArmRequest) -> Reply:
    """Answer all plans, or those in the filter; this list has no pages."""
    wanted = request.call.query.get("$filter")
    names = list(PLANS) if request.scope.kind == SUBSCRIPTION else ["VirtualMachines"]
    if wanted:
        found = re.fullmatch(r"name\s+in\s*\(([^)]*)\)", wanted.strip(), re.IGNORECASE)
        if found is None:
            raise bad_request(
                f"The filter '{wanted}' is not supported. Use: name in (plan,plan).", code="InvalidFilter"
            )
        asked = {name.strip().lower() for name in found[1].split(",")}
        names = [name for name in names if name.lower() in asked]
    return json_reply(200, {"value": [_shown(request, name) for name in names]})


def get_pricing(request: ArmRequest) -> Reply:
    """Answer one plan."""
    return json_reply(200, _shown(request, _plan(request)))


def put_pricing(request: ArmRequest) -> Reply:
    """Change a plan; the response contains the status of each extension."""
    plan, sent = _plan(request), request.properties()
    _check(plan, sent, request.scope)
    _refuse_while_busy(request)
    _refuse_retired(request, plan, sent)
    row = request.arm.get("pricings", request.scope, plan)
    before: Row = row["properties"] if row else {}
    after = {"pricingTier": sent["pricingTier"]}
    after |= {name: sent[name] for name in ("subPlan", "enforce") if sent.get(name)}
    if after["pricingTier"] == "Standard":
        if plan in _DEFAULT_SUB_PLAN and request.scope.kind == SUBSCRIPTION:
            after.setdefault("subPlan", before.get("subPlan") or _DEFAULT_SUB_PLAN[plan])
        was_on = before.get("pricingTier") == "Standard"
        after["enablementTime"] = (
            before["enablementTime"] if was_on and "enablementTime" in before else moment(request.now)
        )
        heard = {} if request.tenant.knobs.eager_extensions and not was_on else sent
        after["extensions"] = _extensions(plan, heard, before if was_on else {})
    request.arm.put("pricings", request.scope, plan, after)
    content = _shown(request, plan)
    earlier = {each["name"]: each["isEnabled"] for each in before.get("extensions", [])}
    for each in content["properties"].get("extensions", []):
        if each["isEnabled"] == "True" and earlier.get(each["name"]) != "True":
            each["operationStatus"] = _status(request, each)
    return json_reply(200, content)


def delete_pricing(request: ArmRequest) -> Reply:
    """Let a machine inherit its plan again; the plan of a subscription is disabled with `Free`."""
    if request.scope.kind == SUBSCRIPTION:
        raise bad_request("Deleting a pricing configuration is valid for resources only.")
    plan = _plan(request)
    key = request.arm.id_of("pricings", request.scope, plan).lower()
    return Reply(200 if request.arm.pricings.pop(key, None) else 204)


def _plan(request: ArmRequest) -> str:
    name = request.names["name"]
    found = next((plan for plan in PLANS if plan.lower() == name.lower()), None)
    if found is None:
        raise bad_request(f"The name '{name}' is not a valid name. Possible pricing bundle names: {', '.join(PLANS)}.")
    if request.scope.kind == RESOURCE and not any(kind in request.scope.key for kind in _MACHINES):
        raise not_found(f"The resource '{request.scope.text}' has no pricing configuration.", "ResourceNotFound")
    return found


def _check(plan: str, sent: Row, scope: Scope) -> None:
    if sent.get("pricingTier") not in ("Free", "Standard"):
        raise bad_request("'pricingTier' must be Free or Standard.", target="properties.pricingTier")
    if sent.get("enforce") not in (None, "True", "False"):
        raise bad_request("'enforce' must be the text True or False.", target="properties.enforce")
    if scope.kind == RESOURCE and (plan != "VirtualMachines" or sent.get("subPlan") not in (None, "P1")):
        raise bad_request("At resource level only the plan VirtualMachines with the sub-plan P1 is supported.")
    given: Any = sent.get("extensions") or []
    for each in given if isinstance(given, list) else [given]:
        name = _offered(plan, each.get("name")) if isinstance(each, dict) else None
        if name is None:
            raise bad_request(f"The extension '{each}' is not offered under the plan '{plan}'.")
        if each.get("isEnabled") not in ("True", "False"):
            raise bad_request(f"'isEnabled' of the extension '{name}' must be the text True or False.")
        if each["isEnabled"] == "False" and each.get("additionalExtensionProperties"):
            text = f"AdditionalProperties of Extension '{name}' can't be updated while the extension is disabled"
            raise arm_error(500, "InternalServerError", text)


def _refuse_retired(request: ArmRequest, plan: str, sent: Row) -> None:
    """Refuse to switch a deprecated plan on. That it is refused is documented, the error is not: LIKELY."""
    row = request.arm.get("pricings", request.scope, plan)
    is_on = row is not None and row["properties"]["pricingTier"] == "Standard"
    if plan in _REPLACED and sent["pricingTier"] == "Standard" and not is_on:
        raise bad_request(f"The plan '{plan}' is deprecated. Use '{', '.join(_REPLACED[plan])}' instead.")
    old = _OLD_SUB_PLANS.get(plan, ())
    if sent.get("subPlan") in old and (row is None or row["properties"].get("subPlan") != sent["subPlan"]):
        raise bad_request(f"The sub-plan '{sent['subPlan']}' of the plan '{plan}' is deprecated.")


def _offered(plan: str, name: Any) -> str | None:
    """Return the vendor's spelling of an extension, None where the plan has none of this name; case is ignored."""
    return next((known for known in _OFFERED.get(plan, {}) if known.lower() == str(name).lower()), None)


def _refuse_while_busy(request: ArmRequest) -> None:
    """Refuse the request while another change is in progress (3.1)."""
    subscription = request.scope.subscription
    if request.arm.busy.get(subscription, 0.0) > request.now:
        text = "Another update operation is in progress. Please retry in a few minutes"
        raise arm_error(409, "Conflict", text)
    request.arm.busy[subscription] = request.now + request.tenant.knobs.pricing_seconds


def _extensions(plan: str, sent: Row, before: Row) -> list[Row]:
    """The extensions of the request, then unchanged ones, or the defaults of the plan."""
    given = {_offered(plan, each["name"]): each for each in sent.get("extensions") or []}
    kept = {each["name"]: each for each in before.get("extensions", [])}
    out = []
    for name, default in _OFFERED.get(plan, {}).items():
        old = kept.get(name) or (
            {"name": name, "isEnabled": "True"} if default and "extensions" not in before else None
        )
        each = given.get(name) or old
        if each is not None:
            more = each.get("additionalExtensionProperties")
            extension: Row = {"name": name, "isEnabled": each["isEnabled"]}
            out.append({**extension, "additionalExtensionProperties": _texts(more)} if more else extension)
    return out


def _texts(properties: Row) -> Row:
    """Return properties of an extension as the service keeps them: as text, a structure as compact JSON."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for name, value in properties.items()
    }


def _status(request: ArmRequest, extension: Row) -> Row:
    if extension["name"] in request.tenant.knobs.failing_extensions:
        text = "Failed assigning roles {d5a2ae44-610b-4500-93be-660a0c5f5ca6} to {identityName} for plan"
        return {"code": "Failed", "message": text}
    return {"code": "Succeeded", "message": "Successfully enabled extension"}


def _shown(request: ArmRequest, plan: str) -> Row:
    own = request.arm.get("pricings", request.scope, plan)
    above = request.arm.get("pricings", Scope(f"/subscriptions/{request.scope.subscription}"), plan)
    stored: Row = (own or above or {"properties": {"pricingTier": "Free"}})["properties"]
    on = stored["pricingTier"] == "Standard"
    properties: Row = {"pricingTier": stored["pricingTier"]}
    if stored.get("subPlan"):
        properties["subPlan"] = stored["subPlan"]
    properties["freeTrialRemainingTime"] = "PT0S"
    if on:
        properties["enablementTime"] = stored.get("enablementTime", moment(FIRST_SEEN))
    if request.scope.kind == SUBSCRIPTION:
        properties["enforce"] = stored.get("enforce", "False")
        properties["resourcesCoverageStatus"] = "FullyCovered" if on else "NotCovered"
    else:
        properties["inherited"] = "False" if own else "True"
        if not own:
            properties["inheritedFrom"] = f"/subscriptions/{request.scope.subscription}"
    extensions = stored.get("extensions", _extensions(plan, {}, {}) if on else [])
    if extensions:
        properties["extensions"] = [dict(each) for each in extensions]
    if plan in _REPLACED:
        properties |= {"deprecated": True, "replacedBy": _REPLACED[plan]}
    return {
        "id": request.arm.id_of("pricings", request.scope, plan),
        "name": plan,
        "type": _TYPE,
        "properties": properties,
    }


_SCOPES = (SUBSCRIPTION, RESOURCE)
RESOURCES = (
    Resource(SECURITY, "pricings", "pricings", {"GET": list_pricings}, _SCOPES),
    Resource(
        SECURITY,
        "pricings",
        "pricings/{name}",
        {"GET": get_pricing, "PUT": put_pricing, "DELETE": delete_pricing},
        _SCOPES,
    ),
)
