# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain HTTP client for the tests of the sandbox, independent of the collection."""

from __future__ import annotations

import base64
import json
from typing import Any

import requests

from tests.sandbox.process import InstanceAccess, SandboxProcess

JSON = {"Accept": "application/json", "Content-Type": "application/json"}


class RestClient:
    """Calls one instance, by default as its automation account with Basic authentication and without cookies."""

    def __init__(self, sandbox: SandboxProcess, access: InstanceAccess) -> None:
        self.sandbox = sandbox
        self.access = access
        self.name = access.name
        self.url = access.url
        self.auth: tuple[str, str] | None = (access.username, access.password)
        self.headers: dict[str, str] = {}

    def as_user(self, user_name: str, password: str) -> RestClient:
        """The same instance through another account."""
        other = RestClient(self.sandbox, self.access)
        other.auth = (user_name, password)
        return other

    def with_token(self, token: str) -> RestClient:
        """The same instance with a bearer token."""
        other = RestClient(self.sandbox, self.access)
        other.auth = None
        other.headers = {"Authorization": f"Bearer {token}"}
        return other

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Send one request on a new connection without proxy, netrc, cookies or redirects."""
        headers = {**self.headers, **kwargs.pop("headers", {})}
        with requests.Session() as session:
            session.trust_env = False
            kwargs.setdefault("timeout", 20)
            kwargs.setdefault("allow_redirects", False)
            if self.access.ca_path:
                kwargs.setdefault("verify", self.access.ca_path)
            return session.request(method, f"{self.url}/{path}", auth=self.auth, headers=headers, **kwargs)

    def table(self, table: str, sys_id: str = "", *, method: str = "GET", **params: Any) -> requests.Response:
        """Call the Table API; parameters go into the query string, `body` becomes the JSON body."""
        body = params.pop("body", None)
        data = json.dumps(body) if body is not None else None
        path = f"api/now/table/{table}" + (f"/{sys_id}" if sys_id else "")
        headers = JSON if data is not None else {"Accept": "application/json"}
        return self.call(method, path, params=params, data=data, headers=headers)

    def rows(self, table: str, query: str = "", **params: Any) -> list[dict[str, Any]]:
        """The rows of an encoded query."""
        answer = self.table(table, sysparm_query=query, **params)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["result"]
        return found

    def row(self, table: str, query: str, **params: Any) -> dict[str, Any]:
        """The only row of a query."""
        rows = self.rows(table, query, **params)
        assert len(rows) == 1, rows
        return rows[0]

    def insert(self, table: str, body: dict[str, Any], **params: Any) -> dict[str, Any]:
        """Insert a row and return it."""
        answer = self.table(table, method="POST", body=body, **params)
        assert answer.status_code == 201, answer.text
        row: dict[str, Any] = answer.json()["result"]
        return row

    def update(self, table: str, sys_id: str, body: dict[str, Any], **params: Any) -> dict[str, Any]:
        """Update a row and return it."""
        answer = self.table(table, sys_id, method="PATCH", body=body, **params)
        assert answer.status_code == 200, answer.text
        row: dict[str, Any] = answer.json()["result"]
        return row

    def user(self, user_name: str, password: str = "Made-up-1", **columns: Any) -> RestClient:
        """Create or change a user out of band and return a client that signs in as this user."""
        roles = columns.pop("roles", ())
        if self.sandbox.state(self.name, "sys_user") and not self.rows("sys_user", f"user_name={user_name}"):
            values = {"user_name": user_name, "last_name": user_name, "user_password": password, **columns}
            self.sandbox.tamper(self.name, "sys_user", values, insert=True)
        else:
            match = {"user_name": user_name}
            self.sandbox.tamper(self.name, "sys_user", {"user_password": password, **columns}, match=match)
        for role in roles:
            self.sandbox.tamper(self.name, "sys_user_has_role", {"user": user_name, "role": role}, insert=True)
        return self.as_user(user_name, password)

    def token(self, **form: str) -> requests.Response:
        """Call the token endpoint with a form."""
        return RestClient(self.sandbox, self.access)._anonymous().call("POST", "oauth_token.do", data=form)

    def _anonymous(self) -> RestClient:
        self.auth = None
        return self

    def anonymous(self) -> RestClient:
        """The same instance without credentials."""
        return RestClient(self.sandbox, self.access)._anonymous()

    def application(self, name: str = "App", secret: str = "s3cret", **columns: Any) -> dict[str, str]:
        """Create an OAuth application out of band; returns `client_id` and `client_secret`."""
        self.sandbox.tamper(self.name, "oauth_entity", {"name": name, "client_secret": secret, **columns}, insert=True)
        client_id = self.row("oauth_entity", f"name={name}")["client_id"]
        return {"client_id": client_id, "client_secret": secret}

    def batch(self, *urls: str, **extra: Any) -> requests.Response:
        """Send GET requests in one batch."""
        inner = [{"id": str(place), "method": "GET", "url": url, "headers": []} for place, url in enumerate(urls)]
        return self.call("POST", "api/now/v1/batch", json={"batch_request_id": "b", "rest_requests": inner}, **extra)


def inner_json(serviced: dict[str, Any]) -> Any:
    """The JSON body of a response inside a batch."""
    return json.loads(base64.b64decode(serviced["body"]))


def error_of(answer: requests.Response) -> tuple[int, str, Any]:
    """Status, message and detail of the platform's general error format."""
    content = answer.json()
    assert content["status"] == "failure"
    return answer.status_code, content["error"]["message"], content["error"]["detail"]
