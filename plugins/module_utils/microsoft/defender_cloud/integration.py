# SPDX-License-Identifier: GPL-3.0-or-later
"""An integration of Defender for Cloud with a ServiceNow instance, on a scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...engine.accepted_credentials import OBJECT_ID, Credentials, recorded
from ...engine.errors import InvalidInput
from ...engine.field import Field
from ...engine.plan import CREATE, UPDATE, Plan, SecretDecision
from ...engine.result import ABSENT, DESIRED, ON_PLATFORM, PRESENT
from ...engine.secret_policy import ALWAYS, ON_CREATE, ON_MISMATCH
from ...engine.snapshot import Row, Snapshot
from ...option_names import named_option
from ...token_end import remaining
from ...transport.base_url import checked_base_url
from ..arm.json_properties import contains, document_of, properties_of
from ..arm.scopes import same_paths
from .integration_preflight import IntegrationPreflight
from .integrations_api import COLLECTION, CREDENTIALS, SERVICENOW, IntegrationsEndpoint
from .refresh_token import token_end
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
    "update_credentials": {
        "type": "str",
        "choices": [ON_CREATE, ON_MISMATCH, ALWAYS],
        "default": ON_CREATE,
        "no_log": False,
    },
    "accepted": {"type": "json", "no_log": False},
    "accepted_key": {"type": "str", "no_log": True},
    "refresh_token_lifespan": {"type": "int", "no_log": False},
    "refresh_token_expires_at": {"type": "str", "no_log": False},
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


def credentials_at(place: str, params: Mapping[str, Any]) -> Credentials:
    """Return the credentials of an integration at `place` (the path of its scope), to compare with what was accepted."""
    given = credentials_of(params)
    plain = {name: given.get(name, "") for name in ("instance_url", "username", "client_id")}
    secrets = {name: given.get(name, "") for name in ("password", "client_secret")}
    label = f"{Integration.noun} {params['display_name']}"
    return Credentials(label, place, params["accepted_key"] or "", plain, secrets)


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

    def add_to_plan(self, plan: Plan, row: Row | None, rows: list[Row], secrets: SecretDecision) -> bool:
        """Compare the credentials with what was accepted, as they cannot be read, or have them written in every run."""
        policy = self.params["update_credentials"]
        is_first = row is not None and secrets.must_write(
            self.label, Field("credentials", secret=""), "", ALWAYS, row, changing=False
        )
        if not is_first or policy == ON_CREATE:
            return False
        if policy == ON_MISMATCH:
            return self._compare_accepted(plan, str((row or {}).get("id", "")))
        plan.add_drift("credentials", ON_PLATFORM, DESIRED)
        plan.warnings.append(
            f"{self.label}: {named_option('update_credentials', 'mdc_itsm')} is {ALWAYS}, so every run writes the credentials and reports a "
            f"change, as Microsoft never returns them"
        )
        return True

    def _compare_accepted(self, plan: Plan, object_id: str) -> bool:
        if self.params["accepted_key"] is None:
            raise InvalidInput(
                f"{self.label}: {named_option('update_credentials', 'mdc_itsm')} {ON_MISMATCH} requires {named_option('accepted_key', 'mdc_itsm')}"
            )
        found = self.credentials.compare(self.params["accepted"] or "").of_object(object_id)
        known = {entry.field for entry in plan.drift}
        for name, (before, after) in found.differences.items():
            if name not in known:
                plan.add_drift(name, before, after)
        if found.unproven:
            plan.add_unproven(found.unproven, "credentials")
        # Without all credentials, nothing can be written; what deviates is refused by `check`.
        return bool(found.unproven) and not set(CREDENTIALS) - set(self.endpoint.credentials)

    @property
    def credentials(self) -> Credentials:
        """The credentials to compare with what was accepted."""
        return credentials_at(self.scope.path, self.params)

    def accepted(self, object_id: str) -> str:
        """Return the record of the credentials that the integration of this id has now, after a write; "" if there is none."""
        credentials = self.credentials
        return credentials.record(object_id=object_id) if self.state == PRESENT and credentials.is_complete else ""

    # -- before the first write ---------------------------------------------------------------------------------------

    def check(self, plan: Plan, row: Row | None, rows: list[Row], wanted: Mapping[str, Any]) -> None:
        """Refuse what would be incomplete or could not work; test the credentials."""
        operation = CREATE if row is None else UPDATE
        replay = self.endpoint.replay if self.endpoint.replay and self.endpoint.replay.offers(operation) else None
        missing = [name for name in CREDENTIALS if name not in self.endpoint.credentials]
        if missing and self.preflight.is_prediction:
            if self.preflight.wanted:
                self.preflight.refuse(f"{self.label} requires {', '.join(missing)}")
            return
        if replay:
            filled = self.endpoint.placeholders(self.label, "new", {})
            replay.check(operation, filled, self.label)
        elif missing and row is None:
            raise InvalidInput(
                f"{self.label} does not exist yet, and a new one requires {', '.join(missing)}. Nothing was written"
            )
        elif missing:
            fields = ", ".join(dict.fromkeys(entry.field for entry in plan.drift)) or "the credentials"
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
            f"without their link. Nothing was removed; set {named_option('confirm_assignment_loss', 'mdc_itsm')} to true to remove it"
        )

    # -- result -------------------------------------------------------------------------------------------------------

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare like every object on a scope; the credentials of a new integration appear masked."""
        plan = super().plan(snapshot, secrets)
        if plan.row is None and self.state == PRESENT:
            plan.after["credentials"] = DESIRED
            self._warn_of_renamed(plan, snapshot.all_rows(self.collection, "name"))
        return plan

    def _warn_of_renamed(self, plan: Plan, rows: list[Row]) -> None:
        object_id = recorded(self.params["accepted"] or "", OBJECT_ID)
        for row in rows:
            if row["own"] and object_id and row["id"] == object_id:
                plan.creation_warnings.append(
                    f"{self.label}: the integration that has accepted its credentials is named {row['name']!r} now ({object_id}), and stays: both "
                    f"connect the instance. Remove it in the portal; or rename it back before it is replaced"
                )

    def as_result(self, row: Row | None, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Return the integration for the module's result."""
        document = {**document_of(row), "properties": {**properties_of(row), **properties}}
        end = self.token_end()
        return {
            **integration_as_result(document, self.endpoint),
            "refresh_token_expires_at": end,
            **remaining(end),
        }

    def token_end(self) -> str:
        """Return until when its refresh token can be valid (ISO 8601, UTC), "" if that is not known."""
        names = ("refresh_token_lifespan", "refresh_token_expires_at")
        return token_end(self.params["accepted"] or "", *(self.params[name] for name in names))


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
