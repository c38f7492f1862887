# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP client of an integration: signs in to its ServiceNow instance with the stored credentials.

See docs/facts/defender_for_cloud.md#connecting-servicenow, docs/facts/defender_for_cloud.md#integration-operations.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from ..arm.state import Row

if TYPE_CHECKING:
    from ..cloud_apps.instance_client import InstanceClient

WRONG, UNAUTHORIZED = "WrongCredentials", "UserUnauthorized"
NAMED: tuple[Row, ...] = (
    {"element": "short_description", "column_label": "Short description", "mandatory": "true"},
    {"element": "description", "column_label": "Description", "mandatory": "false"},
    {"element": "assigned_to", "column_label": "Assigned to", "mandatory": "false"},
)
TABLES = {"incident": "Incident", "problem": "Problem", "change_request": "ChangeRequest"}
"""Table -> its name in the draft; only `Incident` is in the examples."""


class Unreachable(Exception):
    """Signing in to the instance failed; `kind` is the vendor's type of error."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class IntegrationClient:
    """One instance, with the credentials of an integration."""

    def __init__(self, client: InstanceClient, authentication: Row) -> None:
        self._client = client
        self._known = {name: str(value or "") for name, value in authentication.items()}
        self.url = self._known.get("instanceUrl", "").strip().rstrip("/")
        self._token = ""

    async def sign_in(self) -> None:
        """Get a token by the password grant; raises Unreachable."""
        form = {
            "grant_type": "password",
            "username": self._known.get("userName", ""),
            "password": self._known.get("password", ""),
            "client_id": self._known.get("clientId", ""),
            "client_secret": self._known.get("clientSecret", ""),
        }
        content = await self._call("POST", "oauth_token.do", data=form)
        if not isinstance(content.get("access_token"), str):
            raise Unreachable(WRONG, "The instance gave no access token.")
        self._token = content["access_token"]

    async def rows(self, table: str, query: str, fields: str, limit: int = 500) -> list[Row]:
        """Return rows of a table; raises Unreachable."""
        params = {"sysparm_query": query, "sysparm_fields": fields, "sysparm_limit": str(limit)}
        content = await self._call("GET", f"api/now/table/{table}", params=params)
        found: list[Row] = content.get("result", [])
        return found

    async def insert(self, table: str, values: Row) -> Row:
        """Insert a row; raises Unreachable."""
        content = await self._call("POST", f"api/now/table/{table}", json=values)
        row: Row = content["result"]
        return row

    async def columns(self, reads: str) -> list[Row]:
        """The columns of the three ticket tables; raises Unreachable if the user cannot read them.

        What the vendor reads is unknown (docs/facts/servicenow_tickets.md#ticket-account): with `dictionary` it reads
        the column definitions, which an agent cannot read; with `tickets` the tables are enough, and the columns are
        those of its pages (docs/facts/servicenow_tickets.md#tickets-from-defender-for-cloud).
        """
        if reads == "tickets":
            tables = await self.rows("sys_db_object", f"nameIN{','.join(TABLES)}", "name,label")
            found = [{**column, "name": table["name"]} for table in tables for column in NAMED]
        else:
            query = f"nameIN{','.join(TABLES)},task^elementISNOTEMPTY"
            found = await self.rows("sys_dictionary", query, "name,element,column_label,mandatory", 2000)
        if not found:
            # A user without access gets no rows instead of an error.
            raise Unreachable(UNAUTHORIZED, "The user may not read the columns of the tables.")
        return [
            {
                "table": shown,
                "displayName": row["column_label"],
                "serviceNowKey": row["element"],
                "isMandatory": row["mandatory"] == "true",
            }
            for table, shown in TABLES.items()
            for row in found
            if row["name"] in (table, "task")
        ]

    async def _call(self, method: str, path: str, **content: Any) -> Row:
        if urlsplit(self.url).hostname not in ("127.0.0.1", "localhost"):
            # The sandbox never calls another machine: an instance elsewhere times out.
            raise Unreachable(WRONG, f"The instance {self.url or 'without a URL'} does not answer.")
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        timeout = aiohttp.ClientTimeout(total=10)
        try:
            request = self._client.session.request(
                method, f"{self.url}/{path}", headers=headers, timeout=timeout, allow_redirects=False, **content
            )
            async with request as answer:
                return self._read_answer(answer.status, await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(WRONG, f"The instance {self.url} does not answer.") from error

    def _read_answer(self, status: int, body: bytes) -> Row:
        try:
            content = json.loads(body)
        except ValueError:
            content = None
        if status in (200, 201) and isinstance(content, dict):
            return content
        if self._token and status == 403:
            raise Unreachable(UNAUTHORIZED, "The user lacks the rights that the integration needs.")
        raise Unreachable(WRONG, f"The instance refused to sign the user in (status {status}).")
