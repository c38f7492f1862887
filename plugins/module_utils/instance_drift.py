# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares a whole instance with its desired state, in one round trip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .ansible_module import ModuleSpec, Params, TaskContext
from .engine.errors import EngineError, InvalidInput, Refused
from .engine.reconcile import compare as compare_resources
from .engine.result import Result
from .hardening.baseline import Selection
from .hardening.posture import posture_of, summary
from .hardening.task import HARDENING_OPTIONS, hardening_of, selection_of
from .snow import store_for
from .snow.instance_facts import INSTANCE_INFO_OPTIONS, instance_facts, prefetch_facts
from .snow.options import Options
from .snow.resources.instance import INSTANCE_OPTIONS, resources_of, secrets_of
from .snow.resources.plugins import UNKNOWN
from .snow.store import InstanceStore
from .transport.polling import WAIT_OPTIONS

# Each part has the options of a module of its own.
PARTS = {
    "preflight": ModuleSpec(INSTANCE_INFO_OPTIONS),
    "instance": ModuleSpec(INSTANCE_OPTIONS, secrets=secrets_of),
    "hardening": ModuleSpec({**HARDENING_OPTIONS, **WAIT_OPTIONS}),
}
SEVERITIES = ["error", "warning"]
DRIFT_OPTIONS: Options = {
    **{name: {"type": "dict"} for name in PARTS},
    "fail_on": {"type": "list", "elements": "str", "choices": SEVERITIES, "default": ["error"]},
    "ignore": {"type": "list", "elements": "str", "default": []},
}


def compare(params: Params, context: TaskContext) -> Result:
    """Return facts about the instance and its drift. Nothing is ever written.

    Raises `EngineError` for a problem that `fail_on` names, with the whole result.
    """
    parts = {name: _part(name, params[name] or {}, context) for name in PARTS}
    selection = selection_of(parts["hardening"]) if params["hardening"] is not None else None
    predicting = context.check_mode
    context.check_mode = True  # the transport refuses every write
    store = store_for(params, context)
    prefetch_facts(store.client, **parts["preflight"])
    result = _compared(store, parts, selection)
    result.changed = result.changed and predicting
    severe = [found for found in result.output["problems"] if found["severity"] in params["fail_on"]]
    if any(found["id"] not in params["ignore"] for found in severe):
        raise EngineError(result.msg, result.as_dict(with_diff=False))
    return result


def _compared(store: InstanceStore, parts: Mapping[str, Any], selection: Selection | None) -> Result:
    hardening = hardening_of(store, parts["hardening"], selection) if selection else None
    resources = [*resources_of(parts["instance"]), *([hardening] if hardening else [])]
    try:
        result = compare_resources(store, *resources)
    except Refused as refusal:
        # A problem of the connection may be the reason.
        facts = instance_facts(store.client, **parts["preflight"])
        why = f". {facts['msg']}" if facts["problems"] else ""
        raise EngineError(f"{refusal}{why}", facts) from None
    facts = instance_facts(store.client, **parts["preflight"])
    result.msg = facts.pop("msg")
    if resources:
        result.msg += f"; {_verdict(result)}"
    result.output |= facts
    if selection and hardening:
        posture = posture_of(selection.baseline, hardening.assessed)
        result.msg += f"; {summary(posture)}"
        result.output |= {"posture": posture, "writes_left": hardening.writes_left}
    return result


def _verdict(result: Result) -> str:
    """Return how many deviations there are; what could not be read is neither a deviation nor in sync."""
    deviations, unknown = len(result.drift), [row for row in result.output["results"] if row.get("status") == UNKNOWN]
    parts = [f"{deviations} deviation{'s' if deviations > 1 else ''}"] if deviations else []
    parts += [f"{len(unknown)} unknown"] if unknown else []
    return ", ".join(parts) or "in sync"


def _part(name: str, given: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Return the options of a part as its module would read them; their secrets are redacted from now on."""
    read = ArgumentSpecValidator(PARTS[name].options).validate(given)
    options: dict[str, Any] = read.validated_parameters
    secrets_of_part = PARTS[name].secrets
    for secret in (*read._no_log_values, *(secrets_of_part(options) if secrets_of_part else ())):
        context.redactor.add(secret)
    if read.error_messages:
        raise InvalidInput(f"{name}: {'; '.join(read.error_messages)}")
    return options
