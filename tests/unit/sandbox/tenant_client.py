# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain HTTP client of the simulated tenant, independent of the collection."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import requests

from tests.sandbox.process import SandboxProcess
from tests.unit.sandbox.client import RestClient

MDA = "05a65629-4c1b-48c1-a78b-804c4abdd4af"
GRAPH = "https://graph.microsoft.com"
Json = dict[str, Any]


def trace() -> Json:
    """The request id and time that the portal page adds to each write."""
    return {"trace": {"requestId": str(uuid.uuid4()), "clientTime": int(time.time() * 1000)}}


class TenantClient:
    """Calls the tenant of a sandbox."""

    def __init__(self, sandbox: SandboxProcess, known: Json) -> None:
        self.sandbox = sandbox
        self.known = known
        self._session: dict[str, str] = {}

    def call(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        """Send one request without proxy, netrc, cookies or redirects."""
        with requests.Session() as session:
            session.trust_env = False
            kwargs.setdefault("timeout", 20)
            kwargs.setdefault("allow_redirects", False)
            return session.request(method, url, **kwargs)

    def token(self, *, tenant: str = "", version: str = "v2.0/", **form: str) -> requests.Response:
        """Request a token from Entra with the client secret; arguments override form fields, empty ones remove them."""
        given = {
            "grant_type": "client_credentials",
            "client_id": self.known["azure_client_id"],
            "client_secret": self.known["azure_client_secret"],
            "scope": f"{MDA}/.default",
            **form,
        }
        url = f"{self.known['azure_authority_url']}/{tenant or self.known['azure_tenant_id']}/oauth2/{version}token"
        return self.call("POST", url, data={name: value for name, value in given.items() if value})

    def bearer(self, audience: str = MDA) -> dict[str, str]:
        """The header of an application token."""
        answer = self.token(scope=f"{audience}/.default")
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    @property
    def legacy(self) -> dict[str, str]:
        """The header of the legacy API token."""
        return {"Authorization": f"Token {self.known['mda_api_token']}"}

    def api(self, method: str, path: str, body: Any = None, *, headers: Any = None, **kwargs: Any) -> requests.Response:
        """Call the Cloud Apps API, by default with the legacy token."""
        given = self.legacy if headers is None else headers
        return self.call(method, f"{self.known['mda_url']}{path}", json=body, headers=given, **kwargs)

    def rows(self, path: str, **query: Any) -> list[Json]:
        """The rows of a Cloud Apps list."""
        answer = self.api("POST", path, query)
        assert answer.status_code == 200, answer.text
        found: list[Json] = answer.json()["data"]
        return found

    def hunt(self, query: str, **more: Any) -> requests.Response:
        """Run a hunting query."""
        url = f"{self.known['azure_graph_url']}/v1.0/security/runHuntingQuery"
        return self.call("POST", url, json={"Query": query, **more}, headers=self.bearer(GRAPH))

    def hunt_rows(self, query: str, **more: Any) -> list[Json]:
        """The rows of a hunting query."""
        answer = self.hunt(query, **more)
        assert answer.status_code == 200, answer.text
        rows: list[Json] = answer.json()["results"]
        return rows

    def portal(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Call a portal route through the proxy as the signed-in user; arguments override headers, empty ones remove them."""
        if not self._session:
            self._session = self.sandbox.portal_session()
        given = {
            "Cookie": self._session["mda_portal_cookie"],
            "X-XSRF-TOKEN": self._session["mda_portal_xsrf_token"],
            "x-tid": self.known["azure_tenant_id"],
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        url = f"{self.known['portal_url']}/apiproxy/mcas/cas/api{path}"
        return self.call(method, url, json=body, headers={name: value for name, value in given.items() if value})

    def submit(self, name: str, url: str, login: str, password: str, **application: str) -> str:
        """Submit the wizard; returns the connector's id. Without an application: the legacy mode."""
        access: Json = {
            "mode": "OAUTH" if application else "BASIC",
            "endpoint": url,
            "identity": {"login": login, "phrase": base64.b64encode(password.encode()).decode()},
        }
        if application:
            access["application"] = {"key": application["client_id"], "secret": application["client_secret"]}
        body = {**trace(), "connector": {"saasId": 14509, "label": name, "access": access}}
        answer = self.portal("POST", f"/v1/connector_onboarding/submissions/?endpoint={quote(url, safe='')}", body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["connector"]["id"])

    def confirm(self, connector: str) -> None:
        """Confirm a submitted connector."""
        path = f"/v1/connector_onboarding/submissions/{connector}/confirmation/"
        answer = self.portal("POST", path, {**trace(), "acknowledgement": {"accepted": True}})
        assert answer.status_code == 200, answer.text

    def connect(self, name: str, instance: RestClient, **changes: str) -> Json:
        """Connect an instance with a new application and wait until that has succeeded or failed."""
        given = {"login": instance.access.username, "password": instance.access.password, **instance.application(name)}
        connector = self.submit(name, instance.url, **{**given, **changes})
        self.confirm(connector)
        return self.wait_connected(connector)

    def connector(self, connector: str) -> Json:
        """The row of a connector in the portal's list."""
        rows = self.portal("POST", "/v1/app_connectors/", {}).json()["data"]
        found: Json = next(row for row in rows if row["_id"] == connector)
        return found

    def wait_connected(self, connector: str) -> Json:
        """Wait until a connector is no longer connecting."""
        wait(lambda: self._state(connector) not in ("pending", "connecting"))
        return self.connector(connector)

    def _state(self, connector: str) -> str:
        rows = self.sandbox.tenant_state("connectors")
        return str(next(row["state"] for row in rows if row["id"] == connector))

    def wait_for_rows(self, table: str) -> list[Json]:
        """Wait until a table of the tenant has rows."""
        wait(lambda: self.sandbox.tenant_state(table) != [])
        return self.sandbox.tenant_state(table)


def wait(test: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait until a condition is true."""
    end = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.05)
