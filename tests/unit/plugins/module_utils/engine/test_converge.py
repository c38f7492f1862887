# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is there to what is described (architecture 3 and 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    BadDescription,
    EngineError,
    Refused,
    UnclearOutcome,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import Drift
from tests.unit.plugins.module_utils.described import application, properties, record, role, user
from tests.unit.plugins.module_utils.platform import Platform, told


@pytest.fixture
def platform() -> Platform:
    """An instance with a few roles."""
    made = Platform()
    for name in ("itil", "rest_service", "admin"):
        made.add("sys_user_role", name=name)
    return made


def whole() -> list[Any]:
    """Return a role, an account with it, and an application that runs as the account: each refers to the one before."""
    return [
        role("u_defender", description="For Defender", contains=["rest_service"]),
        user("svc_defender", first_name="Defender", roles=["u_defender", "itil"], password="Pass-word-1"),
        application(
            "CloudAppSecurity",
            client_secret="c1ient-Secret",
            access_token_lifespan=3600,
            redirect_urls=["https://a.example/", "https://b.example/"],
            scope_restriction="broad",
            oauth_user="svc_defender",
        ),
    ]


# -- create ---------------------------------------------------------------------------------------------------------------


def test_everything_that_is_missing_is_created_in_dependency_order(platform: Platform) -> None:
    result = platform.ensure(*reversed(whole()))
    assert result.changed
    assert platform.verbs == [
        "create sys_user_role",
        "create sys_user_role_contains",
        "create sys_user",
        "secret sys_user",
        "create sys_user_has_role",
        "create sys_user_has_role",
        "create oauth_entity",
        "secret oauth_entity",
    ]
    row = platform.row("oauth_entity", "CloudAppSecurity")
    assert row["user"] == platform.id_of("sys_user", "svc_defender"), "a row of this very plan"
    assert (row["type"], row["access_token_lifespan"], row["scope_restriction_status"]) == (
        "client", "3600", "unrestricted",
    )  # fmt: skip
    assert row["redirect_url"] == "https://a.example/,https://b.example/"
    assert platform.roles_of("svc_defender", inherited=False) == ["itil", "u_defender"]
    assert platform.roles_of("svc_defender", inherited=True) == ["rest_service"]
    assert platform.secrets["oauth_entity", row["sys_id"]] == "c1ient-Secret"


def test_a_second_run_changes_nothing_and_reads_once(platform: Platform) -> None:
    platform.ensure(*whole())
    platform.log.clear()
    platform.reads.clear()
    result = platform.ensure(*whole())
    assert not result.changed
    assert (platform.log, result.drift, result.before, result.after) == ([], [], {}, {})
    assert len(platform.reads) == 1, "one round trip"
    assert [entry["status"] for entry in result.output["results"]] == ["ok"] * 3


def test_check_mode_says_the_same_and_writes_nothing(platform: Platform) -> None:
    predicted = platform.ensure(*whole(), check=True)
    assert platform.log == []
    result = platform.ensure(*whole())
    assert told(predicted) == told(result)
    for foreseen, found in zip(predicted.output["results"], result.output["results"], strict=True):
        assert foreseen.items() <= found.items(), "an object is foreseen, but for what only the platform knows"
    assert predicted.drift == [
        Drift("role u_defender", "state", "absent", "present"),
        Drift("user svc_defender", "state", "absent", "present"),
        Drift("oauth_application CloudAppSecurity", "state", "absent", "present"),
    ]


def test_a_diff_shows_what_is_described_and_no_secret(platform: Platform) -> None:
    result = platform.ensure(*whole(), check=True)
    assert result.before["user svc_defender"] == {"state": "absent"}
    shown = result.after["user svc_defender"]
    assert shown["roles"] == ["u_defender", "itil"]
    assert shown["password"] == "******** (as described)"
    assert "last_name" not in shown, "what is not described is not managed"
    assert "Pass-word-1" not in repr(told(result))
    assert "c1ient-Secret" not in repr(told(result))


