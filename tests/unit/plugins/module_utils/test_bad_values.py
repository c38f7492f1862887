# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that no option takes, in every option of every module, at every level: one sentence that names the option.

The action plugin checks them before it runs a module in either way, so both say the same.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.arguments import problem_of
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps.rate_limit import (
    RateLimit,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.number_ranges import range_of
from tests.unit.plugins.module_utils.module_calls import MODULES, examples, in_process, module

NOWHERE = "http://127.0.0.1:9"
CONNECTION = {
    "snow_url": NOWHERE,
    "snow_username": "svc_ansible",
    "snow_password": "Pass-word-1",
    "azure_access_token": "t0ken-of-azure",
    "azure_arm_url": NOWHERE,
    "azure_graph_url": NOWHERE,
    "azure_subscription_id": "00000000-0000-0000-0000-0000000000aa",
    "mda_url": NOWHERE,
    "retries": 0,
}
MOMENT = datetime(2026, 1, 31, tzinfo=timezone.utc)
# What no option of any type accepts.
NEVER: dict[str, Any] = {
    "moment": MOMENT,
    "set": {"first-item"},
    "control characters": "a\x00b\x1b[2Jc\x9b1m",
    "half a character": "a\ud800b",
    "number as a key": {1: "its-value"},
    "binary": b"\xff",
    "infinite": float("inf"),
    "item that is infinite": [float("nan")],
}
# What no option of this type takes.
OF_TYPE: dict[str, dict[str, Any]] = {
    "str": {"blank": "  \t", "list": ["first-item"], "dictionary": {"first-key": "its-value"}},
    "path": {"blank": " ", "list": ["first-item"], "dictionary": {"first-key": "its-value"}},
    "list": {"null item": [None], "dictionary": {"a": "b"}, "blank item": [" "]},
    "dict": {"list": ["a"], "text": "no dictionary"},
    "int": {"list": [1], "dictionary": {"first-key": 1}, "text": "many"},
    "float": {"list": [1], "dictionary": {"first-key": 1}, "text": "many"},
    "bool": {"list": [True], "dictionary": {"a": True}, "text": "perhaps"},
    "raw": {},
    "json": {"blank": " ", "number": 5, "true": True},
}


def places(spec: Mapping[str, Any], lead: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Yield each option, with the way to it through the options that hold it."""
    for name, option in spec.items():
        yield (*lead, name), option
        yield from places(option.get("options") or {}, (*lead, name))


def with_value(
    arguments: dict[str, Any], spec: Mapping[str, Any], place: tuple[str, ...], value: Any
) -> dict[str, Any]:
    """Return `arguments` with `value` at `place`, in the first entry of each list on the way."""
    changed: Any = copy.deepcopy(arguments)
    node, options = changed, spec
    for name in place[:-1]:
        entries = node.get(name)
        if options[name].get("type") == "list":
            node[name] = entries if isinstance(entries, list) and entries and isinstance(entries[0], dict) else [{}]
            node = node[name][0]
        else:
            node[name] = entries if isinstance(entries, dict) else {}
            node = node[name]
        options = options[name]["options"]
    node[place[-1]] = value
    return dict(changed)


def bad_values(option: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    kind = option.get("type", "str")
    entries = kind == "list" and option.get("elements") == "dict"
    for name, value in {**NEVER, **OF_TYPE[kind]}.items():
        if not (entries and name in ("control characters", "half a character", "blank item")) and not (
            kind == "list" and name == "blank item" and option.get("elements", "str") != "str"
        ):
            yield name, value


@pytest.mark.parametrize("name", MODULES)
def test_a_value_that_no_option_takes_is_refused_by_the_name_of_the_option(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RateLimit, "acquire", lambda _self: None)
    spec = module(name).SPEC.argument_spec
    asked = spec if name in ("snow_role", "mdc_plan", "mda_policies") else module(name).SPEC.options
    connection = {option: value for option, value in CONNECTION.items() if option in spec}
    first = next(examples(name))
    for place, option in places(spec):
        if place[0] not in asked:
            continue
        excluding = any(place[0] in pair for pair in module(name).SPEC.rules.get("mutually_exclusive", []))
        example = next((each for each in examples(name) if place[0] in each), first) if excluding else first
        sound = {**connection, **{option: value for option, value in example.items() if option not in CONNECTION}}
        for kind, value in bad_values(option):
            result = in_process(name, with_value(sound, spec, place, value), module(name).run)
            message = str(result.get("msg", ""))
            where = (".".join(place), kind, message)
            assert result.get("failed"), where
            assert place[-1] in message, where
            assert message.isprintable(), where
            assert not any(word in message for word in ("Traceback", "defect", "unexpected")), where


@pytest.mark.parametrize("name", MODULES)
def test_a_number_that_makes_no_sense_is_refused_with_its_range(name: str) -> None:
    """In every option of every module: a new one needs a range, which its variables share."""
    spec = module(name).SPEC.argument_spec
    connection = {option: value for option, value in CONNECTION.items() if option in spec}
    for place, option in places(spec):
        if option.get("type") not in ("int", "float"):
            continue
        wanted = range_of(".".join(place))
        assert wanted is not None, (place, "number_ranges has no range for it")
        minimum, maximum, unit = wanted
        if option.get("default") is not None:
            assert minimum <= option["default"] <= maximum, place
        for value in (minimum - 1, str(int(minimum) - 1), maximum + 1, 10**40, -(10**40)):
            result = in_process(name, with_value(connection, spec, place, value), module(name).run)
            message = str(result["msg"])
            assert message.startswith(f"{name}: {place[0]}"), (place, value, message)
            assert f"{place[-1]} must be between" in message, (place, value, message)
            assert f"{unit}, not " in message, (place, value, message)
        for value in (minimum, maximum):
            found = problem_of(spec, with_value(connection, spec, place, value))
            assert "must be between" not in found, (place, value, found)


@pytest.mark.parametrize("name", MODULES)
def test_a_text_of_any_length_and_form_is_no_defect(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateLimit, "acquire", lambda _self: None)
    spec = module(name).SPEC.argument_spec
    connection = {option: value for option, value in CONNECTION.items() if option in spec}
    sound = {
        **connection,
        **{option: value for option, value in next(examples(name)).items() if option not in CONNECTION},
    }
    for place, option in places(module(name).SPEC.options):
        if option.get("type", "str") not in ("str", "list", "int"):
            continue
        for value in (
            "x" * 70_000,
            "first\nsecond",
            "",
            -(10**40),
            "../../%2e%2e/{{ x }}",
            "javascript:gs.eval(1)",
            "a^b,c",
        ):
            result = in_process(name, with_value(sound, spec, place, value), module(name).run)
            message = str(result.get("msg", ""))
            assert message.isprintable(), (place, value, message)
            assert len(message) < 11_000
            assert not any(word in message for word in ("Traceback", "defect", "unexpected")), (place, value, message)
