# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares a whole instance with its desired state, in one round trip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .ansible_module import ModuleSpec, Params, TaskContext
from .argument_secrets import secrets_in
from .arguments import problem_of
from .engine.errors import EngineError, InvalidInput, Refused
from .engine.plan import OK
from .engine.reconcile import compare as compare_resources
from .engine.result import Result
from .engine.snapshot import Row
from .hardening.baseline import Selection
from .hardening.posture import posture_of, summary
from .hardening.task import HARDENING_OPTIONS, hardening_of, selection_of
from .snow import store_for
from .snow.instance_facts import INSTANCE_INFO_OPTIONS, instance_facts, prefetch_facts
from .snow.options import Options
from .snow.resources.instance import (
    INSTANCE_OPTIONS,
    resources_of,
    secrets_of,
    unproven_secrets,
    without_unknown_secrets,
)
from .snow.store import InstanceStore
from .transport.polling import WAIT_OPTIONS

# Each part has the options of a module of its own.
PARTS = {
    "preflight": ModuleSpec(INSTANCE_INFO_OPTIONS),
    "instance": ModuleSpec(INSTANCE_OPTIONS, secrets=secrets_of),
    "hardening": ModuleSpec({**HARDENING_OPTIONS, **WAIT_OPTIONS}),
}
SEVERITIES = ["error", "warning"]
SETTING_IN_SYNC = ("object", "status", "id", "name", "actual", "verdict")
SETTING_WITH_EXCEPTION = (*SETTING_IN_SYNC, "title", "exception")
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
    result = _compared(store, parts, selection, frozenset(params["ignore"]))
    result.changed = result.changed and predicting
    severe = [found for found in result.output["problems"] if found["severity"] in params["fail_on"]]
    if any(found["id"] not in params["ignore"] for found in severe):
        raise EngineError(result.msg, result.as_dict(with_diff=False))
    return result


def _compared(
    store: InstanceStore, parts: Mapping[str, Any], selection: Selection | None, ignored: frozenset[str]
) -> Result:
    hardening = hardening_of(store, parts["hardening"], selection) if selection else None
    known, unknown = without_unknown_secrets(parts["instance"])
    resources = [*resources_of(known), *([hardening] if hardening else [])]
    try:
        result = compare_resources(store, *resources)
    except Refused as refusal:
        # A problem of the connection may be the reason.
        facts = instance_facts(store.client, **parts["preflight"])
        why = f". {facts['msg']}" if facts["problems"] else ""
        raise EngineError(f"{refusal}{why}", facts) from None
    result.unproven += unproven_secrets(result, unknown)
    facts = instance_facts(store.client, **parts["preflight"])
    result.msg = facts.pop("msg")
    result.output |= facts
    result.ignored = ignored
    if resources:
        result.msg += f"; {_verdict(result)}"
    if selection and hardening:
        posture = posture_of(selection.baseline, hardening.assessed)
        result.msg += f"; {summary(posture)}"
        result.output |= {"posture": posture, "writes_left": hardening.writes_left}
    result.output["results"] = [_without_baseline(row) for row in result.output.get("results", [])]
    return result


def _without_baseline(row: Row) -> Row:
    """Return a row; without what the baseline says if it is a setting in sync, as most are and large results are slow."""
    if row.get("status") != OK or "comparator" not in row:
        return row
    return {name: row[name] for name in (SETTING_WITH_EXCEPTION if "exception" in row else SETTING_IN_SYNC)}


def _verdict(result: Result) -> str:
    """Return how many deviations there are; what could not be read is neither a deviation nor in sync."""
    deviations, unproven = len(result.drift), len(result.all_unproven())
    parts = [f"{deviations} deviation{'s' if deviations > 1 else ''}"] if deviations else []
    parts += [f"{unproven} unproven"] if unproven else []
    return ", ".join(parts) or "in sync"


def _part(name: str, given: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Return the options of a part as its module would read them; their secrets are redacted from now on."""
    for secret in secrets_in(PARTS[name].options, given):
        context.redactor.add(secret)
    problem = problem_of(PARTS[name].options, given)
    if problem:
        raise InvalidInput(f"{name}: {problem}")
    read = ArgumentSpecValidator(PARTS[name].options).validate(given)
    options: dict[str, Any] = read.validated_parameters
    secrets_of_part = PARTS[name].secrets
    for secret in (*read._no_log_values, *(secrets_of_part(options) if secrets_of_part else ())):
        context.redactor.add(secret)
    if read.error_messages:
        raise InvalidInput(f"{name}: {'; '.join(read.error_messages)}")
    return options
