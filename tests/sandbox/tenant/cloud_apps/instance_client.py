# SPDX-License-Identifier: GPL-3.0-or-later
"""The connectors' HTTP client: signs in to an instance with the connector's credentials and reads its tables."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from ..secure_score import posture
from ..state import Row, Tenant
from . import connector_sync
from .connectors import CONNECTED, CONNECTING, ERROR, PASSWORD, WARNING, Connector

# The documented error texts in their short form (docs/facts/defender_for_cloud_apps.md#connector-states-and-errors);
# wrong credentials have no specific text.
_FAILURE = "RuntimeException: HttpRequestFailure: Server returned: "
FORBIDDEN = f"{_FAILURE}403 Forbidden"
SERVER_ERROR = f"{_FAILURE}500 Internal server error"
TIMEOUT = "Service timeout"

# The tables a connector reads (docs/facts/defender_for_cloud_apps.md#read-account). A user without read access gets no
# rows instead of an error; these tables are never empty, so no rows mean no access.
NEVER_EMPTY = (
    "sys_user",
    "sys_user_group",
    "sys_user_has_role",
    "sys_user_role_contains",
    "sys_properties",
    "v_plugin",
    "sysevent_script_action",
)
MAY_BE_EMPTY = ("sys_user_grmember", "sys_attachment", "sys_attachment_doc", "incident")
# Without these the connector delivers accounts, but no activities.
LOGS = ("sysevent", "syslog_transaction")

_MAX_CONCURRENT = 8


class ConnectionFailed(Exception):
    """The attempt failed; the message is the text that the portal shows."""


class InstanceClient:
    """The outgoing calls of the tenant's connectors."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._session: aiohttp.ClientSession | None = None
        self._gate = asyncio.Semaphore(_MAX_CONCURRENT)
        self._tasks: set[asyncio.Task[None]] = set()
        self._syncing: set[str] = set()

    def connect(self, connector: Connector) -> None:
        """Start to sign a connector in; it is connecting until that has finished."""
        connector.attempt += 1
        connector.state, connector.message, connector.disabled_by = CONNECTING, "", ""
        self.start(self._connect(connector, connector.attempt))

    def refresh(self) -> None:
        """Synchronize connectors whose data is older than the knob allows; called on every read."""
        border = self._tenant.now_ms() - self._tenant.knobs.sync_seconds * 1000
        for connector in self._tenant.connectors.values():
            if connector.may_sync and connector.synced < border:
                self.start(self._sync(connector, connector.attempt))

    def sync_all(self) -> None:
        """Synchronize every connected instance now."""
        for connector in self._tenant.connectors.values():
            if connector.may_sync:
                self.start(self._sync(connector, connector.attempt))

    async def read_posture(self) -> None:
        """Read the settings behind Secure Score of every connected instance, if the last reading has expired."""
        border = self._tenant.now_ms() - self._tenant.knobs.posture_delay * 1000
        due = [
            connector
            for connector in self._tenant.connectors.values()
            if connector.posture
            and (connector.is_connected or connector.may_sync)
            and (connector.access_token or connector.password)
            and (not connector.posture_read or connector.posture_read <= border)
        ]
        await asyncio.gather(*(self._read_posture(connector) for connector in due))

    async def _read_posture(self, connector: Connector) -> None:
        attempt = connector.attempt
        try:
            async with self._gate:
                await self._renew(connector)
                found = {table: await self._rows(connector, table, query) for table, query in posture.queries().items()}
        except ConnectionFailed as failed:
            if connector.attempt == attempt and connector.may_sync:
                connector.state, connector.message = ERROR, str(failed)
            return
        if connector.attempt == attempt:
            connector.posture_read, connector.posture_found = self._tenant.now_ms(), posture.posture_of(found)

    async def close(self) -> None:
        """Cancel running tasks."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a task in the background."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, connector: Connector, attempt: int) -> None:
        loop, knobs = asyncio.get_running_loop(), self._tenant.knobs
        started = loop.time()
        try:
            async with self._gate:
                await self._sign_in(connector)
                state, message = await self._check_tables(connector)
        except ConnectionFailed as failed:
            state, message = ERROR, str(failed)
        await asyncio.sleep(max(0.0, knobs.connect_seconds - (loop.time() - started)))
        if connector.attempt != attempt:
            return
        connector.state, connector.message = state, message
        connector.last_check = self._tenant.now_ms()
        if connector.is_connected:
            connector.last_connected = connector.last_check
            await asyncio.sleep(knobs.data_delay)
            await self._sync(connector, attempt)

    async def _sync(self, connector: Connector, attempt: int) -> None:
        if connector.attempt != attempt or connector.id in self._syncing:
            return
        self._syncing.add(connector.id)
        # An error that occurs while it reads stays.
        was_in_error = connector.state == ERROR
        try:
            async with self._gate:
                await self._renew(connector)
                tables = {
                    table: await self._rows(connector, table, query) for table, query in connector_sync.READS.items()
                }
            if connector.attempt == attempt:
                if was_in_error:
                    connector.state, connector.message = CONNECTED, ""
                connector_sync.import_rows(self._tenant, connector, tables)
        except ConnectionFailed as failed:
            if connector.attempt == attempt:
                connector.state, connector.message = ERROR, str(failed)
        finally:
            self._syncing.discard(connector.id)
            connector.last_check = connector.synced = self._tenant.now_ms()

    async def _sign_in(self, connector: Connector) -> None:
        if connector.mode != PASSWORD:
            # The password is not kept after the first connection
            # (docs/facts/defender_for_cloud_apps.md#connector-wizard).
            form = {"grant_type": "password", "username": connector.username, "password": connector.password}
            await self._request_tokens(connector, form)
            connector.password = ""

    async def _renew(self, connector: Connector) -> None:
        if connector.mode != PASSWORD and connector.access_until <= self._tenant.now():
            form = {"grant_type": "refresh_token", "refresh_token": connector.refresh_token}
            await self._request_tokens(connector, form)

    async def _request_tokens(self, connector: Connector, form: dict[str, str]) -> None:
        client = {"client_id": connector.client_id, "client_secret": connector.client_secret}
        granted = await self._call(connector, "POST", "oauth_token.do", data={**form, **client})
        try:
            connector.access_token = granted["access_token"]
            connector.refresh_token = granted["refresh_token"]
            connector.access_until = self._tenant.now() + int(granted["expires_in"]) - 30
        except (KeyError, TypeError, ValueError) as error:
            raise ConnectionFailed(SERVER_ERROR) from error

    async def _check_tables(self, connector: Connector) -> tuple[str, str]:
        for table in (*NEVER_EMPTY, *MAY_BE_EMPTY):
            rows = await self._rows(connector, table, {"sysparm_limit": "1", "sysparm_fields": "sys_id"})
            if not rows and table in NEVER_EMPTY:
                raise ConnectionFailed(FORBIDDEN)
        for table in LOGS:
            if not await self._rows(connector, table, {"sysparm_limit": "1", "sysparm_fields": "sys_id"}):
                return WARNING, ""
        return CONNECTED, ""

    async def _rows(self, connector: Connector, table: str, query: dict[str, str]) -> list[Row]:
        found = await self._call(connector, "GET", f"api/now/table/{table}", params=query)
        rows: list[Row] = found.get("result", [])
        return rows

    async def _call(self, connector: Connector, method: str, path: str, **content: Any) -> Row:
        base = connector.instance_url.strip().rstrip("/")
        if urlsplit(base).hostname not in ("127.0.0.1", "localhost"):
            # The sandbox never calls another machine: an instance elsewhere times out.
            raise ConnectionFailed(TIMEOUT)
        # The caller's address that IP access rules of an instance see.
        content["headers"] = {"X-Forwarded-For": self._tenant.knobs.egress_address}
        if connector.access_token and path.startswith("api/"):
            content["headers"]["Authorization"] = f"Bearer {connector.access_token}"
        elif connector.mode == PASSWORD:
            content["auth"] = aiohttp.BasicAuth(connector.username, connector.password)
        timeout = aiohttp.ClientTimeout(total=self._tenant.knobs.connect_timeout)
        try:
            session = self.session
            url = f"{base}/{path}"
            async with session.request(method, url, timeout=timeout, allow_redirects=False, **content) as answer:
                return _read_answer(answer.status, await answer.read())
        except (aiohttp.ClientError, TimeoutError, asyncio.TimeoutError) as error:
            raise ConnectionFailed(TIMEOUT) from error

    @property
    def session(self) -> aiohttp.ClientSession:
        """The HTTP session of outgoing calls."""
        if self._session is None:
            # Cookies would replace an expired token; the certificate is issued by the sandbox.
            connection = aiohttp.TCPConnector(ssl=False, limit=_MAX_CONCURRENT)
            self._session = aiohttp.ClientSession(connector=connection, cookie_jar=aiohttp.DummyCookieJar())
        return self._session


def _read_answer(status: int, body: bytes) -> Row:
    if status in (400, 401, 403):
        raise ConnectionFailed(FORBIDDEN)
    if status >= 500:
        raise ConnectionFailed(SERVER_ERROR)
    try:
        content = json.loads(body)
    except ValueError as error:
        # HTML instead of JSON: the instance hibernates or is under maintenance.
        raise ConnectionFailed(TIMEOUT) from error
    if status != 200 or not isinstance(content, dict):
        raise ConnectionFailed(f"{_FAILURE}{status}")
    return content
