# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the simulated tenant: credentials, and the data of Cloud Apps and Graph."""

from __future__ import annotations

import secrets
import string
import time
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

from ..settings import as_json
from .arm.state import ArmState
from .cloud_apps import data
from .cloud_apps.connectors import Connector
from .entra import registered
from .entra_users import directory
from .graph import incident_data
from .knobs import TenantKnobs, turn

NAME = "tenant"
DOMAIN = "acme.onmicrosoft.com"
PORTAL_USER = f"secadmin@{DOMAIN}"
FEDERATED_SUBJECT = "system:serviceaccount:automation:defender"
_ALPHABET = string.ascii_letters + string.digits

Row = dict[str, Any]
_PLAIN = (
    "activities",
    "entities",
    "alerts",
    "files",
    "subnets",
    "policies",
    "users",
    "mails",
    "scores",
    "control_updates",
    "incidents",
    "defender_alerts",
    "applications",
    "deleted_applications",
    "service_principals",
    "role_assignments",
    "named_locations",
    "conditional_access_policies",
    "exposure_nodes",
    "data_connectors",
)
"""Tables that are lists of rows."""


class Tenant:
    """The state of the tenant. Requests are answered by the other files."""

    def __init__(self, knobs: TenantKnobs | None = None, seed: int = 0) -> None:
        self.knobs = knobs or TenantKnobs()
        self.seed = seed
        self.tenant_id = self._uuid("tenant")
        self.client_id = self._uuid("application")
        self.identity_client_id = self._uuid("managed identity")
        self.client_secret = f"{self._text('secret', 3)}8Q~{self._text('secret tail', 34)}"
        self.api_token = f"{self._text('api token', 62)}=="
        self.portal_password = self._text("portal", 20)
        self.identity_header = self._text("identity header", 32)
        self.sessions: dict[str, Row] = {}
        """Portal sessions: cookie -> {"until", "xsrf": [[value, until], ...]}."""
        self.calls: deque[float] = deque()
        """Times of the latest Cloud Apps calls, for the limit per minute."""
        self.hunting_calls: deque[float] = deque()
        self.graph_calls: deque[float] = deque()
        self.wizard_requests: set[str] = set()
        self.connectors: dict[str, Connector] = {}
        self.activities: list[Row] = []
        self.entities: list[Row] = []
        self.alerts: list[Row] = []
        self.files: list[Row] = []
        self.subnets: list[Row] = [dict(row) for row in data.subnets()]
        self.policies: list[Row] = [dict(row) for row in data.policies()]
        self._arm: ArmState | None = None
        self.users: list[Row] = directory.users(DOMAIN, self._uuid)
        self.mails: list[Row] = []
        self.scores: list[Row] = []
        """Snapshots of Secure Score, one for each day on which it was read."""
        self.control_updates: list[Row] = []
        self.incidents: list[Row] = incident_data.incidents(self.tenant_id)
        self.exposure_nodes: list[Row] = []
        self.data_connectors: list[Row] = []
        """Data connectors of Exposure Management, with their secrets."""
        self.defender_alerts: list[Row] = incident_data.alerts(self.tenant_id)
        self.applications: list[Row] = [self._automation()]
        self.deleted_applications: list[Row] = []
        self.service_principals: list[Row] = [registered.principal_row(self._uuid("principal"), self.applications[0])]
        self.role_assignments: list[Row] = []
        self.named_locations: list[Row] = []
        self.conditional_access_policies: list[Row] = []

    def _digest(self, what: str, size: int) -> bytes:
        out = b""
        while len(out) < size:
            out += blake2b(f"{self.seed}:tenant:{what}:{len(out)}".encode()).digest()
        return out[:size]

    def _uuid(self, what: str) -> str:
        return str(uuid.UUID(bytes=self._digest(what, 16), version=4))

    def _text(self, what: str, length: int) -> str:
        return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in self._digest(what, length))

    def _automation(self) -> Row:
        """The application in the inventory, with its secret."""
        row = registered.application_row(self._uuid("application object"), self.client_id, "automation", 1767225600.0)
        key_id = self._uuid("application secret")
        times = {"startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2028-01-01T00:00:00Z"}
        shown = {"displayName": "inventory", "hint": self.client_secret[:3], "keyId": key_id, "secretText": None}
        return {**row, "passwordCredentials": [{**shown, **times}], "_secrets": {key_id: self.client_secret}}

    def subscription_id(self, number: int) -> str:
        """The id of a subscription, derived from the seed."""
        return self._uuid(f"subscription {number}")

    @property
    def arm(self) -> ArmState:
        """The state of Resource Manager, created on first use."""
        if self._arm is None:
            self._arm = ArmState(self)
            self._arm.fill(self)
        return self._arm

    def now(self) -> float:
        """The tenant's clock in epoch seconds."""
        return time.time() + self.knobs.time_shift

    def now_ms(self) -> int:
        """The tenant's clock in epoch milliseconds, the format of Cloud Apps."""
        return int(self.now() * 1000)

    @staticmethod
    def new_id() -> str:
        """A fresh id of 24 hexadecimal digits."""
        return secrets.token_hex(12)

    def tables(self) -> dict[str, list[Row]]:
        """The tables that tests can read and change, by name; connectors without their secrets."""
        return {
            "connectors": [connector.shown() for connector in self.connectors.values()],
            "activities": self.activities,
            "entities": self.entities,
            "alerts": self.alerts,
            "files": self.files,
            "subnets": self.subnets,
            "policies": self.policies,
            **self.arm.tables(),
            "users": self.users,
            "mails": self.mails,
            "scores": self.scores,
            "control_updates": self.control_updates,
            "incidents": self.incidents,
            "defender_alerts": self.defender_alerts,
            "applications": self.applications,
            "deleted_applications": self.deleted_applications,
            "service_principals": self.service_principals,
            "role_assignments": self.role_assignments,
            "named_locations": self.named_locations,
            "conditional_access_policies": self.conditional_access_policies,
            "exposure_nodes": self.exposure_nodes,
            "data_connectors": [{**row, "secret": bool(row["secret"])} for row in self.data_connectors],
        }

    def saved(self) -> dict[str, Any]:
        """The state that `restored` needs."""
        rows = {name: getattr(self, name) for name in _PLAIN}
        connectors = [asdict(connector) for connector in self.connectors.values()]
        kept = {"seed": self.seed, "knobs": as_json(self.knobs), "connectors": connectors, "arm": self.arm.saved()}
        return {**kept, **rows}


def restored(saved: Mapping[str, Any]) -> Tenant:
    """Restore a saved tenant."""
    tenant = Tenant(turn(TenantKnobs(), saved["knobs"]), saved["seed"])
    tenant.connectors = {row["id"]: Connector(**row) for row in saved["connectors"]}
    for name in _PLAIN:
        if name in saved:
            setattr(tenant, name, list(saved[name]))
    if "arm" in saved:
        tenant.arm.load(saved["arm"])
    return tenant
