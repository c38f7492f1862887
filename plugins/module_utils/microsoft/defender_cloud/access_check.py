# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the caller can connect Defender for Cloud with ServiceNow, and what prevents it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...engine.errors import Refused
from ...engine.problem import ERROR, WARNING, Problem, errors_first
from ..arm.client import WRITERS, ArmClient
from ..arm.permissions import DENIED, UNKNOWN, read_permissions, verdict_on
from ..arm.resource_provider import Provider, read_provider
from ..arm.scopes import Scope
from ..entra.clouds import DEFAULT_CLOUD
from ..entra.tokens import caller_claims
from .pricings_api import CLOUD_POSTURE, FOUNDATIONAL, extensions_of, foundational_off, is_off, is_on, pricing_path
from .pricings_api import VERSION as PRICING_VERSION

REGISTERED = "registered"
OWNER_ACTION = "Microsoft.Authorization/roleAssignments/write"
NOT_SUBSCRIPTION = "not_applicable"
# See docs/facts/defender_for_cloud.md#clouds-with-the-integration.
SOVEREIGN = (
    "Do not connect Defender for Cloud there. ServiceNow's own application Microsoft Defender integration for Security Operations brings "
    "incidents of Defender into Security Incident Response (SIR), also in GCC High and DoD; or write tickets without the integration "
    "(mdc_assignments, snow_tickets)"
)


@dataclass(frozen=True)
class Capability:
    """A task and the actions that it requires. The reference spells those of integrations differently from their type.

    See docs/facts/defender_for_cloud.md#permissions.
    """

    id: str
    what: str
    actions: tuple[str, ...]
    roles: str = WRITERS


