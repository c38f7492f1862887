# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluate variables of a role as another host, or for another service, would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from multiprocessing import current_process
from typing import Any

from ansible.errors import AnsibleUndefinedVariable
from jinja2 import UndefinedError

from .fleet import FAILURE, raw_variables
from .role_values import SERVICE, RoleValues
from .secret_store import SecretBackend, SecretFolder, store_of
from .templating import with_variables

# The strategies of ansible-core that heed `run_once`; debug is linear with a prompt.
LINEAR = ("linear", "debug")


def values_for(
    templar: Any, variables: Mapping[str, Any], name: str, hosts: Iterable[str] | None, services: Iterable[str] | None
) -> list[Any]:
    """Return the value of variable `name` for each host and service; None stands for the ones of the task.

    Variables of the host win over those of the task, among which are the defaults of its role. Raises `ValueError` for a
    variable that is not defined, or whose template needs one that is not.
    """
    values = []
    for host in [None] if hosts is None else hosts:
        own = {} if host is None else raw_variables(variables["hostvars"], host)
        for service in [None] if services is None else services:
            known = {**variables, **own, **({} if service is None else {SERVICE: service})}
            of_host = f" for {host}" if host else ""
            if name not in known:
                raise ValueError(f"values_for: variable {name} is not defined{of_host}")
            try:
                values.append(RoleValues(templar, known).value(name))
            except (AnsibleUndefinedVariable, UndefinedError) as error:
                # As another kind of error: the filter `default` would put the default in the place of what a user has set.
                raise ValueError(f"variable {name} cannot be evaluated{of_host}: {error}") from error
    return values


def store_for(templar: Any, variables: Mapping[str, Any], host: str | None) -> SecretFolder | SecretBackend:
    """Return where the secrets of a host are stored, None for the host of the task; raise `ValueError` for a malformed store."""
    known = variables if host is None else {**variables, **raw_variables(variables["hostvars"], host)}
    return store_of(with_variables(templar, known), known)


def batch(variables: Mapping[str, Any]) -> list[str]:
    """Return the hosts that a task with `run_once` works for: those of the batch that have not failed.

    Under a strategy that ignores `run_once`, it works for its own host.
    """
    own = str(variables["inventory_hostname"])
    if not runs_once():
        return [own]
    hosts: Iterable[str] = variables["ansible_play_batch"]
    return [host for host in hosts if host == own or FAILURE not in raw_variables(variables["hostvars"], host)]


def runs_once() -> bool:
    """Return whether the play whose task this worker runs has a strategy that heeds `run_once`."""
    task = getattr(current_process(), "_task", None)
    play = task.get_play() if task is not None and hasattr(task, "get_play") else None
    return str(getattr(play, "strategy", None) or "linear").rsplit(".", 1)[-1] in LINEAR
