# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances that a tenant knows: connectors of Defender for Cloud Apps, and integrations of Defender for Cloud.

What is returned is kept in caches, so that it holds names, addresses, states and times, and never a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..fleet import SERVICES_VARIABLE

DOMAIN = ".service-now.com"
CONNECTOR = ("id", "name", "status", "message", "accounts", "last_connected", "refresh_token_expires_at", "days_left")
INTEGRATION = ("id", "display_name", "scope", "disabled", "inherited_from", "created_at", "updated_at")
SERVICENOW = "ServiceNow"


@dataclass
class KnownInstances:
    """Collects the hosts of both services; `problems` names what could not become one."""

    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    _names: dict[str, str] = field(default_factory=dict)

    def add_connectors(self, connectors: Iterable[Mapping[str, Any]], evidence: Iterable[str] = ()) -> None:
        """Add the hosts of connectors as mda_connector_info returns them; with `evidence`, their list was refused."""
        for row in connectors:
            if not row.get("name"):
                continue
            host = self._host(str(row["name"]), str(row.get("instance_url") or ""))
            kept = {name: row[name] for name in CONNECTOR if row.get(name) is not None}
            if self._serve(host, "mda", {"mda_connection_name": row["name"], "defender_connector": kept}):
                host["groups"].append(f"connector_{row.get('status') or 'unknown'}")
        if any(evidence):
            self.problems.append(
                "the connectors of Defender for Cloud Apps are missing: listing them was refused. Set a valid mda_api_token, "
                "as no permission of an application covers it"
            )

    def add_integrations(self, integrations: Iterable[Mapping[str, Any]]) -> None:
        """Add the hosts of integrations as mdc_integration_info returns them; those with other systems are left out."""
        for row in integrations:
            if row.get("integration_type") == SERVICENOW and row.get("display_name"):
                host = self._host(str(row["display_name"]), "")
                kept = {name: row[name] for name in INTEGRATION if row.get(name) is not None}
                if self._serve(
                    host, "mdc", {"mdc_itsm_display_name": row["display_name"], "defender_integration": kept}
                ):
                    host["groups"].append(f"integration_{'disabled' if row.get('disabled') else 'enabled'}")

    def _host(self, name: str, url: str) -> dict[str, Any]:
        """Return the host of an address or a name; a new one if neither is known."""
        host_name = next(_host_names(name, url))
        known = self._names.get(name.casefold()) or next((each for each in self.hosts if each == host_name), None)
        host = self.hosts.setdefault(known or host_name, {"name": known or host_name, "variables": {}, "groups": []})
        self._names.setdefault(name.casefold(), host["name"])
        if url:
            host["variables"].setdefault("snow_url", url)
        return host

    def _serve(self, host: dict[str, Any], service: str, variables: Mapping[str, Any]) -> bool:
        """Note that a service serves a host; return whether it is the first of its kind that does."""
        services = host["variables"].setdefault(SERVICES_VARIABLE, [])
        if service in services:
            noun, (name, *_rest) = {"mda": "connectors", "mdc": "integrations"}[service], variables.values()
            self.problems.append(
                f"{host['name']} has several {noun}; {name} was left out. Remove the one that is not in use"
            )
            return False
        services.append(service)
        host["variables"].update(variables)
        host["groups"].append(f"service_{service}")
        return True


def _host_names(name: str, url: str) -> Iterator[str]:
    """Yield what an instance can be called in an inventory: the first label of its address, else its name."""
    address = (urlsplit(url).hostname or "") if url else ""
    if address.endswith(DOMAIN):
        yield address.removesuffix(DOMAIN)
    yield re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._-") or "unnamed"