# -- change ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("described", "column", "there", "wire", "before", "after"),
    [
        ({"access_token_lifespan": 3600}, "access_token_lifespan", "1800", "3600", "1800", "3600"),
        ({"active": True}, "active", "false", "true", "false", "true"),
        ({"comments": ""}, "comments", "old", "", "old", ""),
        ({"redirect_urls": ["https://a/", "https://b/"]}, "redirect_url", "https://b/", "https://a/,https://b/",
         "https://b/", "https://a/,https://b/"),
        ({"scope_restriction": "broad"}, "scope_restriction_status", "restricted", "unrestricted", "restricted", "broad"),
        ({"scope_restriction": "broad"}, "scope_restriction_status", "useraccount", "unrestricted", "useraccount", "broad"),
        ({"extra_fields": {"client_type": "integration_as_a_user"}}, "client_type", "", "integration_as_a_user", "",
         "integration_as_a_user"),
    ],
)  # fmt: skip
def test_only_what_deviates_is_written(
    platform: Platform, described: dict[str, Any], column: str, there: str, wire: str, before: Any, after: Any
) -> None:
    platform.add("oauth_entity", **{"name": "A", "logo_url": "https://logo/", column: there})
    result = platform.ensure(application("A", logo_url="https://logo/", **described))
    assert platform.log == [("update", "oauth_entity", {column: wire})]
    (option,) = described.get("extra_fields", described)
    assert result.drift == [Drift("oauth_application A", option, before, after)]
    assert not platform.ensure(application("A", logo_url="https://logo/", **described)).changed


@pytest.mark.parametrize(
    ("described", "column", "there"),
    [
        ({"access_token_lifespan": 3600}, "access_token_lifespan", "3600"),
        ({"access_token_lifespan": 3600}, "access_token_lifespan", "3,600"),
        ({"active": True}, "active", "1"),
        ({"redirect_urls": ["https://a/", "https://b/"]}, "redirect_url", "https://a/, https://b/"),
        ({"redirect_urls": []}, "redirect_url", ""),
        ({"comments": ""}, "comments", ""),
    ],
)
def test_values_are_compared_as_what_they_mean(
    platform: Platform, described: dict[str, Any], column: str, there: str
) -> None:
    platform.add("oauth_entity", **{"name": "A", column: there})
    assert not platform.ensure(application("A", **described)).changed


def test_a_field_that_is_not_described_is_not_managed(platform: Platform) -> None:
    platform.add("sys_user", user_name="a", email="a@example.com", web_service_access_only="true")
    assert not platform.ensure(user("a")).changed


def test_a_reference_is_compared_by_what_people_call_it(platform: Platform) -> None:
    first, second = platform.add("sys_user", user_name="a"), platform.add("sys_user", user_name="b")
    platform.add("oauth_entity", name="A", user=first)
    result = platform.ensure(application("A", oauth_user="b"))
    assert result.drift == [Drift("oauth_application A", "oauth_user", "a", "b")]
    assert platform.row("oauth_entity", "A")["user"] == second
    assert platform.ensure(application("A", oauth_user="")).drift == [
        Drift("oauth_application A", "oauth_user", "b", "")
    ]
    assert platform.row("oauth_entity", "A")["user"] == ""


def test_a_state_can_be_described_with_the_row(platform: Platform) -> None:
    platform.add("sys_user", user_name="a", web_service_access_only="true")
    assert platform.ensure(user("a", state="disabled")).drift == [Drift("user a", "active", "true", "false")]
    assert not platform.ensure(user("a", state="disabled")).changed
    assert platform.ensure(user("a")).changed


def test_results_hold_typed_values_and_the_id(platform: Platform) -> None:
    platform.ensure(*whole())
    found = platform.ensure(*whole()).output["results"][2]
    assert found["sys_id"] == platform.id_of("oauth_entity", "CloudAppSecurity")
    assert (found["active"], found["access_token_lifespan"], found["oauth_user"]) == (True, 3600, "svc_defender")
    assert found["redirect_urls"] == ["https://a.example/", "https://b.example/"]
    assert found["refresh_token_lifespan"] == 8640000, "what the row holds beside"
    assert "client_secret" not in found


# -- remove ---------------------------------------------------------------------------------------------------------------


def test_what_is_to_be_absent_goes_and_stays_away(platform: Platform) -> None:
    platform.ensure(*whole())
    platform.log.clear()
    gone = [role("u_defender", state="absent"), user("svc_defender", state="absent")]
    gone.append(application("CloudAppSecurity", state="absent"))
    predicted = platform.ensure(*gone, check=True)
    assert platform.log == []
    result = platform.ensure(*gone)
    assert told(result) == told(predicted)
    # ServiceNow platform facts 1.6: deactivate first, so that no token is issued any more.
    assert platform.verbs == [
        "update oauth_entity", "delete oauth_entity", "delete sys_user", "delete sys_user_role",
    ]  # fmt: skip
    assert platform.log[0][2] == {"active": "false"}
    again = platform.ensure(*gone)
    assert (again.changed, again.drift) == (False, [])
    assert [entry["status"] for entry in again.output["results"]] == ["ok"] * 3


