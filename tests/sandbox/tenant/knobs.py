# SPDX-License-Identifier: GPL-3.0-or-later
"""The knobs of the tenant. Names and defaults are part of the control API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..faults import read_fault
from ..settings import merge, one_of
from .arm.knobs import ArmKnobs


@dataclass(frozen=True)
class TenantKnobs(ArmKnobs):
    """All knobs of the tenant. Undocumented behaviour that clients must tolerate is selected by a knob."""

    client_secret: str = one_of("valid", "expired")
    application: str = one_of("present", "disabled", "removed")
    """The app registration in the inventory."""
    managed_identity: bool = True
    api_token: str = one_of("valid", "revoked")
    """The legacy API token."""
    mda_permissions: list[str] = field(default_factory=lambda: ["Investigation.manage", "Settings.manage"])
    graph_permissions: list[str] = field(
        default_factory=lambda: [
            "ThreatHunting.Read.All",
            "SecurityEvents.ReadWrite.All",
            "SecurityAlert.ReadWrite.All",
            "SecurityIncident.ReadWrite.All",
            "User.Read.All",
            "User.RevokeSessions.All",
            "User.EnableDisableAccount.All",
            "Directory.Read.All",
            "Mail.Send",
            "Application.Read.All",
            "Policy.Read.All",
            "Policy.ReadWrite.ConditionalAccess",
            "Application.ReadWrite.OwnedBy",
        ]
    )
    token_lifetime: int = 3599
    throttle: int = 30
    """Cloud Apps calls in a window of `throttle_seconds`; 0 is unlimited."""
    throttle_seconds: float = 60.0
    throttle_body: str = one_of("json", "text", "empty")
    retry_after: bool = False
    """Whether the response to a throttled Cloud Apps call has `Retry-After`."""
    page_size: int = 100
    """Largest and default page of a Cloud Apps list."""
    scan_size: int = 500
    """Smallest and default page of a scan."""
    connector_routes: str = one_of("token", "refused", "any")
    """Credentials that the undocumented routes at the API host accept: legacy token, none, or also a bearer token."""
    portal_session: str = one_of("valid", "expired")
    portal_routes: str = one_of("open", "refused")
    """`refused`: the signed-in account lacks the Cloud Apps role."""
    portal_session_seconds: float = 28800.0
    xsrf_seconds: float = 300.0
    wizard_answer: str = one_of("as recorded", "field renamed", "other status")
    wizard_confirm: bool = True
    """A submitted connector starts to connect only after the wizard confirms it."""
    wizard_strict: bool = True
    """A request id that was used before, or a time more than ten minutes off, is refused."""
    connect_seconds: float = 0.5
    """Minimum duration of the state connecting in seconds."""
    data_delay: float = 1.0
    """Seconds from connecting until accounts and activities appear."""
    sync_seconds: float = 20.0
    """Age in seconds after which a connector's data is synchronized again on a read."""
    connect_timeout: float = 10.0
    """Seconds that the tenant waits for an instance."""
    silent: bool = False
    """Connectors connect but deliver no activities: an idle instance."""
    hunting_calls: int = 0
    """Hunting calls per minute; 0 is unlimited."""
    hunting_schema: str = one_of("name", "Name")
    """Spelling of the keys of a hunting schema: the vendor's examples differ."""
    egress_address: str = "203.0.113.20"
    """The source address of connectors for IP access rules of an instance."""
    posture_delay: float = 0.0
    """Seconds for which a reading of the posture is valid; in the field up to 86400."""
    score_combination: str = one_of("every", "any", "share")
    """Share of the connected instances that must follow a control to score it; `share` gives points for each."""
    score_missing: str = one_of("failed", "in force")
    """Whether a property without a row fails its control, or counts with its default."""
    score_third_party: str = one_of("unchanged", "won")
    """Whether a control marked as handled by a third party gets its points."""
    score_categories: str = one_of("2026", "2024")
    """Categories of ServiceNow controls: 2024: Apps; 2026: Identity and Apps."""
    score_retired: list[str] = field(default_factory=list)
    """Ids of controls that are no longer scored."""
    score_retired_as: str = one_of("absent", "deprecated")
    score_unknown: list[str] = field(default_factory=list)
    """Ids of additional, unknown controls of ServiceNow."""
    directory_delay: float = 0.0
    """Seconds until a new application or service principal is replicated: found in lists, and accepted by other calls."""
    graph_page: int = 100
    """Largest and default page of a Graph list."""
    graph_calls: int = 0
    """Calls of scores and users in a window of `graph_window` seconds; 0 is unlimited."""
    graph_window: float = 10.0
    graph_retry_after: bool = True
    """Whether the response to such a throttled call has `Retry-After`."""
    application_is_privileged: bool = False
    """Whether the application has the Entra role required for actions on administrators."""
    synced_users: str = one_of("reverted", "refused")
    """The result of disabling a user who is synced from on premises."""
    revoke_seconds: float = 0.0
    """Seconds until revoked sessions end; in the field minutes."""
    suspects: list[str] = field(default_factory=list)
    """Mail nicknames of users for whom hunting returns a failed sign-in one hour ago."""
    faults: list[Any] = field(default_factory=list)
    """A path is relative to the tenant: /arm/*, /entra/*, /graph/*, /mda/*, /portal/*."""
    latency_ms: float = 0.0
    time_shift: float = 0.0
    """Seconds that the tenant's clock is ahead."""


def turn(current: TenantKnobs, data: Mapping[str, Any]) -> TenantKnobs:
    """Return the knobs with some of them changed; raises SettingError for unknown names and wrong values."""
    changed = merge(current, data)
    object.__setattr__(changed, "faults", [read_fault(fault) for fault in changed.faults])
    return changed
