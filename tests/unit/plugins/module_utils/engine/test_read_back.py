# SPDX-License-Identifier: GPL-3.0-or-later
"""What the platform kept, and answers that got lost.

See docs/facts/servicenow_platform.md#records-on-the-wire, docs/facts/servicenow_platform.md#write-safety.
"""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    InvalidInput,
    Refused,
    UnclearOutcome,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import Drift
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.summary import not_kept
from tests.unit.plugins.module_utils.builders import application, record, role, user, whole
from tests.unit.plugins.module_utils.fake_store import Platform, shown

# -- what the platform kept -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("desired", "column", "words"),
    [
        (lambda: application("A", comments="x"), "comments", "comments is '', not 'x'"),
        (lambda: application("A", access_token_lifespan=3600), "access_token_lifespan", "is '1800', not '3600'"),
        (lambda: application("A", oauth_user="a"), "user", "oauth_user is '', not 'a'"),
        (lambda: application("A", scope_restriction="broad"), "scope_restriction_status", "scope_restriction is"),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_a_value_that_was_dropped_silently_is_an_error_that_names_it(
    platform: Platform, desired: Any, column: str, words: str, there: bool
) -> None:
    platform.add("sys_user", user_name="a")
    if there:
        platform.add("oauth_entity", name="A")
    platform.ignores.add(("oauth_entity", column))
    with pytest.raises(EngineError, match="returned a different value: oauth_application A: ") as caught:
        platform.ensure(desired())
    assert words in str(caught.value)


def test_a_text_that_was_cut_is_named_with_its_length_and_not_repeated() -> None:
    cut = Drift("incident a", "description", "x" * 4000, "x" * 4011)
    assert not_kept(cut) == "incident a: description was cut to 4000 of 4011 characters; shorten it"
    other = Drift("incident a", "description", "x" * 4000, "y" * 4011)
    assert not_kept(other).startswith("incident a: description is 'xxx") and len(not_kept(other)) < 500
    assert not_kept(Drift("user a", "title", "", "b")) == "user a: title is '', not 'b'"


def test_a_link_that_was_dropped_silently_is_an_error_that_names_it(platform: Platform) -> None:
    platform.ignores.add(("sys_user_has_role", "role"))
    with pytest.raises(EngineError, match="returned a different value: user a: roles is .*, not .*'itil'"):
        platform.ensure(user("a", roles=["itil"]))


def test_a_release_without_the_column_is_broadly_scoped_anyway(platform: Platform) -> None:
    platform.unreadable.add(("oauth_entity", "scope_restriction_status"))
    platform.ignores.add(("oauth_entity", "scope_restriction_status"))
    assert platform.ensure(application("A", scope_restriction="broad")).changed
    assert not platform.ensure(application("A", scope_restriction="broad")).changed


def test_a_release_without_the_column_cannot_restrict(platform: Platform) -> None:
    platform.add("oauth_entity", name="A")
    platform.unreadable.add(("oauth_entity", "scope_restriction_status"))
    for name in ("A", "B"):
        with pytest.raises(InvalidInput, match="has no field scope_restriction_status"):
            platform.ensure(application(name, scope_restriction="restricted"))
    assert platform.log == []


def test_in_an_empty_table_a_missing_column_is_found_after_the_write_and_named(platform: Platform) -> None:
    with pytest.raises(EngineError, match="u_missing"):
        platform.ensure(record("u_thing", {"u_name": "a"}, values={"u_missing": "x"}))


# -- answers that got lost ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("fault", ["lost", "committed"])
def test_a_lost_create_is_looked_up_before_it_is_sent_again(platform: Platform, fault: str, number: int) -> None:
    undisturbed = Platform()
    for name in ("itil", "rest_service", "admin"):
        undisturbed.add("sys_user_role", name=name)
    expected = undisturbed.ensure(*whole())
    platform.faults = {number: fault}
    result = platform.ensure(*whole())
    assert shown(result) == shown(expected)
    assert platform.picture() == undisturbed.picture(), "nothing duplicated, nothing missing"
    sent_again = fault == "lost" and undisturbed.verbs[number].startswith("create")
    assert len(platform.log) == len(undisturbed.log) + sent_again


def test_a_create_that_gets_lost_every_time_is_given_up_as_unclear(platform: Platform) -> None:
    platform.faults = dict.fromkeys(range(9), "lost")
    with pytest.raises(UnclearOutcome, match="whether user a was created is unclear"):
        platform.ensure(user("a"))
    assert len(platform.log) == platform.create_attempts == 3
    assert platform.waits == [0, 1, 2, 3] * 3, "each time the commit may still arrive"


def test_rows_that_another_user_created_meanwhile_are_named(platform: Platform) -> None:
    def meanwhile(*_args: Any) -> Any:
        platform.add("oauth_entity", name="A")
        platform.add("oauth_entity", name="A")
        raise UnclearOutcome("lost")

    platform.create = meanwhile  # type: ignore[method-assign]
    with pytest.raises(EngineError, match="2 rows are oauth_application A .*remove all but "):
        platform.ensure(application("A"))


def test_a_refusal_in_the_middle_ends_the_run(platform: Platform) -> None:
    platform.faults = {1: "refused"}
    with pytest.raises(Refused):
        platform.ensure(role("u_a"), role("u_b"), role("u_c"))
    assert len(platform.log) == 2


def test_a_delete_answered_with_not_found_is_refused_while_the_row_is_there(platform: Platform) -> None:
    platform.add("oauth_entity", name="A")
    platform.not_found["oauth_entity"] = "No Record found: or the ACL restricts it"
    with pytest.raises(
        Refused, match="refused to delete oauth_application A, which is still there: .*the ACL restricts it"
    ):
        platform.ensure(application("A", state="absent"))


def test_a_created_application_without_a_client_id_is_an_error_in_each_run(platform: Platform) -> None:
    platform.ignores.add(("oauth_entity", "client_id"))
    for _run in range(2):
        with pytest.raises(EngineError, match=r"oauth_application A \(.*\) has no client_id, so nothing can sign in"):
            platform.ensure(application("A"))
    assert len(platform.tables["oauth_entity"]) == 1
