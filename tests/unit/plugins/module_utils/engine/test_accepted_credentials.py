# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials that a platform never returns are compared with a record of what it accepted."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.accepted_credentials import (
    Credentials,
    since_rotation,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput

OURS = Credentials(
    "integration acme-dev",
    "/subscriptions/1",
    "key-of-digests",
    {"instance_url": "https://acme-dev.example.com", "username": "svc", "client_id": "c1"},
    {"password": "Secret-1", "client_secret": "Secret-2"},
)


def test_the_same_credentials_are_proven() -> None:
    found = OURS.compare(OURS.record())
    assert found.is_proven and not found.differences and not found.unproven


@pytest.mark.parametrize("name", ["instance_url", "username", "client_id"])
def test_another_plain_value_is_a_difference_with_both_values(name: str) -> None:
    found = replace(OURS, plain={**OURS.plain, name: "other"}).compare(OURS.record())
    assert found.differences == {name: (OURS.plain[name], "other")}


@pytest.mark.parametrize("name", ["password", "client_secret"])
def test_another_secret_is_a_difference_and_stays_hidden(name: str) -> None:
    found = replace(OURS, secrets={**OURS.secrets, name: "Other-1"}).compare(OURS.record())
    assert list(found.differences) == [name]
    assert "Other-1" not in repr(found) and OURS.secrets[name] not in repr(found)


def test_a_record_holds_no_secret() -> None:
    record = OURS.record()
    assert "\n" not in record
    assert not any(secret in record for secret in (*OURS.secrets.values(), OURS.key))


@pytest.mark.parametrize("stored", ["", "  \n"])
def test_without_a_record_nothing_is_proven(stored: str) -> None:
    assert OURS.compare(stored).unproven == "which credentials it accepted is not recorded"


def test_another_key_or_place_proves_nothing() -> None:
    assert "key of their digests was replaced" in replace(OURS, key="other").compare(OURS.record()).unproven
    found = replace(OURS, place="/subscriptions/2").compare(OURS.record())
    assert found.unproven == "the recorded credentials were accepted by /subscriptions/1, not by /subscriptions/2"


def test_a_secret_that_is_not_known_here_proves_nothing() -> None:
    unknown = replace(OURS, secrets={"password": "", "client_secret": ""})
    assert unknown.compare(OURS.record()).unproven == "password and client_secret are not known here"
    assert not unknown.is_complete


def test_a_plain_value_that_is_not_known_here_proves_nothing_and_the_others_are_compared() -> None:
    unknown = replace(OURS, plain={**OURS.plain, "client_id": ""}, secrets={**OURS.secrets, "password": "Other-1"})
    found = unknown.compare(OURS.record())
    assert found.unproven == "client_id is not known here" and not found.is_equal
    assert list(found.differences) == ["password"]


def test_the_record_of_another_object_is_refused() -> None:
    other = replace(OURS, owner="integration acme-prod").record()
    with pytest.raises(
        InvalidInput, match=r"integration acme-dev: .* belongs to integration acme-prod\. Nothing was written"
    ):
        OURS.compare(other)


def tampered(**values: object) -> str:
    return json.dumps({**json.loads(OURS.record()), **values})


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        ("{", "it is not JSON"),
        ("[" * 60000, "it is not JSON"),
        ("[1]", "not a record of version 1"),
        (tampered(version=2), "not a record of version 1"),
        (tampered(digest=None), "values are missing"),
        (tampered(client_id="c2"), "its digest does not match"),
        (tampered(password="0" * 64), "its digest does not match"),
        (tampered(digest="é" * 64), "its digest does not match"),
        (tampered(digest="\ud800"), "its digest does not match"),
    ],
)
def test_a_damaged_record_is_refused(stored: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=f"is damaged: .*{why}.*Remove it"):
        OURS.compare(stored)


def test_a_record_of_what_was_handed_over_is_no_proof() -> None:
    found = OURS.compare(OURS.record(handed_over="absent"))
    assert found.is_equal and not found.is_proven
    assert found.handed_over["status"] == "absent"


@pytest.mark.parametrize("record", [OURS.record(), OURS.record("absent")], ids=["accepted", "handed over"])
def test_what_was_accepted_before_an_interrupted_rotation_is_unproven(record: str) -> None:
    later, earlier = "2999-01-01T00:00:00+00:00", "2020-01-01T00:00:00+00:00"
    found = OURS.compare(since_rotation(record, later))
    assert found.unproven.startswith(f"a rotation that started on {later} was interrupted")
    assert not found.is_proven and not found.differences
    other = replace(OURS, secrets={**OURS.secrets, "password": "Other-1"}).compare(since_rotation(record, later))
    assert list(other.differences) == ["password"] and other.unproven
    for started in (earlier, "", "damaged"):
        assert since_rotation(record, started) == record


@pytest.mark.parametrize("text", ["damaged", "[]", "7"])
def test_a_damaged_record_stays_damaged_after_an_interrupted_rotation(text: str) -> None:
    assert since_rotation(text, "2999-01-01T00:00:00+00:00") == text


def test_an_object_that_was_made_again_has_not_accepted_what_is_recorded() -> None:
    found = OURS.compare(OURS.record(object_id="1"))
    assert found.of_object("1").is_proven and found.of_object("").is_proven
    assert found.of_object("2").unproven == "it was made again since they were accepted: its id is 2, not 1"
    assert OURS.compare(OURS.record()).of_object("2").is_proven, "no id was recorded"
