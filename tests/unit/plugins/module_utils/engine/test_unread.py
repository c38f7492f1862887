# SPDX-License-Identifier: GPL-3.0-or-later
"""A comparison names what the account may not read, and compares the rest."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput, Refused
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.reconcile import compare
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import Result
from tests.unit.plugins.module_utils.builders import application, role, user
from tests.unit.plugins.module_utils.fake_store import Platform


@pytest.fixture
def platform() -> Platform:
    platform = Platform()
    platform.ensure(*wanted())
    return platform


def wanted() -> list[Any]:
    return [
        role("u_reader"),
        user("svc", roles=["u_reader"]),
        application("Defender", access_token_lifespan=3600),
    ]


def unproven(result: Result) -> dict[tuple[str, str], str]:
    return {(entry.object, entry.field): entry.reason for entry in result.all_unproven()}


def test_a_table_that_is_closed_leaves_its_objects_unproven_and_the_others_compared(platform: Platform) -> None:
    assert unproven(compare(platform, *wanted())) == {}
    platform.closed = {"oauth_entity"}
    platform.row("sys_user_role", "u_reader")["name"] = "u_renamed"
    result = compare(platform, *wanted())
    ((found, reason),) = unproven(result).items()
    assert found == ("oauth_application Defender", "state")
    assert reason.startswith("the account may not read oauth_entity (User Not Authorized)")
    assert "role u_reader" in {entry.object for entry in result.drift}
    assert [row["status"] for row in result.output["results"]][-1] == "unknown"
    # What is written must be known.
    with pytest.raises(Refused, match="refused to read oauth_entity"):
        platform.ensure(*wanted())


def test_an_object_is_unproven_if_what_it_refers_to_is_closed(platform: Platform) -> None:
    platform.closed = {"sys_user_has_role"}
    assert set(unproven(compare(platform, *wanted()))) == {("user svc", "state")}


def test_an_object_whose_row_is_counted_and_not_shown_is_unproven_not_absent(platform: Platform) -> None:
    platform.hidden = {platform.id_of("oauth_entity", "Defender")}
    result = compare(platform, *wanted())
    assert result.drift == []
    ((found, reason),) = unproven(result).items()
    assert found == ("oauth_application Defender", "state")
    assert "may not see 1 matching rows of oauth_entity" in reason


def test_a_column_that_cannot_be_read_leaves_its_field_unproven(platform: Platform) -> None:
    platform.unreadable = {("oauth_entity", "access_token_lifespan")}
    assert set(unproven(compare(platform, *wanted()))) == {("oauth_application Defender", "access_token_lifespan")}
    with pytest.raises(InvalidInput, match="oauth_entity has no field access_token_lifespan"):
        platform.ensure(*wanted())


def test_an_account_that_may_read_nothing_is_refused(platform: Platform) -> None:
    platform.closed = {"oauth_entity", "sys_user_has_role", "sys_user_role", "sys_user"}
    with pytest.raises(Refused, match="refused to read"):
        compare(platform, *wanted())
