# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible gets: the shape of results and failures, without secrets."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible import constants

from ansible_collections.secops.servicenow_defender.plugins.module_utils import ansible_module
from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import (
    ModuleSpec,
    Params,
    TaskContext,
    run_task,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    InvalidInput,
    Refused,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import (
    Drift,
    ManualStep,
    Result,
    Unproven,
    information,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow import SNOW_OPTIONS
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    BadConnectionOption,
    HttpError,
    SignInFailed,
    UnexpectedPage,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.redact import Redactor
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.settings import (
    TRANSPORT_OPTIONS,
    transport_settings,
)
from tests.unit.plugins.module_utils.module_arguments import patch_module_args

SECRET = 'Pass-"word"-1'
STEP = ManualStep("a", "Do it", "No API can", "In the portal", {"Name": "x"}, ["Client secret"])
SPEC = ModuleSpec(
    options={
        "name": {"type": "str", "required": True},
        "password": {"type": "str", "no_log": True},
        "users": {
            "type": "list",
            "elements": "dict",
            "options": {"user_name": {"type": "str"}, "password": {"type": "str", "no_log": True}},
        },
        "values": {"type": "dict"},
    },
    groups=[SNOW_OPTIONS],
    secrets=lambda params: [(params["values"] or {}).get("u_secret")],
)


def outcome(
    run: Callable[[Params, TaskContext], Result],
    context: TaskContext | None = None,
    params: dict[str, Any] | None = None,
    with_diff: bool = True,
) -> dict[str, Any]:
    """Return what Ansible gets from a module called snow_x that does `run`."""
    given = {"values": None, **(params or {})}
    return run_task("snow_x", SPEC, run, given, context or TaskContext(), with_diff=with_diff)


# -- results --------------------------------------------------------------------------------------------------------------


def managed(_params: Params, context: TaskContext) -> Result:
    context.calls.read, context.calls.write = 2, 1
    return Result(
        changed=True,
        before={"user a": {"active": "false"}},
        after={"user a": {"active": "true"}},
        drift=[Drift("user a", "active", "false", "true")],
        manual_steps=[STEP],
        output={"results": [{"object": "user a", "status": "changed"}]},
    )


def test_a_state_module_returns_what_the_interface_defines() -> None:
    assert outcome(managed) == {
        "changed": True,
        "results": [{"object": "user a", "status": "changed"}],
        "drift": [{"object": "user a", "field": "active", "before": "false", "after": "true"}],
        "manual_steps": [
            {
                "id": "a", "title": "Do it", "reason": "No API can", "where": "In the portal", "values": {"Name": "x"},
                "secret_values": ["Client secret"],
            }
        ],
        "unproven": [],
        "diff": {"before": {"user a": {"active": "false"}}, "after": {"user a": {"active": "true"}}},
        "api_calls": {"read": 2, "write": 1},
    }  # fmt: skip


def test_what_could_not_be_compared_is_returned_once_with_its_reason() -> None:
    rows: list[dict[str, Any]] = [
        {"object": "plugin com.x", "status": "unknown", "reason": "the account may not read v_plugin"},
        {"object": "connector a", "status": "unknown", "message": "", "evidence": ["no event\nmentions it"]},
        {"object": "connector b", "status": "unknown"},
        {"object": "plugin com.y", "status": "ok"},
    ]
    problems = [
        {"id": "plugin_unknown:com.z", "severity": "warning", "message": "It is unknown", "remedy": "Read it"},
        {"id": "release_unknown", "severity": "warning", "message": "It is unknown", "remedy": "Read it"},
        {"id": "oauth_inactive", "severity": "error", "message": "It is off", "remedy": "Turn it on"},
    ]
    noted = [Unproven("integration a", "password", "no digest"), Unproven("plugin com.x", "state", "noted twice")]
    reported = outcome(
        lambda _params, _context: Result(
            unproven=noted,
            output={"results": rows, "problems": problems},
            ignored=frozenset({"release_unknown"}),
        )
    )
    assert [tuple(entry.values()) for entry in reported["unproven"]] == [
        ("integration a", "password", "no digest"),
        ("plugin com.x", "state", "noted twice"),
        ("connector a", "state", "no event mentions it"),
        ("connector b", "state", "its state could not be read"),
        ("problem plugin_unknown:com.z", "state", "It is unknown. Read it"),
    ]
    reading = outcome(lambda _params, _context: information(problems=problems[:1]))
    assert [entry["object"] for entry in reading["unproven"]] == ["problem plugin_unknown:com.z"]


def test_a_diff_is_returned_where_it_is_wanted() -> None:
    assert "diff" not in outcome(managed, with_diff=False)


def test_a_module_that_only_reads_returns_what_it_found() -> None:
    reported = outcome(lambda _params, _context: information(records=[{"sys_id": "a"}]))
    assert reported == {"changed": False, "records": [{"sys_id": "a"}], "api_calls": {"read": 0, "write": 0}}


def test_a_result_fits_into_json() -> None:
    assert json.loads(json.dumps(outcome(managed)))["changed"] is True


# -- failures -------------------------------------------------------------------------------------------------------------


def failing(error: Exception, writes: int = 0, subject: str = "") -> Callable[[Params, TaskContext], Result]:
    def run(_params: Params, context: TaskContext) -> Result:
        context.calls.write = context.calls.accepted = writes
        context.subject = subject
        raise error

    return run


@pytest.mark.parametrize(
    "error",
    [
        EngineError("acme-dev: no"),
        InvalidInput("acme-dev: no"),
        Refused("acme-dev: no"),
        HttpError("GET", "/x", 403, "acme-dev: no"),
        UnexpectedPage("acme-dev: no"),
        SignInFailed("acme-dev: no"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("writes", [0, 2])
def test_a_failure_names_the_module_the_problem_and_the_writes(error: Exception, writes: int) -> None:
    reported = outcome(failing(error, writes, "acme-dev"))
    assert reported["failed"] is True
    assert reported["changed"] is (writes > 0)
    assert reported["msg"] == f"snow_x: {error}"
    assert reported["api_calls"]["write"] == writes
    assert "exception" not in reported, "no traceback for a user's mistake"


def test_a_failure_names_the_instance() -> None:
    assert outcome(failing(EngineError("no"), subject="acme-dev"))["msg"] == "snow_x: acme-dev: no"
    assert outcome(failing(EngineError("no")))["msg"] == "snow_x: no"


def test_a_failure_returns_what_was_found_until_then() -> None:
    reported = outcome(failing(EngineError("no", {"results": [1], "changed": True, "failed": False}), writes=0))
    assert (reported["results"], reported["failed"], reported["changed"]) == ([1], True, False)


def test_a_defect_is_one_line_that_can_be_reported() -> None:
    def run(_params: Params, _context: TaskContext) -> Result:
        raise KeyError("sys_id")

    reported = outcome(run)
    assert reported["failed"] is True
    assert reported["msg"].startswith("snow_x: unexpected KeyError at test_ansible_module.py:")
    assert "'sys_id'. This is a defect of secops.servicenow_defender. Please report it" in reported["msg"]
    assert "\n" not in reported["msg"]
    assert "Traceback" not in str(reported)


def test_a_machine_without_requests_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ansible_module, "REQUESTS_IMPORT_ERROR", "ImportError: requests")
    reported = outcome(managed)
    assert reported["failed"] is True
    assert "requests" in reported["msg"]


# -- secrets --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form", [SECRET, repr(SECRET), json.dumps({"a": SECRET}), base64.b64encode(f"svc:{SECRET}".encode()).decode()]
)
def test_no_part_of_a_result_or_a_failure_holds_a_secret(form: str) -> None:
    def leaking(_params: Params, context: TaskContext) -> Result:
        context.warn(f"warning {form}")
        return Result(
            drift=[Drift("a", form, form, [form])],
            manual_steps=[ManualStep("a", form, form, form, {form: form})],
            before={"a": {"b": [form]}},
            output={"results": [{"x": {"y": (form,)}}]},
        )

    for run in (
        leaking,
        failing(EngineError(form, {"results": [form]})),
        failing(UnexpectedPage(form)),
        failing(KeyError(form)),
    ):
        context = TaskContext(redactor=Redactor([SECRET]))
        reported = json.dumps([outcome(run, context), context.warnings])
        assert SECRET not in reported
        assert json.dumps(SECRET)[1:-1] not in reported
        assert json.dumps(form)[1:-1] not in reported


def test_secrets_in_options_of_free_form_are_secrets() -> None:
    reported = outcome(failing(EngineError("no: s3cret-word")), params={"values": {"u_secret": "s3cret-word"}})
    assert reported["msg"] == "snow_x: no: ********"


@pytest.mark.parametrize("password", ["Pa%24%24word1", "plain-Word"])
def test_the_proxys_password_is_a_secret(password: str) -> None:
    params = {"proxy": f"http://robot:{password}@proxy.example.com:3128"}
    assert password not in outcome(failing(EngineError(params["proxy"])), params=params)["msg"]


@pytest.mark.parametrize("proxy", ["http://[::1", "", None, "http://proxy.example.com"])
def test_an_odd_proxy_is_no_defect_of_the_shell(proxy: str | None) -> None:
    assert outcome(managed, params={"proxy": proxy})["changed"] is True


@pytest.mark.parametrize("secret", ["true", "false", "0", "1"])
def test_a_common_word_as_secret_does_not_mask_a_result(secret: str) -> None:
    reported = outcome(managed, TaskContext(redactor=Redactor([secret])))
    assert reported["changed"] is True
    assert reported["api_calls"] == {"read": 2, "write": 1}


@pytest.mark.parametrize("secret", ["changed", "drift", "results"])
def test_a_secret_that_is_a_key_of_every_result_leaves_the_key_alone(secret: str) -> None:
    assert secret in outcome(managed, TaskContext(redactor=Redactor([secret])))


# -- warnings and progress ------------------------------------------------------------------------------------------------


def test_a_warning_is_kept_once_and_without_secrets() -> None:
    context = TaskContext(redactor=Redactor([SECRET]))
    for _time in range(2):
        context.warn(f"again {SECRET}")
    assert context.warnings == ["again ********"]


def test_progress_is_shown_at_once_and_without_secrets() -> None:
    shown: list[str] = []
    TaskContext(redactor=Redactor([SECRET]), show=shown.append).progress(f"at {SECRET}")
    TaskContext().progress("without output")
    assert shown == ["at ********"]


# -- arguments ------------------------------------------------------------------------------------------------------------


def test_every_module_takes_the_transport_options_with_their_defaults() -> None:
    spec = SPEC.argument_spec
    defaults = {
        name: spec[name].get("default") for name in ("validate_certs", "ca_path", "proxy", "timeout", "retries")
    }
    assert defaults == {"validate_certs": True, "ca_path": None, "proxy": None, "timeout": 60.0, "retries": 5}
    assert spec["retry_deadline"]["default"] == 120.0
    assert set(SNOW_OPTIONS) | set(SPEC.options) <= set(spec)


@pytest.mark.parametrize(
    ("option", "value"),
    [("timeout", 0.0), ("timeout", -1.0), ("timeout", float("nan")), ("retries", -1), ("retry_deadline", -1.0)],
)
def test_a_number_that_makes_no_sense_is_refused(option: str, value: float) -> None:
    defaults = {name: spec.get("default") for name, spec in TRANSPORT_OPTIONS.items()}
    with pytest.raises(BadConnectionOption, match=f"^{option} must be between"):
        transport_settings({**defaults, option: value})


def test_an_options_own_definition_wins_over_that_of_a_group() -> None:
    assert ModuleSpec(options={"timeout": {"type": "int"}}).argument_spec["timeout"] == {"type": "int"}


# -- as an ordinary module ------------------------------------------------------------------------------------------------


def module_output(
    capsys: pytest.CaptureFixture[str],
    args: dict[str, Any],
    run: Callable[[Params, TaskContext], Result],
    **special: Any,
) -> tuple[int, dict[str, Any], str]:
    """Return the exit status, what was printed decoded, and as it is, of an ordinary module."""
    given = {**args, **{f"_ansible_{name}": value for name, value in special.items()}}
    with patch_module_args(given), pytest.raises(SystemExit) as ended:
        ansible_module.run_as_module(SPEC, run)
    printed = capsys.readouterr().out
    return int(ended.value.code or 0), json.loads(printed), printed


def test_an_ordinary_module_prints_the_same_result(capsys: pytest.CaptureFixture[str]) -> None:
    status, reported, _printed = module_output(capsys, {"name": "a"}, managed, diff=True)
    reported.pop("invocation", None)
    assert status == 0
    assert reported == outcome(managed)


def test_an_ordinary_module_fails_with_the_same_words(capsys: pytest.CaptureFixture[str]) -> None:
    error = EngineError("no", {"results": [1]})
    status, reported, _printed = module_output(
        capsys, {"name": "a"}, failing(error), module_name="secops.servicenow_defender.snow_x"
    )
    assert status == 1
    assert reported["msg"] == "snow_x: no"
    assert (reported["failed"], reported["changed"], reported["results"]) == (True, False, [1])


def test_an_ordinary_module_knows_check_mode_and_what_the_environment_gives(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SN_HOST", "https://acme-dev.service-now.com")
    seen: dict[str, Any] = {}

    def run(params: Params, context: TaskContext) -> Result:
        seen.update(params, check_mode=context.check_mode)
        return information()

    module_output(capsys, {"name": "a"}, run, check_mode=True)
    assert (seen["check_mode"], seen["snow_url"], seen["timeout"]) == (True, "https://acme-dev.service-now.com", 60.0)


@pytest.mark.parametrize("fails", [True, False])
def test_an_ordinary_module_prints_no_secret_given_nested_or_obtained(
    capsys: pytest.CaptureFixture[str], fails: bool
) -> None:
    args = {
        "name": "a",
        "password": "s3cret-one",
        "users": [{"user_name": "b", "password": "s3cret-two"}],
        "snow_password": "s3cret-three",
        "values": {"u_secret": "s3cret-four"},
    }

    def run(params: Params, context: TaskContext) -> Result:
        context.redactor.add("s3cret-five")
        text = f"{params} s3cret-five"
        context.warn(text)
        if fails:
            raise EngineError(text, {"results": [text]})
        return information(results=[text], users=params["users"])

    _status, reported, printed = module_output(capsys, args, run)
    assert "s3cret" not in printed
    # From ansible-core 2.21 on, arguments are shown only on request.
    if not hasattr(constants, "INJECT_INVOCATION"):
        assert reported["invocation"]["module_args"]["name"] == "a"
