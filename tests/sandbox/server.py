# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP server in front of the simulated services."""

from __future__ import annotations

import asyncio
import sys
import traceback
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from .control_api import control
from .faults import CLOSE_EARLY, DRIP, LATE, RESET, apply_after, apply_before, draw
from .fleet import Fleet
from .tls import Certificates
from .web import Call, Reply, json_reply

HOST = "127.0.0.1"
_MAX_BODY = 64 * 1024 * 1024
_MAX_LINE = 64 * 1024


class Sandbox:
    """Serves a fleet: instances under `/<name>` of a shared port, or at the root of their own port."""

    def __init__(self, fleet: Fleet, *, port: int = 0, certificates: Certificates | None = None) -> None:
        self.fleet = fleet
        self.base_url = ""
        self._wanted_port = port
        self._certificates = certificates
        self._ssl = certificates.server_context() if certificates else None
        self._runner: web.ServerRunner | None = None
        self._own_ports: dict[int, str] = {}
        self._own_sites: dict[str, tuple[int, web.TCPSite]] = {}

    @property
    def _scheme(self) -> str:
        return "https" if self._ssl else "http"

    async def start(self) -> None:
        """Start listening and set `base_url`."""
        loop = asyncio.get_running_loop()

        def make_request(
            message: RawRequestMessage,
            payload: StreamReader,
            protocol: RequestHandler,
            writer: AbstractStreamWriter,
            task: asyncio.Task[None],
        ) -> web.BaseRequest:
            return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=_MAX_BODY)

        server = web.Server(
            self._serve,
            request_factory=make_request,
            access_log=None,
            max_line_size=_MAX_LINE,
            max_field_size=_MAX_LINE,
            keepalive_timeout=600,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=1)
        await self._runner.setup()
        self.base_url = f"{self._scheme}://{HOST}:{(await self._listen(self._wanted_port))[0]}"
        for name in self.fleet.instances:
            await self.sync_own_port(name)

    async def _listen(self, port: int) -> tuple[int, web.TCPSite]:
        if self._runner is None:
            raise RuntimeError("the sandbox has not started")
        before = set(map(_port_of, self._runner.addresses))
        site = web.TCPSite(self._runner, HOST, port, ssl_context=self._ssl, backlog=1024)
        await site.start()
        return (set(map(_port_of, self._runner.addresses)) - before).pop(), site

    async def stop(self) -> None:
        """Stop listening and close every connection."""
        await self.fleet.tenant.client.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def sync_own_port(self, name: str) -> None:
        """Open or close an instance's own port according to its knob."""
        service = self.fleet.instances.get(name)
        wanted = service is not None and service.instance.knobs.own_port
        if wanted and name not in self._own_sites:
            port, site = await self._listen(0)
            self._own_sites[name], self._own_ports[port] = (port, site), name
        elif not wanted and name in self._own_sites:
            port, site = self._own_sites.pop(name)
            del self._own_ports[port]
            await site.stop()

    def url_of(self, name: str) -> str:
        """The URL of an instance."""
        own = self._own_sites.get(name)
        return f"{self._scheme}://{HOST}:{own[0]}" if own else f"{self.base_url}/{name}"

    def describe(self, name: str) -> dict[str, Any]:
        """Everything a client needs to reach an instance."""
        service = self.fleet.instances[name]
        (user, password), (admin, admin_password) = service.accounts().items()
        known: dict[str, Any] = {
            "name": name,
            "url": self.url_of(name),
            "username": user,
            "password": password,
            "admin_username": admin,
            "admin_password": admin_password,
            "release": service.instance.knobs.release,
        }
        return {**known, **self._certificates.paths()} if self._certificates else known

    def describe_tenant(self) -> dict[str, Any]:
        """Everything a client needs to reach the tenant."""
        known = self.fleet.tenant.describe(f"{self.base_url}/{self.fleet.tenant.name}")
        return {**known, "ca_path": self._certificates.paths()["ca_path"]} if self._certificates else known

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        path, _, query = request.raw_path.partition("?")
        name, path, base = self._target(request, unquote(path))
        call = Call(
            request.method,
            path,
            request.headers,
            base,
            await request.read(),
            query,
            certificate_name=_certificate_name(request),
        )
        try:
            reply = await self._answer(name, call)
        except Exception:  # noqa: BLE001
            # An error in the simulator itself, not a simulated one: report it as such.
            traceback.print_exc(file=sys.stderr)
            reply = json_reply(
                500, {"error": {"message": "The sandbox itself failed; see its standard error", "detail": None}}
            )
        return await _deliver(request, reply)

    def _target(self, request: web.BaseRequest, path: str) -> tuple[str, str, str]:
        """The service's name, the path inside it, and its base URL."""
        root = f"{self._scheme}://{request.host}"
        if self._own_ports and request.transport is not None:
            own = self._own_ports.get(_port_of(request.transport.get_extra_info("sockname")))
            if own is not None:
                return own, path, root
        _, name, *rest = path.split("/", 2)
        return name, "/" + (rest[0] if rest else ""), f"{root}/{name}"

    async def _answer(self, name: str, call: Call) -> Reply:
        if name == "_sandbox":
            return await control(self, call)
        service = self.fleet.service(name)
        if service is None:
            return json_reply(404, {"error": f"The sandbox has nothing at /{name}"})
        self.fleet.counters.record(name, f"{call.method} {service.route(call.path)}")
        fault = draw(self.fleet.faults, call, self.fleet.chance) or draw(service.faults, call, service.chance)
        if service.latency:
            await asyncio.sleep(service.latency)
        if service is self.fleet.tenant:
            await self.fleet.tenant.prepare(call)
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind == LATE:
            asyncio.get_running_loop().call_later(fault.seconds, service.answer, call)
        spoilt = apply_before(fault, call) if fault is not None else None
        if spoilt is not None:
            return spoilt
        reply = service.answer(call)
        if reply.pending is not None:
            reply = await reply.pending
        return apply_after(fault, reply) if fault is not None else reply


def _port_of(address: Any) -> int:
    return int(address[1])


def _certificate_name(request: web.BaseRequest) -> str | None:
    transport = request.transport
    certificate = transport.get_extra_info("peercert") if transport is not None else None
    for part in (certificate or {}).get("subject", ()):
        for kind, value in part:
            if kind == "commonName":
                return str(value)
    return None


async def _drip(response: web.StreamResponse, reply: Reply) -> web.StreamResponse:
    """Deliver a response byte by byte, until the client gives up."""
    with suppress(ConnectionError):
        for place in range(len(reply.body)):
            await response.write(reply.body[place : place + 1])
            await asyncio.sleep(reply.pause)
    return response


async def _deliver(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    if not reply.damage:
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)
    transport = request.transport
    if reply.damage == RESET:
        if transport is not None:
            transport.abort()
        return web.Response()
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = len(reply.body)
    await response.prepare(request)
    if reply.damage == DRIP:
        return await _drip(response, reply)
    if reply.damage == CLOSE_EARLY and transport is not None:
        await response.write(reply.body[: len(reply.body) // 2])
        transport.close()
    return response
