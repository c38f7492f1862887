# SPDX-License-Identifier: GPL-3.0-or-later
"""An integration of Defender for Cloud with a ServiceNow instance, on a scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.field import Field
from ...engine.plan import CREATE, UPDATE, Plan, SecretDecision
from ...engine.result import ABSENT, PRESENT
from ...engine.secret_policy import ALWAYS, ON_CREATE
from ...engine.snapshot import Row, Snapshot
from ...snow.record_resource import AS_DESCRIBED
from ...transport.session import checked_base_url
from ..arm.json_properties import document_of, holds, properties_of
from ..arm.scopes import same_paths
from .integration_preflight import IntegrationPreflight
from .integrations_api import COLLECTION, CREDENTIALS, SERVICENOW, IntegrationsEndpoint
from .scoped_object import Aspect, ScopedObject

ON_PLATFORM = "******** (in Defender for Cloud)"
# Everything that the draft knows (docs/facts/defender_for_cloud.md#integration-body).
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
    """Return the credentials that are given, by option; raise `BadConnectionOption` for an address that is none."""
    given = {name: str(params[name]) for name in CREDENTIALS if params.get(name)}
    if "instance_url" in given:
        given["instance_url"] = checked_base_url("instance_url", given["instance_url"])
    return given


class Integration(ScopedObject):
    """One integration. `rehearsal` looks at everything else before the first write."""

    noun, kind, collection = "integration", COLLECTION, COLLECTION
    read_only = frozenset({"tenantId", "metadata", "integrationRootDetails"})

    def __init__(
        self, params: Mapping[str, Any], routes: IntegrationsEndpoint, rehearsal: IntegrationPreflight
    ) -> None:
        super().__init__(params, routes.scope)
        self.routes, self.rehearsal = routes, rehearsal

    # -- comparing ----------------------------------------------------------------------------------------------------

    def new(self) -> dict[str, Any]:
        """Return what the draft's example of a PUT holds."""
        return {
            "displayName": self.name,
            "integrationType": SERVICENOW,
            "isDisabled": False,
            "excludedScopes": [],
            "includeMembersInScopes": False,
            "additionalData": {"integrationPlatform": SERVICENOW},
        }

    def kept(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was read and may be sent, with what a PUT must have; credentials are put in when it is sent."""
        kept = {**super().kept(properties)}
        more = {"integrationPlatform": SERVICENOW, **(kept.get("additionalData") or {})}
        more.pop("authenticationDetails", None)
        return {"displayName": self.name, "integrationType": SERVICENOW, **kept, "additionalData": more}

    def aspects(self, properties: Mapping[str, Any], rows: list[Row]) -> Iterator[Aspect]:
        """Yield what is described and can be read."""
        for option, name in {"disabled": "isDisabled", "include_members": "includeMembersInScopes"}.items():
            value = self.params[option]
            if value is not None:
                found = properties.get(name)
                yield Aspect(option, value if properties and holds(found, value) else found, value, {name: value})
        excluded = self.params["excluded_scopes"]
        if excluded is not None:
            found = properties.get("excludedScopes") or ([] if properties else None)
            same = same_paths(found, excluded)
            yield Aspect("excluded_scopes", excluded if same else found, excluded, {"excludedScopes": excluded})
        # Not returned in the examples (docs/facts/defender_for_cloud.md#integration-body). Where they are, they can be
        # compared.
        details = (properties.get("additionalData") or {}).get("authenticationDetails") or {}
        for option in ("instance_url", "username", "client_id"):
            value, found = self.routes.credentials.get(option), details.get(CREDENTIALS[option])
            if value and (found or not properties):
                same = str(found or "").rstrip("/") == value
                yield Aspect(option, value if same else found, value, {})

    def also(self, plan: Plan, row: Row | None, rows: list[Row], secrets: SecretDecision) -> None:
        """Have the credentials written anew where that is wanted: they cannot be compared."""
        policy = self.params["update_credentials"]
        if row is None or not secrets.must_write(
            self.label, Field("credentials", secret=""), "", policy, row, changing=False
        ):
            return
        plan.add_drift("credentials", ON_PLATFORM, AS_DESCRIBED)
        plan.warnings.append(
            f"{self.label}: the credentials are written in every run, and every run reports a change, since update_credentials is {ALWAYS} and "
            f"Microsoft never returns them"
        )

    # -- before the first write ---------------------------------------------------------------------------------------

    def check(self, plan: Plan, row: Row | None, rows: list[Row], wanted: Mapping[str, Any]) -> None:
        """Refuse what would be half-written, or could not work; try the credentials."""
        operation = CREATE if row is None else UPDATE
        replay = self.routes.replay if self.routes.replay and self.routes.replay.offers(operation) else None
        missing = [name for name in CREDENTIALS if name not in self.routes.credentials]
        if replay:
            filled = self.routes.placeholders(self.label, "new", "{}")
            replay.check(operation, filled, self.label)
        elif missing and row is None:
            raise InvalidInput(
                f"{self.label} is not there yet; a new one takes {', '.join(missing)}. Nothing was written"
            )
        elif missing:
            fields = ", ".join(dict.fromkeys(entry.field for entry in plan.drift))
            raise InvalidInput(
                f"{self.label}: to change {fields}, give {', '.join(missing)} as well. Microsoft never returns them, and whether a change without "
                f"them keeps or empties them is not known, so nothing was written"
            )
        self.rehearsal.require_plan()
        clouds = self.rehearsal.other_clouds() if row is None else []
        if clouds:
            plan.warnings.append(
                f"{self.label}: an integration on a subscription does not cover findings of AWS and GCP; describe one on each connector (scope: "
                f"its resource id) for {', '.join(clouds)}"
            )
        if not missing:
            self.rehearsal.test(self.label, "Nothing was written")

    def check_absence(self, plan: Plan, row: Row) -> None:
        """Refuse to lose assignments unless that is confirmed."""
        if self.params["confirm_assignment_loss"]:
            return
        count = self.rehearsal.tickets_at_stake()
        told = (
            ""
            if count is None
            else f"; {count} assignment{'s' if count != 1 else ''} there {'has' if count == 1 else 'have'} a ticket"
        )
        raise InvalidInput(
            f"removing {self.label} from {self.scope} also removes all assignments that it made{told}. The tickets stay in ServiceNow without "
            f"their link. Nothing was removed; confirm_assignment_loss: true does it"
        )

    # -- telling ------------------------------------------------------------------------------------------------------

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare as every object on a scope is; a new integration's credentials show masked."""
        plan = super().plan(snapshot, secrets)
        if plan.row is None and self.state == PRESENT:
            plan.after["credentials"] = AS_DESCRIBED
        return plan

    def described(self, row: Row | None, properties: Mapping[str, Any], rows: list[Row]) -> dict[str, Any]:
        """Return the integration in the module's words."""
        document = {**document_of(row), "properties": {**properties_of(row), **properties}}
        return shown(document, self.routes)


def shown(document: Mapping[str, Any], routes: IntegrationsEndpoint) -> dict[str, Any]:
    """Return an integration as results show it. Never a credential."""
    properties: Mapping[str, Any] = document.get("properties") or {}
    more = properties.get("additionalData") or {}
    metadata = properties.get("metadata") or {}
    return {
        "id": str(document.get("name") or ""),
        "scope": routes.scope.path,
        "display_name": str(properties.get("displayName") or ""),
        "integration_type": str(properties.get("integrationType") or ""),
        "disabled": bool(properties.get("isDisabled")),
        "excluded_scopes": list(properties.get("excludedScopes") or []),
        "include_members": bool(properties.get("includeMembersInScopes")),
        "inherited_from": routes.inherited_from(document),
        "tables_configurations": list(more.get("tablesConfigurations") or []),
        "created_at": str(metadata.get("createdOn") or ""),
        "updated_at": str(metadata.get("updatedOn") or ""),
        "extra_properties": {name: value for name, value in properties.items() if name not in KNOWN},
    }
