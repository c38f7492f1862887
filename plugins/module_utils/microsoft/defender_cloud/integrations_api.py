# SPDX-License-Identifier: GPL-3.0-or-later
"""Integrations with ServiceNow: read and written as in Microsoft's draft, or by a contract.

See docs/facts/defender_for_cloud.md#integrations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import EngineError, InvalidInput
from ...engine.plan import Write
from ...recorded_api.replay import Replay
from ...transport.errors import TransportError
from ...transport.polling import ProgressLine, pause
from ..arm.client import ArmClient
from ..arm.json_properties import merge_patch
from ..arm.resource_provider import read_provider
from ..arm.scopes import Scope, same_path
from .scoped_objects_api import ScopedObjectsEndpoint, scope_of_id

COLLECTION, SERVICENOW = "integrations", "ServiceNow"
# The first is the only one of the provider's manifest, the other was proposed with the same shape
# (docs/facts/defender_for_cloud.md#integration-resource).
SHIPPED = "2023-07-01-preview"
KNOWN_VERSIONS = ("2024-01-31", SHIPPED)
# Option -> property of `authenticationDetails`.
CREDENTIALS = {
    "instance_url": "instanceUrl",
    "username": "userName",
    "password": "password",
    "client_id": "clientId",
    "client_secret": "clientSecret",
}
DELETION_INTERVAL = 5.0


def names_of(client: ArmClient, scope: Scope) -> list[str]:
    """Return the names of the integrations in effect on `scope`, also of inherited ones; none where they cannot be read."""
    path = f"{scope.path}/providers/Microsoft.Security/{COLLECTION}"
    try:
        rows = client.rows(path, SHIPPED)
    except (EngineError, TransportError):
        return []
    return sorted(str((row.get("properties") or {}).get("displayName") or row.get("name") or "") for row in rows)


def version_for(client: ArmClient, scope: Scope, given: str | None) -> str:
    """Return the api-version to use: the given one, else the newest known one that the subscription offers.

    Where it offers none of these, its newest preview; where its versions cannot be read, the one of the draft.
    Raises `InvalidInput` for a subscription whose provider has no integrations.
    """
    if given:
        return given
    subscription = scope.subscription or client.params.get("azure_subscription_id")
    provider = read_provider(client, subscription) if subscription else None
    if provider is None or not provider.versions:
        return SHIPPED
    listed = provider.versions.get(COLLECTION, ())
    if not listed:
        raise InvalidInput(
            f"the provider Microsoft.Security of subscription {subscription} lists no type integrations, so ServiceNow cannot be connected "
            f"there by this API. Check Environment settings > Integrations in the portal; api_version overrides the list"
        )
    known = next((version for version in KNOWN_VERSIONS if version in listed), "")
    return known or max((version for version in listed if version.endswith("-preview")), default=max(listed))


class IntegrationsEndpoint(ScopedObjectsEndpoint):
    """The integrations in effect on a scope. `credentials` (by option) are part of every PUT: they are never returned.

    `replay` is a contract that replaces the draft for the operations that it has.
    """

    kind = COLLECTION

    def __init__(
        self,
        client: ArmClient,
        scope: Scope,
        version: str,
        *,
        wait_timeout: float = 600.0,
        credentials: Mapping[str, str] | None = None,
        replay: Replay | None = None,
    ) -> None:
        super().__init__(client, scope, version, wait_timeout)
        self.credentials = dict(credentials or {})
        self.replay = replay

    def inherited_from(self, document: Mapping[str, Any]) -> str:
        """Return the scope that an integration is defined on, "" for this one (distance 0 = defined here).

        See docs/facts/defender_for_cloud.md#integration-body.
        """
        root = (document.get("properties") or {}).get("integrationRootDetails") or {}
        if root.get("distance") in (None, 0):
            return super().inherited_from(document)
        found = scope_of_id(str(root.get("resourceId") or ""), self.kind)
        return found if found and not same_path(found, self.scope.path) else "another scope"

    @property
    def details(self) -> dict[str, str]:
        """The credentials as the API names them."""
        return {CREDENTIALS[name]: value for name, value in self.credentials.items()}

    def body_of(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the properties with the credentials, which no plan holds."""
        if not self.credentials:
            return properties
        return dict(merge_patch(properties, {"additionalData": {"authenticationDetails": self.details}}))

    def put(self, write: Write, row_id: str, properties: Mapping[str, Any]) -> None:
        """Create or replace an integration."""
        if not self._replayed(write.action, write.label, row_id, properties):
            super().put(write, row_id, properties)

    def delete(self, write: Write, row_id: str) -> None:
        """Remove an integration and wait until the list does not show it any more."""
        if not self._replayed(write.action, write.label, row_id, {}):
            super().delete(write, row_id)
            return
        progress = ProgressLine(self.client.context.progress)
        while any(row["id"] == row_id for row in self.read().rows) and progress.seconds < self.wait_timeout:
            pause(DELETION_INTERVAL, progress, lambda seconds: f"removing {write.label}: running for {seconds:.0f} s")

    def _replayed(self, operation: str, label: str, row_id: str, properties: Mapping[str, Any]) -> bool:
        if self.replay is None or not self.replay.offers(operation):
            return False
        self.replay.run(operation, self.placeholders(label, row_id, properties))
        return True

    def placeholders(self, label: str, row_id: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values for a contract's placeholders."""
        host = self.credentials.get("instance_url", "").partition("://")[2]
        return {
            **self.credentials,
            **({"instance_host": host} if host else {}),
            "id": row_id,
            "name": properties.get("displayName") or label.partition(" ")[2],
            "scope": self.scope.path.strip("/"),
            "api_version": self.version,
            "disabled": bool(properties.get("isDisabled")),
            "excluded_scopes": properties.get("excludedScopes") or [],
            "include_members": bool(properties.get("includeMembersInScopes")),
            "properties": self.body_of(properties),
        }
