# SPDX-License-Identifier: GPL-3.0-or-later
"""Where and how a task runs: in the worker, as an ordinary module, elsewhere, later, in a loop, with an environment."""

from __future__ import annotations

import platform
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.instances import Instance
from tests.integration.lifecycle import comparable
from tests.integration.playbooks import COLLECTION, IN_PROCESS, ORDINARY, SHELLS, Playbooks, task

pytestmark = pytest.mark.walk(5)

UNUSABLE = "/nonexistent/python"


def interpreter(folder: Path) -> tuple[Path, Path]:
    """Return a Python that leaves a mark when it is started, and the mark. It does not know the controller's path."""
    program, mark = folder / "python", folder / "started"
    program.write_text(f'#!/bin/sh\necho x >>"{mark}"\nunset PYTHONPATH\nexec "{sys.executable}" "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program, mark


def without(library: str, folder: Path) -> dict[str, str]:
    """Return an environment in which no Python has a library."""
    missing = folder / "path" / library
    missing.mkdir(parents=True)
    (missing / "__init__.py").write_text(f"raise ImportError('No module named {library}')\n")
    return {"PYTHONPATH": str(missing.parent)}


def lacks(library: str) -> str:
    """Return how a message says that this Python lacks a library."""
    return (
        f"requires the Python library {library}, which {sys.executable} on {platform.node()} does not have. Install it with "
        f"'{sys.executable} -m pip install {library}', or set ansible_python_interpreter to a Python that has it"
    )


def test_a_local_task_runs_inside_the_worker(playbook: Playbooks, instance: Instance) -> None:
    host = {**instance.connection, "ansible_python_interpreter": UNUSABLE}
    assert playbook([task("snow_role", name="reader")], {instance.name: host}).went_well().last.changed


def test_a_task_for_another_host_runs_there(playbook: Playbooks, instance: Instance, tmp_path: Path) -> None:
    program, mark = interpreter(tmp_path)
    there = {"ansible_connection": ORDINARY, "ansible_python_interpreter": str(program)}
    delegated = task("snow_role", name="reader", more={"delegate_to": "gateway"})
    play = {"hosts": instance.name}
    run = playbook([delegated], {instance.name: instance.connection, "gateway": there}, play=play).went_well()
    assert run.last.changed
    assert mark.read_text() == "x\n", "one interpreter was started there"


def test_without_requests_here_a_task_runs_where_it_is(playbook: Playbooks, instance: Instance, tmp_path: Path) -> None:
    program, mark = interpreter(tmp_path)
    hidden = without("requests", tmp_path)
    host = {**instance.connection, "ansible_python_interpreter": str(program)}
    run = playbook([task("snow_role", name="reader")], {instance.name: host}, environment=hidden).went_well()
    assert run.last.changed
    assert mark.exists()
    host["ansible_python_interpreter"] = sys.executable
    refused = playbook([task("snow_role", name="other")], {instance.name: host}, environment=hidden).last
    assert refused.failed
    assert refused.message == f"snow_role: this module {lacks('requests')}"


@pytest.mark.parametrize("shell", SHELLS)
def test_without_jmespath_only_what_requires_it_is_refused(
    playbook: Playbooks, instance: Instance, tmp_path: Path, shell: str
) -> None:
    identity = {f"azure_{name}": "11111111-2222-3333-4444-555555555555" for name in ("tenant_id", "client_id")}
    filtered = {"scope": "/subscriptions/11111111-2222-3333-4444-555555555555", "filter": "severity == 'High'"}
    run = playbook(
        [
            task("snow_role", "without", name="reader"),
            task(
                "mdc_recommendation_info",
                "with",
                **filtered,
                **identity,
                azure_client_secret="not-used-1",
                more={"ignore_errors": True},
            ),
        ],
        instance,
        shell=shell,
        environment=without("jmespath", tmp_path),
    ).went_well()
    assert run["without"].changed
    assert run["with"].message.endswith(f"filter {lacks('jmespath')}")


def test_an_asynchronous_task_gives_the_same_result(playbook: Playbooks, instance: Instance) -> None:
    later = {"async": 30, "poll": 1}
    run = playbook(
        [
            task("snow_role", "check", name="reader", more={"check_mode": True}),
            task("snow_role", "later", name="reader", description="Reads", more=later),
            task("snow_role", "again", name="reader", description="Reads", more=later),
            task("snow_role", "wrong", name="reader", contains=["missing"], more={**later, "ignore_errors": True}),
        ],
        instance,
    )
    assert run["check"].changed
    assert run["later"].changed
    assert run["later"]["role"]["description"] == "Reads"
    assert not run["again"].changed
    assert "contains names 'missing'" in run["wrong"].message


@pytest.mark.parametrize("shell", SHELLS)
def test_the_environment_names_the_instance_and_the_account(
    playbook: Playbooks, instance: Instance, shell: str
) -> None:
    environment = {
        "SN_HOST": instance.access.url,
        "SN_USERNAME": instance.access.username,
        "SN_PASSWORD": instance.access.password,
    }
    look = task("snow_instance_info", "task", more={"environment": environment})
    without = task("snow_instance_info", "without", more={"ignore_errors": True})
    items = task(
        "snow_record_info", "loop", table="sys_user", limit=1, more={"environment": environment, "loop": [1, 2]}
    )
    items_own = {"environment": "{{ item }}", "loop": [environment, {}], "ignore_errors": True}
    each = task("snow_record_info", "each", table="sys_user", limit=1, more=items_own)
    block = {"environment": environment, "block": [task("snow_instance_info", "block")]}
    run = playbook([look, without, items, each, block], {instance.name: {}}, shell=shell).went_well()
    for name in ("task", "block"):
        assert run[name]["instance"]["caller"]["user_name"] == "svc_ansible"
    assert len(run["loop"]["results"]) == 2
    assert [item.get("failed", False) for item in run["each"]["results"]] == [False, True], "items share nothing"
    assert "snow_url is required" in run["without"].message, "the environment of a task ends with it"
    option = playbook(
        [task("snow_instance_info", "all")], {instance.name: {}}, shell=shell, environment=environment
    ).went_well()
    assert option.last["instance"]["grant_type"] == "basic"


def test_the_grant_and_the_token_come_from_the_environment_too(playbook: Playbooks, instance: Instance) -> None:
    instance.add("oauth_entity", name="Ansible", client_id="env-client", client_secret="env-secret-1")
    form = {"client_id": "env-client", "client_secret": "env-secret-1", "grant_type": "password"}
    issued = instance.ask_for_token(**form, username=instance.access.username, password=instance.access.password)
    common = {"SN_HOST": instance.access.url, "SN_CLIENT_ID": "env-client", "SN_CLIENT_SECRET": "env-secret-1"}
    account = {"SN_USERNAME": instance.access.username, "SN_PASSWORD": instance.access.password}
    environments: dict[str, dict[str, str]] = {
        "password": {**common, **account},
        "basic": {**common, **account, "SN_GRANT_TYPE": "basic"},
        "refresh_token": {**common, "SN_REFRESH_TOKEN": issued["refresh_token"]},
        "token": {"SN_HOST": instance.access.url, "SN_ACCESS_TOKEN": issued["access_token"]},
    }
    tasks = [task("snow_instance_info", name, more={"environment": each}) for name, each in environments.items()]
    run = playbook(tasks, {instance.name: {}}).went_well()
    assert [done["instance"]["grant_type"] for done in run.done] == list(environments)


@pytest.mark.parametrize("shell", SHELLS)
def test_module_defaults_of_the_group_reach_every_module_and_options_win(
    playbook: Playbooks, instance: Instance, shell: str
) -> None:
    defaults = {**instance.connection, "retries": 0, "snow_username": "missing"}
    play = {"module_defaults": {f"group/{COLLECTION}.snow": defaults}}
    run = playbook(
        [
            task("snow_instance_info", "defaults", more={"ignore_errors": True}),
            task("snow_instance_info", "option", snow_username=instance.access.username),
        ],
        {instance.name: {}},
        shell=shell,
        play=play,
    ).went_well()
    assert "wrong user name or password of missing" in run["defaults"].message
    assert run["option"]["instance"]["caller"]["user_name"] == "svc_ansible"


@pytest.mark.parametrize("shell", SHELLS)
def test_no_log_hides_the_result(playbook: Playbooks, instance: Instance, shell: str) -> None:
    quiet = {"no_log": True, "diff": True, "ignore_errors": True}
    run = playbook(
        [
            task("snow_role", "good", name="hidden-role-1", more=quiet),
            task("snow_role", "bad", name="hidden-role-2", contains=["hidden-role-3"], more=quiet),
            task("snow_role", "loop", name="{{ item }}", more={**quiet, "loop": ["hidden-role-4"]}),
        ],
        instance,
        "-vvv",
        shell=shell,
    )
    assert instance.rows("sys_user_role", name="hidden-role-4")
    for done in run.done:
        assert "censored" in done.result
    # ansible-core prints the message of a failure and the lines of the play it stems from nevertheless.
    results = [line for line in run.output.splitlines() if line.startswith(("fatal:", "changed:", "ok:", "failed:"))]
    assert results
    assert not any("hidden-role" in line for line in results)


def test_both_shells_report_the_same_about_wrong_arguments(playbook: Playbooks, instance: Instance) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "unknown option": {"name": "x", "nmae": "x"},
        "missing option": {},
        "wrong choice": {"name": "x", "state": "gone"},
        "wrong type": {"name": "x", "retries": "many"},
    }
    tasks = [task("snow_role", name, **options, more={"ignore_errors": True}) for name, options in wrong.items()]
    runs = [playbook(tasks, instance, shell=shell) for shell in (IN_PROCESS, ORDINARY)]
    for here, there in zip(runs[0].done, runs[1].done, strict=True):
        assert here.failed
        assert there.failed
        assert comparable(here.message, instance) == comparable(there.message, instance)
