# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test can turn on the tenant. Names and defaults are part of the control API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..faults import read_fault
from ..settings import merge, one_of
from .arm.knobs import ArmKnobs


@dataclass(frozen=True)
class TenantKnobs(ArmKnobs):
    """All knobs of the tenant. Where the vendor documents nothing, a knob decides between what clients must stand."""

    client_secret: str = one_of("valid", "expired")
    application: str = one_of("present", "disabled", "removed")
    """The app registration that the inventory names."""
    managed_identity: bool = True
    api_token: str = one_of("valid", "revoked")
    """The legacy API token."""
    mda_permissions: list[str] = field(default_factory=lambda: ["Investigation.manage", "Settings.manage"])
    graph_permissions: list[str] = field(
        default_factory=lambda: ["ThreatHunting.Read.All", "SecurityEvents.ReadWrite.All"]
    )
    token_lifetime: int = 3599
    throttle: int = 30
    """Cloud Apps calls in a window of `throttle_seconds`; 0 admits any number."""
    throttle_seconds: float = 60.0
    throttle_body: str = one_of("json", "text", "empty")
    retry_after: bool = False
    """Whether a throttled Cloud Apps call is told how long to wait."""
    page_size: int = 100
    """Largest and default page of a Cloud Apps list."""
    scan_size: int = 500
    """Smallest and default page of a scan."""
    connector_routes: str = one_of("token", "refused", "any")
    """Who reaches the undocumented routes at the API host: a legacy token, nobody, or a bearer token as well."""
    portal_session: str = one_of("valid", "expired")
    portal_routes: str = one_of("open", "refused")
    """`refused`: the signed-in account lacks the Cloud Apps role."""
    portal_session_seconds: float = 28800.0
    xsrf_seconds: float = 300.0
    wizard_answer: str = one_of("as recorded", "field renamed", "other status")
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
    hunting_schema: str = one_of("name", "Name")
    """How the keys of a hunting schema are written: the vendor's examples differ."""
    faults: list[Any] = field(default_factory=list)
    """A path is relative to the tenant: /arm/*, /entra/*, /graph/*, /mda/*, /portal/*."""
    latency_ms: float = 0.0
    time_shift: float = 0.0
    """Seconds the tenant's clock runs ahead."""


def turn(current: TenantKnobs, data: Mapping[str, Any]) -> TenantKnobs:
    """Return the knobs with some of them changed; raises SettingError for unknown names and wrong values."""
    changed = merge(current, data)
    object.__setattr__(changed, "faults", [read_fault(fault) for fault in changed.faults])
    return changed
