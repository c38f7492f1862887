# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of Graph for the tests of the sandbox."""

from __future__ import annotations

from typing import Any

import requests

from tests.unit.sandbox.tenant_client import GRAPH, Json, TenantClient


class GraphClient:
    """Calls Graph of a tenant with one application token."""

    def __init__(self, tenant: TenantClient) -> None:
        self.tenant = tenant
        self.sandbox = tenant.sandbox
        self._headers = tenant.bearer(GRAPH)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Send one request; `path` starts after the version, or is a complete link."""
        url = path if path.startswith("http") else f"{self.tenant.known['azure_graph_url']}/v1.0{path}"
        return self.tenant.call(method, url, json=body, headers={**self._headers, **headers})

    def get(self, path: str) -> Json:
        """The content of a successful GET."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        content: Json = answer.json()
        return content

    def all(self, path: str) -> list[Json]:
        """All rows of a list, page by page."""
        rows: list[Json] = []
        while path:
            content = self.get(path)
            rows += content["value"]
            path = content.get("@odata.nextLink", "")
        return rows

    def error(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Status and code of an error."""
        answer = self.call(method, path, body)
        error = answer.json()["error"]
        assert error["message"] and error["innerError"]["request-id"]
        return answer.status_code, error["code"]

    def batch(self, *requests: Json) -> dict[str, Json]:
        """The responses of a batch by id."""
        answer = self.call("POST", "/$batch", {"requests": list(requests)})
        assert answer.status_code == 200, answer.text
        return {each["id"]: each for each in answer.json()["responses"]}
