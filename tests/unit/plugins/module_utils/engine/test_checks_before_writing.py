# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is written before everything is known to be right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput, Refused
from tests.unit.plugins.module_utils.builders import application, properties, record, role, user
from tests.unit.plugins.module_utils.fake_store import Platform

Mistake = Callable[[], list[Any]]
MISTAKES: dict[str, tuple[Mistake, str]] = {
    "unknown role": (
        lambda: [user("a", roles=["u_nowhere"])],
        "user a: roles names 'u_nowhere', but no sys_user_role record has that name, and nothing in this task creates it",
    ),
    "unknown contained role": (
        lambda: [role("u_a", contains=["u_nowhere"])],
        "role u_a: contains names 'u_nowhere'",
    ),
    "unknown user": (
        lambda: [application("A", oauth_user="missing")],
        "oauth_application A: oauth_user names 'missing', but no sys_user record has that user_name",
    ),
    "role in other case": (lambda: [user("a", roles=["ITIL"])], "user a: roles names 'ITIL'"),
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
def test_invalid_options_stop_a_run_before_the_first_write(
    platform: Platform, mistaken: Mistake, words: str, check: bool
) -> None:
    platform.add("oauth_entity", name="Other")
    platform.add("u_thing", u_name="other")
    platform.add("sys_properties", name="glide.x", value="1")
    with pytest.raises(InvalidInput) as caught:
        platform.ensure(role("u_new"), *mistaken(), check=check)
    assert words in str(caught.value)
    assert platform.log == []


def test_an_ambiguous_reference_stops_a_run_that_has_written_nothing(platform: Platform) -> None:
    ids = sorted(platform.add("sys_user", user_name="twin") for _time in range(2))
    with pytest.raises(InvalidInput, match=f"2 sys_user records .*twin.*{ids[0]}, {ids[1]}"):
        platform.ensure(role("u_new"), application("A", oauth_user="twin"))
    assert platform.log == []


@pytest.mark.parametrize("held", [False, True])
def test_a_reference_to_what_the_same_call_removes_stops_a_run_that_has_written_nothing(
    platform: Platform, held: bool
) -> None:
    platform.add("sys_user", user_name="a", web_service_access_only="true")
    if held:
        platform.grant("a", "itil")
    with pytest.raises(InvalidInput, match="role itil is to be deleted, but other objects of this task refer to it"):
        platform.ensure(role("itil", state="absent"), user("a", roles=["itil"]))
    assert platform.log == []


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("desired", "what", "takes"),
    [
        (lambda: user("a"), "write user a", "user_admin, admin"),
        (lambda: application("A"), "write oauth_application A", "oauth_admin, mi_admin, admin"),
        (lambda: role("u_a"), "write role u_a", "user_admin, admin"),
        (lambda: properties({"x": 1}), "create system properties", "admin"),
        (lambda: record("sys_properties", {"name": "x"}), None, None),
    ],
)
def test_a_missing_right_stops_a_run_that_has_written_nothing(
    platform: Platform, desired: Any, what: str | None, takes: str, check: bool
) -> None:
    platform.roles = frozenset({"itil", "rest_service"})
    if what is None:
        platform.ensure(desired(), check=check)
        return
    with pytest.raises(Refused) as caught:
        platform.ensure(desired(), check=check)
    assert str(caught.value) == (
        f"acme-dev: svc_ansible may not {what}: it needs one of the roles {takes}, but has: itil, rest_service. "
        "Nothing was written"
    )
    assert platform.log == []


def test_only_an_administrator_grants_admin(platform: Platform) -> None:
    platform.roles = frozenset({"user_admin"})
    with pytest.raises(Refused, match=r"may not grant admin to user a: it needs one of the roles admin"):
        platform.ensure(user("a", roles=["admin"]))
    assert platform.log == []
    platform.ensure(user("a", roles=["itil"]))


def test_a_role_that_suffices_suffices(platform: Platform) -> None:
    platform.roles = frozenset({"mi_admin"})
    platform.ensure(application("A"))


@pytest.mark.parametrize("reports", [True, False])
def test_rights_that_cannot_be_read_stop_nothing(platform: Platform, reports: bool) -> None:
    platform.roles, platform.reports_account = None, reports
    platform.ensure(application("A"), user("a"))
    assert len(platform.log) == 2


def test_rights_do_not_matter_where_nothing_is_to_be_written(platform: Platform) -> None:
    platform.ensure(user("a"))
    platform.roles = frozenset()
    assert not platform.ensure(user("a")).changed
