# SPDX-License-Identifier: GPL-3.0-or-later
"""From the snapshot to the desired state."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import EngineError
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import Drift
from tests.unit.plugins.module_utils.builders import application, record, role, user, whole
from tests.unit.plugins.module_utils.fake_store import Platform, shown

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


def test_check_mode_returns_the_same_and_writes_nothing(platform: Platform) -> None:
    predicted = platform.ensure(*whole(), check=True)
    assert platform.log == []
    result = platform.ensure(*whole())
    assert shown(predicted) == shown(result)
    for prefetched, found in zip(predicted.output["results"], result.output["results"], strict=True):
        assert prefetched.items() <= found.items(), "an object is predicted, except what only the platform knows"
    assert predicted.drift == [
        Drift("role u_defender", "state", "absent", "present"),
        Drift("user svc_defender", "state", "absent", "present"),
        Drift("oauth_application CloudAppSecurity", "state", "absent", "present"),
    ]


def test_a_diff_shows_the_desired_state_without_secrets(platform: Platform) -> None:
    result = platform.ensure(*whole(), check=True)
    assert result.before["user svc_defender"] == {"state": "absent"}
    after = result.after["user svc_defender"]
    assert after["roles"] == ["u_defender", "itil"]
    assert after["password"] == "******** (desired value)"
    assert "last_name" not in after, "what is not set is not managed"
    assert "Pass-word-1" not in repr(shown(result))
    assert "c1ient-Secret" not in repr(shown(result))


# -- change ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("desired", "column", "there", "wire", "before", "after"),
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
def test_only_drift_is_written(
    platform: Platform, desired: dict[str, Any], column: str, there: str, wire: str, before: Any, after: Any
) -> None:
    platform.add("oauth_entity", **{"name": "A", "logo_url": "https://logo/", column: there})
    result = platform.ensure(application("A", logo_url="https://logo/", **desired))
    assert platform.log == [("update", "oauth_entity", {column: wire})]
    (option,) = desired.get("extra_fields", desired)
    assert result.drift == [Drift("oauth_application A", option, before, after)]
    assert not platform.ensure(application("A", logo_url="https://logo/", **desired)).changed


@pytest.mark.parametrize(
    ("desired", "column", "there"),
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
    platform: Platform, desired: dict[str, Any], column: str, there: str
) -> None:
    platform.add("oauth_entity", **{"name": "A", column: there})
    assert not platform.ensure(application("A", **desired)).changed


def test_a_field_outside_the_desired_state_is_not_managed(platform: Platform) -> None:
    platform.add("sys_user", user_name="a", email="a@example.com", web_service_access_only="true")
    assert not platform.ensure(user("a")).changed


def test_a_reference_is_compared_by_its_display_value(platform: Platform) -> None:
    first, second = platform.add("sys_user", user_name="a"), platform.add("sys_user", user_name="b")
    platform.add("oauth_entity", name="A", user=first)
    result = platform.ensure(application("A", oauth_user="b"))
    assert result.drift == [Drift("oauth_application A", "oauth_user", "a", "b")]
    assert platform.row("oauth_entity", "A")["user"] == second
    assert platform.ensure(application("A", oauth_user="")).drift == [
        Drift("oauth_application A", "oauth_user", "b", "")
    ]
    assert platform.row("oauth_entity", "A")["user"] == ""


def test_a_state_can_be_desired_with_the_row(platform: Platform) -> None:
    platform.add("sys_user", user_name="a", web_service_access_only="true")
    assert platform.ensure(user("a", state="disabled")).drift == [Drift("user a", "active", "true", "false")]
    assert not platform.ensure(user("a", state="disabled")).changed
    assert not platform.ensure(user("a")).changed, "a state that is not set is not managed"
    assert platform.ensure(user("a", state="present")).changed


def test_results_hold_typed_values_and_the_id(platform: Platform) -> None:
    platform.ensure(*whole())
    found = platform.ensure(*whole()).output["results"][2]
    assert found["sys_id"] == platform.id_of("oauth_entity", "CloudAppSecurity")
    assert (found["active"], found["access_token_lifespan"], found["oauth_user"]) == (True, 3600, "svc_defender")
    assert found["redirect_urls"] == ["https://a.example/", "https://b.example/"]
    assert found["refresh_token_lifespan"] == 8640000, "what else the row holds"
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
    assert shown(result) == shown(predicted)
    # Deactivate first, so that no token is issued any more (docs/facts/servicenow_platform.md#related-oauth-tables).
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
    with pytest.raises(EngineError, match="returned a different value: user a: state is 'present', not 'absent'"):
        platform.ensure(user("a", state="absent"))


# -- many of a kind -------------------------------------------------------------------------------------------------------


def test_records_that_share_a_key_column_are_distinguished(platform: Platform) -> None:
    desired = [
        record("u_thing", {"u_name": "a", "u_kind": "x"}, values={"u_count": 1}),
        record("u_thing", {"u_name": "a", "u_kind": "y"}, values={"u_note": "n"}),
        record("u_thing", {"u_name": "b"}, values={"u_on": True}),
    ]
    platform.ensure(*desired)
    assert len(platform.tables["u_thing"]) == 3
    assert not platform.ensure(*desired).changed


def test_a_row_that_two_questions_find_is_known_with_all_its_columns(platform: Platform) -> None:
    platform.add("u_thing", u_name="a", u_kind="x", u_count="1", u_note="n")
    by_both = record("u_thing", {"u_name": "a", "u_kind": "x"}, values={"u_count": 1})
    by_name = record("u_thing", {"u_name": "a"}, values={"u_note": "n"})
    assert not platform.ensure(by_both, by_name).changed
    assert not platform.ensure(by_name, by_both).changed


def test_a_whole_instance_is_one_round_trip_with_any_number_of_objects(platform: Platform) -> None:
    desired = [user(f"u{n}", roles=["itil"]) for n in range(20)] + [role(f"u_r{n}", contains=[]) for n in range(20)]
    platform.ensure(*desired)
    platform.reads.clear()
    assert not platform.ensure(*desired).changed
    (reads,) = platform.reads
    assert len(reads) <= 5, "one question for each table, not for each object"
