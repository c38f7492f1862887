# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenant as a service of the sandbox."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from ..faults import Fault
from ..settings import SettingError, as_json
from ..web import Call, Reply, json_reply
from . import tamper
from .arm import gateway as arm
from .arm import long_running
from .arm.state import GROUP_NAME
from .cloud_apps import api_host, portal
from .cloud_apps.instance_client import InstanceClient
from .defender_cloud import vendor_tickets
from .entra import client_authentication, managed_identity, token_endpoint
from .errors import Refused
from .exposure_management import cmdb_reader
from .graph import batch
from .knobs import TenantKnobs, turn
from .routes import Table
from .state import NAME, PORTAL_USER, Tenant, restored


class TenantService:
    """Entra, Graph, Resource Manager and Defender for Cloud Apps as a service, under one path."""

    def __init__(self, seed: int = 0, saved: Mapping[str, Any] | None = None) -> None:
        self.name = NAME
        self.tenant = restored(saved) if saved else Tenant(seed=seed)
        self.client = InstanceClient(self.tenant)
        self.chance = random.Random(f"{self.tenant.seed}:{NAME}")

    @property
    def latency(self) -> float:
        """Seconds of delay before each response."""
        return self.tenant.knobs.latency_ms / 1000

    @property
    def faults(self) -> list[Fault]:
        """The faults of the tenant."""
        return self.tenant.knobs.faults

    def route(self, path: str) -> str:
        """Name the route of a path, without identifiers."""
        part = path.split("/")[1]
        if part == "mda":
            name = api_host.route_of(path)
        elif part == "portal":
            name = portal.route_of(path)
        elif part == "arm":
            name = arm.route_of(path)
        else:
            name = _PARTS.get(part, Table()).name(path)
        return name or f"/{part}/..."

    def answer(self, call: Call) -> Reply:
        """Answer one request."""
        part = call.path.split("/")[1]
        try:
            special = _SPECIAL.get(part)
            if special is not None:
                return special(self.tenant, call, self.client)
            if part == "graph":
                self.client.refresh()
                return batch.answer(self.tenant, call)
            found = _PARTS.get(part, Table()).find(call.method, call.path)
            if isinstance(found, int):
                return json_reply(found, {"error": f"nothing at {call.method} {call.path}"})
            route, arguments = found
            return route.handler(self.tenant, call, **arguments)
        except Refused as refused:
            return refused.reply

    async def prepare(self, call: Call) -> None:
        """Await the outgoing calls that a response depends on."""
        if batch.reads_secure_score(call):
            await self.client.read_posture()

    def turn(self, data: Mapping[str, Any]) -> None:
        """Turn knobs; raises SettingError."""
        self.tenant.knobs = turn(self.tenant.knobs, data)

    async def reset(self, data: Mapping[str, Any]) -> None:
        """Reset the tenant; ids and secrets stay the same. Raises SettingError."""
        await self._become(Tenant(turn(TenantKnobs(), data), self.tenant.seed))

    async def restore(self, saved: Mapping[str, Any]) -> None:
        """Restore the saved state of a tenant."""
        await self._become(restored(saved))

    async def _become(self, tenant: Tenant) -> None:
        await self.client.close()
        self.tenant = tenant
        self.client = InstanceClient(tenant)

    def tamper(self, change: Mapping[str, Any]) -> dict[str, Any]:
        """Change rows out of band; raises SettingError."""
        return tamper.tamper(self.tenant, change)

    def state(self, table: str | None) -> dict[str, Any]:
        """The knobs and the rows, of all tables or of one; raises SettingError."""
        long_running.finish_due(self.tenant, self.client)
        tables = self.tenant.tables()
        if table is not None:
            if table not in tables:
                raise SettingError(f"unknown table {table!r}; known: {', '.join(tables)}")
            tables = {table: tables[table]}
        return {"knobs": as_json(self.tenant.knobs), "tables": tables}

    def describe(self, base: str) -> dict[str, Any]:
        """Everything a client needs to reach the tenant; `base` is the tenant's own URL."""
        tenant = self.tenant
        return {
            "azure_tenant_id": tenant.tenant_id,
            "azure_client_id": tenant.client_id,
            "azure_client_secret": tenant.client_secret,
            "azure_authority_url": f"{base}/entra",
            "azure_graph_url": f"{base}/graph",
            "azure_arm_url": f"{base}/arm",
            "azure_subscription_id": tenant.subscription_id(0),
            "azure_subscription_ids": [tenant.subscription_id(number) for number in range(tenant.knobs.subscriptions)],
            "azure_management_group_id": GROUP_NAME,
            "mda_url": f"{base}/mda",
            "mda_api_token": tenant.api_token,
            "portal_url": f"{base}/portal",
            "portal_user": PORTAL_USER,
            "portal_password": tenant.portal_password,
            "imds_url": base,
            "identity_client_id": tenant.identity_client_id,
            "identity_endpoint": f"{base}/msi/token",
            "identity_header": tenant.identity_header,
        }

    def portal_session(self) -> dict[str, str]:
        """Sign the portal's user in; returns what a client would copy from its browser."""
        cookie, session = portal.open_session(self.tenant)
        header = portal.cookie_header(cookie, session)
        return {"mda_portal_cookie": header, "mda_portal_xsrf_token": portal.xsrf_of(header)}

    def assertion(self, base: str, changes: Mapping[str, Any]) -> dict[str, str]:
        """Return the content of a federated token file; `changes` override claims."""
        return {
            "assertion": client_authentication.federated_assertion(self.tenant, f"{base}/federation", dict(changes))
        }

    def sync(self) -> None:
        """Synchronize every connected connector and data connector, and the tickets of Resource Manager."""
        self.client.sync_all()
        vendor_tickets.sync(self.tenant, self.client)
        cmdb_reader.read_all(self.tenant, self.client)


_SPECIAL: dict[str, Callable[[Tenant, Call, InstanceClient], Reply]] = {
    "arm": arm.answer,
    "mda": api_host.answer,
    "portal": portal.answer,
}
_PARTS = {
    "entra": token_endpoint.TABLE,
    "federation": token_endpoint.TABLE,
    "metadata": managed_identity.TABLE,
    "msi": managed_identity.TABLE,
    "graph": batch.TABLE,
}
