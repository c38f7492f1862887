# SPDX-License-Identifier: GPL-3.0-or-later
"""How a connector reaches its instance: it signs in over HTTP with what it was given, and reads what it is allowed to."""

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

# The documented error texts in their short form (Cloud Apps facts 1.7); wrong credentials have no text of their own there.
_FAILURE = "RuntimeException: HttpRequestFailure: Server returned: "
FORBIDDEN = f"{_FAILURE}403 Forbidden"
SERVER_ERROR = f"{_FAILURE}500 Internal server error"
TIMEOUT = "Service timeout"

# Cloud Apps facts 1.3: the tables a connector reads. A user without access control gets no rows instead of a refusal;
# these are never empty, so that no rows mean no right.
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
# Without these the connector lists accounts, but brings no activities.
LOGS = ("sysevent", "syslog_transaction")

_MAX_CONCURRENT = 8


class ConnectionFailed(Exception):
    """What the instance answered ends the attempt; the text is what the portal shows."""


class InstanceClient:
    """The connectors' side of the tenant that calls out."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._session: aiohttp.ClientSession | None = None
        self._gate = asyncio.Semaphore(_MAX_CONCURRENT)
        self._tasks: set[asyncio.Task[None]] = set()
        self._syncing: set[str] = set()

    def connect(self, connector: Connector) -> None:
        """Let a connector sign in; it is connecting until that is done."""
        connector.attempt += 1
        connector.state, connector.message, connector.disabled_by = CONNECTING, "", ""
        self.start(self._connect(connector, connector.attempt))

    def refresh(self) -> None:
        """Read again what is older than the knob allows; called whenever somebody looks at the data."""
        border = self._tenant.now_ms() - self._tenant.knobs.sync_seconds * 1000
        for connector in self._tenant.connectors.values():
            if connector.may_sync and connector.synced < border:
                self.start(self._sync(connector, connector.attempt))

    def sync_all(self) -> None:
        """Read every connected instance again now."""
        for connector in self._tenant.connectors.values():
            if connector.may_sync:
                self.start(self._sync(connector, connector.attempt))

    async def read_posture(self) -> None:
        """Read the settings behind Secure Score of every connected instance, where the last reading is old enough."""
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
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something run on beside the requests."""
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
        try:
            async with self._gate:
                await self._renew(connector)
                tables = {
                    table: await self._rows(connector, table, query) for table, query in connector_sync.READS.items()
                }
            if connector.attempt == attempt:
                if connector.state == ERROR:
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
            # The password is not kept after the first connection (Cloud Apps facts 1.1).
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
            # The sandbox never leaves the machine: an instance elsewhere does not answer.
            raise ConnectionFailed(TIMEOUT)
        # Address rules of an instance see another caller than this machine.
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
        """What calls out."""
        if self._session is None:
            # Cookies would stand in for a token that has expired, and the certificate is the sandbox's own.
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
        # A page where data are due: the instance hibernates or is being maintained.
        raise ConnectionFailed(TIMEOUT) from error
    if status != 200 or not isinstance(content, dict):
        raise ConnectionFailed(f"{_FAILURE}{status}")
    return content