CAPABILITIES = (
    Capability("read_recommendations", "read recommendations", ("Microsoft.Security/assessments/read",), "Security Reader"),
    Capability("write_plan", "turn plans on", ("Microsoft.Security/pricings/write",)),
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
    """What was read. `refused` holds the platform's message for what could not be read."""

    scope: Scope
    cloud: str
    permissions: list[dict[str, Any]] | None = None
    provider: Provider | None = None
    plan: Mapping[str, Any] | None = None
    foundational: Mapping[str, Any] | None = None
    refused: dict[str, Refused] = field(default_factory=dict)


def access_facts(client: ArmClient, scope: Scope) -> dict[str, Any]:
    """Return `access` and `problems` as `mdc_access_info` returns them.

    Raises `Refused` for a subscription that does not exist or of which the caller may read nothing.
    """
    found = _read(client, scope)
    verdicts = {capability.id: verdict_on(found.permissions, *capability.actions) for capability in CAPABILITIES}
    problems = errors_first(sorted(_problems(found, verdicts), key=lambda problem: problem.id))
    properties = found.plan or {}
    access = {
        "scope": scope.path,
        "cloud": found.cloud,
        "caller": caller_of(client),
        "capabilities": verdicts,
        "actions": {action: verdict_on(found.permissions, action) for c in CAPABILITIES for action in c.actions},
        "provider": or_unknown(found, found.provider.state if found.provider else ""),
        "plan": {
            "name": CLOUD_POSTURE,
            "tier": or_unknown(found, str(properties.get("pricingTier") or "")),
            "extensions": list(extensions_of(properties).values()),
        },
        "foundational_plan": {
            "name": FOUNDATIONAL,
            "tier": or_unknown(found, str((found.foundational or {}).get("pricingTier") or "")),
        },
        "integration_api_versions": list(found.provider.versions.get("integrations", ())) if found.provider else [],
    }
    summary = "; ".join(map(str, problems)) or "no problems"
    return {
        "msg": f"{scope} ({found.cloud}): {summary}",
        "access": access,
        "problems": [problem.as_dict() for problem in problems],
    }


def or_unknown(found: Findings, text: str) -> str:
    """Return `text`, or why there is none: it could not be read, or the scope has no such thing."""
    return text or (UNKNOWN if found.scope.subscription else NOT_SUBSCRIPTION)


def _read(client: ArmClient, scope: Scope) -> Findings:
    cloud = client.params.get("azure_cloud") or DEFAULT_CLOUD
    found = Findings(scope, cloud)
    if scope.subscription:
        found.provider = read_provider(client, scope.subscription)
    found.permissions = read_permissions(client, scope.path)
    if scope.subscription and (found.provider is None or found.provider.state.casefold() == REGISTERED):
        for name, plan in (("plan", CLOUD_POSTURE), ("foundational", FOUNDATIONAL)):
            try:
                path = pricing_path(f"/subscriptions/{scope.subscription}", plan)
                setattr(found, name, (client.find(path, PRICING_VERSION) or {}).get("properties") or {})
            except Refused as refusal:
                found.refused[name] = refusal
    if found.permissions is None and found.provider is None and found.plan is None:
        raise found.refused.get("plan") or Refused(
            f"{scope} does not exist, or the identity may read nothing of it. Check the id, and give the identity {WRITERS} there (Access "
            f"control (IAM) > Add role assignment)"
        )
    return found


# -- problems -------------------------------------------------------------------------------------------------------------


def _problems(found: Findings, verdicts: Mapping[str, str]) -> Iterator[Problem]:
    if found.cloud != DEFAULT_CLOUD:
        yield Problem(
            "cloud_unsupported", ERROR, f"{found.cloud} has no integration with ServiceNow: Microsoft offers it in the commercial cloud only",
            SOVEREIGN,
        )  # fmt: skip
    yield from _rights(found, verdicts)
    if found.scope.subscription:
        yield from _provider(found)
        yield from _plan(found)


def _rights(found: Findings, verdicts: Mapping[str, str]) -> Iterator[Problem]:
    if found.permissions is None:
        yield Problem(
            "permissions_unknown", WARNING, f"The permissions of the identity on {found.scope} could not be read",
            f"Make sure that it has {WRITERS} there; the first write will show",
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
                f"Whether the identity may {capability.what} is unknown: it has only one of {' and '.join(capability.actions)}, and Microsoft "
                f"does not document which one counts",
                "Add Microsoft.Security/* to the custom role",
            )  # fmt: skip


def _provider(found: Findings) -> Iterator[Problem]:
    if found.provider is None:
        yield Problem(
            "provider_unknown", WARNING, "Whether the provider Microsoft.Security is registered could not be read",
            "Check Resource providers of the subscription",
        )  # fmt: skip
    elif found.provider.state.casefold() != REGISTERED:
        yield Problem(
            "provider_not_registered", ERROR, f"The provider Microsoft.Security is {found.provider.state or 'not registered'} on the subscription",
            "Register it (the subscription > Resource providers > Microsoft.Security > Register), which requires Contributor or Owner",
        )  # fmt: skip


def _plan(found: Findings) -> Iterator[Problem]:
    for name, plan, title in (
        ("plan", CLOUD_POSTURE, "Defender CSPM"),
        ("foundational", FOUNDATIONAL, "Foundational CSPM"),
    ):
        if name in found.refused:
            yield Problem(
                f"{name}_unknown", WARNING, f"Whether {title} ({plan}) is on could not be read",
                "Give the identity at least Security Reader, or check Environment settings of Defender for Cloud",
            )  # fmt: skip
    if is_off(found.foundational):
        yield foundational_off(found.scope.subscription)
    if found.plan is None or is_on(found.plan):
        return
    yield Problem(
        "plan_off", ERROR, f"Defender CSPM ({CLOUD_POSTURE}) is off; governance rules and the ServiceNow integration require it",
        "Turn it on (mdc_plan, or Environment settings > Defender plans); it is billed",
    )  # fmt: skip
    if verdict_on(found.permissions, OWNER_ACTION) == DENIED:
        yield Problem(
            "not_owner", WARNING, "The identity may not assign roles, so some extensions of the plan cannot be turned on",
            "Let an Owner of the subscription turn the plan on",
        )  # fmt: skip


# -- who is calling -------------------------------------------------------------------------------------------------------


def caller_of(client: ArmClient) -> dict[str, str]:
    """Return whom the token was issued for; empty texts for claims that it does not have (`oid` is LIKELY).

    See docs/facts/entra.md#token-claims.
    """
    names = {
        "object_id": ("oid",),
        "application_id": ("appid", "azp"),
        "name": ("upn", "unique_name"),
        "tenant_id": ("tid",),
    }
    claims = caller_claims(client.session)
    return {name: next((str(claims[c]) for c in found if claims.get(c)), "") for name, found in names.items()}
