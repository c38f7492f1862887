# SPDX-License-Identifier: GPL-3.0-or-later
"""The data connectors' HTTP client: signs in to an instance with the entered credentials and reads its CMDB.

See docs/facts/exposure_management.md#errors-of-the-data-connector, docs/facts/exposure_management.md#retrieved-data.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from ..cloud_apps.instance_client import InstanceClient
from ..state import Row, Tenant

CLIENT_CREDENTIALS, BASIC = "ClientCredentials", "Basic"
CONNECTING, CONNECTED, FAILED = "Connecting", "Connected", "Failed"
_DEVICES = "api/now/table/cmdb_ci?sysparm_fields=sys_id,name&sysparm_limit=100"
# Statuses that are documented for the connector; a host that does not answer is a bad URL.
_ERRORS = {401: "401 Unauthorized", 403: "403 Forbidden", 404: "404 Not found", 429: "429 Too many requests"}
_BAD_URL = "404 Bad URL"


class _Failed(Exception):
    """The attempt failed; the message is the text that the portal shows."""


def start_reading(tenant: Tenant, client: InstanceClient, connector: Row, base: str) -> None:
    """Start to read the CMDB of a connector's instance; `base` has the scheme of the sandbox."""
    connector["attempt"] += 1
    connector["scheme"] = urlsplit(base).scheme
    client.start(_read(tenant, client, connector, connector["attempt"]))


def read_all(tenant: Tenant, client: InstanceClient) -> None:
    """Read the CMDB of every connected instance again."""
    for connector in tenant.data_connectors:
        connector["attempt"] += 1
        client.start(_read(tenant, client, connector, connector["attempt"]))


async def _read(tenant: Tenant, client: InstanceClient, connector: Row, attempt: int) -> None:
    state, message, devices = CONNECTED, "", []
    try:
        devices = await _devices(tenant, client, connector)
    except _Failed as failed:
        state, message = FAILED, str(failed)
    await asyncio.sleep(tenant.knobs.connect_seconds)
    if connector["attempt"] != attempt or connector not in tenant.data_connectors:
        return
    connector["state"], connector["message"] = state, message
    if state == CONNECTED:
        await asyncio.sleep(tenant.knobs.data_delay)
        _deliver(tenant, connector, devices)


def _deliver(tenant: Tenant, connector: Row, devices: list[Row]) -> None:
    """Put the devices into the exposure graph in place of those that the connector delivered before."""
    tenant.exposure_nodes[:] = [node for node in tenant.exposure_nodes if node.get("_connector") != connector["_id"]]
    for device in devices:
        asset = {"sysId": device["sys_id"], "name": device["name"]}
        node = {"NodeId": tenant.new_id(), "NodeLabel": "device", "NodeName": device["name"]}
        properties = {"rawData": {"serviceNowCmdbAssetInfo": asset}}
        row = {"_id": node["NodeId"], "_connector": connector["_id"], **node, "NodeProperties": properties}
        tenant.exposure_nodes.append(row)


async def _devices(tenant: Tenant, client: InstanceClient, connector: Row) -> list[Row]:
    if connector["mode"] == BASIC:
        signed: Row = {"auth": aiohttp.BasicAuth(connector["identity"], connector["secret"])}
    else:
        form = {
            "grant_type": "client_credentials",
            "client_id": connector["identity"],
            "client_secret": connector["secret"],
        }
        granted = await _call(tenant, client, connector, "POST", "oauth_token.do", data=form)
        signed = {"headers": {"Authorization": f"Bearer {granted.get('access_token', '')}"}}
    found = await _call(tenant, client, connector, "GET", _DEVICES, **signed)
    rows: list[Row] = found.get("result", [])
    return rows


async def _call(tenant: Tenant, client: InstanceClient, connector: Row, method: str, path: str, **content: Any) -> Row:
    url = f"{connector['scheme']}://{connector['instance'].strip().rstrip('/')}/{path}"
    if urlsplit(url).hostname not in ("127.0.0.1", "localhost"):
        # The sandbox never calls another machine.
        raise _Failed(_BAD_URL)
    headers = {**content.pop("headers", {}), "X-Forwarded-For": tenant.knobs.egress_address}
    timeout = aiohttp.ClientTimeout(total=tenant.knobs.connect_timeout)
    try:
        async with client.session.request(
            method, url, timeout=timeout, allow_redirects=False, headers=headers, **content
        ) as answer:
            status, body = answer.status, await answer.read()
    except (aiohttp.ClientError, TimeoutError, asyncio.TimeoutError) as error:
        raise _Failed(_BAD_URL) from error
    if status != 200:
        raise _Failed(_ERRORS.get(status, f"{status}"))
    try:
        found = json.loads(body)
    except ValueError as error:
        raise _Failed(_BAD_URL) from error
    return found if isinstance(found, dict) else {}
