# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test can turn on the tenant. Names and defaults are part of the control API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..faults import read_fault
from ..settings import merge


def _one_of(*choices: Any) -> Any:
    return field(default=choices[0], metadata={"choices": choices})


@dataclass(frozen=True)
class TenantKnobs:
    """All knobs of the tenant. Where the vendor documents nothing, a knob decides between what clients must stand."""

    client_secret: str = _one_of("valid", "expired")
    application: str = _one_of("present", "disabled", "removed")
    """The app registration that the inventory names."""
    managed_identity: bool = True
    api_token: str = _one_of("valid", "revoked")
    """The legacy API token."""
    mda_permissions: list[str] = field(default_factory=lambda: ["Investigation.manage", "Settings.manage"])
    graph_permissions: list[str] = field(
        default_factory=lambda: [
            "ThreatHunting.Read.All",
            "SecurityEvents.ReadWrite.All",
            "User.Read.All",
            "User.RevokeSessions.All",
            "User.EnableDisableAccount.All",
            "Directory.Read.All",
            "Mail.Send",
        ]
    )
    token_lifetime: int = 3599
    throttle: int = 30
    """Cloud Apps calls in a window of `throttle_seconds`; 0 admits any number."""
    throttle_seconds: float = 60.0
    throttle_body: str = _one_of("json", "text", "empty")
    retry_after: bool = False
    """Whether a throttled Cloud Apps call is told how long to wait."""
    page_size: int = 100
    """Largest and default page of a Cloud Apps list."""
    scan_size: int = 500
    """Smallest and default page of a scan."""
    connector_routes: str = _one_of("token", "refused", "any")
    """Who reaches the undocumented routes at the API host: a legacy token, nobody, or a bearer token as well."""
    portal_session: str = _one_of("valid", "expired")
    portal_routes: str = _one_of("open", "refused")
    """`refused`: the signed-in account lacks the Cloud Apps role."""
    portal_session_seconds: float = 28800.0
    xsrf_seconds: float = 300.0
    wizard_answer: str = _one_of("as recorded", "field renamed", "other status")
    wizard_confirm: bool = True
    """A submitted connector starts to connect only once the wizard confirms it."""
    wizard_strict: bool = True
    """A request id that was used before, or a time more than ten minutes off, is refused."""
    connect_seconds: float = 0.5
    """How long a connector is at least seen connecting."""
    data_delay: float = 1.0
    """Seconds from connecting until accounts and activities appear."""
    sync_seconds: float = 20.0
    """Age from which a connector's data are read again when somebody looks at them."""
    connect_timeout: float = 10.0
    """Seconds that the tenant waits for an instance."""
    silent: bool = False
    """Connectors connect but bring no activities: a quiet instance."""
    hunting_calls: int = 0
    """Hunting calls per minute; 0 admits any number."""
    hunting_schema: str = _one_of("name", "Name")
    """How the keys of a hunting schema are written: the vendor's examples differ."""
    egress_address: str = "203.0.113.20"
    """The address from which connectors call, as address rules of an instance see it."""
    posture_delay: float = 0.0
    """Seconds for which a connector's reading of the posture is good; in the field up to 86400."""
    score_combination: str = _one_of("every", "any", "share")
    """How many connected instances must follow a control to win it; `share` gives points for each."""
    score_missing: str = _one_of("failed", "in force")
    """Whether a property without a row fails its control, or counts with the value in force without it."""
    score_third_party: str = _one_of("unchanged", "won")
    """Whether a control marked as handled by a third party wins its points."""
    score_categories: str = _one_of("2026", "2024")
    """2024: all controls of ServiceNow are filed under Apps; 2026: under Identity and Apps."""
    score_retired: list[str] = field(default_factory=list)
    """Ids of controls that are no longer scored."""
    score_retired_as: str = _one_of("absent", "deprecated")
    score_unknown: list[str] = field(default_factory=list)
    """Ids of further controls of ServiceNow, of which nothing is known."""
    graph_page: int = 100
    """Largest and default page of a Graph list."""
    graph_calls: int = 0
    """Calls of scores and users in a window of `graph_window` seconds; 0 admits any number."""
    graph_window: float = 10.0
    graph_retry_after: bool = True
    """Whether a throttled call of these is told how long to wait."""
    application_is_privileged: bool = False
    """Whether the application has the Entra role that acting on administrators takes."""
    synced_users: str = _one_of("reverted", "refused")
    """What becomes of disabling a user who is synced from on premises."""
    revoke_seconds: float = 0.0
    """Seconds until revoked sessions have ended; in the field minutes."""
    suspects: list[str] = field(default_factory=list)
    """Mail nicknames of users whom hunting shows with failed sign-ins an hour ago."""
    faults: list[Any] = field(default_factory=list)
    """A path is relative to the tenant: /entra/*, /graph/*, /mda/*, /portal/*."""
    latency_ms: float = 0.0
    time_shift: float = 0.0
    """Seconds the tenant's clock runs ahead."""


def turn(current: TenantKnobs, data: Mapping[str, Any]) -> TenantKnobs:
    """Return the knobs with some of them changed; raises SettingError for unknown names and wrong values."""
    changed = merge(current, data)
    object.__setattr__(changed, "faults", [read_fault(fault) for fault in changed.faults])
    return changed
