# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the caller can connect Defender for Cloud with ServiceNow, and what stands in the way. Data first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ...engine.errors import Refused
from ..arm.client import WRITERS, ArmClient
from ..arm.permissions import DENIED, UNKNOWN, judged, read_permissions
from ..arm.resource_provider import Provider, read_provider
from ..arm.scopes import Scope
from ..entra.clouds import DEFAULT_CLOUD
from ..entra.tokens import caller_claims
from .pricings_api import CLOUD_POSTURE, STANDARD, extensions_of, pricing_path
from .pricings_api import VERSION as PRICING_VERSION

ERROR, WARNING = "error", "warning"
REGISTERED = "registered"
OWNER_ACTION = "Microsoft.Authorization/roleAssignments/write"
NOT_SUBSCRIPTION = "not_applicable"


@dataclass(frozen=True)
class Problem:
    """`severity` error: a connection cannot work. warning: it may not, or not in full."""

    id: str
    severity: str
    message: str
    remedy: str


@dataclass(frozen=True)
class Capability:
    """What takes an action. The reference spells the one of integrations otherwise than their type.

    See docs/facts/defender_for_cloud.md#permissions.
    """

    id: str
    what: str
    actions: tuple[str, ...]
    roles: str = WRITERS


CAPABILITIES = (
    Capability("read_recommendations", "read recommendations", ("Microsoft.Security/assessments/read",), "Security Reader"),
    Capability("write_plan", "switch plans on", ("Microsoft.Security/pricings/write",)),
    Capability(
        "write_integration", "connect ServiceNow",
        ("Microsoft.Security/integrations/write", "Microsoft.Security/integration/write"),
    ),
    Capability(
        "delete_integration", "remove the connection to ServiceNow",
        ("Microsoft.Security/integrations/delete", "Microsoft.Security/integration/delete"),
    ),
    Capability("write_governance_rules", "write governance rules", ("Microsoft.Security/governanceRules/write",)),
    Capability(
        "write_assignments", "write assignments with their tickets",
        ("Microsoft.Security/assessments/governanceAssignments/write",),
    ),
)  # fmt: skip


@dataclass
class Findings:
    """What was read. `refused` holds the platform's words by what could not be read."""

    scope: Scope
    cloud: str
    permissions: list[dict[str, Any]] | None = None
    provider: Provider | None = None
    plan: Mapping[str, Any] | None = None
    refused: dict[str, Refused] = field(default_factory=dict)


def access_facts(manager: ArmClient, scope: Scope) -> dict[str, Any]:
    """Return `access` and `problems` as `mdc_access_info` returns them.

    Raises `Refused` for a subscription that is not there or of which the caller may read nothing.
    """
    found = _read(manager, scope)
    verdicts = {capability.id: judged(found.permissions, *capability.actions) for capability in CAPABILITIES}
    problems = sorted(_problems(found, verdicts), key=lambda problem: (problem.severity != ERROR, problem.id))
    properties = found.plan or {}
    access = {
        "scope": scope.path,
        "cloud": found.cloud,
        "caller": caller_of(manager),
        "capabilities": verdicts,
        "actions": {action: judged(found.permissions, action) for c in CAPABILITIES for action in c.actions},
        "provider": _told(found, found.provider.state if found.provider else ""),
        "plan": {
            "name": CLOUD_POSTURE,
            "tier": _told(found, str(properties.get("pricingTier") or "")),
            "extensions": list(extensions_of(properties).values()),
        },
        "integration_api_versions": list(found.provider.versions.get("integrations", ())) if found.provider else [],
    }
    where = f"{scope} ({found.cloud})"
    told = "; ".join(f"{p.severity} {p.id}: {p.message}. {p.remedy}" for p in problems)
    return {"access": access, "problems": [asdict(p) for p in problems], "msg": f"{where}: {told or 'no problems'}"}


def _told(found: Findings, text: str) -> str:
    return text or (UNKNOWN if found.scope.subscription else NOT_SUBSCRIPTION)


