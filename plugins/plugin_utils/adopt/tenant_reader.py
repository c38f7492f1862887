# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a tenant with the modules of this collection, and returns the variables of what serves its instances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...module_utils.microsoft.arm.scopes import path_key
from ...module_utils.microsoft.defender_cloud.integrations_api import SERVICENOW
from ..fleet import DEFAULT_INSTANCES, INSTANCES_VARIABLE, instances_with, raw_variables, selected
from ..other_hosts import values_for
from .instance import UNSUPPLIED
from .reader import AdoptError, Asked, Described, Json, Reader
from .tenant import (
    extensions_of,
    in_order,
    ip_ranges_of,
    matched,
    not_described,
    policies_of,
    rules_of,
    unmatched,
)

# No API lists data connectors: what arrives shows that some are connected.
NOTHING_ARRIVES = (
    "no asset of ServiceNow has arrived in Exposure Management, so that nothing shows that it is connected. Connect it (onboard), or remove "
    "msem from servicenow_defender_services"
)
NOT_READ = "whether assets of ServiceNow arrive could not be read. The identity needs ThreatHunting.Read.All of Microsoft Graph"


@dataclass(frozen=True)
class Kind:
    """What serves instances of a service: its noun, its key in results, and the variable that names it."""

    service: str
    noun: str
    key: str
    role: str
    variable: str
    elsewhere: str


CONNECTOR = Kind(
    "mda", "connector", "name", "mda_connection", "mda_connection_name",
    "connect it (onboard), or remove mda from servicenow_defender_services",
)  # fmt: skip
INTEGRATION = Kind(
    "mdc", "integration", "display_name", "mdc_itsm", "mdc_itsm_display_name",
    "set mdc_itsm_scope to the management group, subscription or security connector that defines it, connect it (onboard), or remove mdc "
    "from servicenow_defender_services",
)  # fmt: skip


