# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of Resource Manager. A row has visible keys (`_id`, `name`, `scope`, `properties`) and internal ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..defender_cloud import alert_data, recommendations
from .scopes import CONNECTOR, GROUP, Scope

if TYPE_CHECKING:
    from ..state import Tenant

Row = dict[str, Any]
TABLES = {
    "assessments": "assessments",
    "assignments": "governanceAssignments",
    "rules": "governanceRules",
    "integrations": "integrations",
    "pricings": "pricings",
    "exemptions": "standardAssignments",
    "cloud_alerts": f"locations/{recommendations.LOCATION}/alerts",
}
"""Table that tests can read and change -> type of resource."""
GROUP_NAME = "mg-acme"
FIRST_SEEN = 1767571200.0
"""Date of all initial findings: 2026-01-05."""
PLANS = (
    *("VirtualMachines", "SqlServers", "AppServices", "StorageAccounts", "SqlServerVirtualMachines"),
    *("KubernetesService", "ContainerRegistry", "KeyVaults", "Dns", "Arm", "OpenSourceRelationalDatabases"),
    *("CosmosDbs", "Containers", "CloudPosture", "Api", "AI", "Discovery", "FoundationalCspm"),
)
CSPM, FOUNDATIONAL = "CloudPosture", "FoundationalCspm"
_SAVED = (*TABLES, "activities", "metadata", "registered", "busy", "operations")


