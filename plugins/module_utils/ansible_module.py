# SPDX-License-Identifier: GPL-3.0-or-later
"""Connects Ansible with a module's `run()`: arguments in, result or failure out. Nothing else imports AnsibleModule.

`run_as_module` runs an ordinary module. The action plugins, which run modules in process, call `run_task` with arguments
and a context of their own. The result is the same.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .argument_secrets import secrets_in, shown_arguments, without_secrets
from .engine.errors import EngineError
from .engine.result import Result, information
from .missing_library import missing_library
from .transport.errors import TransportError
from .transport.http_session import REQUESTS_IMPORT_ERROR
from .transport.redact import Redactor
from .transport.session import CallCount
from .transport.settings import TRANSPORT_OPTIONS
from .transport.words import MAX_MESSAGE, cleaned

Params = Mapping[str, Any]


@dataclass(frozen=True)
class ModuleSpec:
    """The arguments of a module: its own `options`, its connection option `groups`, and `rules` between them.

    `hides_results_with`: a key of the output that is a secret; callbacks do not see a successful result that has it.
    `secrets` finds the secrets in free-form options, which `no_log` cannot mark.
    """

    options: dict[str, dict[str, Any]]
    groups: list[dict[str, dict[str, Any]]] = field(default_factory=list)
    rules: dict[str, Any] = field(default_factory=dict)
    hides_results_with: str = ""
    secrets: Callable[[Params], Iterable[Any]] | None = None

    @property
    def argument_spec(self) -> dict[str, dict[str, Any]]:
        """All arguments in Ansible's form; every module has the transport options."""
        merged: dict[str, dict[str, Any]] = {}
        for group in (TRANSPORT_OPTIONS, *self.groups, self.options):
            merged.update(group)
        return merged


@dataclass
class TaskContext:
    """The task that `run()` works for.

    `warn` adds a warning to the result, `progress` shows a line at once. `subject` is the instance or tenant, as soon as
    it is known: failures name it.
    """

    check_mode: bool = False
    redactor: Redactor = field(default_factory=Redactor)
    calls: CallCount = field(default_factory=CallCount)
    warnings: list[str] = field(default_factory=list)
    show: Callable[[str], None] | None = None
    subject: str = ""

    def warn(self, message: str) -> None:
        """Add the warning `message` once, without secrets."""
        text = cleaned(message, self.redactor.scrub_text, MAX_MESSAGE)
        if text not in self.warnings:
            self.warnings.append(text)

    def progress(self, message: str) -> None:
        """Show `message` at once. An ordinary module cannot, so it shows nothing."""
        if self.show:
            self.show(cleaned(message, self.redactor.scrub_text, MAX_MESSAGE))


Run = Callable[[Params, TaskContext], Result]


def run_task(
    name: str, spec: ModuleSpec, run: Run, params: Params, context: TaskContext, *, with_diff: bool
) -> dict[str, Any]:
    """Call `run()` and return its result, or its failure, in Ansible's form, with every secret masked.

    `name` is the module's, which failure messages start with. A failure is reported as `changed` after
    a write that the platform carried out, or may have carried out.
    """
    for secret in (*(spec.secrets(params) if spec.secrets else ()), *secrets_in(spec.argument_spec, params)):
        context.redactor.add(secret)
    if REQUESTS_IMPORT_ERROR:
        return {"failed": True, "msg": f"{name}: {missing_library('requests')}"}
    try:
        result = run(params, context).as_dict(with_diff=with_diff)
    except EngineError as error:
        result = {
            **error.output,
            "failed": True,
            "changed": bool(error.output.get("changed", True)) and context.calls.accepted > 0,
            "msg": failure_message(name, context, error),
        }
    except TransportError as error:
        result = {"failed": True, "changed": context.calls.accepted > 0, "msg": failure_message(name, context, error)}
    except Exception as error:  # noqa: BLE001 (a traceback could print secrets)
        place = traceback.extract_tb(error.__traceback__)[-1]
        result = {
            "failed": True,
            "changed": context.calls.accepted > 0,
            "msg": f"{name}: unexpected {type(error).__name__} at {os.path.basename(place.filename)}:{place.lineno}: "
            f"{error}. This is a defect of secops.servicenow_defender. Please report it with this line",
        }
    result["api_calls"] = {"read": context.calls.read, "write": context.calls.write}
    result.update({key: _as_lines(result[key]) for key in SAYING if key in result})
    if "msg" in result:
        result["msg"] = cleaned(result["msg"], context.redactor.scrub_text, MAX_MESSAGE)
    # The top-level keys belong to Ansible and the module: a secret with the same text must not mask them.
    return {key: context.redactor.scrub(value) for key, value in result.items()}


# The parts of results that say what happened in the words of a platform, and the keys that hold them. All other parts are
# data, which is returned as it is.
SAYING = ("results", "problems", "unproven", "connectors", "answer")
SAID = frozenset({"message", "reason", "evidence", "remedy", "answer"})


def _as_lines(value: Any, *, said: bool = False) -> Any:
    """Return a part of a result with every text under a key of `SAID` as one line of bounded length."""
    if isinstance(value, Mapping):
        return {key: _as_lines(item, said=key in SAID) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_lines(item, said=said) for item in value]
    return cleaned(value, limit=MAX_MESSAGE) if said and isinstance(value, str) else value


def failure_message(name: str, context: TaskContext, error: Exception) -> str:
    """Return the message of a failure: the module, the instance or tenant, and what happened."""
    text = str(error)
    return f"{name}: {text}" if context.subject in text else f"{name}: {context.subject}: {text}"


class MaskedModule(AnsibleModule):  # type: ignore[misc]  # ansible-core declares no types
    """A module whose secrets are known before its arguments are checked, so that no complaint about them shows one."""

    params: dict[str, Any]

    def _load_params(self) -> None:
        super()._load_params()
        given = {name: value for name, value in self.params.items() if not name.startswith("_ansible_")}
        self.no_log_values |= secrets_in(self.argument_spec, given)

    def exit_json(self, **result: Any) -> None:
        """End as usual; the arguments that Ansible adds hold no secret, also as a key."""
        self.params = Redactor(self.no_log_values).scrub(without_secrets(self.params, self.no_log_values))
        super().exit_json(**result)

    def fail_json(self, msg: str, **result: Any) -> None:
        """Fail as usual; neither Ansible's complaint nor the arguments that it adds hold a secret, however it is escaped."""
        redactor = Redactor(self.no_log_values)
        self.params = redactor.scrub(shown_arguments(self.argument_spec, self.params))
        super().fail_json(cleaned(str(msg), redactor.scrub_text, MAX_MESSAGE), **result)


def run_as_module(spec: ModuleSpec, run: Run) -> None:
    """Run as an ordinary Ansible module: read arguments, call `run()`, print the result, exit."""
    # no_log: the arguments that Ansible sends to syslog would be masked by plain text only, not as repr() prints them.
    module = MaskedModule(argument_spec=spec.argument_spec, supports_check_mode=True, no_log=True, **spec.rules)
    context = TaskContext(check_mode=module.check_mode, redactor=Redactor(module.no_log_values))
    name = str(module._name).rsplit(".", 1)[-1]
    result = run_task(name, spec, run, module.params, context, with_diff=module._diff)
    for message in context.warnings:
        module.warn(message)
    module.no_log_values |= context.redactor.secrets
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


__all__ = [
    "TaskContext",
    "Params",
    "Result",
    "Run",
    "ModuleSpec",
    "run_task",
    "information",
    "run_as_module",
]
