# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs tasks and playbooks of the collection through `ansible-playbook`, as users do."""

from __future__ import annotations

import atexit
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import yaml

from tests.integration.commands import Commands, run_command
from tests.integration.instances import Instance

if TYPE_CHECKING:
    from tests.integration.saved_fleets import SavedFleets

COLLECTION = "secops.servicenow_defender"
ROOT = Path(__file__).resolve().parents[2]
PLUGINS = Path(__file__).parent / "plugins"
IN_PROCESS, ORDINARY = "local", "elsewhere"
SHELLS = (IN_PROCESS, ORDINARY)
READING = ("GET ", "POST /api/now/v1/batch", "POST /oauth_token.do")

Task = dict[str, Any]
Hosts = Instance | Iterable[Instance] | Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Done:
    """The outcome of one task on one host: its result, and its requests to the instance, by route."""

    host: str
    task: str
    status: str
    result: dict[str, Any]
    requests: dict[str, int]
    inner: dict[str, int]

    @property
    def changed(self) -> bool:
        """Whether it changed anything, or would."""
        return bool(self.result["changed"])

    @property
    def failed(self) -> bool:
        """Whether it failed."""
        return self.status in ("failed", "unreachable")

    @property
    def message(self) -> str:
        """Its output."""
        return str(self.result.get("msg", ""))

    @property
    def writes(self) -> dict[str, int]:
        """The requests that can change an instance, by route."""
        both = [*self.requests.items(), *self.inner.items()]
        return {route: count for route, count in both if not route.startswith(READING)}

    def __getitem__(self, name: str) -> Any:
        return self.result[name]


@dataclass
class Run:
    """What came of one `ansible-playbook`: exit status, everything it printed, what came of each task in order."""

    status: int
    output: str
    done: list[Done] = field(default_factory=list)

    def __getitem__(self, task: str) -> Done:
        """Return what came of the task of this name, a task of a role included."""
        return self.on("", task)

    def on(self, host: str, task: str) -> Done:
        """Return what came of a task on a host."""
        found = [done for done in self.done if done.task.split(" : ")[-1] == task and host in ("", done.host)]
        assert found, f"no task {task!r} on {host or 'any host'}\n{self.output}"
        return found[-1]

    @property
    def last(self) -> Done:
        """What came of the last task."""
        return self.done[-1]

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """The numbers of the play recap by host: ok, changed, unreachable, failed, skipped, rescued, ignored."""
        lines = self.output.rpartition("PLAY RECAP")[2].splitlines()[1:]
        pairs = [line.split(" : ", 1) for line in lines if " : " in line]
        return {
            host.strip(): {name: int(count) for name, count in (word.split("=") for word in numbers.split())}
            for host, numbers in pairs
        }

    @property
    def failures(self) -> list[Done]:
        """What failed, without the tasks that set the exit status of a playbook at its end."""
        return [done for done in self.done if done.failed and not done.task.startswith("Fail if th")]

    @property
    def summary(self) -> str:
        """The lines of the summary that the playbook printed at its end."""
        (found,) = [done for done in self.done if done.task == "Show summary"]
        lines: list[str] = found.result["msg"]
        assert all(isinstance(line, str) for line in lines)
        return "\n".join(lines)

    def went_well(self) -> Run:
        """Return the run itself; fail with everything it printed when it did not end well."""
        assert self.status == 0, self.output
        return self


def task(module: str, name: str = "", /, *, more: Any = None, **options: Any) -> Task:
    """Return a task that calls a module of this collection; `more` are keywords of the task itself."""
    return {"name": name or module, f"{COLLECTION}.{module}": options, **(more or {})}