def moment(seconds: float) -> str:
    """A point in time in the vendor's format, with seven digits."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


class ArmState:
    """Rows by their ids in lower case, and running operations."""

    def __init__(self, tenant: Tenant) -> None:
        self.subscriptions = [tenant.subscription_id(number) for number in range(tenant.knobs.subscriptions)]
        self.group = Scope(f"/providers/Microsoft.Management/managementGroups/{GROUP_NAME}")
        self.assessments: dict[str, Row] = {}
        self.assignments: dict[str, Row] = {}
        self.rules: dict[str, Row] = {}
        self.integrations: dict[str, Row] = {}
        self.pricings: dict[str, Row] = {}
        self.exemptions: dict[str, Row] = {}
        """Standard assignments with the effect Exempt."""
        self.cloud_alerts: dict[str, Row] = {}
        self.activities: dict[str, Row] = {}
        """Events of the activity logs in their order."""
        self.metadata: dict[str, Row] = {}
        """By name; `subscription` of a row is where it was created, empty for the vendor's own."""
        self.registered: dict[str, float] = {}
        """Subscriptions with the provider -> time of registration."""
        self.busy: dict[str, float] = {}
        """Subscription -> time until which it refuses plan changes."""
        self.operations: dict[str, Row] = {}
        self.buckets: dict[str, tuple[float, float]] = {}

    def fill(self, tenant: Tenant) -> None:
        """Add the initial data of a tenant."""
        for each in recommendations.RECOMMENDATIONS:
            self.metadata[each.key] = {"name": each.key, "subscription": "", "properties": each.metadata()}
        for subscription in self.subscriptions:
            if tenant.knobs.provider == "Registered":
                self.registered[subscription] = 0.0
            for plan in PLANS:
                tier = {CSPM: tenant.knobs.plan, FOUNDATIONAL: tenant.knobs.foundational_plan}.get(plan, "Free")
                self.put("pricings", Scope(f"/subscriptions/{subscription}"), plan, {"pricingTier": tier})
            self._fill_findings(tenant, subscription)

    def _fill_findings(self, tenant: Tenant, subscription: str) -> None:
        unhealthy = tenant.knobs.findings
        healthy = unhealthy // 10 + 2 if unhealthy else 0
        connected = subscription == self.subscriptions[0]
        codes = ["Unhealthy"] * unhealthy + ["Healthy"] * healthy + ["NotApplicable"] * bool(unhealthy)
        pairs = list(recommendations.findings(subscription, len(codes), connected=connected))
        resources = list(dict.fromkeys(resource for _about, resource in pairs))
        for group, name, alert in alert_data.alerts(subscription, resources, moment(FIRST_SEEN)):
            self.put("cloud_alerts", Scope(group), name, alert)
        if tenant.knobs.individual:
            pairs = [(recommendations.individual(about, resource), resource) for about, resource in pairs]
            for about, _resource in pairs:
                self.metadata[about.key] = {"name": about.key, "subscription": "", "properties": about.metadata()}
        for number, (code, (about, resource)) in enumerate(zip(codes, pairs, strict=False)):
            found = moment(FIRST_SEEN + 3600 * number)
            status: Row = {"code": code, "firstEvaluationDate": found, "statusChangeDate": found}
            if code == "NotApplicable":
                status |= {"cause": "OffByPolicy", "description": "The recommendation is disabled in policy"}
            elif number < tenant.knobs.exempt:
                status |= {"code": "NotApplicable", "cause": "Exempt", "description": "Exempted, risk accepted"}
            details: Row = {"source": "Azure", "id": resource}
            properties: Row = {
                "resourceDetails": details,
                "displayName": about.name,
                "status": status,
                "additionalData": {},
                "risk": {"level": about.severity, "riskFactors": [], "isContextualRisk": False},
            }
            if number < tenant.knobs.attack_paths:
                properties["risk"]["attackPathsReferences"] = [f"attack-path-{number}"]
            if about.cloud != "Azure":
                properties["additionalData"] = {"AzureResourceId": resource}
                properties["resourceDetails"] = {"source": about.cloud.capitalize()}
            self.put("assessments", Scope(resource), about.key, properties)

    @staticmethod
    def id_of(table: str, scope: Scope, name: str) -> str:
        """The id of a resource of a table; an assignment's name is `assessment/assignment`."""
        kind = TABLES[table]
        if table == "assignments":
            assessment, _, name = name.partition("/")
            kind = f"assessments/{assessment}/{kind}"
        return f"{scope.text}/providers/Microsoft.Security/{kind}/{name}"

    def put(self, table: str, scope: Scope, name: str, properties: Row, **more: Any) -> tuple[Row, bool]:
        """Write a row; returns it, and whether it is new. Internal keys stay unless they are given."""
        rows: dict[str, Row] = getattr(self, table)
        full = self.id_of(table, scope, name)
        old = rows.get(full.lower())
        row: Row = old if old is not None else {"_id": full, "name": name.rpartition("/")[2], "scope": scope.text}
        row.update({"properties": properties, **more})
        rows[full.lower()] = row
        return row, old is None

    def get(self, table: str, scope: Scope, name: str) -> Row | None:
        """A row."""
        rows: dict[str, Row] = getattr(self, table)
        return rows.get(self.id_of(table, scope, name).lower())

    def below(self, table: str, scope: Scope) -> list[Row]:
        """The rows on a scope and below it; a management group holds all subscriptions."""
        rows: dict[str, Row] = getattr(self, table)
        if scope.kind == GROUP:
            return list(rows.values())
        start = f"{scope.key}/"
        return [row for key, row in rows.items() if key.startswith(start)]

    def at(self, table: str, scope: Scope) -> list[Row]:
        """The rows of exactly this scope."""
        rows: dict[str, Row] = getattr(self, table)
        return [row for row in rows.values() if row["scope"].lower() == scope.key]

    def above(self, scope: Scope) -> list[Scope]:
        """The scopes that a scope inherits from, nearest first."""
        if scope.kind == GROUP or not scope.text:
            return []
        own = Scope(f"/subscriptions/{scope.subscription}")
        return [self.group] if scope.key == own.key else [own, self.group]

    def connectors(self) -> list[Row]:
        """The AWS and the GCP connector, both in the first subscription."""
        rows = []
        for name, cloud in recommendations.CONNECTORS.items():
            scope = f"/subscriptions/{self.subscriptions[0]}/resourceGroups/{recommendations.CONNECTORS_GROUP}"
            row_id = f"{scope}/providers/Microsoft.Security/securityConnectors/{name}"
            offerings = [{"offeringType": f"CspmMonitor{cloud.capitalize()}"}]
            properties = {"hierarchyIdentifier": f"acme-{name}", "environmentName": cloud, "offerings": offerings}
            rows.append({"_id": row_id, "name": name, "scope": scope, "properties": properties})
        return rows

    def exists(self, scope: Scope) -> bool:
        """Whether a governed scope exists; subscriptions are checked elsewhere."""
        if scope.kind == CONNECTOR:
            return scope.key in {row["_id"].lower() for row in self.connectors()}
        return scope.kind != GROUP or scope.key == self.group.key

    def has_plan(self, scope: Scope) -> bool:
        """Whether Defender CSPM is on: in the subscription, or in one of those below a management group."""
        wanted = [scope.subscription] if scope.subscription else self.subscriptions
        rows = (self.get("pricings", Scope(f"/subscriptions/{each}"), CSPM) for each in wanted)
        return any(row is not None and row["properties"]["pricingTier"] == "Standard" for row in rows)

    def lists_findings(self, tenant: Tenant, subscription: str) -> bool:
        """Whether a subscription has recommendations: not without the plan Foundational CSPM."""
        row = self.get("pricings", Scope(f"/subscriptions/{subscription}"), FOUNDATIONAL)
        is_on = row is not None and row["properties"]["pricingTier"] == "Standard"
        return is_on and subscription not in tenant.knobs.emptied

    def severity(self, assessment: Row) -> str:
        """The severity of an assessment, from its metadata."""
        found = self.metadata.get(assessment["name"].lower())
        return str(found["properties"]["severity"]) if found else ""

    def tables(self) -> dict[str, list[Row]]:
        """The tables that tests can read, without the secrets of integrations."""
        shown = {name: list(getattr(self, name).values()) for name in TABLES}
        shown["integrations"] = [_without_secrets(row) for row in shown["integrations"]]
        return shown

    def saved(self) -> Row:
        """The state that `load` restores."""
        return {name: getattr(self, name) for name in _SAVED}

    def load(self, saved: Mapping[str, Any]) -> None:
        """Restore a saved state."""
        for name in _SAVED:
            setattr(self, name, dict(saved.get(name, {})))


def _without_secrets(row: Row) -> Row:
    held = row.get("authentication", {})
    shown = {name: value for name, value in row.items() if name != "authentication"}
    digests = {name: hashlib.sha256(str(value).encode()).hexdigest() for name, value in held.items() if value}
    return {**shown, "instance_url": held.get("instanceUrl", ""), "holds": sorted(digests), "sha256": digests}
