# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads an instance with the modules of this collection, and returns the variables of what its services have there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from ansible.utils.unsafe_proxy import wrap_var

from ...module_utils.snow.query import any_of
from ..connections import BASIC, GRANTS, Connection, merged
from ..drift_options import DriftOptions
from ..fleet import DEFAULT_SERVICES, DEFAULT_TENANT, SERVICES_VARIABLE, TENANT_VARIABLE, raw_variables
from ..role_values import SERVICE, RoleValues
from ..role_variables import defaults_of
from ..secret_store import reader, store_of
from .choice import ACCOUNT_WORDS, NothingAlike, account_of, application_of
from .instance import (
    PREFIX,
    UNSUPPLIED,
    USER_COLUMNS,
    Found,
    by_service,
    granted_tables,
    hardening_variables,
    in_order,
)
from .reader import NAMES, Described, Json, Reader

HARDENING = ("snow_hardening_overrides", "snow_hardening_exclude", "snow_hardening_services")
GRANT_COLUMNS = ("user", "role.name", "role.description", "inherited")
RESULT = "adopt_result"
MAX_COMPARISONS = 5


class InstanceReader(Reader):
    """An instance and what its services have there."""

    def read(self) -> Described:
        """Return the description; raises `AdoptError` or `ValueError` for what is missing or looks alike."""
        snow = self.connection("snow")
        services = self._services()
        base = self.lasting()
        usual = {
            service: RoleValues(self.templar, {**base, SERVICE: service}, lambda _name: "") for service in services
        }
        found = self._found(snow, services, usual)
        described = {service: each.values() for service, each in found.items()}
        connections, hardening, compared = self._compare_until_described(snow, base, described, found)
        values = self._changed(described, usual)
        values |= self.new(hardening, base.get)
        values |= self._of_tenant(base)
        if SERVICES_VARIABLE in self.passing and services != list(DEFAULT_SERVICES):
            values[SERVICES_VARIABLE] = services
        unsupplied = [
            f"{owner.label} ({name.removeprefix(f'{each.service}_')})"
            for each in connections
            for name, owner in each.missing_secrets().items()
        ]
        values |= {UNSUPPLIED: unsupplied} if unsupplied else {}
        # What the tenant's host found to be unproven of this instance is shown with it.
        noted = [entry for entry in self._tenant_result().get("unproven") or [] if entry.get("host") == self.host]
        return Described(in_order(values), list(compared["drift"]), [*compared["unproven"], *noted])

    def _services(self) -> list[str]:
        found = self.templar.template(self.variables.get(SERVICES_VARIABLE, list(DEFAULT_SERVICES)))
        return [found] if isinstance(found, str) else list(found)

    def _found(self, snow: Json, services: list[str], usual: Mapping[str, RoleValues]) -> dict[str, Found]:
        wanted = {service: {name: self._given(values, name) for name in ("application_name", "user_name", "role_name")}
                  for service, values in usual.items()}  # fmt: skip
        known = self.ask("snow_oauth_application_info", **snow)["oauth_applications"]
        grants_of = {service: str(values.value(f"{PREFIX}grant_type")) for service, values in usual.items()}
        applications = {service: self._application(service, known, usual[service], grants_of) for service in services}
        tokens, users, grants = self._accounts(snow, wanted, applications)
        found = {}
        for service, application in applications.items():
            holders = _holders(application, tokens, users)
            account = account_of(service, users, holders, wanted[service]["user_name"])
            direct = {
                row["role.name"]: row.get("role.description", "")
                for row in grants
                if row["user"] == account["sys_id"] and str(row.get("inherited")).lower() != "true"
            }
            usual_role = usual[service].of_service("role_name")
            found[service] = Found(
                service, grants_of[service], application, account, direct, wanted[service]["role_name"], usual_role
            )
        return found

    def _application(self, service: str, known: list[Json], usual: RoleValues, grants_of: dict[str, str]) -> Json:
        """Return the application of a service, {} if it signs in without one; then `grants_of` says so."""
        if grants_of[service] == BASIC:
            return {}
        try:
            return application_of(
                service, known, self._given(usual, "application_name"), usual.of_service("application_name")
            )
        except NothingAlike:
            if BASIC not in GRANTS[service] or not usual.is_default(f"{PREFIX}grant_type"):
                raise
            # Its account alone is enough; without one that looks like it, its search fails.
            grants_of[service] = BASIC
            return {}

    def _accounts(
        self, snow: Json, wanted: Mapping[str, Json], applications: Mapping[str, Json]
    ) -> tuple[list[Json], list[Json], list[Json]]:
        """Return the tokens of the applications, the accounts that may use them, and the roles of these accounts."""
        words = sorted({word for service in applications for word in ACCOUNT_WORDS[service]})
        names = [wanted[service]["user_name"] for service in applications if wanted[service]["user_name"]]
        owners = [row["oauth_user"] for row in applications.values() if row.get("oauth_user")]
        ids = tuple(str(row["sys_id"]) for row in applications.values() if row)
        tokens, users, grants = self._rows(
            snow,
            {
                "table": "oauth_credential",
                "query": any_of("peer", ids or ("none",)),
                "fields": ["peer", "user"],
                "optional": True,
            },
            {"table": "sys_user", "query": _named("user_name", words, names + owners), "fields": USER_COLUMNS},
            {
                "table": "sys_user_has_role",
                "query": _named("user.user_name", words, names + owners),
                "fields": GRANT_COLUMNS,
            },
        )
        seen = {row["sys_id"] for row in users}
        # Accounts that only their tokens show; needed where no name is given.
        others = tuple(sorted({str(row["user"]) for row in tokens if row.get("user")} - seen))
        if others and len(names) < len(applications):
            more_users, more_grants = self._rows(
                snow,
                {"table": "sys_user", "query": any_of("sys_id", others), "fields": USER_COLUMNS},
                {"table": "sys_user_has_role", "query": any_of("user", others), "fields": GRANT_COLUMNS},
            )
            users, grants = users + more_users, grants + more_grants
        return tokens, users, grants

    def _rows(self, snow: Json, *queries: Json) -> list[list[Json]]:
        asked = [{**query, "fields": list(query["fields"]), "limit": 0} for query in queries]
        return [each["records"] for each in self.ask("snow_record_info", **snow, queries=asked)["results"]]

    def _given(self, values: RoleValues, name: str) -> str:
        """Return a name that a user or an earlier run has set, else ""."""
        return "" if values.is_default(f"{PREFIX}{name}") else str(values.value(f"{PREFIX}{name}") or "")

    def _connection(self, base: Json, service: str, values: Json, stored: Callable[[str], str]) -> Connection:
        return Connection(self.templar, {**base, **wrap_var(dict(values))}, service, stored)

    def _compare_until_described(
        self, snow: Json, base: Json, described: dict[str, dict[str, Any]], found: Mapping[str, Found]
    ) -> tuple[list[Connection], dict[str, Any], Json]:
        """Compare as drift will, and describe what deviates, until nothing new does: a setting may stand for another one.

        Adds the tables to `described`; returns the connections, the variables of the hardening, and the last comparison.
        """
        stored = reader(store_of(self.templar, self.variables), self.host)
        hardening = {name: self.templar.template(base[name]) for name in HARDENING if name in base}
        hardening |= self._connections_to_protect(hardening, found)
        connections: list[Connection] = []
        for _round in range(MAX_COMPARISONS):
            connections = [self._connection(base, service, values, stored) for service, values in described.items()]
            variables = {**base, **wrap_var(dict(hardening))}
            desired = merged(connections)
            options = DriftOptions(variables, self.templar.template, _no_options, partial(_always, desired))
            compared = self.ask("snow_drift_info", **{**snow, **options.options(), "fail_on": []})
            more = hardening_variables(compared["drift"], hardening)
            if not self._take_tables(connections, described, compared) and more == hardening:
                break
            hardening = more
        return connections, hardening, compared

    def _take_tables(self, connections: list[Connection], described: dict[str, dict[str, Any]], compared: Json) -> bool:
        """Describe the tables that each role may read; return whether a rule is missing of one that was described."""
        narrowed = False
        for each in connections:
            role, tables = each.value("role_name"), each.value("tables")
            if role and not each.value("legacy_admin"):
                granted = granted_tables(compared["results"], role, tables)
                described[each.service][f"{PREFIX}tables"] = granted
                narrowed = narrowed or granted != tables
        return narrowed

    def _changed(self, described: Mapping[str, Json], usual: Mapping[str, RoleValues]) -> dict[str, Any]:
        """Return what differs from the defaults of each service, as one variable for all services."""
        values: dict[str, Any] = {}
        for name in dict.fromkeys(name for known in described.values() for name in known):
            of_each = {service: known[name] for service, known in described.items() if name in known}
            expected = {service: self._usual(usual[service], described[service], name) for service in of_each}
            if of_each != expected or name in NAMES & self.passing:
                values[name] = by_service(
                    name, {**{s: self._usual(usual[s], described[s], name) for s in described}, **of_each}
                )
        return values

    def _usual(self, values: RoleValues, described: Json, name: str) -> Any:
        """Return what a variable is without this file: some defaults follow from other variables of it."""
        if name == f"{PREFIX}user_roles" and values.is_default(name):
            if described[f"{PREFIX}legacy_admin"]:
                return ["admin"]
            return values.of_service("user_roles", None) or [described.get(f"{PREFIX}role_name", "")]
        value = values.value(name)
        return sorted(value) if name == f"{PREFIX}user_roles" else value

    def _connections_to_protect(self, given: Json, found: Mapping[str, Found]) -> dict[str, Any]:
        used = [each.to_protect for each in found.values() if each.to_protect]
        usual = defaults_of("snow_hardening")["snow_hardening_services"]
        known = "snow_hardening_services" in given or all(each in usual for each in used)
        return {} if known else {"snow_hardening_services": used}

    def _of_tenant(self, base: Json) -> dict[str, Any]:
        """Return the variables of what serves this instance in the tenant."""
        values: dict[str, Any] = dict((self._tenant_result().get("objects") or {}).get(self.host) or {})
        return self.new(values, lambda name: self.templar.template(base[name]))

    def _tenant_result(self) -> Json:
        """Return what the play before found in the tenant, {} if nothing."""
        group = self.templar.template(self.variables.get(TENANT_VARIABLE, DEFAULT_TENANT))
        tenants = self.variables.get("groups", {}).get(group) or []
        return (raw_variables(self.variables["hostvars"], tenants[0]).get(RESULT) if tenants else None) or {}


def _named(column: str, words: Iterable[str], names: Iterable[str]) -> str:
    """Return the condition that a column contains one of `words` or is one of `names`."""
    parts = [f"{column}LIKE{word}" for word in words]
    return "^OR".join(parts + [any_of(column, (name,)) for name in names])


def _holders(application: Json, tokens: Iterable[Json], users: Iterable[Json]) -> set[str]:
    """Return the sys_ids of the accounts that use an application: holders of its tokens, else its own account."""
    found = {str(row["user"]) for row in tokens if row.get("peer") == application.get("sys_id") and row.get("user")}
    owner = application.get("oauth_user")
    return found or {row["sys_id"] for row in users if owner and row.get("user_name") == owner}


def _no_options(_group: str) -> dict[str, Any]:
    """Stand for the connection options, which are templated already."""
    return {}


def _always(desired: dict[str, Any], _services: Iterable[str]) -> dict[str, Any]:
    """Return the desired state, which is that of all services."""
    return desired
