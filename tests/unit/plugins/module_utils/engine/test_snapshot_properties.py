# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every instance and every desired state: predicted exactly, done once, safe to interrupt."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import EngineError
from tests.unit.plugins.module_utils.builders import application, properties, role, user
from tests.unit.plugins.module_utils.fake_store import Interrupted, Platform, shown

ROLES = ("r1", "r2", "r3", "r4")
USERS = ("u1", "u2")
APPLICATIONS = ("A", "B")
PROPERTIES = ("glide.a", "glide.b", "glide.c")
SECRETS = ("secret-1", "secret-2")
POLICIES = ("on_mismatch", "always", "on_create")

booleans = st.booleans()
flags = st.sampled_from(["true", "false"])


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


def some(names: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), unique=True) if names else st.just([])


@st.composite
def snapshots(draw: st.DrawFn) -> Platform:
    """An instance with anything on it."""
    platform = Platform(reports_secrets=draw(booleans))
    roles = sorted(draw(some(ROLES)))
    for name in roles:
        platform.add("sys_user_role", name=name, description=draw(st.sampled_from(["", "d"])))
    for position, name in enumerate(roles):
        for contained in draw(some(tuple(roles[position + 1 :]))):
            platform.contain(name, contained)
    for name in draw(some(USERS)):
        values = {name: draw(flags) for name in ("active", "web_service_access_only", "password_needs_reset")}
        platform.add("sys_user", secret=draw(st.sampled_from(SECRETS)), user_name=name, **values)
        for held in draw(some(tuple(roles))):
            platform.grant(name, held)
    for name in draw(some(APPLICATIONS)):
        values = {"active": draw(flags), "comments": draw(st.sampled_from(["", "c"]))}
        values["access_token_lifespan"] = draw(st.sampled_from(["1800", "3600"]))
        platform.add("oauth_entity", secret=draw(st.sampled_from(SECRETS)), name=name, **values)
    for name in draw(some(PROPERTIES)):
        platform.add("sys_properties", name=name, value=draw(st.sampled_from(["true", "1", "x"])))
    return platform


@st.composite
def descriptions(draw: st.DrawFn) -> list[tuple[Any, dict[str, Any]]]:
    """Anything that a task can manage, as (resource, options)."""
    desired: list[tuple[Any, dict[str, Any]]] = []
    states = st.sampled_from(["present", "present", "present", "absent"])
    for name in sorted(draw(some(ROLES))):
        later = ROLES[ROLES.index(name) + 1 :]
        given_options = {"description": draw(maybe(st.sampled_from(["", "d"]))), "contains": draw(maybe(some(later)))}
        desired.append((role, {"name": name, "state": draw(states), **given_options}))
    for name in draw(some(USERS)):
        given_options = {
            "state": draw(st.sampled_from([None, "present", "disabled", "absent"])),
            "web_service_access_only": draw(maybe(booleans)),
            "password": draw(maybe(st.sampled_from(SECRETS))),
            "update_password": draw(st.sampled_from(POLICIES)),
            "roles": draw(maybe(some(ROLES))),
            "exclusive_roles": draw(booleans),
        }
        desired.append((user, {"user_name": name, **given_options}))
    for name in draw(some(APPLICATIONS)):
        given_options = {
            "state": draw(states),
            "client_secret": draw(maybe(st.sampled_from(SECRETS))),
            "update_secret": draw(st.sampled_from(POLICIES)),
            "active": draw(maybe(booleans)),
            "access_token_lifespan": draw(maybe(st.sampled_from([1800, 3600]))),
            "oauth_user": draw(maybe(st.sampled_from(["", *USERS]))),
        }
        desired.append((application, {"name": name, **given_options}))
    wanted = draw(st.dictionaries(st.sampled_from(PROPERTIES), st.sampled_from([True, 1, "x", "y"]), max_size=3))
    if wanted:
        limits = {"max_writes": draw(st.sampled_from([0, 1])), "create_missing": draw(booleans)}
        desired.append((properties, {"desired": wanted, **limits}))
    return draw(st.permutations(desired))


def resources(desired: list[tuple[Any, dict[str, Any]]]) -> list[Any]:
    return [make(**options) for make, options in desired]


def outcome(platform: Platform, desired: list[tuple[Any, dict[str, Any]]], *, check: bool = False) -> Any:
    """Return what a user sees of a run, be it a result or a failure."""
    try:
        return shown(platform.ensure(*resources(desired), check=check))
    except EngineError as error:
        return f"{type(error).__name__}: {error}"


