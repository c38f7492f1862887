# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditional Access of a simulated tenant, as tests see it: the enterprise applications that it has, and its policies."""

from __future__ import annotations

from typing import Any

from tests.integration.graph import GraphTenant
from tests.integration.playbooks import Task, task
from tests.sandbox.process import SandboxProcess
from tests.sandbox.tenant.conditional_access.enterprise_applications import servicenow

APP_ID, OTHER_APP_ID = "1b3d5f70-0000-4000-8000-0000000000a1", "1b3d5f70-0000-4000-8000-0000000000a2"
ADDRESS, OTHER_ADDRESS = "https://acme.service-now.com", "https://acme-dev.service-now.com"
BREAK_GLASS = "breakglass@acme.onmicrosoft.com"
NAME = "ServiceNow session control"
MARKED = f"{NAME} [servicenow_defender]"
POLICIES = "conditional_access_policies"


class ProtectedTenant(GraphTenant):
    """A fresh tenant with single sign-on to two instances, and a break-glass account."""

    def __init__(self, sandbox: SandboxProcess, **knobs: Any) -> None:
        super().__init__(sandbox, **knobs)
        self.add_application("ServiceNow", APP_ID, ADDRESS)
        self.add_application("ServiceNow dev", OTHER_APP_ID, OTHER_ADDRESS)
        employee = {name: value for name, value in self.user("employee").items() if name != "_id"}
        account = {
            "id": "6c1f0000-0000-4000-8000-00000000bb01",
            "userPrincipalName": BREAK_GLASS,
            "mailNickname": "breakglass",
        }
        sandbox.tamper_tenant("users", {**employee, **account, "displayName": "Break glass"}, insert=True)

    def add_application(self, name: str, app_id: str, address: str, **more: Any) -> None:
        """Add an enterprise application."""
        self.sandbox.tamper_tenant("service_principals", {**servicenow(name, app_id, address), **more}, insert=True)

    def add_policy(self, name: str, applications: list[str], **more: Any) -> None:
        """Add a policy behind everyone's back."""
        key = f"7b000000-0000-4000-8000-{len(self.rows(POLICIES)):012}"
        conditions = {
            "applications": {"includeApplications": applications},
            "users": {"includeUsers": ["All"]},
            "clientAppTypes": ["all"],
        }
        session = {"cloudAppSecurity": {"cloudAppSecurityType": "mcasConfigured", "isEnabled": True}}
        values = {
            "id": key,
            "displayName": name,
            "state": "enabled",
            "conditions": conditions,
            "grantControls": None,
            "sessionControls": session,
        }
        self.sandbox.tamper_tenant(POLICIES, {**values, **more}, insert=True)

    def policy(self) -> dict[str, Any]:
        """Return the policy of this collection."""
        (row,) = self.rows(POLICIES, displayName=MARKED)
        return row


def control(name: str, **options: Any) -> Task:
    """Return a task with a desired policy."""
    return task("graph_session_control", name, **{"applications": ["ServiceNow"], "exclude": [BREAK_GLASS], **options})
