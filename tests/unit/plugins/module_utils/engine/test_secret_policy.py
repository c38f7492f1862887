# SPDX-License-Identifier: GPL-3.0-or-later
"""When a write-only value is written, and how it is found out whether it has to be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    InvalidInput,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import Drift
from tests.unit.plugins.module_utils.builders import application, record, user
from tests.unit.plugins.module_utils.fake_store import US, Interrupted, Platform, shown

Build = Callable[..., Any]
KINDS: dict[str, tuple[str, Build]] = {
    "client secret": (
        "oauth_entity",
        lambda secret, policy="on_mismatch", **more: application(
            "A", client_secret=secret, update_secret=policy, **more
        ),
    ),
    "password": (
        "sys_user",
        lambda secret, policy="on_mismatch", **more: user("A", password=secret, update_password=policy, **more),
    ),
}
kinds = pytest.mark.parametrize(("table", "build"), KINDS.values(), ids=KINDS)
policies = pytest.mark.parametrize("policy", ["on_mismatch", "always", "on_create"])


@pytest.fixture
def platform() -> Platform:
    return Platform()


def there(platform: Platform, table: str, secret: str) -> str:
    """Put the object there, finished, with `secret`."""
    values = {"name": "A"} if table == "oauth_entity" else {"user_name": "A", "web_service_access_only": "true"}
    return platform.add(table, secret=secret, **values)


@kinds
@policies
def test_a_new_object_gets_its_secret_after_everything_else(
    platform: Platform, table: str, build: Build, policy: str
) -> None:
    platform.ensure(build("right", policy))
    assert platform.verbs == [f"create {table}", f"secret {table}"]
    assert "right" not in str(platform.log[0]), (
        "the secret goes alone (docs/facts/servicenow_platform.md#encrypted-columns)"
    )
    assert list(platform.secrets.values()) == ["right"]


@kinds
@pytest.mark.parametrize(
    ("policy", "held", "reports", "written"),
    [
        ("on_mismatch", "right", True, False),
        ("on_mismatch", "wrong", True, True),
        ("on_mismatch", "wrong", False, False),
        ("always", "right", True, True),
        ("always", "wrong", False, True),
        ("on_create", "wrong", True, False),
        ("on_create", "wrong", False, False),
    ],
)
def test_an_existing_secret_is_written_by_policy(
    platform: Platform, table: str, build: Build, policy: str, held: str, reports: bool, written: bool
) -> None:
    platform.reports_secrets = reports
    row_id = there(platform, table, held)
    predicted = platform.ensure(build("right", policy), check=True)
    result = platform.ensure(build("right", policy))
    assert shown(predicted) == shown(result)
    assert result.changed == written
    assert platform.secrets[table, row_id] == ("right" if written else held)
    assert [(d.before, d.after) for d in result.drift] == (
        [("******** (value on the platform)", "******** (desired value)")] if written else []
    )
    assert "right" not in repr(shown(result))


@kinds
def test_at_most_one_probe_before_and_one_after_writing(platform: Platform, table: str, build: Build) -> None:
    row_id = there(platform, table, "wrong")
    platform.ensure(build("right"), check=True)
    assert len(platform.probes) == 1
    platform.probes.clear()
    platform.ensure(build("right"))
    assert platform.probes == [(platform.probes[0][0], row_id)] * 2
    platform.probes.clear()
    assert not platform.ensure(build("right")).changed
    assert len(platform.probes) == 1


@kinds
def test_no_policy_but_on_mismatch_verifies_before_writing(platform: Platform, table: str, build: Build) -> None:
    there(platform, table, "wrong")
    platform.ensure(build("right", "always"), check=True)
    platform.ensure(build("right", "on_create"))
    assert platform.probes == []


@kinds
def test_an_object_that_is_new_is_not_probed_before(platform: Platform, table: str, build: Build) -> None:
    platform.ensure(build("right"), check=True)
    assert platform.probes == []
    platform.ensure(build("right"))
    assert len(platform.probes) == 1


@kinds
def test_an_unknown_verdict_is_reported_as_such(platform: Platform, table: str, build: Build) -> None:
    platform.reports_secrets = False
    there(platform, table, "wrong")
    assert not platform.ensure(build("right")).changed
    (warning,) = platform.warnings
    assert "so it was not changed" in warning
    assert "always" in warning
    assert "right" not in warning


@kinds
def test_an_empty_secret_is_refused_before_the_first_request(platform: Platform, table: str, build: Build) -> None:
    with pytest.raises(InvalidInput, match="is empty; give a value, or leave it out"):
        build("")


def test_a_secret_outside_the_desired_state_is_not_managed(platform: Platform) -> None:
    there(platform, "oauth_entity", "any")
    assert not platform.ensure(application("A")).changed
    assert platform.probes == []


@kinds
@pytest.mark.parametrize("policy", ["on_mismatch", "always"])
def test_a_secret_that_did_not_take_is_an_error(platform: Platform, table: str, build: Build, policy: str) -> None:
    there(platform, table, "wrong")
    platform.ignores |= {("oauth_entity", "client_secret"), ("sys_user", "user_password")}
    with pytest.raises(EngineError, match="stored the new secret of .* A without an error, but does not accept it"):
        platform.ensure(build("right", policy))


@kinds
def test_a_verdict_that_stays_unknown_after_writing_is_no_error(platform: Platform, table: str, build: Build) -> None:
    platform.reports_secrets = False
    there(platform, table, "wrong")
    assert platform.ensure(build("right", "always")).changed


# -- an interrupted run loses no secret -----------------------------------------------------------------------------------


@kinds
@policies
@pytest.mark.parametrize("reports", [True, False])
@pytest.mark.parametrize("fault", ["before", "after"])
def test_a_secret_that_an_interrupted_run_did_not_write_is_written_by_the_next(
    platform: Platform, table: str, build: Build, policy: str, reports: bool, fault: str
) -> None:
    platform.reports_secrets = reports
    platform.faults = {0: "after"} if fault == "after" else {1: "before"}
    with pytest.raises(Interrupted):
        platform.ensure(build("right", policy))
    assert platform.secrets == {}
    predicted = platform.ensure(build("right", policy), check=True)
    assert predicted.changed
    assert shown(platform.ensure(build("right", policy))) == shown(predicted)
    assert list(platform.secrets.values()) == ["right"]
    if policy != "always":
        assert not platform.ensure(build("right", policy)).changed


@pytest.mark.parametrize(
    ("creator", "mod_count", "reports_account"), [("somebody", "0", True), (US, "1", True), (US, "0", False)]
)
def test_a_row_that_is_not_known_to_be_our_unfinished_one_keeps_its_secret(
    platform: Platform, creator: str, mod_count: str, reports_account: bool
) -> None:
    row_id = there(platform, "oauth_entity", "theirs")
    platform.tables["oauth_entity"][row_id] |= {"sys_created_by": creator, "sys_mod_count": mod_count}
    platform.reports_account = reports_account
    assert not platform.ensure(application("A", client_secret="right", update_secret="on_create")).changed
    assert platform.secrets["oauth_entity", row_id] == "theirs"


def test_write_only_columns_of_a_record_are_written_once(platform: Platform) -> None:
    desired = {"match": {"u_name": "a"}, "values": {"u_note": "n", "u_secret": "right"}, "write_only": ["u_secret"]}
    make = lambda: record("u_thing", **desired)  # noqa: E731
    platform.ensure(make())
    assert platform.verbs == ["create u_thing", "secret u_thing"]
    assert not platform.ensure(make()).changed
    assert platform.probes == []


# -- the right row --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider_first", [True, False])
def test_the_clients_secret_is_verified_not_that_of_a_provider_of_the_same_name(
    platform: Platform, provider_first: bool
) -> None:
    kinds_of_entry = ["oauth_provider", "client"] if provider_first else ["client", "oauth_provider"]
    ids = {kind: platform.add("oauth_entity", secret="wrong", name="A", type=kind) for kind in kinds_of_entry}
    platform.ensure(application("A", client_secret="right"))
    assert {row_id for _probe, row_id in platform.probes} == {ids["client"]}
    assert platform.secrets["oauth_entity", ids["oauth_provider"]] == "wrong"


def test_a_secret_of_an_application_that_a_sys_id_picks_is_verified(platform: Platform) -> None:
    ids = [platform.add("oauth_entity", secret="wrong", name="A") for _time in range(2)]
    desired = application("A", sys_id=ids[1], client_secret="right")
    assert platform.ensure(desired).changed
    assert platform.probes == [("client_secret", ids[1])] * 2
    platform.ignores.add(("oauth_entity", "client_secret"))
    platform.secrets["oauth_entity", ids[1]] = "wrong"
    with pytest.raises(EngineError, match="does not accept it"):
        platform.ensure(application("A", sys_id=ids[1], client_secret="right"))


def test_drift_of_the_row_and_of_its_secret_are_both_reported(platform: Platform) -> None:
    there(platform, "oauth_entity", "wrong")
    result = platform.ensure(application("A", client_secret="right", comments="x"))
    assert {entry.field for entry in result.drift} == {"client_secret", "comments"}
    assert Drift("oauth_application A", "comments", "", "x") in result.drift
    assert platform.verbs == ["secret oauth_entity", "update oauth_entity"]


@kinds
@pytest.mark.parametrize("reports", [True, False])
def test_a_secret_that_cannot_be_verified_is_written_with_the_change_that_opens_the_row(
    platform: Platform, table: str, build: Build, reports: bool
) -> None:
    platform.reports_secrets = reports
    row_id = there(platform, table, "wrong")
    platform.tables[table][row_id]["active"] = "false"
    opened: dict[str, Any] = {"active": True} if table == "oauth_entity" else {"state": "present"}
    predicted = platform.ensure(build("right", **opened), check=True)
    assert shown(platform.ensure(build("right", **opened))) == shown(predicted)
    assert platform.secrets[table, row_id] == "right"
    assert not platform.ensure(build("right", **opened)).changed


def test_a_secret_of_a_row_that_stays_closed_is_left_alone_and_reported(platform: Platform) -> None:
    row_id = there(platform, "oauth_entity", "wrong")
    platform.tables["oauth_entity"][row_id]["active"] = "false"
    assert not platform.ensure(application("A", active=False, client_secret="right")).changed
    assert "could not verify" in platform.warnings[0]
