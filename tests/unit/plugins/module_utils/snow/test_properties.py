# SPDX-License-Identifier: GPL-3.0-or-later
"""System properties, in bulk (docs/facts/servicenow_platform.md#property-rows)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    InvalidInput,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import Drift, Result
from tests.unit.plugins.module_utils.builders import properties
from tests.unit.plugins.module_utils.fake_store import Platform, shown


@pytest.fixture
def platform() -> Platform:
    """An instance with a few properties."""
    made = Platform()
    made.add("sys_properties", name="glide.on", value="true", type="boolean")
    made.add("sys_properties", name="glide.number", value="30", type="integer")
    made.add("sys_properties", name="glide.text", value="a b")
    made.add("sys_properties", name="glide.elevated", value="1", write_roles="admin, security_admin")
    made.add("sys_properties", name="glide.secret", value="blob", type="password2")
    return made


def statuses(result: Result) -> dict[str, str]:
    return {entry["name"]: entry["status"] for entry in result.output["results"]}


def value(platform: Platform, name: str) -> str:
    return platform.row("sys_properties", name)["value"]


@pytest.mark.parametrize(
    "desired",
    [
        {"glide.on": True}, {"glide.on": "true"}, {"glide.on": 1}, {"glide.on": "yes"}, {"glide.number": 30},
        {"glide.number": "30"}, {"glide.number": " 030"}, {"glide.text": "a b"},
        {"glide.text": {"value": "a b", "description": None}},
    ],
    ids=str,
)  # fmt: skip
def test_a_value_that_means_the_same_is_not_written(platform: Platform, desired: dict[str, Any]) -> None:
    # Every change flushes the caches of all nodes, which takes minutes.
    result = platform.ensure(properties(desired))
    assert (result.changed, platform.log) == (False, [])
    assert set(statuses(result).values()) <= {"ok"}


@pytest.mark.parametrize(
    ("desired", "wire"),
    [
        ({"glide.on": False}, "false"),
        ({"glide.number": 5}, "5"),
        ({"glide.text": "A b"}, "A b"),
        ({"glide.text": ""}, ""),
        ({"glide.text": "a b "}, "a b "),
    ],
)
def test_a_value_that_differs_is_written(platform: Platform, desired: dict[str, Any], wire: str) -> None:
    (name,) = desired
    before = value(platform, name)
    result = platform.ensure(properties(desired))
    assert statuses(result) == {name: "changed"}
    assert result.drift == [Drift(f"property {name}", "value", before, wire)]
    assert (result.before, result.after) == ({"properties": {name: before}}, {"properties": {name: wire}})
    assert value(platform, name) == wire
    assert not platform.ensure(properties(desired)).changed


@pytest.mark.parametrize(
    ("desired", "wire", "kind"),
    [
        (True, "true", "boolean"), (30, "30", "integer"), ("x", "x", "string"), ("", "", "string"),
        ({"value": False, "type": "true|false"}, "false", "true|false"), ({"value": "x", "description": "why"}, "x", "string"),
    ],
)  # fmt: skip
def test_a_property_without_a_row_is_created_with_its_type(
    platform: Platform, desired: Any, wire: str, kind: str
) -> None:
    result = platform.ensure(properties({"glide.new": desired}))
    row = platform.row("sys_properties", "glide.new")
    assert (row["value"], row["type"]) == (wire, kind)
    assert result.drift == [Drift("property glide.new", "value", None, wire)]
    assert not platform.ensure(properties({"glide.new": desired})).changed


def test_a_property_without_a_row_may_be_left_missing(platform: Platform) -> None:
    result = platform.ensure(properties({"glide.new": 1}, create_missing=False))
    assert (statuses(result), platform.log) == ({"glide.new": "missing"}, [])
    assert not result.changed
    assert result.drift == [Drift("property glide.new", "value", None, "1")], "it deviates all the same"


def test_type_and_description_are_managed_where_desired(platform: Platform) -> None:
    desired = {"glide.text": {"value": "a b", "type": "choicelist", "description": "why"}}
    result = platform.ensure(properties(desired))
    assert {entry.field for entry in result.drift} == {"type", "description"}
    assert platform.row("sys_properties", "glide.text")["type"] == "choicelist"
    assert not platform.ensure(properties(desired)).changed


def test_a_property_that_requires_an_elevated_role_is_a_manual_step(platform: Platform) -> None:
    predicted = platform.ensure(properties({"glide.elevated": 2}), check=True)
    result = platform.ensure(properties({"glide.elevated": 2}))
    assert shown(predicted) == shown(result)
    assert (statuses(result), result.changed, platform.log) == ({"glide.elevated": "needs_elevation"}, False, [])
    assert result.drift == [Drift("property glide.elevated", "value", "1", "2")]
    (step,) = result.manual_steps
    assert "security_admin" in step.reason
    assert step.values == {"Name": "glide.elevated", "Value": "2"}
    assert platform.ensure(properties({"glide.elevated": 1})).manual_steps == []


def test_an_encrypted_property_is_not_compared(platform: Platform) -> None:
    # The value of a password property is encrypted (docs/facts/servicenow_platform.md#property-rows).
    result = platform.ensure(properties({"glide.secret": "word"}))
    assert (statuses(result), result.changed, platform.log) == ({"glide.secret": "refused"}, False, [])
    assert "snow_record with write_only" in result.output["results"][0]["reason"]
    assert "blob" not in repr(result)


@pytest.mark.parametrize("kind", ["password", "password2"])
def test_an_encrypted_property_is_not_managed_here(kind: str) -> None:
    with pytest.raises(InvalidInput, match="stored encrypted and cannot be compared; use snow_record") as caught:
        properties({"glide.new": {"value": "s3cret-word", "type": kind}})
    assert "s3cret-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("desired", "words"),
    [
        ({"glide.x": None}, "property glide.x: give a value, or a dictionary of value, type and description"),
        ({"glide.x": {"type": "string"}}, "property glide.x: give a value"),
        ({"glide.x": {"value": 1, "private": True}}, "private is not one of them"),
    ],
)
def test_an_invalid_property_is_refused_before_the_first_request(desired: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        properties(desired)


def test_two_rows_of_one_name_stop_the_run_before_it_wrote(platform: Platform) -> None:
    ids = sorted([platform.add("sys_properties", name="glide.twin") for _time in range(2)])
    with pytest.raises(InvalidInput, match=f"2 sys_properties records are named glide.twin .{ids[0]}, {ids[1]}"):
        platform.ensure(properties({"glide.number": 5, "glide.twin": 1}))
    assert platform.log == []


def test_no_property_has_no_result(platform: Platform) -> None:
    assert platform.ensure(properties({})).output["results"] == []


# -- the limit ------------------------------------------------------------------------------------------------------------


def test_one_run_writes_up_to_a_maximum(platform: Platform) -> None:
    desired = {"glide.on": False, "glide.number": 5, "glide.new": 1, "glide.elevated": 2, "glide.text": "a b"}
    written = []
    for left in (2, 1, 0):
        predicted = platform.ensure(properties(desired, max_writes=1), check=True)
        result = platform.ensure(properties(desired, max_writes=1))
        assert shown(predicted) == shown(result)
        assert result.changed
        written += [name for name, status in statuses(result).items() if status == "changed"]
        postponed = [entry for entry in result.output["results"] if "left for the next run" in entry.get("reason", "")]
        assert len(postponed) == left
        if left:
            assert f"{left} properties still deviate after 1 writes (max_writes)" in platform.warnings[-1]
    assert written == ["glide.on", "glide.number", "glide.new"]
    assert not platform.ensure(properties(desired, max_writes=1)).changed


def test_all_drift_is_reported_though_not_all_is_repaired(platform: Platform) -> None:
    result = platform.ensure(properties({"glide.on": False, "glide.number": 5}, max_writes=1))
    assert len(result.drift) == 2
    assert result.after == {"properties": {"glide.on": "false"}}, "the diff shows what this run does"


# -- what the platform refuses --------------------------------------------------------------------------------------------


def test_one_refused_property_does_not_stop_the_others(platform: Platform) -> None:
    platform.faults = {0: "refused"}
    result = platform.ensure(properties({"glide.on": False, "glide.number": 5}))
    assert statuses(result) == {"glide.on": "refused", "glide.number": "changed"}
    assert result.changed
    assert any("refused to write property glide.on" in warning for warning in platform.warnings)


def test_a_run_that_was_refused_everything_fails_and_still_reports(platform: Platform) -> None:
    platform.faults = {0: "refused", 1: "refused"}
    with pytest.raises(EngineError, match="refused to write property glide.on") as caught:
        platform.ensure(properties({"glide.on": False, "glide.number": 5, "glide.text": "a b"}))
    assert {entry["status"] for entry in caught.value.output["results"]} == {"refused", "ok"}


def test_a_value_that_does_not_stay_is_an_error(platform: Platform) -> None:
    platform.ignores.add(("sys_properties", "value"))
    with pytest.raises(
        EngineError, match="returned a different value: property glide.on: value is 'true', not 'false'"
    ):
        platform.ensure(properties({"glide.on": False}))


@pytest.mark.parametrize("more", [{}, {"write_roles": "admin, security_admin"}], ids=["writable", "elevated"])
def test_the_old_value_of_a_property_that_is_named_like_a_secret_is_not_shown(
    platform: Platform, more: dict[str, str]
) -> None:
    platform.add("sys_properties", name="acme.api.token", value="old-token-1", **more)
    result = platform.ensure(properties({"acme.api.token": "new-token-2"}))
    returned = result.as_dict(with_diff=True)
    assert "old-token-1" not in json.dumps(returned, default=str)
    assert returned["drift"][0]["before"] == "******** (value on the platform)"
