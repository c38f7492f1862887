# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API of the sandbox, under `/_sandbox`; no instance path reaches it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .faults import read_fault
from .settings import SettingError, as_json
from .web import Call, Reply, json_reply

if TYPE_CHECKING:
    from .server import Sandbox

HELP = {
    "GET /_sandbox/requests": "request counts per instance and route",
    "DELETE /_sandbox/requests": "reset the counts; ?instance= for one",
    "PUT /_sandbox/faults": "faults of the whole run: {faults: [{kind, rate, count, method, path, seconds, inner}]}",
    "GET /_sandbox/state/<instance>": "all rows; ?table= for one table",
    "POST /_sandbox/tamper/<instance>": "change rows: table, match or query, values; insert, delete, raw as switches",
    "POST /_sandbox/jobs/<instance>": "run the jobs of the Defender for Cloud integration: jobs, outcome, \
application, assessments or counts",
    "POST /_sandbox/import_update_set/<instance>": "import, preview and commit a file as an elevated administrator: xml",
    "POST /_sandbox/clone": "copy one instance's rows over another's: from, to",
    "POST /_sandbox/rename": "let an instance answer under another name, and no longer under the old one: from, to",
    "GET /_sandbox/saved": "the whole state of the tenant and of instances; ?instances= names them, separated by commas",
    "PUT /_sandbox/saved": "restore a saved state, or the instances of one",
    "GET /_sandbox/instances": "the names of all instances",
    "GET /_sandbox/instances/<name>": "how to reach an instance, and its knobs",
    "PUT /_sandbox/instances/<name>": "create or reset an instance; the body contains its knobs",
    "PATCH /_sandbox/instances/<name>": "turn knobs of a running instance",
    "DELETE /_sandbox/instances/<name>": "remove an instance",
    "GET /_sandbox/tenant": "how to reach the tenant, and its knobs",
    "PUT /_sandbox/tenant": "reset the tenant, ids and secrets stay; the body contains its knobs",
    "PATCH /_sandbox/tenant": "turn knobs of the tenant",
    "GET /_sandbox/tenant/state": "connectors, activities, policies, users, assessments, assignments ...; ?table= for one",
    "POST /_sandbox/tenant/tamper": "change rows: table, match, values; insert, delete as switches",
    "POST /_sandbox/tenant/portal_session": "sign in to the portal: cookie and XSRF token",
    "POST /_sandbox/tenant/assertion": "the content of a federated token file; the body overrides claims",
    "POST /_sandbox/tenant/sync": "synchronize all connectors now",
}


async def control(sandbox: Sandbox, call: Call) -> Reply:
    """Answer one call of the control API; `call.path` is the path below `/_sandbox`."""
    parts = [part for part in call.path.split("/") if part]
    try:
        if parts[:1] == ["requests"]:
            return _requests(sandbox, call)
        if parts == ["faults"] and call.method == "PUT":
            sandbox.fleet.faults = [read_fault(fault) for fault in _body(call).get("faults", [])]
            return Reply(204)
        if len(parts) == 1 and parts[0] in ("clone", "rename") and call.method == "POST":
            return await _copy_or_move(sandbox, parts[0], _body(call))
        if len(parts) in (1, 2) and parts[0] in _RESOURCES:
            return await _RESOURCES[parts[0]](sandbox, call, parts[1] if len(parts) == 2 else "")
        if len(parts) == 2 and parts[1] in sandbox.fleet.instances:
            acted = _act(sandbox, call, *parts)
            if acted is not None:
                return acted
    except SettingError as error:
        return json_reply(400, {"error": str(error)})
    if not parts:
        return json_reply(200, HELP)
    return json_reply(404, {"error": f"nothing at {call.method} {call.path}", "help": HELP})


def _act(sandbox: Sandbox, call: Call, action: str, name: str) -> Reply | None:
    """Perform an action on one instance; None if there is no such action."""
    if action == "state":
        return _state(sandbox, call, name)
    if action == "tamper" and call.method == "POST":
        return json_reply(200, sandbox.fleet.instances[name].tamper(_body(call)))
    if action == "import_update_set" and call.method == "POST":
        return json_reply(200, sandbox.fleet.import_update_set(name, _body(call)))
    if action == "jobs" and call.method == "POST":
        return json_reply(200, sandbox.fleet.run_jobs(name, _body(call)))
    return None


