# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback in a real run: ansible-playbook, with a module that returns what the playbook sets."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.integration.commands import STARTED_BY, Commands

CALLBACK = "secops.servicenow_defender.drift"
PLUGINS = Path(
    str(importlib.import_module("ansible_collections.secops.servicenow_defender.plugins.callback.drift").__file__)
).parents[1]

# Returns its argument `result`; the real modules need an instance to talk to.
STAND_IN = """
from ansible.plugins.action import ActionBase

class ActionModule(ActionBase):
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        return {"changed": False, **super().run(tmp, task_vars), **self._task.args["result"]}
"""
MODULE = "#!/usr/bin/python\n"

LIFESPAN = {"object": "oauth_application Cloud", "field": "access_token_lifespan", "before": "1800", "after": "3600"}
STEP = {"id": "acl", "title": "Grant it", "reason": "", "where": "", "values": {}, "secret_values": []}


class Run:
    """What a run printed and wrote."""

    def __init__(self, output: str, directory: Path, code: int) -> None:
        self.output, self.directory, self.code = output, directory, code
        # A warning is wrapped at the width of the terminal.
        self.words = " ".join(output.split())

    @property
    def closing_lines(self) -> list[str]:
        """The lines of the output that are the callback's."""
        return [line for line in self.output.splitlines() if line.startswith("drift:")]

    @property
    def document(self) -> dict[str, Any]:
        """The written drift.json."""
        document: dict[str, Any] = json.loads((self.directory / "drift.json").read_bytes())
        return document

    @property
    def hosts(self) -> dict[str, Any]:
        """The hosts of drift.json."""
        hosts: dict[str, Any] = self.document["hosts"]
        return hosts


