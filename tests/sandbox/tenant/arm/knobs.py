# SPDX-License-Identifier: GPL-3.0-or-later
"""The knobs of Resource Manager; part of the tenant's knobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...settings import one_of

ROLES = (
    "Security Admin",
    "Owner",
    "Contributor",
    "Security Reader",
    "Security Assessment Contributor",
    "Custom",
    "none",
)


@dataclass(frozen=True)
class ArmKnobs:
    """`subscriptions`, `findings` (and how they are), `plan` and `provider` are read when the tenant is created; the others apply at once."""

    subscriptions: int = 2
    findings: int = 12
    """Unhealthy assessments in each subscription; a few healthy ones and one that is not applicable are added."""
    individual: bool = False
    """Each finding has a recommendation of its own, with a category, as the service has since 2026-07-31."""
    resource_tags: dict[str, Any] = field(default_factory=dict)
    """Tag -> values: the resources of a subscription have them in turn, "" for none."""
    exempt: int = 0
    """Of the unhealthy findings of each subscription, how many are exempt; they are not applicable then."""
    attack_paths: int = 0
    """Of the findings of each subscription, how many are part of an attack path."""
    plan: str = one_of("Free", "Standard")
    """The tier of Defender CSPM in every subscription; governance and integrations require it."""
    foundational_plan: str = one_of("Standard", "Free")
    """The tier of Foundational CSPM in every subscription: without it there are no recommendations."""
    provider: str = one_of("Registered", "NotRegistered")
    azure_role: str = one_of(*ROLES)
    """The role of the caller on the management group, and so on all scopes."""
    azure_roles: dict[str, Any] = field(default_factory=dict)
    """Scope -> role, replaces `azure_role` on that scope and below it: {"/subscriptions/...": "none"}."""
    azure_actions: list[str] = field(default_factory=list)
    """The actions of the role `Custom`."""
    integration_action: str = one_of("integrations", "integration")
    """Spelling of the action that the draft resource requires: unknown (5)."""
    provider_visible: bool = True
    """False: reading a provider requires an action that the security roles lack."""
    emptied: list[str] = field(default_factory=list)
    """Subscriptions that list no assessment any more, although they are there: disabled, or the plan was lost."""
    graph_truncates: int = 0
    """Rows after which Resource Graph truncates a result, without a token; 0 never does."""
    graph_quota: int = 0
    """Calls of Resource Graph in five seconds; more are refused with the time until the quota is renewed, without `Retry-After`."""
    default_port: bool = False
    """Links name the cloud's own address with its default port, as recorded: https://management.azure.com:443/..."""
    lost_case: bool = False
    """Names, ids, tiers and codes in answers are in lower case, which Azure does not distinguish."""
    arm_page: int = 200
    """Rows per page of a list."""
    arm_reads: int = 0
    """Size of the read bucket of a subscription, refilled by a tenth per second; 0 is unlimited. Live: 250."""
    arm_writes: int = 0
    """The same for writes and, separately, for deletions; refilled by a twentieth per second. Live: 200."""
    pricing_seconds: float = 0.3
    """Seconds during which a subscription refuses the next plan change with 409."""
    eager_extensions: bool = False
    """Turning a plan on enables its default extensions, even those that the request turns off."""
    failing_extensions: list[str] = field(default_factory=list)
    """Extensions that fail although the response is 200."""
    operation_seconds: float = 0.3
    operation_style: str = one_of("Location", "Azure-AsyncOperation")
    operation_outcome: str = one_of("Succeeded", "Failed", "Canceled")
    operation_retry_after: int = 1
    """`Retry-After` of a long-running operation in seconds; 0 omits the header."""
    bare_ids: bool = True
    """Ids of rules and integrations have no leading slash, as in the vendor's examples."""
    integration_reput: str = one_of("blanks", "keeps", "refused")
    """What a PUT without credentials does to the stored ones: unknown (2.3)."""
    connection_test: bool = True
    """False: the path of the connection test does not exist, as its reviewers reported (2.2)."""
    integration_reads: str = one_of("tickets", "dictionary")
    """What the user of an integration must be able to read: the ticket tables, or also the definitions of their columns."""
    servicenow_rules: str = one_of("accepted", "refused bare")
    """`refused bare`: a ServiceNow rule requires the undocumented `additionalData` that the portal sends."""
    vendor_tickets: bool = False
    """The tenant itself creates tickets for ServiceNow rules and follows their status; the details are made up."""
