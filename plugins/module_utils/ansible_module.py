# SPDX-License-Identifier: GPL-3.0-or-later
"""Between Ansible and a module's `run()`: arguments in, result or failure out. Nothing else imports AnsibleModule.

Two ways in: `run_as_module` for the ordinary module, and `run_task` for the in-process twin, which has its own way to get
arguments and to show warnings. Both give the same result.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .engine.errors import EngineError
from .engine.result import Result, information
from .transport.errors import BadConnectionOption, TransportError
from .transport.redact import Redactor
from .transport.session import REQUESTS_IMPORT_ERROR, CallCount, Settings

Params = Mapping[str, Any]

TRANSPORT_OPTIONS: dict[str, dict[str, Any]] = {
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "proxy": {"type": "str"},
    "timeout": {"type": "float", "default": 60.0},
    "retries": {"type": "int", "default": 5},
    "retry_deadline": {"type": "float", "default": 120.0},
}


@dataclass(frozen=True)
class ModuleSpec:
    """The arguments of a module: its own `options`, the connection option `groups` it takes, and `rules` between them.

    `hides_result`: callbacks do not get to see a successful result. `secrets` finds the secrets in options of free form,
    which `no_log` cannot mark.
    """

    options: dict[str, dict[str, Any]]
    groups: list[dict[str, dict[str, Any]]] = field(default_factory=list)
    rules: dict[str, Any] = field(default_factory=dict)
    hides_result: bool = False
    secrets: Callable[[Params], Iterable[Any]] | None = None

    @property
    def argument_spec(self) -> dict[str, dict[str, Any]]:
        """All arguments in Ansible's form; transport options come with every module."""
        merged: dict[str, dict[str, Any]] = {}
        for group in (TRANSPORT_OPTIONS, *self.groups, self.options):
            merged.update(group)
        return merged


@dataclass
class TaskContext:
    """The run at hand, as far as `run()` may know it.

    `warn` and `progress` show a line to the user, the first one in the result, too. `subject` is the instance or tenant
    at hand, as soon as it is known: failures name it.
    """

    check_mode: bool = False
    redactor: Redactor = field(default_factory=Redactor)
    calls: CallCount = field(default_factory=CallCount)
    warnings: list[str] = field(default_factory=list)
    show: Callable[[str], None] | None = None
    subject: str = ""

    def warn(self, message: str) -> None:
        """Show `message` once, without secrets."""
        text = self.redactor.scrub_text(message)
        if text not in self.warnings:
            self.warnings.append(text)

    def progress(self, message: str) -> None:
        """Show `message` at once where that is possible: an ordinary module has no way to."""
        if self.show:
            self.show(self.redactor.scrub_text(message))


Run = Callable[[Params, TaskContext], Result]


# Seconds and attempts that make sense, by option: least and most.
RANGES = {"timeout": (0.001, 86400), "retries": (0, 1000), "retry_deadline": (0, 86400)}


def transport_settings(params: Params, **more: Any) -> Settings:
    """Return the transport options of a task; raise `BadConnectionOption` for a number that makes no sense."""
    for name, (least, most) in RANGES.items():
        if not least <= params[name] <= most:
            raise BadConnectionOption(f"{name} must lie between {least} and {most}, not {params[name]}")
    return Settings(**{name: params[name] for name in TRANSPORT_OPTIONS}, **more)


def run_task(
    name: str, spec: ModuleSpec, run: Run, params: Params, context: TaskContext, *, with_diff: bool
) -> dict[str, Any]:
    """Call `run()` and return its result, or its failure, as Ansible takes it, with every secret blotted out.

    `name` (the module's) opens a failure's message. A failure after the first write says so with `changed`.
    """
    for secret in (*(spec.secrets(params) if spec.secrets else ()), _proxy_password(params)):
        context.redactor.add(secret)
    if REQUESTS_IMPORT_ERROR:
        return {"failed": True, "msg": missing_required_lib("requests"), "exception": REQUESTS_IMPORT_ERROR}
    try:
        result = run(params, context).as_dict(with_diff=with_diff)
    except EngineError as error:
        result = {
            **error.output,
            "failed": True,
            "changed": context.calls.write > 0,
            "msg": failure_message(name, context, error),
        }
    except TransportError as error:
        result = {"failed": True, "changed": context.calls.write > 0, "msg": failure_message(name, context, error)}
    except Exception as error:  # noqa: BLE001 (a defect must not print what a traceback's values could hold)
        place = traceback.extract_tb(error.__traceback__)[-1]
        result = {
            "failed": True,
            "changed": context.calls.write > 0,
            "msg": f"{name}: unexpected {type(error).__name__} at {os.path.basename(place.filename)}:{place.lineno}: "
            f"{error}. This is a defect of secops.servicenow_defender; please report it with this line",
        }
    result["api_calls"] = asdict(context.calls)
    # The keys at the top are Ansible's and the module's own: a secret called like one must not take it out.
    return {key: context.redactor.scrub(value) for key, value in result.items()}


def _proxy_password(params: Params) -> str | None:
    try:
        return urlsplit(params.get("proxy") or "").password
    except ValueError:
        return None


def failure_message(name: str, context: TaskContext, error: Exception) -> str:
    """Return the message of a failure: which module, which instance, what happened."""
    text = str(error)
    return f"{name}: {text}" if context.subject in text else f"{name}: {context.subject}: {text}"


def run_as_module(spec: ModuleSpec, run: Run) -> None:
    """Be an ordinary Ansible module: read arguments, call `run()`, print the result, exit."""
    # no_log: the copy of its arguments that Ansible sends to syslog masks secrets as they are, not as repr() prints them.
    module = AnsibleModule(argument_spec=spec.argument_spec, supports_check_mode=True, no_log=True, **spec.rules)
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
    "transport_settings",
]
