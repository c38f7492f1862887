# SPDX-License-Identifier: GPL-3.0-or-later
"""Predicts in check mode which governance assignments the platform would refuse to write."""

from __future__ import annotations

from ...engine.errors import Refused
from ..arm.client import ArmClient
from ..arm.permissions import DENIED, read_permissions, verdict_on
from .access_check import CAPABILITIES
from .pricings_api import CLOUD_POSTURE, FREE, pricing_path
from .pricings_api import VERSION as PRICING_VERSION

WRITE = next(capability for capability in CAPABILITIES if capability.id == "write_assignments")


class AssignmentPreflight:
    """What the platform would refuse, read once for each subscription."""

    def __init__(self, client: ArmClient) -> None:
        self.client = client
        self._refusals: dict[str, str] = {}

    def refusal(self, resource_id: str) -> str:
        """Return why an assignment of a resource could not be written, "" where nothing speaks against it."""
        parts = resource_id.strip("/").split("/")
        if len(parts) < 2 or parts[0].casefold() != "subscriptions":
            return ""
        subscription = parts[1].casefold()
        if subscription not in self._refusals:
            self._refusals[subscription] = self._read(subscription)
        return self._refusals[subscription]

    def _read(self, subscription: str) -> str:
        """See docs/facts/defender_for_cloud.md#automatic-tickets for the plan; what may not be read refuses nothing."""
        scope = f"/subscriptions/{subscription}"
        try:
            plan = self.client.find(pricing_path(scope, CLOUD_POSTURE), PRICING_VERSION) or {}
            if (plan.get("properties") or {}).get("pricingTier") == FREE:
                return (
                    f"Defender CSPM ({CLOUD_POSTURE}) is off on subscription {subscription}, and governance assignments require it. "
                    f"Turn it on (module mdc_plan)"
                )
            denied = verdict_on(read_permissions(self.client, scope), *WRITE.actions) == DENIED
        except Refused:
            return ""
        if not denied:
            return ""
        return f"the identity may not {WRITE.what} on subscription {subscription} ({WRITE.actions[0]}). Give it {WRITE.roles} there"