async def _saved(sandbox: Sandbox, call: Call, name: str) -> Reply:
    fleet = sandbox.fleet
    if name or call.method not in ("GET", "PUT"):
        return json_reply(404, {"error": f"nothing at {call.method} {call.path}", "help": HELP})
    if call.method == "GET":
        names = [name for name in call.query.get("instances", "").split(",") if name]
        if unknown := set(names) - set(fleet.instances):
            raise SettingError(f"no instance is called {', '.join(sorted(unknown))}")
        return json_reply(200, fleet.saved(names))
    content = _body(call)
    if "tenant" in content:
        await fleet.tenant.restore(content["tenant"])
        fleet.counters.reset(fleet.tenant.name)
    fleet.restore(content["instances"])
    for name in content["instances"]:
        fleet.counters.reset(name)
        await sandbox.sync_own_port(name)
    return Reply(204)


async def _copy_or_move(sandbox: Sandbox, action: str, wanted: dict[str, Any]) -> Reply:
    source, target = str(wanted.get("from", "")), str(wanted.get("to", ""))
    if action == "clone":
        sandbox.fleet.clone(source, target)
    else:
        sandbox.fleet.rename(source, target)
        await sandbox.sync_own_port(source)
        await sandbox.sync_own_port(target)
    return json_reply(200, sandbox.describe(target))


def _body(call: Call) -> dict[str, Any]:
    try:
        content = json.loads(call.body or b"{}")
    except ValueError as error:
        raise SettingError(f"the body is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise SettingError("the body must be a JSON object")
    return content


def _requests(sandbox: Sandbox, call: Call) -> Reply:
    if call.method == "DELETE":
        sandbox.fleet.counters.reset(call.query.get("instance", ""))
        return Reply(204)
    return json_reply(200, sandbox.fleet.counters.summary())


def _state(sandbox: Sandbox, call: Call, name: str) -> Reply:
    instance = sandbox.fleet.instances[name].instance
    table = call.query.get("table")
    if table is None:
        tables = instance.database.all_tables()
    elif table in instance.database.schema.tables:
        tables = {table: list(instance.database.scan(table))}
    else:
        raise SettingError(f"unknown table {table!r}")
    return json_reply(200, {"instance": name, "knobs": as_json(instance.knobs), "tables": tables})


async def _instances(sandbox: Sandbox, call: Call, name: str) -> Reply:
    fleet = sandbox.fleet
    if not name:
        return json_reply(200, {"instances": sorted(fleet.instances)})
    if call.method == "PUT":
        fleet.create(name, _body(call))
        await sandbox.sync_own_port(name)
        return json_reply(200, sandbox.describe(name))
    if name not in fleet.instances:
        return json_reply(404, {"error": f"no instance is called {name!r}"})
    if call.method == "PATCH":
        fleet.instances[name].turn(_body(call))
        await sandbox.sync_own_port(name)
    elif call.method == "DELETE":
        del fleet.instances[name]
        fleet.counters.reset(name)
        await sandbox.sync_own_port(name)
        return Reply(204)
    return json_reply(200, {**sandbox.describe(name), "knobs": as_json(fleet.instances[name].instance.knobs)})


async def _tenant(sandbox: Sandbox, call: Call, action: str) -> Reply:
    service = sandbox.fleet.tenant
    if call.method == "GET" and action == "state":
        return json_reply(200, service.state(call.query.get("table")))
    if call.method == "POST" and action:
        base = f"{sandbox.base_url}/{service.name}"
        actions: dict[str, Callable[[], object]] = {
            "tamper": lambda: service.tamper(_body(call)),
            "portal_session": service.portal_session,
            "assertion": lambda: service.assertion(base, _body(call)),
            "sync": service.sync,
        }
        if action in actions:
            return json_reply(200, actions[action]() or {})
    if action or call.method not in ("GET", "PUT", "PATCH"):
        return json_reply(404, {"error": f"nothing at {call.method} {call.path}", "help": HELP})
    if call.method == "PUT":
        await service.reset(_body(call))
        sandbox.fleet.counters.reset(service.name)
    elif call.method == "PATCH":
        service.turn(_body(call))
    return json_reply(200, {**sandbox.describe_tenant(), "knobs": as_json(service.tenant.knobs)})


_RESOURCES = {"saved": _saved, "tenant": _tenant, "instances": _instances}
