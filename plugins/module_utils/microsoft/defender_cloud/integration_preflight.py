# SPDX-License-Identifier: GPL-3.0-or-later
"""Before an integration is written: can it work at all, and does ServiceNow accept the credentials?

See docs/facts/defender_for_cloud.md#integrations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import EngineError, InvalidInput, Refused
from ...transport.errors import TransportError
from ..arm.client import PROVIDER
from ..arm.scopes import SUBSCRIPTION
from .integrations_api import IntegrationsEndpoint
from .pricings_api import CLOUD_POSTURE, STANDARD, pricing_path
from .pricings_api import VERSION as PRICING_VERSION

CONNECTORS_VERSION = "2023-03-01-preview"
OTHER_CLOUDS = {"aws": "AWS", "gcp": "GCP"}
# The open enum `errorType` (docs/facts/defender_for_cloud.md#integration-body). What it means, and what to do.
MEANINGS = {
    "wrongcredentials": (
        "did not accept the credentials",
        "Check username, password, client_id and client_secret; snow_oauth_check finds out which of them is wrong",
    ),
    "userunauthorized": (
        "accepted the credentials, but the user may not read what Defender for Cloud needs",
        "Microsoft asks for an administrator in ServiceNow; give the user that role, or name another one",
    ),
}
SUCCEEDED, FAILED, UNAVAILABLE, SKIPPED = "succeeded", "failed", "unavailable", "skipped"
# The path is the least reliable part of the draft (docs/facts/defender_for_cloud.md#integration-operations): these
# answers say that there is no such path.
NO_SUCH_ROUTE = (400, 404, 405)


class IntegrationPreflight:
    """Everything that is looked at before the first write, and the connection test, whose last `outcome` is kept.

    Not `wanted`: what earlier tasks of the run see to is taken for granted.
    """

    def __init__(self, routes: IntegrationsEndpoint, *, wanted: bool = True) -> None:
        self.wanted = wanted
        self.routes, self.manager, self.scope = routes, routes.manager, routes.scope
        self.outcome: dict[str, str] = {"status": SKIPPED, "message": ""}

    def require_plan(self) -> None:
        """Raise `InvalidInput` where Defender CSPM is off; a management group has no plan of its own."""
        if not self.scope.subscription or not self.wanted:
            return
        try:
            path = pricing_path(f"/subscriptions/{self.scope.subscription}", CLOUD_POSTURE)
            plan = self.manager.find(path, PRICING_VERSION)
        except Refused as refusal:
            if "AuthorizationFailed" not in str(refusal):
                raise
            return
        tier = ((plan or {}).get("properties") or {}).get("pricingTier")
        if tier != STANDARD:
            raise InvalidInput(
                f"Defender CSPM ({CLOUD_POSTURE}) is off on subscription {self.scope.subscription}, and the ServiceNow integration needs it. Nothing "
                f"was written; switch it on with mdc_plan"
            )

    def other_clouds(self) -> list[str]:
        """Return the AWS and GCP connectors of a subscription, whose findings an integration on it does not cover."""
        if self.scope.kind != SUBSCRIPTION:
            return []
        try:
            rows = self.manager.rows(f"{self.scope.path}/providers/{PROVIDER}/securityConnectors", CONNECTORS_VERSION)
        except (EngineError, TransportError):
            return []
        # The name of the property is the one in Microsoft's specification of connectors: LIKELY.
        clouds = [(row, str((row.get("properties") or {}).get("environmentName") or "").casefold()) for row in rows]
        return [f"{row.get('name')} ({OTHER_CLOUDS[cloud]})" for row, cloud in clouds if cloud in OTHER_CLOUDS]

    def test(self, label: str, when: str) -> None:
        """Try the credentials; raise `InvalidInput` where ServiceNow refuses them, warn where they cannot be tried."""
        if not self.wanted:
            return
        told = self._told(label)
        if told is None:
            self.outcome = {"status": UNAVAILABLE, "message": "the connection test does not exist here"}
            self.manager.context.warn(
                f"{label}: the credentials could not be tried beforehand; this api-version has no connection test. Look at the first ticket, or "
                f"use snow_oauth_check"
            )
            return
        succeeded, kind, words = told
        if succeeded:
            self.outcome = {"status": SUCCEEDED, "message": ""}
            return
        meaning, remedy = MEANINGS.get(
            kind.casefold(), ("could not be connected", "See the words, and check instance_url")
        )
        self.outcome = {"status": FAILED, "message": f"{kind}: {words}"}
        told_words = f" ({kind}{': ' + words if words else ''})" if kind else ""
        raise InvalidInput(
            f"{label}: {self.routes.credentials['instance_url']} {meaning}{told_words}. {remedy}. {when}"
        )

    def _told(self, label: str) -> tuple[bool, str, str] | None:
        """Return whether the credentials work, the kind of error and its words; None where there is no way to tell."""
        replay = self.routes.replay
        if replay and replay.offers("test"):
            found = replay.run("test", self.routes.placeholders(label, "", "{}"), only_reads=True)
            return bool(found.get("succeeded", True)), str(found.get("error_type", "")), str(found.get("error", ""))
        answer = self.manager.call(
            "POST",
            f"{self.scope.path}/providers/{PROVIDER}/getIntegrationTablesConfigurations",
            self.routes.version,
            body=self.routes.details,
            accept=NO_SUCH_ROUTE,
            only_reads=True,
        )
        data: Mapping[str, Any] = answer.data if isinstance(answer.data, dict) else {}
        if answer.status in NO_SUCH_ROUTE or "authenticationSucceeded" not in data:
            return None
        words = self.manager.context.redactor.scrub_text(str(data.get("errorDescription") or ""))
        return data["authenticationSucceeded"] is True, str(data.get("errorType") or ""), words

    def tickets_at_stake(self) -> int | None:
        """Return how many assignments of the scope have a ticket, None where Resource Graph does not tell.

        See docs/facts/defender_for_cloud.md#resource-graph.
        """
        query = (
            'securityresources | where type == "microsoft.security/assessments/governanceassignments" '
            "| where isnotnull(properties.additionalData.ticketNumber) | summarize tickets=count()"
        )
        subscription = self.scope.subscription
        try:
            rows = self.manager.graph(query, [subscription] if subscription else None)
            return int(rows[0]["tickets"]) if rows else None
        except (EngineError, TransportError, KeyError, TypeError, ValueError):
            return None
