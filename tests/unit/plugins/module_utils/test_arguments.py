# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets are planted in every option of every module, in every wrong shape: none is in what either shell returns."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timezone
from typing import Any
from urllib.parse import quote

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.argument_secrets import (
    secrets_in,
    shown_arguments,
    without_secrets,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.arguments import (
    plain,
    problem_of,
    usual_spelling,
)
from tests.unit.plugins.module_utils.module_calls import MODULES, in_process, module, ordinary

SECRET = "Plänted'\"&s3cret/+%41\\x"
# The same without quotes and blanks, as a text can hold it.
ASSIGNED = "Plänted&s3cret/+%41"
Path = tuple[str, ...]


def secret_options(spec: Mapping[str, Any], lead: Path = ()) -> Iterator[Path]:
    """Yield the way to each secret option, through the options that hold it."""
    for name, option in spec.items():
        if option.get("no_log"):
            yield (*lead, name)
        yield from secret_options(option.get("options") or {}, (*lead, name))


CASES = [(name, path) for name in MODULES for path in secret_options(module(name).SPEC.argument_spec)]


def wrong_shapes(path: Path) -> Iterator[dict[str, Any]]:
    """Yield arguments that hold the secret at `path`, none in the shape that the module expects."""
    *outer, last = path
    for value in ([SECRET], {"value": SECRET}, {SECRET: 1}, [[{"a": SECRET}]], {"a": {"b": [SECRET]}}):
        yield _within(outer, {last: value})
    for entry in (
        {last: SECRET, "unknown_option": 1},
        {last: SECRET, 1: "x"},
        {last: SECRET, "x": {datetime.now(timezone.utc)}},
        {f"{last}s": {last: SECRET}},
        {last[:-1]: SECRET},
    ):
        yield _within(outer, entry)
    if outer:
        shapes = (
            {"first": {last: SECRET}},
            [[{last: SECRET}]],
            [{last: SECRET}, "text"],
            [{last: SECRET}, None],
            {last: SECRET},
            f"name=x {last}={SECRET}",
            [f"{last}={SECRET}"],
            json.dumps([{last: SECRET}]),
            str([{last: SECRET}]),
        )
        for shape in shapes:
            yield _within(outer[:-1], {outer[-1]: shape})


def _within(outer: list[str], value: Any) -> dict[str, Any]:
    for name in reversed(outer):
        value = {name: [value]}
    return dict(value)


def forms() -> set[str]:
    plain = {SECRET, html.escape(SECRET), quote(SECRET), quote(quote(SECRET)), repr(SECRET)[1:-1]}
    plain |= {json.dumps(SECRET)[1:-1], json.dumps(SECRET, ensure_ascii=False)[1:-1]}
    plain |= {json.dumps(json.dumps(SECRET))[3:-3], json.dumps(repr(SECRET)[1:-1])[1:-1]}
    return plain | {base64.b64encode(SECRET.encode(charset)).decode()[:-4] for charset in ("utf-8", "latin-1")}


FORMS = forms()


@pytest.mark.parametrize("name", MODULES)
def test_no_wrong_shape_shows_a_secret(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for path in [path for owner, path in CASES if owner == name]:
        for arguments in wrong_shapes(path):
            result = in_process(name, arguments)
            told = {"in process": json.dumps(result, default=str) + str(result)}
            told["ordinary"] = ordinary(name, arguments, capsys)
            for shell, text in told.items():
                assert not [form for form in FORMS if form in text], (shell, arguments, text)
                assert "s3cret" not in text, (shell, arguments, text)
            # Ansible takes some texts for a dictionary.
            assert result.get("failed") or isinstance(arguments.get(path[0]), (str, list)), arguments
            message = result.get("msg", "")
            assert "Traceback" not in message
            assert "defect" not in message
            assert "\n" not in message


def planted(name: str) -> Iterator[dict[str, Any]]:
    """Yield arguments that hold the secret where none belongs: under each option, under the name of a secret or assigned to one.

    And in a text of each option, where another option has it as well.
    """
    spec = module(name).SPEC.argument_spec
    # The options for connections are those of each platform.
    asked = spec if name in ("snow_role", "mdc_plan", "mda_policies") else module(name).SPEC.options
    (holder,) = [option for option, kind in spec.items() if kind.get("no_log")][:1] or [""]
    for option, kind in asked.items():
        shapes: list[Any] = [
            {"password": SECRET},
            [{"client_secret": SECRET}],
            [["x", {"a": {"api_key": SECRET}}]],
            {"x": {"token": [SECRET]}},
        ]
        if kind.get("type", "str") not in ("str", "path") or kind.get("choices"):
            shapes += [f'password="{ASSIGNED}"', [f"user_password={ASSIGNED}"], json.dumps({"u_secret": ASSIGNED})]
        yield from ({option: shape} for shape in shapes)
        # Refused for another reason: what is returned shows the arguments as they were given.
        yield {option: shapes[-1], "unknown_option": 1}
        if holder and holder != option:
            for known in (f"a {SECRET} b", [SECRET], {"x": SECRET}, {SECRET: "x"}):
                yield {holder: SECRET, option: known}


@pytest.mark.parametrize("name", MODULES)
def test_no_option_shows_a_secret_that_is_planted_in_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in planted(name):
        result = in_process(name, arguments)
        told = {"in process": json.dumps(result, default=str) + str(result)}
        if not problem_of(module(name).SPEC.argument_spec, arguments):
            told["ordinary"] = ordinary(name, arguments, capsys)
        for shell, text in told.items():
            assert "s3cret" not in text, (shell, arguments, text)
            assert not [form for form in FORMS if form in text], (shell, arguments, text)


def test_there_is_a_secret_in_most_modules() -> None:
    assert len({name for name, _path in CASES}) > 30
    assert ("snow_instance", ("users", "password")) in CASES


USER = {
    "snow_password": {"type": "str", "no_log": True},
    "users": {
        "type": "list",
        "elements": "dict",
        "options": {"user_name": {"type": "str"}, "password": {"type": "str", "no_log": True}},
    },
    "values": {"type": "dict"},
    "roles": {"type": "list", "elements": "str"},
    "name": {"type": "str"},
    "timeout": {"type": "float"},
    "any": {"type": "raw"},
    "record": {"type": "json"},
}
MOMENT = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"users": ["svc"]}, "users[0] must be a dictionary, not text"),
        ({"users": [["a"]]}, "users[0] must be a dictionary, not a list"),
        ({"users": {"svc": {}}}, "users must be a list, not a dictionary"),
        ({"users": {"a", "b"}}, "users must be a list, not a set"),
        ({"users": [None]}, "users[0] is empty; give a value, or leave the item out"),
        ({"users": [{"user_name": ["a"]}]}, "users[0].user_name must be text, not a list"),
        ({"users": [{1: "a"}]}, "users[0] has a key that is a number and not text; write it in quotes"),
        ({"roles": ["a", None]}, "roles[1] is empty; give a value, or leave the item out"),
        ({"roles": [{"name": "a"}]}, "roles[0] must be text, not a dictionary"),
        ({"values": "x"}, "values must be a dictionary, not text"),
        ({"values": {True: 1}}, "values has a key that is true or false and not text; write it in quotes"),
        ({"values": {"a": {"b": [MOMENT]}}}, "values.a.b[0] is a date and time without quotes; write it in quotes"),
        ({"values": {"a": {"x"}}}, "values.a is a set; write a list"),
        ({"values": {"a": b"x"}}, "values.a holds binary data; write text"),
        ({"values": {"a": float("inf")}}, "values.a is not a finite number"),
        ({"any": [float("nan")]}, "any[0] is not a finite number"),
        ({"timeout": float("inf")}, "timeout is not a finite number"),
        ({"timeout": [1]}, "timeout must be a number, not a list"),
        ({"name": {"a": 1}}, "name must be text, not a dictionary"),
        ({"snow_password": ["a"]}, "snow_password must be text, not a list"),
        ({"record": 5}, "record must be JSON, not a number"),
        ({"record": {"a": {1}}}, "record.a is a set; write a list"),
    ],
)
def test_a_wrong_shape_is_reported_in_one_sentence_that_names_the_option(arguments: dict[str, Any], said: str) -> None:
    assert problem_of(USER, arguments).startswith(said)


