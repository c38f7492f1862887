# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks before an integration is written: does it have what it requires, and does ServiceNow accept the credentials?

See docs/facts/defender_for_cloud.md#integrations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import EngineError, InvalidInput, Refused
from ...option_names import named_option
from ...transport.errors import TransportError
from ...transport.redact import Redactor
from ..arm.client import PROVIDER
from ..arm.scopes import SUBSCRIPTION
from .integrations_api import IntegrationsEndpoint
from .pricings_api import CLOUD_POSTURE, is_on, pricing_path
from .pricings_api import VERSION as PRICING_VERSION

CONNECTORS_VERSION = "2023-03-01-preview"
OTHER_CLOUDS = {"aws": "AWS", "gcp": "GCP"}
# By `errorType`, an open enum (docs/facts/defender_for_cloud.md#integration-body): the meaning and the remedy.
MEANINGS = {
    "wrongcredentials": (
        "did not accept the credentials",
        f"Check username, password, {named_option('client_id', 'mdc_itsm')} and {named_option('client_secret', 'mdc_itsm')}; "
        f"snow_oauth_check finds the wrong one",
    ),
    "userunauthorized": (
        "accepted the credentials, but the user may not read what Defender for Cloud requires",
        "Microsoft requires an administrator in ServiceNow; grant the user that role, or use another one",
    ),
}
SUCCEEDED, FAILED, UNAVAILABLE, SKIPPED = "succeeded", "failed", "unavailable", "skipped"
# The path is the least reliable part of the draft (docs/facts/defender_for_cloud.md#integration-operations): these
# statuses mean that the path does not exist.
NO_SUCH_PATH = (400, 404, 405)


class IntegrationPreflight:
    """The checks before the first write, and the connection test, whose last `outcome` is kept.

    Without `wanted`, the credentials and the plan are not checked.
    """

    def __init__(self, endpoint: IntegrationsEndpoint, *, wanted: bool = True) -> None:
        self.wanted = wanted
        self.endpoint, self.client, self.scope = endpoint, endpoint.client, endpoint.scope
        self.outcome: dict[str, str] = {"status": SKIPPED, "message": ""}

    @property
    def is_prediction(self) -> bool:
        """Whether this is check mode, where plan, account and credentials may be what earlier tasks have not written yet."""
        return bool(self.client.context.check_mode)

    def refuse(self, message: str) -> None:
        """Raise `InvalidInput` with the message, or warn in check mode: an earlier task of the same run may correct it."""
        if not self.is_prediction:
            raise InvalidInput(message)
        self.client.context.warn(
            f"{message}. In check mode this is no failure: an earlier task of this run may correct it"
        )

    def require_plan(self) -> None:
        """Refuse where Defender CSPM is off; a management group has no plan of its own."""
        if not self.scope.subscription or not self.wanted:
            return
        try:
            path = pricing_path(f"/subscriptions/{self.scope.subscription}", CLOUD_POSTURE)
            plan = self.client.find(path, PRICING_VERSION)
        except Refused as refusal:
            if "AuthorizationFailed" not in str(refusal):
                raise
            return
        if not is_on((plan or {}).get("properties")):
            self.refuse(
                f"Defender CSPM ({CLOUD_POSTURE}) is off on subscription {self.scope.subscription}, which the ServiceNow integration requires. Nothing "
                f"was written; turn it on with mdc_plan"
            )

    def other_clouds(self) -> list[str]:
        """Return the AWS and GCP connectors of a subscription; an integration on it does not cover their findings."""
        if self.scope.kind != SUBSCRIPTION:
            return []
        try:
            rows = self.client.rows(f"{self.scope.path}/providers/{PROVIDER}/securityConnectors", CONNECTORS_VERSION)
        except (EngineError, TransportError):
            return []
        # The name of the property is the one in Microsoft's specification of connectors: LIKELY.
        clouds = [(row, str((row.get("properties") or {}).get("environmentName") or "").casefold()) for row in rows]
        return [f"{row.get('name')} ({OTHER_CLOUDS[cloud]})" for row, cloud in clouds if cloud in OTHER_CLOUDS]

    def test(self, label: str, when: str) -> None:
        """Test the credentials; refuse where ServiceNow does not accept them, warn where they cannot be tested."""
        if not self.wanted:
            return
        result = self._test_result(label)
        if result is None:
            self.outcome = {"status": UNAVAILABLE, "message": "this api-version has no connection test"}
            self.client.context.warn(
                f"{label}: the credentials could not be tested before the write, as this api-version has no connection test. Check the first "
                f"ticket, or use snow_oauth_check"
            )
            return
        succeeded, kind, words = result
        if succeeded:
            self.outcome = {"status": SUCCEEDED, "message": ""}
            return
        meaning, remedy = MEANINGS.get(
            kind.casefold(),
            (
                "could not be connected",
                "Check instance_url (snow_url of the instance in the role) and the message of the platform",
            ),
        )
        self.outcome = {"status": FAILED, "message": f"{kind}: {words}"}
        quoted = f" ({kind}{': ' + words if words else ''})" if kind else ""
        self.refuse(f"{label}: {self.endpoint.credentials['instance_url']} {meaning}{quoted}. {remedy}. {when}")

    def _test_result(self, label: str) -> tuple[bool, str, str] | None:
        """Return whether the credentials work, the kind of error and its message; None where there is no test."""
        replay = self.endpoint.replay
        if replay and replay.offers("test"):
            found = replay.run("test", self.endpoint.placeholders(label, "", {}), only_reads=True)
            return bool(found.get("succeeded", True)), str(found.get("error_type", "")), str(found.get("error", ""))
        response = self.client.call(
            "POST",
            f"{self.scope.path}/providers/{PROVIDER}/getIntegrationTablesConfigurations",
            self.endpoint.version,
            body=self.endpoint.details,
            accept=NO_SUCH_PATH,
            only_reads=True,
        )
        return (
            None if response.status in NO_SUCH_PATH else parse_test_result(response.data, self.client.context.redactor)
        )

    def ticket_count(self) -> int | None:
        """Return how many assignments of the scope have a ticket, None where Resource Graph has no answer.

        See docs/facts/defender_for_cloud.md#resource-graph.
        """
        query = (
            'securityresources | where type == "microsoft.security/assessments/governanceassignments" '
            "| where isnotnull(properties.additionalData.ticketNumber) | summarize tickets=count()"
        )
        subscription = self.scope.subscription
        try:
            rows = self.client.resource_graph(query, [subscription] if subscription else None)
            return int(rows[0]["tickets"]) if rows else None
        except (EngineError, TransportError, KeyError, TypeError, ValueError):
            return None


def parse_test_result(data: Any, redactor: Redactor) -> tuple[bool, str, str] | None:
    """Return whether the credentials work, the kind of error and its message; None where the response has no result."""
    if not isinstance(data, Mapping) or "authenticationSucceeded" not in data:
        return None
    words = redactor.scrub_text(str(data.get("errorDescription") or ""))
    return data["authenticationSucceeded"] is True, str(data.get("errorType") or ""), words
