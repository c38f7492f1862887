# SPDX-License-Identifier: GPL-3.0-or-later
"""The CI/CD API: plugins and applications, with progress that advances each time it is read.

See docs/facts/servicenow_platform.md#cicd-api.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..web import Call, Reply, json_reply
from . import application_setup
from .base_rows import read_cells
from .callers import Caller
from .data.applications import REQUEST_ONLY, STORE_APPLICATIONS
from .errors import NO_RESOURCE, Refused, not_authenticated
from .instance import Instance

LABELS = {"0": "Pending", "1": "Running", "2": "Successful", "3": "Failed", "4": "Canceled"}
ROLE = "sn_cicd.sys_ci_automation"


@dataclass(slots=True)
class Operation:
    """A running operation. `finish` applies its effect at the end, unless `error` is set; it returns why it failed, if it did."""

    progress_id: str
    name: str
    finish: Callable[[], str | None]
    error: str = ""
    rollback_version: str = ""
    steps_done: int = 0
    status: str = "0"

    @property
    def is_over(self) -> bool:
        """Whether the operation has ended."""
        return self.status in ("2", "3", "4")


def plugin(instance: Instance, caller: Caller, call: Call, parts: list[str]) -> Reply:
    """Answer `POST /api/sn_cicd/plugin/{id}/activate` and `/rollback`."""
    check(instance, caller, call, "POST")
    if len(parts) != 2 or parts[1] not in ("activate", "rollback"):
        raise Refused(400, NO_RESOURCE)
    plugin_id, verb = parts
    row = instance.database.first("v_plugin", "id", plugin_id)
    if row is None:
        return failure(instance, 404, f"Plugin {plugin_id} was not found on this instance or its repository")
    if verb == "rollback":
        return start(instance, call, plugin_id, lambda: None, "No earlier version of this plugin was installed")
    error = application_setup.missing_entitlement(instance, plugin_id)
    if not instance.plugin_is_active(plugin_id) and plugin_id in _request_only(instance):
        if instance.knobs.cicd.request_only_answer == "405":
            return failure(instance, 405, f"Plugin {plugin_id} can only be activated by ServiceNow support")
        error = f"Plugin {plugin_id} can only be activated by ServiceNow support"
    return start(instance, call, plugin_id, lambda: activate(instance, plugin_id), error)


def activate(instance: Instance, plugin_id: str) -> None:
    """Activate a plugin with its dependencies and rows."""
    application_setup.install_with_dependencies(instance, plugin_id)


def _request_only(instance: Instance) -> tuple[str, ...]:
    listed = instance.knobs.cicd.request_only
    return REQUEST_ONLY if listed is None else tuple(listed)


def deactivate(instance: Instance, plugin_id: str) -> None:
    """Deactivate a plugin; not possible through REST, used by tests only."""
    row = instance.database.first("v_plugin", "id", plugin_id)
    installed = instance.database.first("sys_plugins", "source", plugin_id)
    if row is not None:
        literal = "inactive" if instance.knobs.plugin_literal == "active" else "false"
        instance.database.put("v_plugin", {**row, "active": literal})
    if installed is not None:
        instance.database.remove("sys_plugins", installed["sys_id"])
    instance.redefine()


def app_repo(instance: Instance, caller: Caller, call: Call, parts: list[str]) -> Reply:
    """Answer `POST /api/sn_cicd/app_repo/install` and `/rollback`; parameters count only in the query string."""
    check(instance, caller, call, "POST")
    if parts not in (["install"], ["rollback"]):
        raise Refused(400, NO_RESOURCE)
    scope = call.query.get("scope") or _scope_of(instance, call.query.get("sys_id", ""))
    if not scope:
        return failure(instance, 400, "Missing parameter: sys_id or scope required")
    known = next((row for row in read_cells(STORE_APPLICATIONS, 3) if row[0] == scope), None)
    if known is None:
        return failure(instance, 404, f"Application {scope} was not found")
    present = instance.database.first("sys_store_app", "scope", scope)
    before = present.get("version", "") if present is not None else ""
    version = call.query.get("version") or known[2]
    if parts == ["rollback"] and (not before or "version" not in call.query):
        return failure(instance, 400, "Missing parameter: version required" if before else f"{scope} is not installed")
    error = application_setup.missing_entitlement(instance, scope)
    return start(
        instance,
        call,
        known[1],
        lambda: application_setup.install_with_dependencies(instance, scope, version),
        error,
        before,
    )


def _scope_of(instance: Instance, sys_id: str) -> str:
    found = instance.database.find("sys_store_app", sys_id)
    return found[1].get("scope", "") if found is not None else ""


def progress(instance: Instance, caller: Caller, call: Call, parts: list[str]) -> Reply:
    """Answer `GET /api/sn_cicd/progress/{id}`."""
    check(instance, caller, call, "GET")
    denial = instance.knobs.cicd.progress
    if denial == "401":
        return not_authenticated()
    if denial == "403":
        raise Refused(403, "User Not Authorized", "Failed API level ACL Validation")
    operation = instance.operations.get(parts[0]) if len(parts) == 1 else None
    if operation is None:
        return failure(instance, 404, "Progress id was not found")
    advance(instance, operation)
    return json_reply(200, {"result": _shown(instance, call, operation)})


def advance(instance: Instance, operation: Operation) -> None:
    """Advance an operation by one step; a paused queue does not advance."""
    settings = instance.knobs.cicd
    if operation.is_over or settings.paused:
        return
    operation.steps_done += 1
    if operation.steps_done < settings.steps:
        operation.status = "1"
    elif operation.error:
        operation.status = "3"
    else:
        operation.status = settings.outcome
        if operation.status == "2":
            operation.error = operation.finish() or ""
            operation.status = "3" if operation.error else "2"
        elif operation.status == "3":
            operation.error = "The operation failed; see the execution tracker"
    _track(instance, operation)


def advance_all(instance: Instance) -> None:
    """Advance every operation: reading the execution tracker counts as reading the progress."""
    for operation in instance.operations.values():
        advance(instance, operation)


def check(instance: Instance, caller: Caller, call: Call, method: str) -> None:
    """Raise Refused for a caller who may not use the API, or another method."""
    if not caller.is_admin and ROLE not in caller.roles:
        raise Refused(403, "User Not Authorized", "Failed API level ACL Validation")
    if instance.knobs.cicd.disabled:
        raise Refused(405, "Method not Supported", "CI/CD functionality is inactive")
    if call.method != method:
        raise Refused(405, "Method not Supported")


def start(
    instance: Instance,
    call: Call,
    name: str,
    finish: Callable[[], str | None],
    error: str = "",
    rollback_version: str = "",
) -> Reply:
    """Queue an operation and return its progress."""
    operation = Operation(instance.new_id(), name, finish, error, rollback_version)
    instance.operations[operation.progress_id] = operation
    _track(instance, operation)
    return json_reply(200, {"result": _shown(instance, call, operation)})


def _track(instance: Instance, operation: Operation) -> None:
    found = instance.database.find("sys_execution_tracker", operation.progress_id)
    row = found[1] if found else {"sys_id": operation.progress_id, "name": operation.name, **instance.stamps("system")}
    shown = {"state": operation.status, "percent_complete": _percent(instance, operation), "message": operation.error}
    instance.database.put("sys_execution_tracker", {name: value for name, value in {**row, **shown}.items() if value})


def _percent(instance: Instance, operation: Operation) -> str:
    if operation.is_over:
        return "100"
    return str(min(98, 100 * operation.steps_done // max(1, instance.knobs.cicd.steps)))


def _shown(instance: Instance, call: Call, operation: Operation) -> dict[str, object]:
    url = f"{call.base}/api/sn_cicd/progress/{operation.progress_id}"
    failed = operation.status == "3"
    shown: dict[str, object] = {
        "links": {"progress": {"id": operation.progress_id, "url": url}},
        "status": operation.status,
        "status_label": LABELS[operation.status],
        "status_message": operation.error if failed else "",
        "status_detail": "",
        "error": operation.error if failed else "",
        "percent_complete": int(_percent(instance, operation)),
    }
    return {**shown, "rollback_version": operation.rollback_version} if operation.rollback_version else shown


def failure(instance: Instance, status: int, text: str) -> Reply:
    """Answer a request that starts nothing."""
    if instance.knobs.cicd.error_style == "error":
        raise Refused(status, text)
    result = {"status": "3", "status_label": "Failed", "status_message": text, "status_detail": "", "error": text}
    return json_reply(status, {"result": {"links": {}, **result, "percent_complete": 0}})