@pytest.mark.parametrize(
    "arguments",
    [
        {"users": [{"user_name": "a", "password": 12345}]},
        {"users": None, "roles": "a,b", "values": '{"a": 1}'},
        {"users": ["user_name=a password=b"]},
        {"values": {"a": None, "b": [1, "x", 1.5, False]}, "any": {"x": [None]}},
        {"name": 5, "timeout": "3"},
        {"unknown": {1: 2}},
        # ansible-core 2.18 makes a dictionary of a text in which it finds one.
        {"record": {"version": 1}},
        {"record": '{"version": 1}'},
    ],
)
def test_what_ansible_takes_alike_everywhere_is_left_to_it(arguments: dict[str, Any]) -> None:
    assert problem_of(USER, arguments) == ""


def test_a_structure_that_holds_itself_is_refused() -> None:
    endless: dict[str, Any] = {"password": "s3cret-word"}
    endless["a"] = endless
    assert "deeper than" in problem_of(USER, {"values": endless})
    assert secrets_in(USER, {"values": endless}) == {"s3cret-word"}


def test_a_choice_can_be_written_in_any_case() -> None:
    level = {"type": "list", "elements": "str", "choices": ["Low", "High"]}
    spec = {
        "state": {"choices": ["present", "absent"]},
        "levels": level,
        "rules": {"type": "list", "options": {"levels": level}},
    }
    given = {"state": "Present", "levels": ["HIGH", "none", 1], "rules": [{"levels": "low, high"}], "x": "High"}
    assert usual_spelling(spec, given) == {
        "state": "present",
        "levels": ["High", "none", 1],
        "rules": [{"levels": "Low,High"}],
        "x": "High",
    }