@given(snapshots(), descriptions())
def test_check_mode_predicts_exactly_what_a_run_does(platform: Platform, desired: Any) -> None:
    before = copy.deepcopy(platform)
    prefetched = outcome(platform, desired, check=True)
    assert platform.log == []
    assert platform.picture() == before.picture()
    done = outcome(platform, desired)
    assert prefetched == done
    if isinstance(done, str):
        assert platform.log == [], "what cannot be is found out before the first write"
    elif not done["changed"]:
        assert platform.log == []


@given(snapshots(), descriptions())
def test_a_second_run_changes_nothing(platform: Platform, desired: Any) -> None:
    if isinstance(outcome(platform, desired), str):
        return
    picture = platform.picture()
    platform.log.clear()
    again = outcome(platform, desired)
    rewritten = {entry["field"] for entry in again["drift"]}
    postponed = any(options.get("max_writes") for _make, options in desired)
    always = any("always" in options.values() for _make, options in desired)
    if not (postponed or always):
        assert not again["changed"]
        assert platform.log == []
    if not postponed:
        assert rewritten <= {"client_secret", "password", "value"}, "only what is to be written always"
        assert platform.picture() == picture


@given(snapshots(), descriptions())
def test_postponed_properties_come_to_an_end(platform: Platform, desired: Any) -> None:
    for _run in range(len(PROPERTIES) + 1):
        last = outcome(platform, desired)
    if isinstance(last, dict) and not any("always" in options.values() for _make, options in desired):
        assert not last["changed"]


@given(snapshots(), descriptions(), st.data())
def test_an_interrupted_run_started_again_ends_as_an_undisturbed_one(
    platform: Platform, desired: Any, data: st.DataObject
) -> None:
    undisturbed = copy.deepcopy(platform)
    first = outcome(undisturbed, desired)
    if isinstance(first, str) or not undisturbed.log or any(o.get("max_writes") for _make, o in desired):
        return
    for _time in range(data.draw(st.integers(1, 3))):
        platform.faults = {
            data.draw(st.integers(0, len(undisturbed.log) - 1)): data.draw(st.sampled_from(["before", "after"]))
        }
        platform.log.clear()
        with suppress(Interrupted):
            platform.ensure(*resources(desired))
    platform.faults.clear()
    last = outcome(platform, desired)
    assert isinstance(last, dict), last
    assert platform.picture() == undisturbed.picture()


@given(snapshots(), descriptions(), st.data())
def test_lost_answers_change_neither_the_report_nor_the_instance(
    platform: Platform, desired: Any, data: st.DataObject
) -> None:
    undisturbed = copy.deepcopy(platform)
    expected = outcome(undisturbed, desired)
    if isinstance(expected, str) or not undisturbed.log:
        return
    numbers = st.integers(0, len(undisturbed.log) - 1)
    platform.faults = data.draw(st.dictionaries(numbers, st.sampled_from(["lost", "committed"]), max_size=3))
    platform.create_attempts = 5
    assert outcome(platform, desired) == expected
    assert platform.picture() == undisturbed.picture()


@given(snapshots(), descriptions())
def test_an_account_without_rights_writes_nothing_at_all(platform: Platform, desired: Any) -> None:
    platform.roles = frozenset({"itil"})
    prefetched = outcome(platform, desired, check=True)
    done = outcome(platform, desired)
    assert prefetched == done
    touched = {table for _verb, table, _values in platform.log}
    assert touched <= {"sys_properties"}, "whose write roles only the instance knows"


@pytest.mark.parametrize("number", range(12))
@pytest.mark.parametrize("kind", ["before", "after"])
def test_every_single_write_may_be_the_last_of_a_run(number: int, kind: str) -> None:
    def start() -> Platform:
        platform = Platform(reports_secrets=False)
        for name in ROLES:
            platform.add("sys_user_role", name=name)
        platform.contain("r1", "r2")
        platform.add("sys_user", user_name="u1", secret="secret-1")
        platform.grant("u1", "r1")
        platform.add("oauth_entity", name="B", secret="secret-1")
        return platform

    desired = [
        (role, {"name": "r5", "contains": ["r3"]}),
        (user, {"user_name": "u1", "roles": ["r2", "r5"], "exclusive_roles": True, "web_service_access_only": True}),
        (user, {"user_name": "u2", "password": "secret-2", "update_password": "on_create"}),
        (application, {"name": "A", "client_secret": "secret-2", "oauth_user": "u2"}),
        (application, {"name": "B", "state": "absent"}),
    ]
    undisturbed, platform = start(), start()
    outcome(undisturbed, desired)
    assert len(undisturbed.log) == 12
    platform.faults = {number: kind}
    with pytest.raises(Interrupted):
        platform.ensure(*resources(desired))
    outcome(platform, desired)
    assert platform.picture() == undisturbed.picture()
    assert not platform.ensure(*resources(desired)).changed
