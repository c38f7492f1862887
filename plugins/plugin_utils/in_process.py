# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module of this collection inside the worker that Ansible has forked already.

Starting an interpreter for every task costs far more than the HTTP requests of most tasks. The class is the action
plugin of every module; it hands over to the ordinary module whenever the task is to run somewhere or somehow else.
"""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils import shell
from ..module_utils.transport.redact import Redactor
from ..module_utils.transport.session import REQUESTS_IMPORT_ERROR

COLLECTION = __name__.split(".plugins.", maxsplit=1)[0]
MODULES = f"{COLLECTION}.plugins.modules"
display = Display()

# Ansible loads this file once, in the parent of all workers, and compiles a collection's code anew wherever it is
# imported: what is imported here is there already in every worker.
for _found in pkgutil.iter_modules(import_module(MODULES).__path__):
    import_module(f"{MODULES}.{_found.name}")


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core declares no types
    """The in-process twin of the module with the same name."""

    _supports_async = True
    _supports_check_mode = True
    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module here, or have Ansible run it as an ordinary one."""
        super().run(tmp, task_vars)
        name = self._task.action.rsplit(".", 1)[-1]
        module = import_module(f"{MODULES}.{name}")
        spec: shell.Spec = module.SPEC
        if self._belongs_here():
            result = self._run_here(name, spec, module.run)
        else:
            result = self._execute_module(
                module_name=f"{COLLECTION.removeprefix('ansible_collections.')}.{name}",
                task_vars=task_vars,
                wrap_async=bool(self._task.async_val),
            )
        if spec.hides_result and not result.get("failed"):
            # Registered variables keep the value; callbacks do not get to see it.
            result["_ansible_no_log"] = True
        return result

    def _belongs_here(self) -> bool:
        """Return True for a task that runs on this machine, now, as this user, with the libraries at hand."""
        return not (
            self._task.async_val
            or self._connection.transport != "local"
            or self._connection.become
            or REQUESTS_IMPORT_ERROR
        )

    def _run_here(self, name: str, spec: shell.Spec, run: shell.Run) -> dict[str, Any]:
        with _environment(self._task_environment()):
            validated = ArgumentSpecValidator(spec.argument_spec, **spec.rules).validate(self._task.args)
            secrets = {str(value) for value in validated._no_log_values}
            context = shell.Context(check_mode=self._task.check_mode, redactor=Redactor(secrets), show=display.display)
            params = validated.validated_parameters
            if validated.error_messages:
                message = str(validated.errors.msg)
                if isinstance(validated.errors[0], UnsupportedError):
                    message = f"Unsupported parameters for ({self._task.action}) module: {message}"
                result: dict[str, Any] = {"failed": True, "msg": context.redactor.scrub_text(message)}
            else:
                result = shell.execute(name, spec, run, params, context, with_diff=self._task.diff)
        result["invocation"] = {"module_args": remove_values(params, context.redactor.secrets)}
        if context.warnings:
            result["warnings"] = context.warnings
        masked: dict[str, Any] = remove_values(result, context.redactor.secrets)
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


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set environment variables for the time of a task: the worker may go on with the next loop item."""
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
