# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls modules in both ways, with arguments of any shape; and the arguments of their examples."""

from __future__ import annotations

import copy
import importlib
import json
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

from ansible_collections.secops.servicenow_defender.plugins import modules as modules_folder
from ansible_collections.secops.servicenow_defender.plugins.module_utils import ansible_module
from ansible_collections.secops.servicenow_defender.plugins.module_utils.arguments import (
    plain,
    problem_of,
    usual_spelling,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.in_process import InProcess
from tests.unit.plugins.module_utils.module_arguments import patch_module_args

# Documentation of what only an action does.
ACTIONS = {"adopted_variables"}
MODULES = sorted({found.name for found in pkgutil.iter_modules(modules_folder.__path__)} - ACTIONS)


def module(name: str) -> ModuleType:
    """Return a module by its name."""
    return importlib.import_module(f"{modules_folder.__name__}.{name}")


def in_process(name: str, arguments: dict[str, Any], run: ansible_module.Run | None = None) -> dict[str, Any]:
    """Return what the action plugin returns for `arguments`; the module itself does nothing, or `run`."""
    action = object.__new__(type("Action", (InProcess,), {"module": module(name)}))
    action._task = SimpleNamespace(
        args=copy.deepcopy(arguments), action=name, check_mode=True, diff=True, async_val=0, environment=None
    )
    action._connection = SimpleNamespace(transport="local", become=None)
    spec = module(name).SPEC
    action._task.args = usual_spelling(spec.argument_spec, plain(action._task.args))
    problem = problem_of(spec.argument_spec, action._task.args)
    if problem:
        return action._refusal(spec.argument_spec, f"{name}: {problem}", {})
    action._task_environment = dict
    result: dict[str, Any] = action._run_here(name, spec, run or _nothing, {})
    return result


def _nothing(_params: Any, _context: Any) -> ansible_module.Result:
    return ansible_module.Result()


def ordinary(name: str, arguments: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the ordinary module prints for `arguments`."""
    try:
        given = json.loads(json.dumps(arguments))
    except TypeError:
        return ""  # The action plugin refuses it: there is no such module.
    with patch_module_args(given), pytest.raises(SystemExit):
        ansible_module.run_as_module(module(name).SPEC, _nothing)
    return capsys.readouterr().out


@cache
def _examples(name: str) -> tuple[str, ...]:
    found = []
    for task in yaml.safe_load(module(name).EXAMPLES):
        found += [
            json.dumps(_plain(args), default=str)
            for key, args in task.items()
            if key.endswith(f".{name}") and isinstance(args, dict)
        ]
    return tuple(found)


def examples(name: str) -> Iterator[dict[str, Any]]:
    """Yield the arguments of each example of a module, templates replaced by a text."""
    for text in _examples(name):
        yield json.loads(text)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return "templated" if isinstance(value, str) and "{{" in value else value
