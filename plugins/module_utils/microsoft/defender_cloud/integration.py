# SPDX-License-Identifier: GPL-3.0-or-later
"""An integration of Defender for Cloud with a ServiceNow instance, on a scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.field import Field
from ...engine.plan import CREATE, UPDATE, Plan, SecretDecision
from ...engine.result import ABSENT, DESIRED, ON_PLATFORM, PRESENT
from ...engine.secret_policy import ALWAYS, ON_CREATE
from ...engine.snapshot import Row, Snapshot
from ...transport.session import checked_base_url
from ..arm.json_properties import contains, document_of, properties_of
from ..arm.scopes import same_paths
from .integration_preflight import IntegrationPreflight
from .integrations_api import COLLECTION, CREDENTIALS, SERVICENOW, IntegrationsEndpoint
from .scoped_object import Aspect, ScopedObject

# Every property of the draft (docs/facts/defender_for_cloud.md#integration-body).
KNOWN = frozenset({
    "displayName", "integrationType", "isDisabled", "excludedScopes", "includeMembersInScopes", "additionalData", "tenantId",
    "integrationRootDetails", "metadata",
})  # fmt: skip

INTEGRATION_OPTIONS: dict[str, dict[str, Any]] = {
    "scope": {"type": "str"},
    "display_name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": [PRESENT, ABSENT], "default": PRESENT},
    "instance_url": {"type": "str"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "client_id": {"type": "str"},
    "client_secret": {"type": "str", "no_log": True},
    "update_credentials": {"type": "str", "choices": [ON_CREATE, ALWAYS], "default": ON_CREATE, "no_log": False},
    "disabled": {"type": "bool"},
    "excluded_scopes": {"type": "list", "elements": "str"},
    "include_members": {"type": "bool"},
    "api_version": {"type": "str"},
    "contract": {"type": "dict"},
    "validate_credentials": {"type": "bool", "default": True},
    "confirm_assignment_loss": {"type": "bool", "default": False},
    "wait_timeout": {"type": "float", "default": 600.0},
}


def credentials_of(params: Mapping[str, Any]) -> dict[str, str]:
    """Return the credentials that are set, by option; raise `BadConnectionOption` for an invalid address."""
    given = {name: str(params[name]) for name in CREDENTIALS if params.get(name)}
    if "instance_url" in given:
        given["instance_url"] = checked_base_url("instance_url", given["instance_url"])
    return given


class Integration(ScopedObject):
    """One integration. `preflight` checks everything else before the first write."""

    noun, kind, collection = "integration", COLLECTION, COLLECTION
    read_only = frozenset({"tenantId", "metadata", "integrationRootDetails"})

    def __init__(
        self, params: Mapping[str, Any], endpoint: IntegrationsEndpoint, preflight: IntegrationPreflight
    ) -> None:
        super().__init__(params, endpoint.scope)
        self.endpoint, self.preflight = endpoint, preflight

    # -- comparing ----------------------------------------------------------------------------------------------------

    def initial_properties(self) -> dict[str, Any]:
        """Return the properties of the draft's example of a PUT."""
        return {
            "displayName": self.name,
            "integrationType": SERVICENOW,
            "isDisabled": False,
            "excludedScopes": [],
            "includeMembersInScopes": False,
            "additionalData": {"integrationPlatform": SERVICENOW},
        }

    def kept(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was read and may be sent, with what a PUT requires; the endpoint adds the credentials."""
        kept = {**super().kept(properties)}
        more = {"integrationPlatform": SERVICENOW, **(kept.get("additionalData") or {})}
        more.pop("authenticationDetails", None)
        return {"displayName": self.name, "integrationType": SERVICENOW, **kept, "additionalData": more}

    def aspects(self, properties: Mapping[str, Any], rows: list[Row]) -> Iterator[Aspect]:
        """Yield the options that can be read."""
        for option, name in {"disabled": "isDisabled", "include_members": "includeMembersInScopes"}.items():
            value = self.params[option]
            if value is not None:
                found = properties.get(name)
                yield Aspect(option, value if properties and contains(found, value) else found, value, {name: value})
        excluded = self.params["excluded_scopes"]
        if excluded is not None:
            found = properties.get("excludedScopes") or ([] if properties else None)
            same = same_paths(found, excluded)
            yield Aspect("excluded_scopes", excluded if same else found, excluded, {"excludedScopes": excluded})
        # Compared where they are returned; in the examples they are not
        # (docs/facts/defender_for_cloud.md#integration-body).
        details = (properties.get("additionalData") or {}).get("authenticationDetails") or {}
        for option in ("instance_url", "username", "client_id"):
            value, found = self.endpoint.credentials.get(option), details.get(CREDENTIALS[option])
            if value and (found or not properties):
                same = str(found or "").rstrip("/") == value
                yield Aspect(option, value if same else found, value, {})

    def add_to_plan(self, plan: Plan, row: Row | None, rows: list[Row], secrets: SecretDecision) -> None:
        """Have the credentials written where update_credentials asks for it: they cannot be compared."""
        policy = self.params["update_credentials"]
        if row is None or not secrets.must_write(
            self.label, Field("credentials", secret=""), "", policy, row, changing=False
        ):
            return
        plan.add_drift("credentials", ON_PLATFORM, DESIRED)
        plan.warnings.append(
            f"{self.label}: update_credentials is {ALWAYS}, so every run writes the credentials and reports a change, as Microsoft never "
            f"returns them"
        )

    # -- before the first write ---------------------------------------------------------------------------------------

    def check(self, plan: Plan, row: Row | None, rows: list[Row], wanted: Mapping[str, Any]) -> None:
        """Refuse what would be incomplete or could not work; test the credentials."""
        operation = CREATE if row is None else UPDATE
        replay = self.endpoint.replay if self.endpoint.replay and self.endpoint.replay.offers(operation) else None
        missing = [name for name in CREDENTIALS if name not in self.endpoint.credentials]
        if replay:
            filled = self.endpoint.placeholders(self.label, "new", {})
            replay.check(operation, filled, self.label)
        elif missing and row is None:
            raise InvalidInput(
                f"{self.label} does not exist yet, and a new one requires {', '.join(missing)}. Nothing was written"
            )
        elif missing:
            fields = ", ".join(dict.fromkeys(entry.field for entry in plan.drift))
            raise InvalidInput(
                f"{self.label}: a change of {fields} also requires {', '.join(missing)}. Microsoft never returns them, and whether a change without "
                f"them keeps or clears them is not known, so nothing was written"
            )
        self.preflight.require_plan()
        clouds = self.preflight.other_clouds() if row is None else []
        if clouds:
            plan.warnings.append(
                f"{self.label}: an integration on a subscription does not cover findings of AWS and GCP; create one on each connector (scope: "
                f"its resource id) for {', '.join(clouds)}"
            )
        if not missing:
            self.preflight.test(self.label, "Nothing was written")

    def check_absence(self, plan: Plan, row: Row) -> None:
        """Refuse the loss of assignments unless it is confirmed."""
        if self.params["confirm_assignment_loss"]:
            return
        count = self.preflight.ticket_count()
        tickets = (
            ""
            if count is None
            else f"; {count} assignment{'s' if count != 1 else ''} there {'has' if count == 1 else 'have'} a ticket"
        )
        raise InvalidInput(
            f"removing {self.label} from {self.scope} also removes all assignments that it created{tickets}. The tickets stay in ServiceNow "
            f"without their link. Nothing was removed; set confirm_assignment_loss: true to remove it"
        )

    # -- result -------------------------------------------------------------------------------------------------------

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare like every object on a scope; the credentials of a new integration appear masked."""
        plan = super().plan(snapshot, secrets)
        if plan.row is None and self.state == PRESENT:
            plan.after["credentials"] = DESIRED
        return plan

    def as_result(self, row: Row | None, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Return the integration for the module's result."""
        document = {**document_of(row), "properties": {**properties_of(row), **properties}}
        return integration_as_result(document, self.endpoint)


def integration_as_result(document: Mapping[str, Any], endpoint: IntegrationsEndpoint) -> dict[str, Any]:
    """Return an integration for a module's result, never with a credential."""
    properties: Mapping[str, Any] = document.get("properties") or {}
    more = properties.get("additionalData") or {}
    metadata = properties.get("metadata") or {}
    return {
        "id": str(document.get("name") or ""),
        "scope": endpoint.scope.path,
        "display_name": str(properties.get("displayName") or ""),
        "integration_type": str(properties.get("integrationType") or ""),
        "disabled": bool(properties.get("isDisabled")),
        "excluded_scopes": list(properties.get("excludedScopes") or []),
        "include_members": bool(properties.get("includeMembersInScopes")),
        "inherited_from": endpoint.inherited_from(document),
        "tables_configurations": list(more.get("tablesConfigurations") or []),
        "created_at": str(metadata.get("createdOn") or ""),
        "updated_at": str(metadata.get("updatedOn") or ""),
        "extra_properties": {name: value for name, value in properties.items() if name not in KNOWN},
    }
