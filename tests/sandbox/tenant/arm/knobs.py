# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test can turn on the Resource Manager; part of the tenant's knobs."""

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
    """`subscriptions`, `findings`, `plan` and `provider` are taken when the tenant is made; the others work at once."""

    subscriptions: int = 2
    findings: int = 12
    """Unhealthy assessments in each subscription; a few healthy ones and one that does not apply come on top."""
    plan: str = one_of("Free", "Standard")
    """The tier of Defender CSPM in every subscription; governance and integrations are refused without it."""
    provider: str = one_of("Registered", "NotRegistered")
    azure_role: str = one_of(*ROLES)
    """The role of the caller on the management group, so on everything."""
    azure_roles: dict[str, Any] = field(default_factory=dict)
    """Scope -> role, in place of `azure_role` on that scope and below it: {"/subscriptions/...": "none"}."""
    azure_actions: list[str] = field(default_factory=list)
    """The actions of the role Custom."""
    integration_action: str = one_of("integrations", "integration")
    """How the action is spelt that the draft resource asks for: unknown (5)."""
    provider_visible: bool = True
    """False: reading a provider takes an action that the security roles lack."""
    arm_page: int = 200
    """Rows in a page of a list."""
    arm_reads: int = 0
    """Reads that the bucket of a subscription holds, refilled by a tenth a second; 0 admits any number. Live: 250."""
    arm_writes: int = 0
    """The same for writes, and apart for deletions, refilled by a twentieth a second. Live: 200."""
    pricing_seconds: float = 0.3
    """How long a subscription refuses the next change of a plan with 409."""
    failing_extensions: list[str] = field(default_factory=list)
    """Extensions that fail inside a 200."""
    operation_seconds: float = 0.3
    operation_style: str = one_of("Location", "Azure-AsyncOperation")
    operation_outcome: str = one_of("Succeeded", "Failed", "Canceled")
    operation_retry_after: int = 0
    """Seconds that a long-running operation asks to wait between looks; 0 leaves the header out."""
    bare_ids: bool = True
    """Ids of rules and integrations come without a slash in front, as in the vendor's examples."""
    integration_reput: str = one_of("blanks", "keeps", "refused")
    """What a PUT without credentials does to those the integration has: unknown (2.3)."""
    connection_test: bool = True
    """False: the path of the connection test does not exist, as its reviewers said (2.2)."""
    integration_reads: str = one_of("tickets", "dictionary")
    """What the user of an integration must be able to read: the tables of tickets, or their columns' definitions, too."""
    servicenow_rules: str = one_of("accepted", "refused bare")
    """`refused bare`: a ServiceNow rule must carry the undocumented `additionalData` that the portal sends."""
    vendor_tickets: bool = False
    """The tenant itself makes tickets for ServiceNow rules and follows their status; how it does so is made up."""
