# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets ansible run in its own process what ansible-core computes itself: for these tasks, a fork costs more than the work.

Tasks of the collection, and all that reach a host, have a worker of their own, as in the command.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable
from multiprocessing import current_process
from typing import Any

ACTIONS = (
    "add_host",
    "assert",
    "debug",
    "fail",
    "group_by",
    "include_role",
    "include_tasks",
    "include_vars",
    "set_fact",
    "validate_argument_spec",
)
PREFIXES = ("", "ansible.builtin.", "ansible.legacy.")
# Of `TaskExecutor`; lines of ansible-core with others fork for all tasks.
GIVEN_THE_TASK = "self host task job_vars play_context loader shared_loader_obj final_q variable_manager"
FINDS_THE_TASK = "self host play_context loader shared_loader_obj final_q variable_manager"
# Since 2.21, these ask the process that would wait for them here.
ASKING = ("add_host", "group_by")


def run_here() -> None:
    """Run tasks with actions of these names where they would be given to a worker."""
    worker: Any = importlib.import_module("ansible.executor.process.worker")
    parameters = " ".join(inspect.signature(worker.TaskExecutor.__init__).parameters)
    if parameters == GIVEN_THE_TASK and hasattr(worker, "_RawTaskResult"):
        run_tasks_of(worker, ACTIONS, execute_given_task)
    elif parameters == FINDS_THE_TASK and hasattr(worker._task.TaskContext, "create"):
        run_tasks_of(worker, [action for action in ACTIONS if action not in ASKING], execute_found_task)


def run_tasks_of(worker: Any, actions: Iterable[str], execute: Callable[[Any, Any, Any], None]) -> None:
    """Let a worker process execute tasks with these actions at its start."""
    names = frozenset(f"{prefix}{action}" for prefix in PREFIXES for action in actions)
    start = worker.WorkerProcess.start

    def start_or_run(self: Any) -> None:
        if self._task.action not in names:
            start(self)
            return
        # An executor changes its task, which in a worker is a copy.
        task = object.__new__(type(self._task))
        task.__dict__.update(self._task.__dict__)
        # Where a plugin finds the task of its worker, and so the strategy of the play.
        process: Any = current_process()
        process._task = task
        execute(worker, self, task)

    worker.WorkerProcess.start = start_or_run


def common_arguments(process: Any) -> tuple[Any, ...]:
    """Return the last arguments of `TaskExecutor`, which all lines of ansible-core have."""
    return (
        process._play_context,
        process._loader,
        process._shared_loader_obj,
        process._final_q,
        process._variable_manager,
    )


def execute_given_task(worker: Any, process: Any, task: Any) -> None:
    """Execute a task as ansible-core 2.19 and 2.20 do in a worker, and send its result."""
    with worker._task.TaskContext(task):
        result = worker.TaskExecutor(process._host, task, process._task_vars, *common_arguments(process)).run()
        sent = worker._RawTaskResult(host=process._host, task=task, return_data=result, task_fields=task.dump_attrs())
        process._final_q.send_task_result(sent)


def execute_found_task(worker: Any, process: Any, task: Any) -> None:
    """Execute a task as ansible-core 2.21 does in a worker, and send its result."""
    variables = dict(process._task_vars)
    with worker._task.TaskContext.create(task=task, task_vars=variables, host_name=process._host.name):
        task.squash()
        result = worker.TaskExecutor(process._host, *common_arguments(process)).run()
        result.finalize_registered_values()
        task.ignore_errors, task.ignore_unreachable = result.ignore_errors, result.ignore_unreachable
        process._final_q.send_task_result(process._host, task, result)