def test_a_date_without_quotes_is_the_text_that_the_user_wrote() -> None:
    given = {"values": {"due": date(2026, 1, 31), "list": [date(2026, 2, 1)]}, "x": MOMENT}
    assert plain(given) == {"values": {"due": "2026-01-31", "list": ["2026-02-01"]}, "x": MOMENT}


class Marked(str):
    """A text as Ansible passes it."""


def test_what_ansible_attaches_to_texts_is_not_copied_with_them() -> None:
    found = plain({Marked("name"): [Marked("value"), 1, None, True, {"secret": Marked("s")}]})
    assert found == {"name": ["value", 1, None, True, {"secret": "s"}]}
    texts = [*found, found["name"][0], found["name"][4]["secret"]]
    assert not any(isinstance(text, Marked) for text in texts)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"values": {"user_password": "hunter22"}}, {"hunter22"}),
        ({"values": {"u": {"client_secret": "hunter22"}}}, {"hunter22"}),
        ({"any": [{"Shared_Key": 123456}]}, {"123456"}),
        ({"values": {"glide.mail.password": {"value": "hunter22", "type": "password2"}}}, {"hunter22"}),
        ({"values": {"password": "${password}", "token": "true", "secret": "abc"}}, set()),
        ({"name": "https://me:hun/ter%2022@acme.example.com"}, {"hun/ter%2022", "hun/ter 22"}),
        ({"name": "https://hunter22@acme.example.com/x"}, {"hunter22"}),
        ({"name": "me:hunter22@acme.example.com"}, {"hunter22"}),
        ({"name": "jane@acme.example.com"}, set()),
        ({"name": "https://acme.example.com/?mail=jane"}, set()),
    ],
)
def test_secrets_are_known_by_names_of_columns_and_in_addresses(arguments: dict[str, Any], found: set[str]) -> None:
    assert secrets_in(USER, arguments) == found


def test_values_of_unknown_options_are_not_shown() -> None:
    given = {"users": [{"user_name": "a", "passwrod": "x", "password": "y"}], "nmae": "z", "name": "b"}
    assert shown_arguments(USER, given) == {
        "users": [{"user_name": "a", "passwrod": "********", "password": "********"}],
        "nmae": "********",
        "name": "b",
    }


@pytest.mark.parametrize("secrets", [["Plänted", "Plänted&s3cret"], ["Plänted&s3cret", "Plänted"]])
def test_a_secret_that_holds_another_one_is_masked_whole(secrets: list[str]) -> None:
    assert without_secrets({"a": ["x=Plänted&s3cret", "Plänted"]}, secrets) == {
        "a": ["x=********", "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"]
    }


@pytest.mark.parametrize("value", ["", " "])
def test_a_name_that_has_a_default_is_never_empty(value: str) -> None:
    spec = {"display_name": {"type": "str", "default": "ServiceNow session control"}, "text": {"type": "str"}}
    assert problem_of(spec, {"display_name": value}).startswith("display_name must not be empty or blank")
    assert problem_of(spec, {"text": ""}) == "", "empty is no value where there is no default"


@pytest.mark.parametrize("write", [json.dumps, dict], ids=["text", "dictionary"])
def test_the_digests_of_a_record_are_no_secrets(write: Callable[[dict[str, str]], Any]) -> None:
    spec = {"record": {"type": "json", "no_log": False}}
    assert secrets_in(spec, {"record": write({"client_secret": "a1" * 32})}) == set()
    assert secrets_in(spec, {"record": {"client_secret": "s3cret-word"}}) == {"s3cret-word"}
