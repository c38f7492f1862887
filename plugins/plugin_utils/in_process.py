# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module of this collection in the worker process that Ansible has already forked.

Starting an interpreter for every task costs far more than the HTTP requests of most tasks. The class is the base of the
action plugin of every module; it runs the ordinary module when the task is delegated, asynchronous or uses become.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import filter_loader, lookup_loader, test_loader
from ansible.utils.display import Display

from ..module_utils import ansible_module
from ..module_utils.argument_secrets import secrets_in, shown_arguments, without_secrets
from ..module_utils.arguments import Spec, plain, problem_of, usual_spelling
from ..module_utils.transport.http_session import REQUESTS_IMPORT_ERROR
from ..module_utils.transport.redact import Redactor
from ..module_utils.transport.words import MAX_MESSAGE, cleaned
from .role_variables import defaults_of, known_variables

COLLECTION = "secops.servicenow_defender"
display = Display()
# What the roles look up for each host.
LOOKUPS = (
    "connection_options",
    "missing_secrets",
    "rotated_secrets",
    "stored_secret",
    "task_options",
    "unstored_secrets",
    "update_set_source",
    "values_for",
)


def _prepare_workers() -> None:
    """Load in the parent of all workers, which imports this file once, what each worker would load or copy again."""
    # The files of `action` import the modules; this loads the plugins of templates. A collection's code is compiled again
    # whenever it is loaded.
    for loader, names in (
        (filter_loader, ("ansible.builtin.default",)),
        (test_loader, ("ansible.builtin.defined",)),
        (lookup_loader, ("ansible.builtin.password", *(f"{COLLECTION}.{name}" for name in LOOKUPS))),
    ):
        for name in names:
            with suppress(KeyError):  # outside of Ansible, where the collection is unknown
                loader.get(name)
    for role in ("snow_preflight", "snow_connection", "mda_connection", "mdc_itsm"):
        defaults_of(role)
    known_variables()
    # Worker and parent share memory until one of them writes to it, as the garbage collector does to every object it visits.
    gc.freeze()


_prepare_workers()


class InProcess(ActionBase):  # type: ignore[misc]  # ansible-core declares no types
    """Base of the action plugin of every module: a subclass sets `module`, which has a `SPEC` and a `run()`."""

    module: ModuleType

    _supports_async = True
    _supports_check_mode = True
    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module in this process, or have Ansible run it as an ordinary one."""
        gc.freeze()  # again, for the objects that the worker started with
        super().run(tmp, task_vars)
        name = self.module.__name__.rsplit(".", 1)[-1]
        spec: ansible_module.ModuleSpec = self.module.SPEC
        self._task.args = usual_spelling(spec.argument_spec, plain(self._task.args))
        problem = problem_of(spec.argument_spec, self._task.args)
        if problem:
            # Found before Ansible converts the arguments, which depends on how a module is run.
            result = self._refusal(spec.argument_spec, f"{name}: {problem}", task_vars or {})
        elif self._can_run_here():
            result = self._run_here(name, spec, self.module.run, task_vars or {})
        else:
            result = self._execute_module(
                module_name=f"{COLLECTION}.{name}",
                task_vars=task_vars,
                wrap_async=bool(self._task.async_val),
            )
        if spec.hides_results_with in result and not result.get("failed"):
            # Registered variables keep the value; callbacks do not see it.
            result["_ansible_no_log"] = True
        return result

    def _can_run_here(self) -> bool:
        """Return True for a task that runs on this machine, now, as this user, with the libraries of this process."""
        return not (
            self._task.async_val
            or self._connection.transport != "local"
            or self._connection.become
            or REQUESTS_IMPORT_ERROR
        )

    def _refusal(
        self, options: Spec, message: str, variables: Mapping[str, Any], secrets: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Return the failure of a task with wrong arguments; none of its secrets is in it, misspelt options included."""
        arguments = self._task.args
        redactor = Redactor({*secrets, *secrets_in(options, arguments)})
        result: dict[str, Any] = {"msg": cleaned(message, redactor.scrub_text, MAX_MESSAGE)}
        if _includes_invocation(variables):
            result["invocation"] = {"module_args": redactor.scrub(shown_arguments(options, arguments))}
        return {"failed": True, **_masked(result, redactor.secrets)}

    def _run_here(
        self, name: str, spec: ansible_module.ModuleSpec, run: ansible_module.Run, variables: Mapping[str, Any]
    ) -> dict[str, Any]:
        with _environment(self._task_environment()):
            validated = ArgumentSpecValidator(spec.argument_spec, **spec.rules).validate(self._task.args)
            secrets = {str(value) for value in validated._no_log_values} | secrets_in(
                spec.argument_spec, self._task.args
            )
            context = ansible_module.TaskContext(
                check_mode=self._task.check_mode, redactor=Redactor(secrets), show=display.display
            )
            params = validated.validated_parameters
            if validated.error_messages:
                message = str(validated.errors.msg)
                if isinstance(validated.errors[0], UnsupportedError):
                    message = f"Unsupported parameters for ({self._task.action}) module: {message}"
                return self._refusal(spec.argument_spec, message, variables, secrets)
            result = ansible_module.run_task(name, spec, run, params, context, with_diff=self._task.diff)
        if _includes_invocation(variables):
            result["invocation"] = {
                "module_args": context.redactor.scrub(without_secrets(params, context.redactor.secrets))
            }
        if context.warnings:
            result["warnings"] = context.warnings
        masked = _masked(result, context.redactor.secrets)
        # A secret such as "1" must not turn changed or failed into a mask.
        masked.update({key: value for key, value in result.items() if value is None or isinstance(value, bool)})
        return masked

    def _task_environment(self) -> dict[str, str]:
        """Return the `environment` of the task, with that of its blocks and play."""
        collected: dict[str, Any] = {}
        self._compute_environment_string(raw_environment_out=collected)
        for key, value in collected.items():
            if not isinstance(value, (str, int, float)):
                raise AnsibleError(f"environment: {key} must be a string")
        return {key: str(value) for key, value in collected.items()}


def _masked(result: dict[str, Any], secrets: Iterable[str]) -> dict[str, Any]:
    """Return `result` as Ansible masks it for an ordinary module: any text or number that contains a secret, however short.

    One search of all its text shows that there is none, as in nearly every result, in a fraction of the time.
    """
    known = set(secrets)
    together = "\0".join(map(str, _scalars(result)))
    if not any(secret in together for secret in known):
        return result
    masked: dict[str, Any] = without_secrets(result, known)
    return masked


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _scalars(item)
    elif isinstance(value, list):
        for item in value:
            yield from _scalars(item)
    else:
        yield value


def _includes_invocation(variables: Mapping[str, Any]) -> bool:
    """Return whether results contain the arguments of the task: since ansible-core 2.21 only if INJECT_INVOCATION is set."""
    if not hasattr(constants, "INJECT_INVOCATION"):
        return True
    return bool(constants.config.get_config_value("INJECT_INVOCATION", variables=variables))


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set environment variables during a task: the worker may continue with the next loop item."""
    before = {key: os.environ.get(key) for key in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
