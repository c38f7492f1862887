# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what a host already has with the modules of this collection, and writes the variables that describe it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

from ..module_utils.engine.errors import EngineError
from ..module_utils.transport.errors import TransportError
from ..plugin_utils.adopt.file import Variable, VariablesFile
from ..plugin_utils.adopt.instance import ORDER as ORDER_OF_INSTANCE
from ..plugin_utils.adopt.instance_reader import InstanceReader
from ..plugin_utils.adopt.reader import AdoptError, Asked
from ..plugin_utils.adopt.tenant import ORDER as ORDER_OF_TENANT
from ..plugin_utils.adopt.tenant_reader import TenantReader

COLLECTION = "secops.servicenow_defender"
INSTANCE = "instance"
DESCRIBED = frozenset((*ORDER_OF_INSTANCE, *ORDER_OF_TENANT))
READERS: dict[str, type[InstanceReader] | type[TenantReader]] = {INSTANCE: InstanceReader, "tenant": TenantReader}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core declares no types
    """Nothing is written to a platform: every module runs in check mode."""

    _supports_check_mode = True
    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Describe the host of the task."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        _checked, options = self.validate_argument_spec({
            "kind": {"type": "str", "choices": list(READERS), "default": INSTANCE},
            "folder": {"type": "path", "required": True},
        })  # fmt: skip
        host = str(variables["inventory_hostname"])
        try:
            if not options["folder"]:
                raise AdoptError("the inventory has no folder for host_vars. Set adopt_dir; nothing was written")
            file = VariablesFile(Path(options["folder"]).absolute(), host)
            file.check_writable()
            passing = file.own_names() | (load_extra_vars(self._loader).keys() & DESCRIBED)
            found = READERS[options["kind"]](self._ask_with(variables), self._templar, variables, passing).read()
            return self._written(file, found.variables) | found.as_result()
        except (AdoptError, EngineError, TransportError, ValueError) as error:
            return {"failed": True, "changed": False, "msg": f"{host}: {error}"}

    def _written(self, file: VariablesFile, variables: list[Variable]) -> dict[str, Any]:
        text = file.with_block(variables)
        changed = text != file.before
        if changed and not self._task.check_mode:
            file.write(text)
        verb = "would be written" if self._task.check_mode else "written"
        result: dict[str, Any] = {
            "changed": changed,
            "path": str(file.path),
            "msg": f"{file.path}: {verb if changed else 'up to date'}, {len(variables)} variables",
        }
        if self._task.diff and changed:
            place = str(file.path)
            result["diff"] = {"before": file.before, "after": text, "before_header": place, "after_header": place}
        return result

    def _ask_with(self, variables: dict[str, Any]) -> Asked:
        """Return a function that runs a module of this collection as a task of this host would, and returns its result."""

        def ask(module: str, **options: Any) -> dict[str, Any]:
            task = self._task.copy()
            task.action, task.args = f"{COLLECTION}.{module}", options
            task.check_mode = task.diff = True
            action = self._shared_loader_obj.action_loader.get(
                task.action,
                task=task,
                connection=self._connection,
                play_context=self._play_context,
                loader=self._loader,
                templar=self._templar,
                shared_loader_obj=self._shared_loader_obj,
            )
            if action is None:
                raise AnsibleError(f"{task.action} is not installed")
            result: dict[str, Any] = action.run(task_vars=variables)
            if result.get("failed"):
                raise AdoptError(str(result.get("msg")))
            return result

        return ask