def test_an_inactive_application_is_simply_deleted(platform: Platform) -> None:
    platform.add("oauth_entity", name="A", active="false")
    platform.ensure(application("A", state="absent"))
    assert platform.verbs == ["delete oauth_entity"]


def test_a_row_that_does_not_go_is_an_error(platform: Platform) -> None:
    platform.add("sys_user", user_name="a")
    platform.ignores.add(("sys_user", ""))
    with pytest.raises(EngineError, match="did not keep the value: user a: state is 'present', not 'absent'"):
        platform.ensure(user("a", state="absent"))


# -- which row ------------------------------------------------------------------------------------------------------------


def test_two_rows_of_one_name_stop_the_run_and_are_both_named(platform: Platform) -> None:
    ids = sorted(platform.add("oauth_entity", name="A") for _time in range(2))
    with pytest.raises(BadDescription, match=f"2 rows of oauth_entity are called A .{ids[0]}, {ids[1]}.*sys_id"):
        platform.ensure(role("u_new"), application("A", access_token_lifespan=1))
    assert platform.log == []


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_sys_id_picks_one_of_two(platform: Platform, state: str) -> None:
    first, second = (platform.add("oauth_entity", name="A") for _time in range(2))
    platform.ensure(application("A", sys_id=second, comments="x", state=state))
    assert platform.tables["oauth_entity"][first]["comments"] == ""
    assert (second in platform.tables["oauth_entity"]) == (state == "present")


def test_a_sys_id_that_does_not_exist_is_not_created(platform: Platform) -> None:
    with pytest.raises(BadDescription, match="no row of oauth_entity has the sys_id 00"):
        platform.ensure(application("A", sys_id="00"))
    assert not platform.ensure(application("A", sys_id="00", state="absent")).changed


def test_a_sys_id_may_be_renamed(platform: Platform) -> None:
    found = platform.add("oauth_entity", name="Old")
    assert platform.ensure(application("New", sys_id=found)).changed
    assert platform.row("oauth_entity", "New")["sys_id"] == found


@pytest.mark.parametrize(
    ("make", "table", "column"),
    [
        (lambda: user("Svc_Defender"), "sys_user", "user_name"),
        (lambda: role("Svc_Defender"), "sys_user_role", "name"),
        (lambda: application("Svc_Defender"), "oauth_entity", "name"),
    ],
)
def test_a_name_that_differs_in_case_only_is_not_created_beside(
    platform: Platform, make: Any, table: str, column: str
) -> None:
    there = platform.add(table, **{column: "svc_defender"})
    with pytest.raises(BadDescription, match=rf"'svc_defender' \({there}\), which differs from 'Svc_Defender'"):
        platform.ensure(make())
    assert platform.log == []


def test_a_name_that_differs_in_case_only_is_not_removed(platform: Platform) -> None:
    platform.add("sys_user", user_name="svc_defender")
    absent = user("SVC_DEFENDER", state="absent")
    assert not platform.ensure(absent).changed


def test_an_unknown_queried_field_does_not_make_every_row_ours(platform: Platform) -> None:
    # ServiceNow platform facts 3.3: the term is dropped, so the query matches everything.
    platform.add("u_thing", u_name="a")
    platform.add("u_thing", u_name="b")
    gone = record("u_thing", {"u_missing": "a"}, state="absent")
    assert not platform.ensure(gone).changed
    assert len(platform.tables["u_thing"]) == 2


def test_a_client_is_told_from_a_provider_of_the_same_name(platform: Platform) -> None:
    provider = platform.add("oauth_entity", name="A", type="oauth_provider")
    with pytest.raises(
        BadDescription, match=f"A exists on the instance as oauth_provider .{provider}., not as a client"
    ):
        platform.ensure(application("A"))
    platform.add("oauth_entity", name="A", type="client")
    platform.ensure(application("A", comments="x"))
    assert platform.tables["oauth_entity"][provider]["comments"] == ""


# -- links ----------------------------------------------------------------------------------------------------------------