class Playbooks:
    """Runs tasks and playbooks in a folder of their own; without `commands` always by the command itself.

    `saved_fleets` has the fleets that need not be onboarded again.
    """

    def __init__(
        self, folder: Path, sandbox_url: str, commands: Commands | None = None, saved_fleets: SavedFleets | None = None
    ) -> None:
        self.folder = folder
        self.sandbox_url = sandbox_url
        self.commands = commands
        self.saved_fleets = saved_fleets
        self.runs = 0

    def __call__(self, what: str | list[Task], hosts: Hosts, *arguments: str, **options: Any) -> Run:
        """Run `what` (a playbook of the collection by name, or tasks) on `hosts` to its end.

        `options` are those of `command`, and `timeout` in seconds.
        """
        timeout = options.pop("timeout", 240)
        command, environment, results = self.command(what, hosts, *arguments, **options)
        run = self.commands.run if self.commands else run_command
        status, output = run(command, self.folder, environment, timeout)
        return Run(status, output, read_results(results))

    def onboarded(self, *instances: Instance, **options: Any) -> None:
        """Onboard, as the first that is done with instances. Those that an earlier test onboarded are restored instead."""
        self.first(instances, options, lambda: self("onboard", instances, **options).went_well())
        for each in instances:
            each.forget_requests()

    def first(
        self, instances: Sequence[Instance], made_of: Any, onboard: Callable[[], Any], with_tenant: bool = False
    ) -> None:
        """Onboard instances, or restore those that an earlier test onboarded and that were made of the same."""
        if self.saved_fleets:
            self.saved_fleets.onboarded(self, instances, made_of, onboard, with_tenant)
        else:
            onboard()

    def command(
        self,
        what: str | list[Task],
        hosts: Hosts,
        *arguments: str,
        shell: str = IN_PROCESS,
        check: bool = False,
        variables: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        play: Mapping[str, Any] | None = None,
        retries: int = 1,
        callbacks: Iterable[str] = (),
        defender: Iterable[str] = (),
    ) -> tuple[list[str], dict[str, str], Path]:
        """Return the words and the environment of a run, and the file that gets its results.

        `shell` is the way modules run. `variables` are extra variables, `play` keywords of the play around the tasks.
        `defender` names the hosts that represent tenants; the others are instances.
        """
        self.runs += 1
        known = _variables(hosts)
        inventory = self._write("inventory", self._inventory(known, shell, retries, set(defender)))
        target = (
            f"{COLLECTION}.{what}" if isinstance(what, str) else str(self._write("play", [_play(what, known, play)]))
        )
        results = self.folder / f"results-{self.runs}.jsonl"
        command = [sys.executable, "-m", "ansible", "playbook", "-i", str(inventory), target, *arguments]
        if check:
            command += ["--check", "--diff"]
        if variables:
            command += ["-e", f"@{self._write('variables', dict(variables))}"]
        return command, self._environment(results, callbacks, environment or {}), results

    def _write(self, name: str, content: Any) -> Path:
        path = self.folder / f"{name}-{self.runs}.yml"
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        return path

    def _inventory(
        self, hosts: Mapping[str, Mapping[str, Any]], shell: str, retries: int, tenants: set[str]
    ) -> dict[str, Any]:
        common = {
            "ansible_connection": shell,
            "ansible_python_interpreter": sys.executable,
            "retries": retries,
            "servicenow_defender_secrets": str(self.folder / "secrets"),
        }
        groups: dict[str, dict[str, Any]] = {}
        for name, values in hosts.items():
            group = groups.setdefault("defender" if name in tenants else "servicenow", {"hosts": {}, "vars": common})
            group["hosts"][name] = dict(values)
        return groups

    @property
    def home(self) -> Path:
        """Ansible's folder of the runs."""
        return self.commands.home if self.commands else self.folder / "ansible"

    def base_environment(self) -> dict[str, str]:
        """Return the environment of a command without the plugins of tests: the collection, and a home of its own."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SN_", "AZURE_", "MDA_", "ANSIBLE_")) and not name.lower().endswith("_proxy")
        }
        temporary = self.home / "tmp"
        temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
        return {
            **kept,
            "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(ROOT / ".cache/collections")),
            "ANSIBLE_HOME": str(self.home),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            # Locks and records of calls are kept there: runs of other tests are runs of other machines.
            "TMPDIR": short_path(temporary),
        }

    def _environment(self, results: Path, callbacks: Iterable[str], more: Mapping[str, str]) -> dict[str, str]:
        return {
            **self.base_environment(),
            "ANSIBLE_CALLBACK_PLUGINS": str(PLUGINS / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": ",".join(("results", *callbacks)),
            "ANSIBLE_CONNECTION_PLUGINS": str(PLUGINS / "connection"),
            "ANSIBLE_PIPELINING": "true",
            "TEST_RESULTS_FILE": str(results),
            "TEST_SANDBOX_URL": self.sandbox_url,
            **more,
        }


def other_machine(folder: Path) -> dict[str, str]:
    """Return the environment of a run on another machine: no home, no locks and no temporary files in common."""
    for name in ("home", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return {"ANSIBLE_HOME": str(folder / "home"), "TMPDIR": short_path(folder / "tmp")}


@cache
def short_path(folder: Path) -> str:
    """Return a link to the folder: from ansible-core 2.21 on, a run has a socket there, whose path may have 107 characters."""
    link = Path(mkdtemp(prefix="run-"), "tmp")
    link.symlink_to(folder)
    atexit.register(rmtree, link.parent, ignore_errors=True)
    return str(link)


def read_results(path: Path) -> list[Done]:
    """Return what the callback has written so far."""
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [
        Done(
            line["host"],
            line["task"],
            line["status"],
            line["result"],
            line["requests"]["routes"],
            line["requests"]["inner"],
        )
        for line in lines
    ]


def _variables(hosts: Hosts) -> dict[str, Mapping[str, Any]]:
    if isinstance(hosts, Mapping):
        return dict(hosts)
    instances = [hosts] if isinstance(hosts, Instance) else hosts
    return {instance.name: instance.connection for instance in instances}


def _play(tasks: list[Task], hosts: Mapping[str, Mapping[str, Any]], more: Mapping[str, Any] | None) -> dict[str, Any]:
    known = {name for variables in hosts.values() for name in variables}
    options = sorted(name for name in known if name.startswith(("snow_", "ca_path")))
    defaults = {name: f"{{{{ {name} | default(omit) }}}}" for name in (*options, "retries")}
    return {
        "name": "Test",
        "hosts": "servicenow",
        "gather_facts": False,
        "module_defaults": {f"group/{COLLECTION}.snow": defaults},
        "tasks": tasks,
        **(more or {}),
    }
