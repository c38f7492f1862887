# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain HTTP client of the simulated Resource Manager, independent of the collection."""

from __future__ import annotations

import time
from typing import Any

import requests

from tests.sandbox.process import SandboxProcess
from tests.unit.sandbox.tenant_client import TenantClient

AUDIENCE = "https://management.azure.com"
SECURITY = "/providers/Microsoft.Security"
PRICINGS = "2024-01-01"
ASSESSMENTS = "2025-05-04"
GOVERNANCE = "2022-01-01-preview"
INTEGRATIONS = "2023-07-01-preview"
DUE = "2026-03-01T00:00:00.0000000Z"
Json = dict[str, Any]


class ArmClient(TenantClient):
    """Calls Resource Manager as the application in the inventory."""

    def __init__(self, sandbox: SandboxProcess, known: Json) -> None:
        super().__init__(sandbox, known)
        self._header: dict[str, str] = {}

    @property
    def subscription(self) -> str:
        """The first subscription, as a scope."""
        return f"/subscriptions/{self.known['azure_subscription_id']}"

    @property
    def group(self) -> str:
        """The management group, as a scope."""
        return f"/providers/Microsoft.Management/managementGroups/{self.known['azure_management_group_id']}"

    @property
    def aws(self) -> str:
        """The AWS connector, as a scope."""
        return f"{self.subscription}/resourceGroups/rg-connectors{SECURITY}/securityConnectors/aws-prod"

    def request(
        self, method: str, path: str, body: Any = None, *, version: str = "", headers: Any = None, **query: str
    ) -> requests.Response:
        """Call a path, or an address from a response; `expand`, `filter` and so on become `$expand` ..."""
        if headers is None:
            self._header = self._header or self.bearer(AUDIENCE)
            headers = self._header
        params = {f"${name}": value for name, value in query.items()}
        if version:
            params["api-version"] = version
        url = path if path.startswith("http") else f"{self.known['azure_arm_url']}{path}"
        return self.call(method, url, json=body, params=params, headers=headers)

    def get_json(self, path: str, version: str, **query: str) -> Json:
        """The content of a successful GET."""
        answer = self.request("GET", path, version=version, **query)
        assert answer.status_code == 200, answer.text
        content: Json = answer.json()
        return content

    def list_all(self, path: str, version: str) -> list[Json]:
        """All rows of a list, following its pages."""
        content = self.get_json(path, version)
        rows: list[Json] = content["value"]
        while "nextLink" in content:
            content = self.request("GET", content["nextLink"]).json()
            rows += content["value"]
        return rows

    def put(self, path: str, properties: Json, version: str, status: int = 200) -> Json:
        """The content of a PUT with an expected status."""
        answer = self.request("PUT", path, {"properties": properties}, version=version)
        assert answer.status_code == status, answer.text
        content: Json = answer.json()
        return content

    def findings(self, scope: str = "", code: str = "Unhealthy") -> list[Json]:
        """The assessments of a scope that have a status."""
        rows = self.list_all(f"{scope or self.subscription}{SECURITY}/assessments", ASSESSMENTS)
        return [row for row in rows if row["properties"]["status"]["code"] == code]

    def turn_plan_on(self) -> None:
        """Switch Defender CSPM on in the first subscription."""
        self.put(f"{self.subscription}{SECURITY}/pricings/CloudPosture", {"pricingTier": "Standard"}, PRICINGS)

    def wait_finished(self, address: str) -> requests.Response:
        """Poll a long-running operation until it has finished."""
        end = time.monotonic() + 10
        while (answer := self.request("GET", address)).status_code == 202:
            assert time.monotonic() < end, "the operation does not finish"
            time.sleep(0.05)
        return answer


def refusal(answer: requests.Response) -> tuple[int, str]:
    """Status and code of an error; also checks its format."""
    content = answer.json()
    assert set(content) == {"error"} and {"code", "message"} <= set(content["error"]), content
    assert set(content["error"]) <= {"code", "message", "target", "details", "additionalInfo"}, content
    return answer.status_code, content["error"]["code"]