def test_roles_are_added_to_those_that_are_there(platform: Platform) -> None:
    platform.add("sys_user", user_name="a", web_service_access_only="true")
    platform.grant("a", "itil")
    result = platform.ensure(user("a", roles=["rest_service"]))
    assert result.drift == [Drift("user a", "roles", ["itil"], ["itil", "rest_service"])]
    assert platform.roles_of("a") == ["itil", "rest_service"]
    assert not platform.ensure(user("a", roles=["rest_service"])).changed


def test_exclusive_roles_are_all_roles(platform: Platform) -> None:
    platform.add("sys_user", user_name="a", web_service_access_only="true")
    platform.grant("a", "itil")
    described = user("a", roles=["rest_service"], exclusive_roles=True)
    assert platform.ensure(described).drift == [Drift("user a", "roles", ["itil"], ["rest_service"])]
    assert platform.roles_of("a") == ["rest_service"]
    assert not platform.ensure(user("a", roles=["rest_service"], exclusive_roles=True)).changed


def test_inherited_roles_count_as_held_and_are_never_deleted(platform: Platform) -> None:
    platform.contain("itil", "rest_service")
    platform.add("sys_user", user_name="a", web_service_access_only="true")
    platform.grant("a", "itil")
    assert not platform.ensure(user("a", roles=["itil", "rest_service"])).changed
    assert not platform.ensure(user("a", roles=["itil"], exclusive_roles=True)).changed
    assert platform.roles_of("a") == ["itil", "rest_service"]


def test_a_role_that_fell_with_its_cause_is_granted_in_the_same_run(platform: Platform) -> None:
    platform.contain("itil", "rest_service")
    platform.add("sys_user", user_name="a", web_service_access_only="true")
    platform.grant("a", "itil")
    platform.ensure(user("a", roles=["rest_service"], exclusive_roles=True))
    assert platform.roles_of("a", inherited=False) == ["rest_service"]
    assert not platform.ensure(user("a", roles=["rest_service"], exclusive_roles=True)).changed


def test_a_role_that_fell_with_another_objects_change_is_granted_too(platform: Platform) -> None:
    platform.contain("itil", "rest_service")
    platform.add("sys_user", user_name="a", web_service_access_only="true")
    platform.grant("a", "itil")
    described = [role("itil", contains=[]), user("a", roles=["itil", "rest_service"])]
    platform.ensure(*described)
    assert platform.roles_of("a", inherited=False) == ["itil", "rest_service"]
    assert not platform.ensure(role("itil", contains=[]), user("a", roles=["itil", "rest_service"])).changed


def test_doubled_grants_are_tolerated_and_removed_together(platform: Platform) -> None:
    # ServiceNow platform facts 5.2: without Role Management V2 duplicates are normal.
    platform.add("sys_user", user_name="a", web_service_access_only="true")
    platform.grant("a", "itil")
    platform.grant("a", "itil")
    assert not platform.ensure(user("a", roles=["itil"])).changed
    platform.ensure(user("a", roles=[], exclusive_roles=True))
    assert platform.roles_of("a") == []


def test_a_role_contains_exactly_what_is_described(platform: Platform) -> None:
    platform.contain("itil", "rest_service")
    result = platform.ensure(role("itil", contains=["admin"]))
    assert result.drift == [Drift("role itil", "contains", ["rest_service"], ["admin"])]
    assert platform.ensure(role("itil", contains=[])).drift == [Drift("role itil", "contains", ["admin"], [])]
    assert not platform.ensure(role("itil")).changed, "left out, it is not managed"


def test_a_name_that_is_listed_twice_is_linked_once(platform: Platform) -> None:
    platform.ensure(user("a", roles=["itil", "itil"]))
    assert platform.verbs.count("create sys_user_has_role") == 1


# -- nothing is written before everything is known to be right ------------------------------------------------------------


