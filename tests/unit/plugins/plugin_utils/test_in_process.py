# SPDX-License-Identifier: GPL-3.0-or-later
"""The twin: the same module, in the worker that is there already."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.module_utils.common.parameters import remove_values
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.template import Templar

from ansible_collections.secops.servicenow_defender.plugins.module_utils import ansible_module
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils import in_process
from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, answer, failure, rows
from tests.unit.plugins.module_utils.snow.fake_batch_api import with_batches

COLLECTION = "secops.servicenow_defender"
PLUGINS = f"ansible_collections.{COLLECTION}.plugins"
# From ansible-core 2.21 on, results show the arguments of a task only on request.
VARIABLES = {"ansible_inject_invocation": True}
CREDENTIALS = {"snow_username": "svc_ansible", "snow_password": "Pass-word-1"}
# Where the collection under test is, as Ansible requires it.
COLLECTIONS = next(str(p.parent) for p in Path(ansible_module.__file__).parents if p.name == "ansible_collections")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """An instance that has no rows and takes every new one."""
    for name in [name for name in os.environ if name.startswith("SN_")]:
        monkeypatch.delenv(name)
    with Loopback.started() as running:
        running.answers_by(with_batches(empty))
        yield running


def empty(request: Received) -> Reply:
    if request.method == "GET":
        return rows(total=0)
    return answer({"result": {"sys_id": "a1", **request.json}}, 201)


Twin = Callable[..., dict[str, Any]]


@pytest.fixture
def run(server: Loopback) -> Twin:
    """Run a task in the twin, as a worker does; `connection` and task keywords can be given."""

    def run_task(
        module: str,
        args: dict[str, Any],
        connection: dict[str, Any] | None = None,
        executed: MagicMock | None = None,
        **keywords: Any,
    ) -> dict[str, Any]:
        task = Task()
        task.action, task.args = f"{COLLECTION}.{module}", {"snow_url": server.url, **CREDENTIALS, **args}
        task.args = {name: value for name, value in task.args.items() if value is not None}
        for name, value in {"check_mode": False, "diff": False, "environment": [], **keywords}.items():
            setattr(task, name, value)
        link = MagicMock(
            **{"transport": "local", "become": None, "_shell.env_prefix.return_value": "", **(connection or {})}
        )
        loader = DataLoader()
        twin = import_module(f"{PLUGINS}.action.{module}").ActionModule(
            task, link, PlayContext(), loader, Templar(loader), None
        )
        twin._execute_module = executed or MagicMock(side_effect=AssertionError("handed over"))
        result: dict[str, Any] = twin.run(None, VARIABLES)
        return result

    return run_task


# -- here -----------------------------------------------------------------------------------------------------------------


def test_a_local_task_runs_in_the_worker(run: Twin, server: Loopback) -> None:
    result = run("snow_record_info", {"table": "sys_user"})
    assert server.lines == ["GET /api/now/table/sys_user"]
    assert (result["changed"], result["records"], result["api_calls"]) == (False, [], {"read": 1, "write": 0})
    assert not result.get("failed")


def test_arguments_are_shown_with_defaults_and_without_secrets(run: Twin) -> None:
    shown = run("snow_record_info", {"table": "sys_user"})["invocation"]["module_args"]
    assert (shown["table"], shown["timeout"], shown["snow_username"]) == ("sys_user", 60.0, "svc_ansible")
    assert shown["snow_password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


@pytest.mark.parametrize("diff", [True, False])
def test_check_mode_and_diff_reach_the_module(run: Twin, server: Loopback, diff: bool) -> None:
    result = run("snow_instance", {"properties": {"glide.x": True}}, check_mode=True, diff=diff)
    assert (result["changed"], result["api_calls"]["write"]) == (True, 0)
    assert not any(line.startswith("POST /api/now/table") for line in server.lines)
    assert ("diff" in result) == diff


def test_a_run_that_is_no_check_writes(run: Twin, server: Loopback) -> None:
    result = run("snow_instance", {"properties": {"glide.x": True}})
    assert "POST /api/now/table/sys_properties" in server.lines
    assert "returned a different value" in result["msg"], "the instance has no rows, though it accepted them"
    assert (result["failed"], result["changed"], result["api_calls"]["write"]) == (True, True, 1)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"table": None}, "one of the following is required: table, queries"),
        ({"table": "x", "tabel": "x"}, f"Unsupported parameters for ({COLLECTION}.snow_record_info) module: tabel"),
        ({"table": "x", "limit": "many"}, "limit"),
        ({"table": "x", "snow_grant_type": "magic"}, "value of snow_grant_type must be one of: basic, password"),
    ],
)
def test_wrong_arguments_are_reported_as_ansible_reports_them(
    run: Twin, server: Loopback, args: dict[str, Any], words: str
) -> None:
    result = run("snow_record_info", args)
    assert result["failed"] is True
    assert words in result["msg"]
    assert server.received == []


def test_rules_between_arguments_hold(run: Twin) -> None:
    result = run("snow_oauth_check", {"client_id": "a", "client_secret": "b-Secret"})
    assert "grant_type is password but all of the following are missing: username, password" in result["msg"]


def test_warnings_reach_the_user(run: Twin, server: Loopback) -> None:
    replies = [failure(503), rows()]
    server.answers_by(lambda _request: replies.pop(0))
    result = run("snow_record_info", {"table": "sys_user", "retry_deadline": 5})
    assert len(result["warnings"]) == 1
    assert "attempt 1 of 6 failed" in result["warnings"][0]


# -- secrets --------------------------------------------------------------------------------------------------------------


NESTED = {
    "users": [{"user_name": "svc_defender", "password": "s3cret-one"}],
    "oauth_applications": [{"name": "A", "client_secret": "s3cret-two"}],
    "records": [
        {"table": "u_x", "match": {"u_name": "a"}, "values": {"u_key": "s3cret-three"}, "write_only": ["u_key"]}
    ],
}


@pytest.mark.parametrize(
    "more", [{}, {"unknown": "option"}, {"snow_url": "http://192.0.2.7"}], ids=["run", "arguments", "options"]
)
def test_no_result_holds_a_nested_secret(run: Twin, more: dict[str, Any]) -> None:
    result = run("snow_instance", {**NESTED, **more}, diff=True)
    text = json.dumps(result)
    for secret in ("s3cret-one", "s3cret-two", "Pass-word-1"):
        assert secret not in text
    if not more:
        assert "s3cret-three" not in text, "nor one in an option of free form"


def test_a_defect_shows_no_secret(run: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module(f"{PLUGINS}.modules.snow_instance")

    def broken(params: ansible_module.Params, _context: ansible_module.TaskContext) -> ansible_module.Result:
        raise RuntimeError(f"cannot cope with {dict(params)}")

    monkeypatch.setattr(module, "run", broken)
    result = run("snow_instance", NESTED)
    assert "unexpected RuntimeError at test_in_process.py" in result["msg"]
    assert "s3cret" not in json.dumps(result)


@pytest.mark.parametrize("secret", ["1", "True", "svc_ansible", "false"])
def test_a_common_word_as_password_leaves_the_result_usable(run: Twin, secret: str) -> None:
    result = run("snow_record_info", {"table": "sys_user", "snow_password": secret})
    assert result["changed"] is False
    assert result["records"] == []


def test_what_hides_its_result_hides_it_from_callbacks_only(run: Twin, server: Loopback) -> None:
    server.answers(answer({"access_token": "t0ken-1", "expires_in": 1799}))
    result = run("snow_token", {"snow_client_id": "a", "snow_client_secret": "b-Secret"})
    assert (result["access_token"], result["_ansible_no_log"]) == ("t0ken-1", True)


def test_a_failure_of_such_a_module_is_seen(run: Twin, server: Loopback) -> None:
    server.answers(answer({"error": "invalid_client"}, 401))
    result = run("snow_token", {"snow_client_id": "a", "snow_client_secret": "b-Secret"})
    assert "wrong client secret" in result["msg"]
    assert not result.get("_ansible_no_log")


# -- the environment ------------------------------------------------------------------------------------------------------


@pytest.fixture
def environment(server: Loopback) -> dict[str, str]:
    return {"SN_HOST": server.url, "SN_USERNAME": "svc_other", "SN_PASSWORD": "Pass-word-2"}


NOTHING = {"snow_url": None, "snow_username": None, "snow_password": None, "table": "sys_user"}


def test_the_environment_of_a_task_is_honoured_and_gone_afterwards(
    run: Twin, server: Loopback, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SN_USERNAME", "from-the-shell")
    result = run("snow_record_info", NOTHING, environment=[environment])
    assert result["invocation"]["module_args"]["snow_username"] == "svc_other"
    assert len(server.received) == 1
    assert os.environ["SN_USERNAME"] == "from-the-shell"
    assert "SN_HOST" not in os.environ
    assert "snow_url is required" in run("snow_record_info", NOTHING)["msg"]


def test_an_inner_environment_wins_over_an_outer_one(run: Twin, environment: dict[str, str]) -> None:
    outer = {**environment, "SN_USERNAME": "of-the-play"}
    result = run("snow_record_info", NOTHING, environment=[outer, {"SN_USERNAME": "of-the-task"}])
    assert result["invocation"]["module_args"]["snow_username"] == "of-the-task"


def test_the_environment_is_gone_after_a_defect_too(
    run: Twin, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_args: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(import_module(f"{PLUGINS}.modules.snow_record_info"), "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("snow_record_info", NOTHING, environment=[environment])
    assert "SN_HOST" not in os.environ


def test_a_number_in_the_environment_is_text(run: Twin, environment: dict[str, str]) -> None:
    result = run("snow_record_info", NOTHING, environment=[{**environment, "SN_PASSWORD": 12345}])
    assert not result.get("failed")


def test_an_environment_variable_that_is_no_text_is_refused(run: Twin, environment: dict[str, str]) -> None:
    with pytest.raises(AnsibleError, match="environment: SN_X must be a string"):
        run("snow_record_info", NOTHING, environment=[{**environment, "SN_X": ["a"]}])


# -- elsewhere ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connection", "keywords"),
    [
        ({"transport": "ssh"}, {}),
        ({"transport": "elsewhere"}, {}),
        ({"become": SimpleNamespace(name="sudo")}, {}),
        ({}, {"async_val": 60}),
    ],
    ids=["ssh", "other connection", "become", "async"],
)
@pytest.mark.parametrize("check", [True, False])
def test_a_task_that_is_to_run_somewhere_or_somehow_else_is_handed_over(
    run: Twin, server: Loopback, connection: dict[str, Any], keywords: dict[str, Any], check: bool
) -> None:
    ordinary = MagicMock(return_value={"changed": True, "results": []})
    result = run("snow_role", {"name": "a"}, connection, ordinary, check_mode=check, **keywords)
    ordinary.assert_called_once_with(
        module_name=f"{COLLECTION}.snow_role", task_vars=VARIABLES, wrap_async=bool(keywords.get("async_val"))
    )
    assert result["changed"] is True
    assert server.received == []


def test_without_requests_here_the_module_is_handed_over(run: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_process, "REQUESTS_IMPORT_ERROR", "ImportError: requests")
    ordinary = MagicMock(return_value={"changed": False})
    run("snow_role", {"name": "a"}, executed=ordinary)
    ordinary.assert_called_once()


@pytest.mark.parametrize(("failed", "hidden"), [(False, True), (True, False)])
def test_what_hides_its_result_hides_it_elsewhere_too(run: Twin, failed: bool, hidden: bool) -> None:
    ordinary = MagicMock(return_value={"access_token": "t0ken-1", "failed": failed})
    result = run("snow_token", {}, {"transport": "ssh"}, ordinary)
    assert bool(result.get("_ansible_no_log")) == hidden


def test_every_module_has_a_twin() -> None:
    plugins = Path(ansible_module.__file__).parents[1]
    modules = {path.name for path in (plugins / "modules").glob("*.py")} - {"__init__.py"}
    assert {path.name for path in (plugins / "action").glob("*.py")} - {"__init__.py"} == modules


# -- all together ---------------------------------------------------------------------------------------------------------


def test_a_playbook_runs_its_tasks_here_and_elsewhere_with_equal_results(server: Loopback, tmp_path: Path) -> None:
    server.answers_by(with_batches(lambda _request: rows({"sys_id": "u1", "user_name": "abel"}, total=1)))
    module = f"{COLLECTION}.snow_record_info"
    play = {
        "hosts": "all",
        "gather_facts": False,
        # No Python at all: what works nevertheless runs in the worker.
        "vars": {"ansible_connection": "local", "ansible_python_interpreter": "/nowhere/python"},
        "module_defaults": {f"group/{COLLECTION}.snow": {"snow_url": server.url, **CREDENTIALS}},
        "tasks": [
            {module: {"table": "sys_user"}, "register": "here"},
            {
                module: {"table": "sys_user"},
                "register": "elsewhere",
                "vars": {"ansible_python_interpreter": sys.executable},
                "async": 60,
                "poll": 1,
            },
            {
                module: {"table": "sys_user", "snow_url": "{{ omit }}"},
                "register": "by_environment",
                "environment": {"SN_HOST": server.url},
                "loop": [1, 2],
            },
            {
                module: {"table": "sys_user", "snow_url": "{{ omit }}"},
                "register": "without",
                "ignore_errors": True,
                "module_defaults": {},
            },
            {
                "ansible.builtin.assert": {
                    "that": [
                        "here.records == [{'sys_id': 'u1', 'user_name': 'abel'}]",
                        "elsewhere.ansible_job_id is defined",
                        "elsewhere.records == here.records",
                        "elsewhere.api_calls == here.api_calls",
                        "by_environment.results | map(attribute='records') | list == [here.records, here.records]",
                        "without is failed",
                        "'snow_url is required' in without.msg",
                    ]
                }
            },
        ],
    }
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SN_", "ANSIBLE_"))}
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-i", "acme-dev,", "-vvv", str(tmp_path / "play.yml")],
        cwd=tmp_path,
        env={
            **kept,
            "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS,
            "ANSIBLE_HOME": str(tmp_path / "home"),
            "ANSIBLE_NOCOLOR": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Pass-word-1" not in done.stdout


@pytest.mark.parametrize("secrets", [set(), {"s3cret-9"}, {"7"}, {"a"}, {"nowhere"}, {"rue"}])
def test_a_result_is_masked_as_ansible_masks_it(secrets: set[str]) -> None:
    result = {
        "changed": True,
        "count": 17,
        "ratio": 0.25,
        "none": None,
        "rows": [{"name": "a", "text": "holds s3cret-9 inside", "deep": [["s3cret-9"], 7]}, "s3cret-9"],
    }
    assert in_process._masked(result, secrets) == remove_values(result, secrets)
