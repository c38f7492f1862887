# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of an inventory whose connections would be one: of two such hosts, each run replaces what the other one has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any

from ansible.errors import AnsibleError

from ..module_utils.instance_address import normalize_address
from .fleet import DEFAULT_SERVICES, MergedOnce, services_of

ADDRESS = "snow_url"
# By service: the variable that names its connection at Microsoft, which else has the name of the host, and that of its scope.
NAMES = {
    "mda": ("mda_connection_name", ""),
    "mdc": ("mdc_itsm_display_name", "mdc_itsm_scope"),
    "msem": ("msem_connection_name", ""),
}
OBJECTS = {"account": "snow_connection_user_name", "application": "snow_connection_application_name"}
SECRETS = ("snow_connection_password", "snow_connection_client_secret")
HOST_NAME = re.compile(r"\{\{-?\s*inventory_hostname\s*-?\}\}")
# Evaluates a value as a host has it, for a service.
Template = Callable[[str, str, Any], Any]


class SharedConnections:
    """The hosts whose variables are `hostvars`; `template` evaluates a value."""

    def __init__(self, hostvars: Any, template: Template) -> None:
        self.hostvars = MergedOnce(hostvars)
        self.template = template

    def errors(self, hosts: Iterable[str], fleet: Iterable[str]) -> list[str]:
        """Return one sentence for each pair of connections that would be one: of `hosts`, the hosts of a run, and on ServiceNow of
        any host of `fleet`.
        """
        chosen = set(hosts)
        return [*self._on_instances(chosen, dict.fromkeys((*chosen, *fleet))), *self._at_microsoft(sorted(chosen))]

    def _on_instances(self, chosen: set[str], fleet: Iterable[str]) -> Iterator[str]:
        by_address: dict[str, list[str]] = {}
        for host in sorted(fleet):
            address = self._address(host)
            if address:
                by_address.setdefault(address, []).append(host)
        for address, hosts in by_address.items():
            for one, other in combinations(hosts, 2):
                shared = self._shared(one, other) if {one, other} & chosen else []
                if shared:
                    yield (
                        f"{one} and {other} have the same address {address} and the same {' and '.join(shared)}, and secrets of their own, so "
                        f"that each would replace those of the other. Nothing was written. Correct {ADDRESS}; or, if one instance is to have "
                        f"two connections, set {' and '.join(OBJECTS.values())} for one of them"
                    )

    def _shared(self, one: str, other: str) -> list[str]:
        """Return which objects two hosts of one address share; none if the user supplies the secrets of both."""
        if all(name in self._variables(host) for name in SECRETS for host in (one, other)):
            return []
        services = [service for service in self._services(one) if service in self._services(other)]
        return [
            f"{noun} for {service}"
            for service in services
            for noun, variable in OBJECTS.items()
            if self._value(one, variable, service) == self._value(other, variable, service)
        ]

    def _at_microsoft(self, hosts: Iterable[str]) -> Iterator[str]:
        taken: dict[tuple[str, str, str], str] = {}
        for host in hosts:
            for service in self._services(host):
                variable, scope = NAMES.get(service, ("", ""))
                if not variable:
                    continue
                name = str(self._value(host, variable, service) or host)
                key = (service, str(self._value(host, scope, service) or ""), name)
                if key in taken:
                    yield (
                        f"{taken[key]} and {host} have the same {variable} {name!r}, so that one connection would stand for two instances. "
                        f"Nothing was written. Set another one for each, or remove it: by default, it is the name of the host"
                    )
                taken[key] = host

    def _address(self, host: str) -> str:
        raw = self._variables(host).get(ADDRESS)
        # Most addresses are this template, and a thousand of them would take a second.
        value = HOST_NAME.sub(lambda _found: host, raw) if isinstance(raw, str) else ""
        if "{" in value:
            value = str(self._value(host, ADDRESS, ""))
        try:
            return normalize_address(value) if value else ""
        except ValueError:
            return ""  # the task that uses it fails with the reason

    def _services(self, host: str) -> list[str]:
        try:
            return services_of(self.hostvars, host, self._variables(host), DEFAULT_SERVICES)
        except (AnsibleError, TypeError):
            return []

    def _value(self, host: str, name: str, service: str) -> Any:
        raw = self._variables(host).get(name)
        if not isinstance(raw, str) or "{" not in raw:
            return raw
        try:
            return self.template(host, service, raw)
        except AnsibleError:
            return f"{host}: {raw}"  # not known, so equal to no other

    def _variables(self, host: str) -> Mapping[str, Any]:
        return self.hostvars.raw_get(host)
