# SPDX-License-Identifier: GPL-3.0-or-later
"""Activities by kind, instance and day; what is not recognized is counted, not guessed."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps.activity_summary import (
    ADMINISTRATORS,
    FAILED,
    FILES,
    OTHER,
    SIGNED_IN,
    day_of,
    kind_of,
    summarize_activities,
    user_of,
)


@pytest.mark.parametrize(
    ("activity", "kind"),
    [
        ({"eventActionType": "EVENT_CATEGORY_LOGIN"}, SIGNED_IN),
        ({"actionType": "Log on"}, SIGNED_IN),
        ({"eventActionType": "EVENT_CATEGORY_FAILED_LOGIN", "actionType": "Log on"}, FAILED),
        ({"description": "Failed log on (Failure message: wrong password)"}, FAILED),
        ({"actionType": "Failed sign in"}, FAILED),
        ({"actionType": "Sign-in", "description": "Sign-in failed"}, FAILED),
        ({"actionType": "Sign-in"}, SIGNED_IN),
        ({"description": "login.failed"}, FAILED),
        ({"actionType": "Log out"}, OTHER),
        ({"eventActionType": "EVENT_CATEGORY_LOGOUT"}, OTHER),
        ({"actionType": "Create user"}, OTHER),
        ({"actionType": "Grant admin privileges"}, ADMINISTRATORS),
        ({"eventTypeName": "EVENT_CATEGORY_ADD_ADMIN"}, ADMINISTRATORS),
        ({"actionType": "Upload file"}, FILES),
        ({"actionType": "Delete object"}, OTHER),
        ({}, OTHER),
        ({"actionType": None, "description": 5}, OTHER),
    ],
)
def test_an_activity_is_recognized_by_the_words_of_samples(activity: dict[str, Any], kind: str) -> None:
    assert kind_of(activity) == kind


@pytest.mark.parametrize(
    ("value", "day"),
    [(1795953600000, "2026-11-29"), (0, ""), (True, ""), ("soon", ""), (10**20, ""), (None, "")],
)
def test_a_day_is_shown_only_if_the_activity_has_a_time(value: Any, day: str) -> None:
    assert day_of({"timestamp": value}) == day


def test_the_user_is_found_in_both_forms() -> None:
    assert [user_of({"user": value}) for value in ({"userName": "a"}, {"name": "b"}, "c", None, {})] == [
        "a", "b", "c", "", "",
    ]  # fmt: skip


def test_activities_of_unknown_form_are_counted() -> None:
    found = summarize_activities([{}, {"user": [], "mainInfo": {"eventObjects": ["x", {"name": ""}]}}], 14509)
    assert found == [
        {
            "day": "", "instance": "", "instance_name": "", "signed_in": [], "failed": [], "new_administrators": [],
            "uploaded_files": [], "other": 2,
        }
    ]  # fmt: skip


def test_the_most_frequent_come_first_and_days_are_apart() -> None:
    def failed(user: str, day: int) -> dict[str, Any]:
        return {
            "actionType": "Failed log on",
            "user": {"userName": user},
            "timestamp": 1795953600000 + day * 86_400_000,
        }

    entries = summarize_activities([failed("a", 0), failed("b", 0), failed("b", 0), failed("a", 1)], 14509)
    assert [entry["day"] for entry in entries] == ["2026-11-29", "2026-11-30"]
    assert entries[0]["failed"] == [{"user": "b", "count": 2}, {"user": "a", "count": 1}]


def test_an_upload_without_a_visible_file_is_not_lost() -> None:
    (entry,) = summarize_activities([{"actionType": "Upload file", "user": {"userName": "a"}}], 14509)
    assert entry["uploaded_files"] == [{"name": "", "user": "a"}]