Play = Callable[..., Run]


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the callback and its stand-in."""
    folder = tmp_path_factory.mktemp("collections")
    collection = folder / "ansible_collections" / "secops" / "servicenow_defender" / "plugins"
    for part in (
        "callback/drift.py",
        "plugin_utils/report",
        "plugin_utils/connector_shares.py",
        "plugin_utils/fleet.py",
        "plugin_utils/loop_items.py",
        "module_utils/token_end.py",
    ):
        target = collection / part
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (PLUGINS / part).is_dir() else shutil.copy)(PLUGINS / part, target)
    for kind, content in (("action", STAND_IN), ("modules", MODULE)):
        (collection / kind).mkdir()
        (collection / kind / "snow_instance.py").write_text(content)
    return folder


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """The fork servers of these tests."""
    with Commands(tmp_path_factory.mktemp("commands")) as running:
        yield running


@pytest.fixture
def run(tmp_path: Path, collections: Path, commands: Commands) -> Play:
    """Return a function that runs tasks on some hosts, with the callback enabled."""
    (tmp_path / "action_plugins").mkdir()
    (tmp_path / "action_plugins" / "foreign.py").write_text(STAND_IN)

    def play(
        tasks: list[dict[str, Any]],
        *arguments: str,
        hosts: tuple[str, ...] = ("acme-dev",),
        groups: dict[str, tuple[str, ...]] | None = None,
        environment: dict[str, str] | None = None,
        configuration: str = "",
        **keywords: Any,
    ) -> Run:
        plays = [{"name": "Compare", "hosts": "all", "gather_facts": False, "tasks": tasks, **keywords}]
        (tmp_path / "site.yml").write_text(json.dumps(plays))
        inventory = {"all": {"hosts": dict.fromkeys(hosts, {"ansible_connection": "local"})}}
        inventory |= {name: {"hosts": dict.fromkeys(members, {})} for name, members in (groups or {}).items()}
        (tmp_path / "inventory.yml").write_text(json.dumps(inventory))
        if configuration:
            (tmp_path / "ansible.cfg").write_text(configuration)
        directory = tmp_path / "reports"
        code, output = commands.run(
            [*STARTED_BY, "playbook", "-i", "inventory.yml", "site.yml", *arguments],
            tmp_path,
            {
                **{
                    name: value
                    for name, value in os.environ.items()
                    if not name.startswith(("ANSIBLE_", "SERVICENOW_"))
                },
                "ANSIBLE_CALLBACKS_ENABLED": CALLBACK,
                "ANSIBLE_COLLECTIONS_PATH": str(collections),
                "ANSIBLE_LOCALHOST_WARNING": "false",
                "ANSIBLE_DEPRECATION_WARNINGS": "true",
                "ANSIBLE_NOCOLOR": "1",
                "HOME": str(commands.home),
                "SERVICENOW_DEFENDER_REPORT_DIR": str(directory),
                **(environment or {}),
            },
            120,
        )
        return Run(output, directory, code)

    return play


def task(result: Any, *, module: str = "secops.servicenow_defender.snow_instance", **keywords: Any) -> dict[str, Any]:
    return {"name": "Compare the instance", module: {"result": result}, **keywords}


def per_host(results: dict[str, Any]) -> str:
    return "{{ (" + json.dumps(results) + ")[inventory_hostname] }}"


def test_a_check_writes_every_form_and_prints_one_line(run: Play) -> None:
    results = {
        "acme-dev": {"changed": True, "drift": [LIFESPAN], "manual_steps": [STEP]},
        "acme-test": {"changed": False, "drift": []},
        "acme-prod": {"failed": True, "msg": "acme-prod is hibernating."},
    }
    done = run([task(per_host(results))], "--check", hosts=tuple(results))
    assert done.closing_lines == [
        f"drift: 1 of 3 instances deviates (1 deviation, 1 manual step), 1 failed; report: {done.directory}/drift.html"
    ]
    assert done.output.rstrip().endswith("drift.html")
    assert {name: host["status"] for name, host in done.hosts.items()} == {
        "acme-dev": "drift",
        "acme-prod": "failed",
        "acme-test": "in_sync",
    }
    assert done.hosts["acme-prod"]["message"] == "acme-prod is hibernating."
    play = done.document["play"]
    assert (play["playbooks"], play["plays"], play["check_mode"]) == (["site.yml"], ["Compare"], True)
    assert len(ElementTree.fromstring((done.directory / "drift.xml").read_bytes())) == 3
    assert "access_token_lifespan" in (done.directory / "drift.html").read_text()
    assert "WARNING" not in done.words and "Traceback" not in done.words


def test_a_real_run_repairs(run: Play) -> None:
    done = run([task({"changed": True, "drift": [LIFESPAN]})])
    assert done.closing_lines[0].startswith("drift: 0 of 1 instance deviate (1 repaired)")
    assert done.hosts["acme-dev"]["drift"][0]["repaired"] is True


def test_a_task_in_check_mode_within_a_real_run_does_not(run: Play) -> None:
    templated = "{{ inventory_hostname == 'acme-dev' }}"
    done = run([task({"changed": True, "drift": [LIFESPAN]}, check_mode=templated)], hosts=("acme-dev", "acme-test"))
    assert [host["drift"][0]["repaired"] for host in done.hosts.values()] == [False, True]


@pytest.mark.parametrize("keyword", ["loop", "with_items"])
def test_loops_rescues_ignored_failures_and_verdicts(run: Play, keyword: str) -> None:
    failing = task({"failed": True, "msg": "no"})
    second = {**LIFESPAN, "field": "active"}
    items = [{"drift": [LIFESPAN], "changed": True}, {"drift": [LIFESPAN, second], "changed": True}]
    tasks = [
        task("{{ item }}", **{keyword: items}),
        {"block": [failing], "rescue": [task({"changed": False})]},
        {**failing, "ignore_errors": True},
        {"ansible.builtin.fail": {"msg": "there is drift"}, "tags": ["drift_fail"]},
    ]
    done = run(tasks, "--check")
    assert done.code == 2
    host = done.hosts["acme-dev"]
    assert (host["status"], host["failures"], len(host["drift"])) == ("drift", [], 2)


def test_items_of_a_loop_that_failed_or_were_skipped_repaired_nothing(run: Play) -> None:
    items = [
        {"drift": [{**LIFESPAN, "field": field}], "changed": True, **more}
        for field, more in (("ok", {}), ("failed", {"failed": True, "msg": "refused"}), ("skipped", {}))
    ]
    last = "item.drift[0].field != 'skipped'"
    host = run([task("{{ item }}", loop=items, when=last)]).hosts["acme-dev"]
    assert {entry["field"]: entry["repaired"] for entry in host["drift"]} == {"ok": True, "failed": False}
    assert host["message"] == "refused"


def test_unreachable_hosts_are_distinguished_from_ignored_ones(run: Play) -> None:
    away = {"unreachable": True, "msg": "no route"}
    results = {"acme-dev": away, "acme-test": {"changed": False}}
    done = run([task(per_host(results))], hosts=("acme-dev", "acme-test"))
    assert {name: host["status"] for name, host in done.hosts.items()} == {
        "acme-dev": "unreachable",
        "acme-test": "in_sync",
    }
    done = run([task(away, ignore_unreachable="{{ true }}"), task({"changed": False})])
    assert done.hosts["acme-dev"]["status"] == "in_sync"


@pytest.mark.parametrize("hide", [{"no_log": True}, {"no_log": "{{ true }}"}, {"no_log": True, "loop": [1, 2]}])
def test_what_no_log_hides_is_nowhere(run: Play, hide: dict[str, Any]) -> None:
    planted = {"failed": True, "msg": "planted", "drift": [{**LIFESPAN, "before": "planted"}]}
    done = run([task({"changed": False}), task(planted, **hide)], "--check")
    assert done.document["totals"]["hidden_results"] == 1
    assert done.hosts["acme-dev"]["status"] == "failed"
    for file in done.directory.iterdir():
        assert "planted" not in file.read_text()
    # Some versions of Ansible print the message of a failed task themselves, even with no_log.
    assert "planted" not in done.closing_lines[0]


def test_a_run_without_the_collection_writes_and_reports_nothing(run: Play) -> None:
    done = run([task({"drift": "other"}, module="foreign"), {"ansible.builtin.debug": {"msg": "x"}}])
    assert (done.code, done.closing_lines, done.directory.exists()) == (0, [], False)


def test_a_foreign_module_with_drift_takes_part(run: Play) -> None:
    done = run([task({"drift": [LIFESPAN]}, module="foreign")], "--check")
    assert len(done.hosts["acme-dev"]["drift"]) == 1
    assert "WARNING" not in done.words


@pytest.mark.parametrize("loop", [{}, {"loop": [1, 2]}])
@pytest.mark.parametrize("name", ["snow_instance", "{{ 'secops.servicenow_defender' }}.snow_instance"])
def test_short_and_templated_module_names_are_known(run: Play, name: str, loop: dict[str, Any]) -> None:
    tasks = [{"action": name, "args": {"result": {"changed": False}}, **loop}]
    done = run(tasks, collections=["secops.servicenow_defender"])
    assert done.hosts["acme-dev"]["status"] == "in_sync"
    assert "sampling the task's resolved_action" not in done.words


def test_a_play_variable_chooses_the_directory_and_an_extra_variable_wins(run: Play, tmp_path: Path) -> None:
    directory = {"drift_report_dir": "{{ playbook_dir }}/by-play"}
    run([task({"drift": []})], vars=directory)
    assert (tmp_path / "by-play" / "drift.json").exists()
    done = run([task({"drift": []})], "-e", "drift_report_dir=by-extra", vars=directory)
    assert (tmp_path / "by-extra" / "drift.json").exists()
    assert done.closing_lines[0].endswith(f"report: {tmp_path}/by-extra/drift.html")
    assert not done.directory.exists()


@pytest.mark.parametrize(
    ("tenant", "line"),
    [
        ("acme-tenant", "0 of 2 instances deviate (1 deviation); tenant: drift"),
        ("acme-dev", "1 of 2 instances deviates (1 deviation)"),
    ],
)
def test_a_host_of_both_groups_is_an_instance_as_in_the_summary(run: Play, tenant: str, line: str) -> None:
    groups = {"ours": ("acme-dev", "acme-test"), "theirs": (tenant,)}
    named = {"servicenow_defender_instances": "{{ 'ours' }}", "servicenow_defender_tenant": "theirs"}
    hosts = tuple(dict.fromkeys((*groups["ours"], tenant)))
    results = {name: {"drift": [LIFESPAN] if name == tenant else []} for name in hosts}
    done = run([task(per_host(results))], "--check", hosts=hosts, groups=groups, vars=named)
    assert done.closing_lines == [f"drift: {line}; report: {done.directory}/drift.html"]


def test_slices_of_one_run_merge(run: Play) -> None:
    environment = {"SERVICENOW_DEFENDER_RUN_ID": "42"}
    hosts = ("acme-dev", "acme-test")
    for limit in hosts:
        done = run([task({"drift": [LIFESPAN]})], "--check", "-l", limit, hosts=hosts, environment=environment)
    assert list(done.hosts) == list(hosts)
    assert done.closing_lines[0].startswith("drift: 2 of 2 instances deviate (2 deviations)")


@pytest.mark.parametrize("name", ["{{ workflow_job_id }}", "{{ workflow_job_id }} of tonight"])
def test_a_variable_of_the_play_names_the_run_and_an_extra_variable_wins(run: Play, name: str) -> None:
    environment = {"SERVICENOW_DEFENDER_RUN_ID": "42"}
    variables = {"drift_run_id": name, "workflow_job_id": 4711}
    done = run([task({"drift": []})], vars=variables, environment=environment)
    assert done.document["play"]["run_id"] == name.replace("{{ workflow_job_id }}", "4711")
    done = run([task({"drift": []})], "-e", "drift_run_id=night", vars=variables, environment=environment)
    assert done.document["play"]["run_id"] == "night"
    done = run([task({"drift": []})], vars={"drift_run_id": ""}, environment=environment)
    assert done.document["play"]["run_id"] == "42"


def test_options_come_from_the_configuration_file(run: Play) -> None:
    section = "[callback_servicenow_defender_drift]\nformats=junit,json\nrun_id=nightly\n"
    done = run([task({"drift": []})], configuration=section)
    assert {file.name for file in done.directory.glob("drift.*")} == {"drift.json", "drift.xml"}
    assert done.document["play"]["run_id"] == "nightly"
    assert done.closing_lines[0].endswith("drift.json")


def test_a_report_that_cannot_be_written_is_one_warning(run: Play, tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("in the way")
    done = run([task({"drift": []})])
    assert done.code == 0
    assert done.words.count("[WARNING]") == 1
    assert "the drift report could not be written to" in done.words and "Traceback" not in done.words
    (folder,) = re.findall(r"reports: a file is in the way \(.*\); it is in (\S*drift-report-\S*) instead", done.words)
    assert json.loads((Path(folder) / "drift.json").read_bytes())["totals"]["in_sync"] == 1
    assert Path(folder).stat().st_mode & 0o777 == 0o700
    shutil.rmtree(folder)
    assert done.closing_lines == [f"drift: 0 of 1 instance deviate; report: {folder}/drift.html"]


def test_a_directory_that_cannot_be_templated_is_one_warning(run: Play) -> None:
    done = run([task({"drift": []})], vars={"drift_report_dir": "{{ nowhere_defined }}"})
    assert done.code == 0
    assert "drift_report_dir" in done.words and "Traceback" not in done.words
    assert done.hosts["acme-dev"]["status"] == "in_sync"
