# SPDX-License-Identifier: GPL-3.0-or-later
"""Which secrets are due, and what is left as it is."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.rotation_journal import (
    DONE,
    STARTED,
    Journal,
    unfinished_since,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.secret_rotation import Rotation, Situation

NOW = datetime(2026, 11, 29, tzinfo=timezone.utc)
ADDRESS = "https://acme-dev.service-now.com"
STORED = {"mda_password": "old-1", "mda_client_secret": "old-2", "accepted_key": "key"}


class FakeConnection:
    secrets = ("password", "client_secret")

    def __init__(self, service: str, **own: str) -> None:
        self.service = service
        self.values = SimpleNamespace(variables=own, optional=lambda name: own.get(name, ""))

    def is_default(self, option: str) -> bool:
        return f"snow_connection_{option}" not in self.values.variables

    def value(self, name: str) -> str:
        return {"application_name": "App", "user_name": "svc"}[name]

    def secret_name(self, option: str) -> str:
        return f"{self.service}_{option}"


def plan(
    stored: dict[str, str] | None = None,
    journal: Journal | None = None,
    own: Any = None,
    service: str = "mda",
    **changes: Any,
) -> dict[str, Any]:
    known = {**STORED, **(stored or {})}
    age = timedelta(days=changes.pop("stored_days_ago", 0))
    situation = {
        "users": frozenset({"svc"}),
        "applications": {"App": "id-1"},
        "connection": {service: {"status": "connected", "days_left": 60, "writable": True, **changes.pop(service, {})}},
        "max_age_days": None,
        "renew_before_days": 15.0,
        "allow_manual_steps": False,
        "now": NOW,
        **changes,
    }
    connections: Any = {service: FakeConnection(service, **(own or {}))}
    return Rotation(
        connections,
        lambda name: known.get(name, ""),
        lambda _name: NOW - age,
        journal or Journal(ADDRESS),
        Situation(**situation),
    ).as_dict()


def rotated(days_ago: float, state: str = DONE) -> Journal:
    at = (NOW - timedelta(days=days_ago)).isoformat()
    return Journal(ADDRESS, {"mda": {"state": state, "rotated_at": at}})


def secrets_of(found: dict[str, Any]) -> list[str]:
    return [name for entry in found["services"] for name in entry["secrets"]]


BOTH = ["mda_password", "mda_client_secret"]


@pytest.mark.parametrize(
    ("journal", "max_age", "stored_days_ago", "due"),
    [
        (None, None, 0, True),
        (rotated(0.5), None, 0, False),
        (rotated(1.5), None, 0, True),
        (rotated(0), 0.0, 0, True),
        (None, 30.0, 29, False),
        (None, 30.0, 30, True),
        (rotated(31), 30.0, 0, True),
        (rotated(3), 30.0, 90, False),
        (rotated(0, STARTED), 30.0, 0, True),
    ],
)
def test_what_is_due(journal: Journal | None, max_age: float | None, stored_days_ago: int, due: bool) -> None:
    found = plan(journal=journal, max_age_days=max_age, stored_days_ago=stored_days_ago)
    assert secrets_of(found) == (BOTH if due else [])


@pytest.mark.parametrize("max_age", [None, 30])
def test_what_a_wrong_clock_has_dated_years_ahead_is_due(max_age: float | None) -> None:
    assert secrets_of(plan(journal=rotated(-1000), max_age_days=max_age, stored_days_ago=-1000))
    assert secrets_of(plan(max_age_days=max_age, stored_days_ago=-1000))
    # The clock of another controller is a little ahead.
    assert not secrets_of(plan(journal=rotated(-0.01), max_age_days=max_age, stored_days_ago=-1000))


def test_days_may_be_text() -> None:
    """As templates of ansible-core 2.18 make of numbers, and an empty one of none."""
    recent = {"journal": rotated(3), "max_age_days": 30.0}
    assert plan(**recent, mda={"days_left": "14", "ended_days_ago": ""})["services"]
    assert not plan(**recent, mda={"days_left": "15", "ended_days_ago": ""})["services"]
    assert plan(**recent, mda={"days_left": "0", "ended_days_ago": "3"})["services"]
    empty = {"days_left": "", "ended_days_ago": ""}
    assert plan(journal=rotated(0.5), mda=empty)["services"] == []
    known = {"journal": rotated(3), "max_age_days": 30.0, "mda": {**empty, "has_token": True}}
    assert "Cloud Apps does not show when it was connected last" in plan(**known)["unproven"][0]["reason"]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([], ("", None)),
        ([{"status": "connected", "days_left": 9}], ("connected", 9.0)),
        ([{"status": "unknown"}], ("", None)),
        ([{"status": "unknown", "message": "connecting"}], ("unknown", None)),
        ([{"status": "unknown", "days_left": 3}, {"status": "error", "days_left": 9}], ("error", 3.0)),
    ],
)
def test_the_rows_of_a_connector_say_its_status_and_its_days(
    rows: list[dict[str, Any]], found: tuple[str, float | None]
) -> None:
    situation = Situation(frozenset(), {}, {"mda": {"rows": rows, "writable": True}}, None, 15, False)
    connection = situation.connection_of("mda")
    assert (connection["status"], connection["days_left"]) == found
    assert connection["writable"] and connection["ended_days_ago"] is None


def test_a_secret_that_is_pending_is_not_generated_again() -> None:
    found = plan({"mda_password_new": "new-1"}, rotated(0))
    assert secrets_of(found) == BOTH
    assert found["generate"] == ["mda_client_secret_new"]
    assert found["services"][0]["write_again"] is True


def test_what_is_left_of_a_complete_rotation_is_generated_again() -> None:
    found = plan({"mda_password_new": "old-1"})
    assert found["in_use"] == ["mda_password_new"]
    assert "mda_password_new" in found["generate"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"users": frozenset()}, "run onboard first"),
        ({"applications": {}}, "run onboard first"),
        ({"stored": {"mda_accepted": f'{{"client_id":"id-2","instance_url":"{ADDRESS}"}}'}}, "as that of a clone has"),
        ({"mda": {"status": "absent"}}, "it has no connector yet"),
        ({"mda": {"status": ""}}, "could not be read"),
        ({"stored": {"mda_password": ""}}, "mda_password is not stored"),
        (
            {"own": {"snow_connection_password": "x", "snow_connection_client_secret": "y"}},
            "Replace it there, then run onboard",
        ),
    ],
)
def test_what_is_left_as_it_is_has_a_reason(changes: dict[str, Any], reason: str) -> None:
    found = plan(**changes)
    assert not found["services"]
    assert reason in found["unproven"][0]["reason"]


def test_a_connector_that_can_only_be_written_manually_waits_for_consent() -> None:
    by_hand = {"status": "connected", "writable": False}
    assert [step["id"] for step in plan(mda=by_hand)["manual_steps"]] == ["rotate:mda"]
    assert secrets_of(plan(mda=by_hand, allow_manual_steps=True)) == BOTH


@pytest.mark.parametrize(
    ("journal", "mda", "reason"),
    [
        (rotated(3), {"days_left": None, "has_token": True}, "Cloud Apps does not show when it was connected last"),
        (rotated(3), {"days_left": None, "has_token": True, "status": ""}, "its connector could not be read"),
        (rotated(3), {"days_left": None, "has_token": False}, ""),
        (rotated(3), {"days_left": None, "has_token": True, "status": "disabled"}, ""),
        (rotated(3), {"days_left": 60, "has_token": True}, ""),
    ],
)
def test_a_connector_whose_token_has_an_unknown_end_is_named(
    journal: Journal, mda: dict[str, Any], reason: str
) -> None:
    found = plan(journal=journal, max_age_days=30.0, mda=mda)
    assert not found["services"]
    assert [entry["object"] for entry in found["unproven"]] == (["refresh token mda"] if reason else [])
    assert reason in "".join(entry["reason"] for entry in found["unproven"])


def test_a_token_that_has_ended_is_renewed_also_without_days_before() -> None:
    ended = {"days_left": 0, "ended_days_ago": 3}
    found = plan(journal=rotated(1), max_age_days=30.0, mda=ended, renew_before_days=0.0)
    assert [entry["secrets"] for entry in found["services"]] == [[]]


IMPORT = "mdc_configuration_compliance"


@pytest.mark.parametrize(
    ("service", "own", "named", "rotated"),
    [
        (
            "mda",
            {"snow_connection_password": "x"},
            {"secret mda_password": "snow_connection_password"},
            ["mda_client_secret"],
        ),
        (
            "mda",
            {"snow_connection_password": "x", "mda_connection_client_secret": "y"},
            {
                "secret mda_password": "snow_connection_password",
                "secret mda_client_secret": "mda_connection_client_secret",
            },
            [],
        ),
        (
            "mdc",
            {f"{IMPORT}_client_secret": "x", f"{IMPORT}_client_id": "id-9"},
            {"secret of the import into Configuration Compliance": f"{IMPORT}_client_secret"},
            ["mdc_password", "mdc_client_secret"],
        ),
        ("mdc", {f"{IMPORT}_client_secret": ""}, {}, ["mdc_password", "mdc_client_secret"]),
    ],
)
def test_a_secret_that_a_variable_sets_is_named_and_left(
    service: str, own: dict[str, str], named: dict[str, str], rotated: list[str]
) -> None:
    stored = {f"{service}_{name}": "old" for name in ("password", "client_secret")}
    found = plan(stored, own=own, service=service)
    assert secrets_of(found) == rotated
    assert [entry["object"] for entry in found["unproven"]] == list(named)
    for entry in found["unproven"]:
        assert f"left as it is: the variable {named[entry['object']]} sets it. " in entry["reason"]
        assert "then run onboard" in entry["reason"]
        assert not {"x", "y"} & set(entry["reason"].split())


@pytest.mark.parametrize(
    ("accepted_days_ago", "lifespan_days", "expires_in", "renewed"),
    [
        (80, 90, None, True),
        (70, 90, None, False),
        (1, 3650, 14, True),
        (1, 3650, 16, False),
        (1, 3650, -2, True),
        (80, 90, 60, True),
        (1, 0, None, False),
        (None, 90, None, False),
    ],
)
def test_an_integration_is_renewed_before_its_token_ends(
    accepted_days_ago: int | None, lifespan_days: int, expires_in: int | None, renewed: bool
) -> None:
    today = datetime.now(timezone.utc)
    known: dict[str, Any] = {"days_left": None, "refresh_token_lifespan": lifespan_days * 86400, "accepted": ""}
    if accepted_days_ago is not None:
        known["accepted"] = json.dumps({"accepted_at": (today - timedelta(days=accepted_days_ago)).isoformat()})
    if expires_in is not None:
        known["refresh_token_expires_at"] = (today + timedelta(days=expires_in, hours=1)).isoformat()
    stored = {"mdc_password": "old-1", "mdc_client_secret": "old-2"}
    at = (today - timedelta(days=3)).isoformat()
    journal = Journal(ADDRESS, {"mdc": {"state": DONE, "rotated_at": at, "at": at}})
    found = plan(stored, journal, service="mdc", max_age_days=30.0, mdc=known, now=today)
    assert [(entry["secrets"], entry["write_again"]) for entry in found["services"]] == [([], True)] * renewed
    assert not found["unproven"]


def test_a_renewal_keeps_the_secrets() -> None:
    found = plan(journal=rotated(1), max_age_days=30.0, mda={"days_left": 14})
    assert [(entry["secrets"], entry["write_again"]) for entry in found["services"]] == [([], True)]
    assert found["generate"] == []
    done = json.loads(found["journal"][DONE])
    assert done["services"]["mda"]["rotated_at"] == rotated(1).services["mda"]["rotated_at"]


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"version":2,"instance":"x","services":{}}', '{"version":1,"instance":"x","services":[]}',
     '{"version":1,"instance":"x","services":{"mda":1}}'],
)  # fmt: skip
def test_a_damaged_journal_is_replaced(text: str) -> None:
    journal = Journal.parse(text, ADDRESS, "there")
    assert not journal.services
    assert "the journal there was damaged" in journal.problem


def test_a_journal_shows_since_when_a_rotation_is_not_complete() -> None:
    started = Journal(ADDRESS).noting(STARTED, {"mda": True}, NOW)
    assert unfinished_since(started, "mda") == NOW.isoformat()
    done = Journal.parse(started, ADDRESS, "there").noting(DONE, {"mda": True}, NOW)
    for text, service in ((started, "mdc"), (done, "mda"), ("", "mda"), ("damaged", "mda")):
        assert unfinished_since(text, service) == ""


def test_a_journal_of_another_instance_is_refused() -> None:
    text = Journal("https://acme-other.service-now.com").noting(STARTED, {"mda": True}, NOW)
    with pytest.raises(ValueError, match="belongs to https://acme-other"):
        Journal.parse(text, ADDRESS, "there")