def _read(manager: ArmClient, scope: Scope) -> Findings:
    cloud = manager.params.get("azure_cloud") or DEFAULT_CLOUD
    found = Findings(scope, cloud)
    if scope.subscription:
        found.provider = read_provider(manager, scope.subscription)
    found.permissions = read_permissions(manager, scope.path)
    if scope.subscription and (found.provider is None or found.provider.state.casefold() == REGISTERED):
        try:
            path = pricing_path(f"/subscriptions/{scope.subscription}", CLOUD_POSTURE)
            found.plan = (manager.find(path, PRICING_VERSION) or {}).get("properties") or {}
        except Refused as refusal:
            found.refused["plan"] = refusal
    if found.permissions is None and found.provider is None and found.plan is None:
        raise found.refused.get("plan") or Refused(
            f"{scope} is not there, or the identity may read nothing of it. Check the id, and give the identity {WRITERS} there (Access "
            f"control (IAM) > Add role assignment)"
        )
    return found


# -- problems -------------------------------------------------------------------------------------------------------------


def _problems(found: Findings, verdicts: Mapping[str, str]) -> Iterator[Problem]:
    if found.cloud != DEFAULT_CLOUD:
        yield Problem(
            "cloud_unsupported", ERROR, f"{found.cloud} has no integration with ServiceNow: Microsoft offers it in the commercial cloud only",
            "Leave Defender for Cloud out there, or write tickets without the integration (mdc_assignments, snow_tickets)",
        )  # fmt: skip
    yield from _rights(found, verdicts)
    if found.scope.subscription:
        yield from _provider(found)
        yield from _plan(found)


def _rights(found: Findings, verdicts: Mapping[str, str]) -> Iterator[Problem]:
    if found.permissions is None:
        yield Problem(
            "permissions_unknown", WARNING, f"What the identity may do on {found.scope} could not be read",
            f"Make sure that it has {WRITERS} there; the first write tells",
        )  # fmt: skip
        return
    for capability in CAPABILITIES:
        if verdicts[capability.id] == DENIED:
            yield Problem(
                f"cannot_{capability.id}", ERROR, f"The identity may not {capability.what} on {found.scope} ({capability.actions[0]})",
                f"Give it {capability.roles} there (Access control (IAM) > Add role assignment)",
            )  # fmt: skip
        elif verdicts[capability.id] == UNKNOWN:
            yield Problem(
                f"may_not_{capability.id}", WARNING,
                f"Whether the identity may {capability.what} is not clear: it has one of {' and '.join(capability.actions)}, and Microsoft does "
                f"not say which counts",
                "Let the custom role have Microsoft.Security/*",
            )  # fmt: skip


def _provider(found: Findings) -> Iterator[Problem]:
    if found.provider is None:
        yield Problem(
            "provider_unknown", WARNING, "Whether the provider Microsoft.Security is registered could not be read",
            "Look under Resource providers of the subscription",
        )  # fmt: skip
    elif found.provider.state.casefold() != REGISTERED:
        yield Problem(
            "provider_not_registered", ERROR, f"The provider Microsoft.Security is {found.provider.state or 'not registered'} on the subscription",
            "Register it (the subscription > Resource providers > Microsoft.Security > Register), which takes Contributor or Owner",
        )  # fmt: skip


def _plan(found: Findings) -> Iterator[Problem]:
    if "plan" in found.refused:
        yield Problem(
            "plan_unknown", WARNING, f"Whether Defender CSPM ({CLOUD_POSTURE}) is on could not be read",
            "Give the identity at least Security Reader, or look under Environment settings of Defender for Cloud",
        )  # fmt: skip
        return
    if found.plan is None or found.plan.get("pricingTier") == STANDARD:
        return
    yield Problem(
        "plan_off", ERROR, f"Defender CSPM ({CLOUD_POSTURE}) is off: governance rules and the ServiceNow integration need it",
        "Switch it on (mdc_plan, or Environment settings > Defender plans); it is billed",
    )  # fmt: skip
    if judged(found.permissions, OWNER_ACTION) == DENIED:
        yield Problem(
            "not_owner", WARNING, "The identity may not assign roles, so some extensions of the plan will not switch on",
            "Let an Owner of the subscription switch the plan on",
        )  # fmt: skip


# -- who is calling -------------------------------------------------------------------------------------------------------


def caller_of(manager: ArmClient) -> dict[str, str]:
    """Return who the token was issued for; empty texts where it does not tell (claim `oid`, likely).

    See docs/facts/entra.md#token-claims.
    """
    names = {
        "object_id": ("oid",),
        "application_id": ("appid", "azp"),
        "name": ("upn", "unique_name"),
        "tenant_id": ("tid",),
    }
    claims = caller_claims(manager.session)
    return {name: next((str(claims[c]) for c in found if claims.get(c)), "") for name, found in names.items()}
