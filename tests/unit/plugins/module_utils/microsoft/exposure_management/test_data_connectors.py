# SPDX-License-Identifier: GPL-3.0-or-later
"""Data connectors: what was entered, what has to be entered again, and what nothing shows."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import Result
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.exposure_management.assets import (
    Assets,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.exposure_management.data_connectors import (
    data_connectors,
)

NONE, SOME, REFUSED = Assets(), Assets(12), Assets(refused="Grant ThreatHunting.Read.All")


def entry(name: str = "acme-dev", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "instance_url": f"https://{name}.service-now.com/",
        "mode": "client_credentials",
        "client_id": "c1",
        "client_secret": "s3cret",
        "accepted_key": "key",
        **more,
    }


def compare(*entries: dict[str, Any], assets: Assets = NONE) -> Result:
    return data_connectors(entries, assets, "tenant-1")


def record(assets: Assets = NONE, **more: Any) -> str:
    return str(compare(entry(**more), assets=assets).output["results"][0]["accepted"])


def test_a_connector_that_nothing_shows_is_a_manual_step_with_values() -> None:
    result = compare(entry())
    (row,), (step,) = result.output["results"], result.manual_steps
    assert row["status"] == "unknown"
    assert "is not recorded" in row["reason"]
    assert step.values["Instance"] == "acme-dev.service-now.com"
    assert step.values["Client ID"] == "c1"
    assert step.secret_values == ["Client secret"]
    assert "s3cret" not in str(result)


@pytest.mark.parametrize(
    ("more", "operations"),
    [
        ({"client_secret": ""}, []),
        ({"client_secret": "", "connected": False}, ["create"]),
        ({}, ["update"]),
        ({"client_secret": "", "accepted": record()}, ["update"]),
    ],
)
def test_what_is_not_known_of_a_connected_one_cannot_be_entered(more: dict[str, Any], operations: list[str]) -> None:
    result = compare(entry(**{"connected": True, **more}))
    assert [step.id.split(":")[1] for step in result.manual_steps] == operations
    (unproven,) = result.all_unproven()
    assert (unproven.object, unproven.field) == ("data_connector acme-dev", "credentials")


def test_a_step_that_is_open_stays_open_and_is_recorded_once() -> None:
    result = compare(entry(accepted=record()))
    (row,) = result.output["results"]
    assert "nothing shows that they were" in row["reason"]
    assert "accepted" not in row
    assert len(result.manual_steps) == 1


def test_first_assets_show_that_a_single_connector_was_connected() -> None:
    result = compare(entry(accepted=record()), assets=SOME)
    (row,) = result.output["results"]
    assert (row["status"], result.manual_steps) == ("ok", [])
    again = compare(entry(accepted=row["accepted"]), assets=SOME)
    assert again.output["results"] == [{key: value for key, value in row.items() if key != "accepted"}]


def test_assets_may_come_from_a_connector_that_the_run_left_out() -> None:
    result = data_connectors([entry(accepted=record())], SOME, "tenant-1", complete=False)
    assert result.output["results"][0]["status"] == "unknown"
    assert len(result.manual_steps) == 1


def test_assets_of_before_show_nothing_of_a_new_connector() -> None:
    accepted = record(assets=SOME)
    assert compare(entry(accepted=accepted), assets=SOME).output["results"][0]["status"] == "unknown"
    entered = compare(entry(accepted=accepted, credentials_entered=True), assets=SOME).output["results"][0]
    assert entered["status"] == "ok"


def test_of_two_connectors_assets_show_neither() -> None:
    both = [entry(name, accepted=record(name=name)) for name in ("acme-dev", "acme-prod")]
    assert [row["status"] for row in compare(*both, assets=SOME).output["results"]] == ["unknown", "unknown"]


@pytest.mark.parametrize("assets", [NONE, REFUSED])
def test_entered_credentials_without_assets_are_unproven(assets: Assets) -> None:
    result = compare(entry(credentials_entered=True), assets=assets)
    (row,) = result.output["results"]
    assert row["status"] == "unknown"
    assert (assets.refused or "no asset of ServiceNow") in row["reason"]
    assert result.manual_steps == []


@pytest.mark.parametrize("change", [{"client_secret": "new"}, {"client_id": "c2"}])
def test_a_change_is_drift_and_has_to_be_entered_again(change: dict[str, str]) -> None:
    accepted = record(credentials_entered=True, assets=SOME)
    result = compare(entry(accepted=accepted, **change), assets=SOME)
    assert [each.field for each in result.drift] == list(change)
    assert result.output["results"][0]["status"] == "manual"
    assert result.manual_steps[0].title == "Enter the details of acme-dev in Exposure Management again"
    assert "new" not in str(result.drift)


def test_what_is_not_known_is_not_recorded() -> None:
    (row,) = compare(entry(client_secret="")).output["results"]
    assert "accepted" not in row


def test_user_name_and_password_are_compared_with_basic_authentication() -> None:
    own = {"mode": "basic", "username": "svc", "password": "pw"}
    accepted = record(credentials_entered=True, **own)
    assert [each.field for each in compare(entry(**{**own, "password": "x"}, accepted=accepted)).drift] == ["password"]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([entry(), entry()], "two entries with the name acme-dev"),
        ([entry(), entry("b", instance_url="https://ACME-dev.service-now.com")], "two entries with the instance_url"),
        ([entry(instance_url="acme-dev")], "must be an absolute URL"),
        ([entry(accepted="{}")], "damaged"),
    ],
)
def test_bad_input_is_one_sentence(entries: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        compare(*entries)