Mistake = Callable[[], list[Any]]
MISTAKES: dict[str, tuple[Mistake, str]] = {
    "unknown role": (
        lambda: [user("a", roles=["u_nowhere"])],
        "user a: roles names 'u_nowhere', but no row of sys_user_role has that name, and nothing in this call creates it",
    ),
    "unknown contained role": (
        lambda: [role("u_a", contains=["u_nowhere"])],
        "role u_a: contains names 'u_nowhere'",
    ),
    "unknown user": (
        lambda: [application("A", oauth_user="nobody")],
        "oauth_application A: oauth_user names 'nobody', but no row of sys_user has that user_name",
    ),
    "role in other case": (lambda: [user("a", roles=["ITIL"])], "user a: roles names 'ITIL'"),
    "lifespan zero": (
        lambda: [application("A", access_token_lifespan=0)],
        "oauth_application A: access_token_lifespan must be a positive number of seconds, not 0",
    ),
    "lifespan negative": (
        lambda: [application("A", refresh_token_lifespan=-1)],
        "refresh_token_lifespan must be a positive number of seconds, not -1",
    ),
    "lifespan beyond the column": (
        lambda: [application("A", access_token_lifespan=2**31)],
        "access_token_lifespan must be a positive number of seconds",
    ),
    "redirect with a comma": (
        lambda: [application("A", redirect_urls=["https://a/,b"])],
        "a comma separates addresses on the instance",
    ),
    "missing column": (
        lambda: [application("A", extra_fields={"u_missing": "x"}), user("b")],
        "oauth_entity has no field u_missing on this instance",
    ),
    "missing column of a record": (
        lambda: [record("u_thing", {"u_name": "new"}, values={"u_missing": 1})],
        "u_thing has no field u_missing on this instance",
    ),
    "property that differs in case": (
        lambda: [properties({"GLIDE.x": 1})],
        "the instance has 'glide.x', which differs in upper and lower case only",
    ),
}


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(("mistaken", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_stops_a_run_that_has_written_nothing(
    platform: Platform, mistaken: Mistake, words: str, check: bool
) -> None:
    platform.add("oauth_entity", name="Other")
    platform.add("u_thing", u_name="other")
    platform.add("sys_properties", name="glide.x", value="1")
    with pytest.raises(BadDescription) as caught:
        platform.ensure(role("u_new"), *mistaken(), check=check)
    assert words in str(caught.value)
    assert platform.log == []


def test_an_ambiguous_reference_stops_a_run_that_has_written_nothing(platform: Platform) -> None:
    ids = sorted(platform.add("sys_user", user_name="twin") for _time in range(2))
    with pytest.raises(BadDescription, match=f"2 rows of sys_user .*twin.*{ids[0]}, {ids[1]}"):
        platform.ensure(role("u_new"), application("A", oauth_user="twin"))
    assert platform.log == []


@pytest.mark.parametrize("held", [False, True])
def test_a_reference_to_what_the_same_call_removes_stops_a_run_that_has_written_nothing(
    platform: Platform, held: bool
) -> None:
    platform.add("sys_user", user_name="a", web_service_access_only="true")
    if held:
        platform.grant("a", "itil")
    with pytest.raises(BadDescription, match="role itil is to be absent, but this call refers to it"):
        platform.ensure(role("itil", state="absent"), user("a", roles=["itil"]))
    assert platform.log == []


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("described", "what", "takes"),
    [
        (lambda: user("a"), "write user a", "user_admin, admin"),
        (lambda: application("A"), "write oauth_application A", "oauth_admin, mi_admin, admin"),
        (lambda: role("u_a"), "write role u_a", "user_admin, admin"),
        (lambda: properties({"x": 1}), "create system properties", "admin"),
        (lambda: record("sys_properties", {"name": "x"}), None, None),
    ],
)
def test_a_missing_right_stops_a_run_that_has_written_nothing(
    platform: Platform, described: Any, what: str | None, takes: str, check: bool
) -> None:
    platform.roles = frozenset({"itil", "rest_service"})
    if what is None:
        platform.ensure(described(), check=check)
        return
    with pytest.raises(Refused) as caught:
        platform.ensure(described(), check=check)
    assert str(caught.value) == (
        f"acme-dev: svc_ansible may not {what}. It takes one of the roles {takes}; the account has: itil, rest_service. "
        "Nothing was written"
    )
    assert platform.log == []


def test_only_an_administrator_grants_admin(platform: Platform) -> None:
    platform.roles = frozenset({"user_admin"})
    with pytest.raises(Refused, match=r"may not grant admin to user a\."):
        platform.ensure(user("a", roles=["admin"]))
    assert platform.log == []
    platform.ensure(user("a", roles=["itil"]))


def test_a_role_that_suffices_suffices(platform: Platform) -> None:
    platform.roles = frozenset({"mi_admin"})
    platform.ensure(application("A"))


@pytest.mark.parametrize("tells", [True, False])
def test_rights_that_cannot_be_read_stop_nothing(platform: Platform, tells: bool) -> None:
    platform.roles, platform.tells_account = None, tells
    platform.ensure(application("A"), user("a"))
    assert len(platform.log) == 2


def test_rights_do_not_matter_where_nothing_is_to_be_written(platform: Platform) -> None:
    platform.ensure(user("a"))
    platform.roles = frozenset()
    assert not platform.ensure(user("a")).changed


# -- what the platform kept -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("described", "column", "told"),
    [
        (lambda: application("A", comments="x"), "comments", "comments is '', not 'x'"),
        (lambda: application("A", access_token_lifespan=3600), "access_token_lifespan", "is '1800', not '3600'"),
        (lambda: application("A", oauth_user="a"), "user", "oauth_user is '', not 'a'"),
        (lambda: application("A", scope_restriction="broad"), "scope_restriction_status", "scope_restriction is"),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_a_value_that_was_dropped_silently_is_an_error_that_names_it(
    platform: Platform, described: Any, column: str, told: str, there: bool
) -> None:
    platform.add("sys_user", user_name="a")
    if there:
        platform.add("oauth_entity", name="A")
    platform.ignores.add(("oauth_entity", column))
    with pytest.raises(EngineError, match="did not keep the value: oauth_application A: ") as caught:
        platform.ensure(described())
    assert told in str(caught.value)


def test_a_link_that_was_dropped_silently_is_an_error_that_names_it(platform: Platform) -> None:
    platform.ignores.add(("sys_user_has_role", "role"))
    with pytest.raises(EngineError, match="did not keep the value: user a: roles is .*, not .*'itil'"):
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
        with pytest.raises(BadDescription, match="has no field scope_restriction_status"):
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
    assert told(result) == told(expected)
    assert platform.picture() == undisturbed.picture(), "nothing doubled, nothing missing"
    sent_again = fault == "lost" and undisturbed.verbs[number].startswith("create")
    assert len(platform.log) == len(undisturbed.log) + sent_again


def test_a_create_that_gets_lost_every_time_is_given_up_as_unclear(platform: Platform) -> None:
    platform.faults = dict.fromkeys(range(9), "lost")
    with pytest.raises(UnclearOutcome, match="whether user a was created is unclear"):
        platform.ensure(user("a"))
    assert len(platform.log) == platform.create_attempts == 3
    assert platform.waits == [0, 1], "after the last attempt there is nothing to wait for"


def test_a_create_that_somebody_else_made_meanwhile_is_not_guessed_at(platform: Platform) -> None:
    def meanwhile(*_args: Any) -> Any:
        platform.add("oauth_entity", name="A")
        platform.add("oauth_entity", name="A")
        raise UnclearOutcome("lost")

    platform.create = meanwhile  # type: ignore[method-assign]
    with pytest.raises(EngineError, match="left 2 rows .*remove all but one"):
        platform.ensure(application("A"))


def test_a_refusal_in_the_middle_ends_the_run(platform: Platform) -> None:
    platform.faults = {1: "refused"}
    with pytest.raises(Refused):
        platform.ensure(role("u_a"), role("u_b"), role("u_c"))
    assert len(platform.log) == 2


# -- many of a kind -------------------------------------------------------------------------------------------------------


def test_records_that_share_a_key_column_are_told_apart(platform: Platform) -> None:
    described = [
        record("u_thing", {"u_name": "a", "u_kind": "x"}, values={"u_count": 1}),
        record("u_thing", {"u_name": "a", "u_kind": "y"}, values={"u_note": "n"}),
        record("u_thing", {"u_name": "b"}, values={"u_on": True}),
    ]
    platform.ensure(*described)
    assert len(platform.tables["u_thing"]) == 3
    assert not platform.ensure(*described).changed


def test_a_row_that_two_questions_find_is_known_with_all_its_columns(platform: Platform) -> None:
    platform.add("u_thing", u_name="a", u_kind="x", u_count="1", u_note="n")
    by_both = record("u_thing", {"u_name": "a", "u_kind": "x"}, values={"u_count": 1})
    by_name = record("u_thing", {"u_name": "a"}, values={"u_note": "n"})
    assert not platform.ensure(by_both, by_name).changed
    assert not platform.ensure(by_name, by_both).changed


def test_a_whole_instance_is_one_round_trip_however_much_is_described(platform: Platform) -> None:
    described = [user(f"u{n}", roles=["itil"]) for n in range(20)] + [role(f"u_r{n}", contains=[]) for n in range(20)]
    platform.ensure(*described)
    platform.reads.clear()
    assert not platform.ensure(*described).changed
    (reads,) = platform.reads
    assert len(reads) <= 5, "one question for each table, not for each object"
