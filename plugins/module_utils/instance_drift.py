# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare a whole instance with everything that is described of it, in one round trip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .ansible_module import ModuleSpec, Params, TaskContext
from .engine.errors import EngineError, InvalidInput, Refused
from .engine.result import Result
from .hardening.baseline import Selection
from .hardening.posture import posture_of, summary
from .hardening.task import hardening_of, selection_of
from .snow import connect
from .snow.client import Instance
from .snow.instance_facts import instance_facts, prefetch_facts
from .snow.resources.instance import INSTANCE_OPTIONS, resources_of, secrets_of
from .snow.specs import (
    HARDENING_OPTIONS,
    INSTANCE_INFO_OPTIONS,
    WAIT_OPTIONS,
    Options,
)

# Each part takes the options of a module of its own.
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
    """Return what the instance is and everything in which it deviates. Nothing is ever written.

    Raises `EngineError` for a problem that `fail_on` names, with all that was found.
    """
    parts = {name: _part(name, params[name] or {}, context) for name in PARTS}
    selection = selection_of(parts["hardening"]) if params["hardening"] is not None else None
    predicting = context.check_mode
    context.check_mode = True  # the transport refuses whatever would write
    with connect(params, context) as instance:
        prefetch_facts(instance, **parts["preflight"])
        result = _compared(instance, parts, selection)
    result.changed = result.changed and predicting
    grave = [found for found in result.output["problems"] if found["severity"] in params["fail_on"]]
    if any(found["id"] not in params["ignore"] for found in grave):
        raise EngineError(result.output["msg"], result.as_dict(with_diff=False))
    return result


def _compared(instance: Instance, parts: Mapping[str, Any], selection: Selection | None) -> Result:
    hardening = hardening_of(instance, parts["hardening"], selection) if selection else None
    resources = [*resources_of(parts["instance"]), *([hardening] if hardening else [])]
    try:
        result = instance.compare(*resources)
    except Refused as refusal:
        # What posture_summary in the way of a connection may well be the reason.
        facts = instance_facts(instance, **parts["preflight"])
        why = f". {facts['msg']}" if facts["problems"] else ""
        raise EngineError(f"{refusal}{why}", facts) from None
    result.output |= instance_facts(instance, **parts["preflight"])
    if selection and hardening:
        posture = posture_of(selection.baseline, hardening.assessed)
        result.output["msg"] += f"; {summary(posture)}"
        result.output |= {"posture": posture, "writes_left": hardening.writes_left}
    return result


def _part(name: str, given: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Return the options of a part as its module would read them; their secrets are known to `context` from now on."""
    read = ArgumentSpecValidator(PARTS[name].options).validate(given)
    options: dict[str, Any] = read.validated_parameters
    secrets_of_part = PARTS[name].secrets
    for secret in (*read._no_log_values, *(secrets_of_part(options) if secrets_of_part else ())):
        context.redactor.add(secret)
    if read.error_messages:
        raise InvalidInput(f"{name}: {'; '.join(read.error_messages)}")
    return options