class TenantReader(Reader):
    """The host of a tenant, and what serves the instances of the run there."""

    def __init__(self, ask: Asked, templar: Any, variables: Mapping[str, Any], passing: Iterable[str]) -> None:
        super().__init__(ask, templar, variables, passing)
        self.objects: dict[str, dict[str, Any]] = {}
        self.unsupplied: list[str] = []
        self.unproven: list[Json] = []

    def read(self) -> Described:
        """Return the description; a service without variables for its API is left out."""
        base = self.lasting()
        values: dict[str, Any] = {}
        if hosts := self._instances("mda"):
            values |= self._cloud_apps(base)
            rows = self.ask("mda_connector_info", **self.connection("mda"))["connectors"]
            found = self._match(rows, hosts, CONNECTOR)
            self._add_objects(found, CONNECTOR)
        if (hosts := self._instances("mdc")) and "azure_subscription_id" in self.variables:
            places = self._match_integrations(hosts)
            values |= self._defender_for_cloud(base, places)
        self._match_data_connectors(self._instances("msem"))
        values |= {UNSUPPLIED: self.unsupplied} if self.unsupplied else {}
        return Described(in_order(values), unproven=self.unproven, objects=self.objects)

    def _instances(self, service: str) -> list[str]:
        return instances_with(self.variables["hostvars"], service)

    def _values_for(self, name: str, hosts: list[str], service: str) -> dict[str, Any]:
        return dict(zip(hosts, values_for(self.templar, self.variables, name, hosts, [service]), strict=True))

    def _template(self, base: Json, name: str) -> Any:
        return self.templar.template(base[name])

    # -- what serves the instances ------------------------------------------------------------------------------------

    def _match(self, rows: list[Json], hosts: list[str], kind: Kind) -> dict[str, Json]:
        """Return what serves each host; the others are unproven."""
        addresses = self._values_for("snow_url", hosts, kind.service)
        named = {host: name for host in hosts if (name := self._named(host, kind.variable, kind.service))}
        found = matched(rows, addresses, named, kind.key, all_hosts=self._is_whole_fleet())
        self.unproven += unmatched(rows, found, hosts, kind.key, kind.variable, kind.elsewhere)
        return found

    def _named(self, host: str, variable: str, service: str) -> str:
        """Return the value of a variable of a host, "" where it is the default."""
        is_set = variable in raw_variables(self.variables["hostvars"], host)
        return str(self._values_for(variable, [host], service)[host]) if is_set else ""

    def _is_whole_fleet(self) -> bool:
        group = self.templar.template(self.variables.get(INSTANCES_VARIABLE, DEFAULT_INSTANCES))
        members = self.variables.get("groups", {}).get(group)
        return bool(members) and set(members) <= set(selected(self.variables["hostvars"]))

    def _add_objects(self, found: Mapping[str, Json], kind: Kind) -> None:
        """Add the variables that name what serves each host, and the credentials that are not recorded."""
        recorded = self._values_for(f"{kind.role}_accepted", list(found), kind.service)
        for host, row in found.items():
            self.objects.setdefault(host, {})[kind.variable] = row[kind.key]
            if not recorded[host]:
                self.unsupplied.append(f"{kind.noun} {row[kind.key]} (credentials)")

    def _match_integrations(self, hosts: list[str]) -> list[str]:
        """Add the integrations of hosts, with the scopes that define them; return these scopes, "" for the subscription."""
        given = self._values_for("mdc_itsm_scope", hosts, "mdc")
        places: dict[str, None] = {}
        for scope in dict.fromkeys(given.values()):
            rows = self.ask("mdc_integration_info", **self._azure(scope))["integrations"]
            ours = [row for row in rows if row["integration_type"] in ("", SERVICENOW)]
            found = self._match(ours, [host for host in hosts if given[host] == scope], INTEGRATION)
            self._add_objects(found, INTEGRATION)
            for host, row in found.items():
                place = self._place_of(host, row, scope)
                options = {name: row[name] for name in ("disabled", "excluded_scopes", "include_members")}
                options |= {"scope": place} if place else {}
                self.objects[host] |= {f"mdc_itsm_{name}": value for name, value in options.items()}
                places[place] = None
        return list(places)

    def _match_data_connectors(self, hosts: list[str]) -> None:
        """Add the credentials of the data connectors that are not recorded; connectors are unproven if nothing arrives."""
        if not hosts:
            return
        names = {host: self._named(host, "msem_connection_name", "msem") or host for host in hosts}
        addresses = self._values_for("snow_url", hosts, "msem")
        recorded = self._values_for("msem_connection_accepted", hosts, "msem")
        assets = None
        if "azure_tenant_id" in self.variables:
            entries = [{"name": names[host], "instance_url": addresses[host]} for host in hosts]
            assets = self.ask("msem_connectors", **self.connection("azure"), connectors=entries)["assets"]
        for host in hosts:
            label = f"data_connector {names[host]}"
            self.unsupplied += [] if recorded[host] else [f"{label} (credentials)"]
            if not assets:
                reason = NOT_READ if assets is None else NOTHING_ARRIVES
                self.unproven.append({"host": host, "object": label, "field": "state", "reason": reason})

    def _place_of(self, host: str, row: Json, scope: str) -> str:
        """Return the scope that defines an integration, `scope` if that cannot be read there; then the user has to name it."""
        place = str(row["inherited_from"])
        if not place:
            return scope
        try:
            if not place.startswith("/"):
                raise AdoptError("Defender for Cloud does not name the scope that defines it")
            self.ask("mdc_integration_info", **self._azure(place))
        except AdoptError as error:
            reason = f"it is inherited from {place}: {error}. Set mdc_itsm_scope to a scope that this identity can read"
            self.unproven.append({
                "host": host, "object": f"integration {row['display_name']}", "field": "scope", "reason": reason,
            })  # fmt: skip
            return scope
        return place

    # -- what belongs to the tenant -----------------------------------------------------------------------------------

    def _cloud_apps(self, base: Json) -> dict[str, Any]:
        mda = self.connection("mda")
        wanted = self._template(base, "mda_protection_policies")
        policies = self.ask("mda_policy_info", **mda)["policies"]
        ranges = self.ask("mda_ip_ranges", **mda, ip_ranges=[], purge=True)["diff"]["before"].get("ip_ranges", {})
        values = {
            "mda_protection_policies": policies_of(policies, wanted),
            "mda_protection_ip_ranges": ip_ranges_of(ranges),
        }
        return self.new(values, lambda name: self._template(base, name))

    def _azure(self, scope: str) -> dict[str, Any]:
        return {**self.connection("azure"), **({"scope": scope} if scope else {})}

    def _defender_for_cloud(self, base: Json, places: list[str]) -> dict[str, Any]:
        plan = self.ask("mdc_plan", **self.connection("azure"), name="CloudPosture")["plan"]
        is_on = plan["tier"] == "Standard"
        values = {
            "mdc_itsm_plan": is_on,
            "mdc_itsm_plan_extensions": extensions_of(plan) if is_on else [],
            "mdc_itsm_rules": self._rules(places),
        }
        return self.new(values, lambda name: self._template(base, name))

    def _rules(self, places: list[str]) -> list[dict[str, Any]]:
        """Return the rules of the subscription and of the scopes that define integrations."""
        subscription = f"/subscriptions/{self.templar.template(self.variables['azure_subscription_id'])}"
        scopes = {path_key(place or subscription): place or subscription for place in ("", *places)}
        is_default = len(scopes) == 1
        rules: list[dict[str, Any]] = []
        for scope in scopes.values():
            rows = self.ask("mdc_governance_rule_info", **self._azure(scope))["governance_rules"]
            rules += rules_of(rows, "" if is_default else scope)
            self.unproven += not_described(self.host, rows, scopes.values())
        return rules
