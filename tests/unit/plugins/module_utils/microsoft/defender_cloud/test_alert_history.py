# SPDX-License-Identifier: GPL-3.0-or-later
"""When the status of an alert was last set, by the activity log (docs/facts/defender_for_cloud.md#activity-log)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.defender_cloud.alerts import (
    alert_key,
)
from ansible_collections.secops.servicenow_defender.plugins.modules import mdc_alert_info
from tests.unit.plugins.module_utils.loopback import answer
from tests.unit.plugins.module_utils.microsoft.fake_arm import SCOPE, SECURITY, ResourceManagerDouble, error

LOG = f"GET {SCOPE}/providers/Microsoft.Insights/eventtypes/management/values"
ALERT = f"{SCOPE}{SECURITY}/locations/westeurope/alerts/2518"
DAY = f"{datetime.now(timezone.utc) - timedelta(days=9):%Y-%m-%d}"
SINCE = {alert_key(ALERT): f"{DAY} 10:00:00"}


def event(moment: str, verb: str = "resolve", status: str = "Succeeded") -> dict[str, Any]:
    action = {"value": f"Microsoft.Security/locations/alerts/{verb}/action"}
    return {"eventTimestamp": f"{DAY}T{moment}Z", "operationName": action, "status": {"value": status}}


def read(arm: ResourceManagerDouble, status: str = "Active", **options: Any) -> dict[str, Any]:
    row = {"id": ALERT, "name": "2518", "properties": {"status": status, "severity": "High"}}
    arm.script(f"GET {SCOPE}{SECURITY}/alerts", answer({"value": [row]}))
    (found,) = arm.run(mdc_alert_info, scope=SCOPE, status=[], **options)["alerts"]
    return dict(found)


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([], ""),
        ([event("11:00:00", status="Failed"), event("11:00:00", status="Started")], ""),
        ([event("11:00:00", verb="read")], ""),
        ([event("11:00:00"), event("12:30:00.1234567", verb="activate")], f"{DAY}T12:30:00.1234567Z"),
        ([event("11:00:00", verb="inProgress")], f"{DAY}T11:00:00Z"),
    ],
)
def test_the_last_action_that_sets_a_status_counts(arm: ResourceManagerDouble, events: list[Any], found: str) -> None:
    arm.script(LOG, answer({"value": events}))
    assert read(arm, changes_since=SINCE)["status_set_at"] == found
    query = arm.server.received[-1].query
    assert query["$filter"] == f"eventTimestamp ge '{DAY}T10:00:00Z' and resourceUri eq '{ALERT}'"


def test_the_log_is_read_of_open_alerts_only_that_are_asked_for(arm: ResourceManagerDouble) -> None:
    assert "status_set_at" not in read(arm, status="Dismissed", changes_since=SINCE)
    assert "status_set_at" not in read(arm, changes_since={alert_key("/other"): DAY})
    assert "status_set_at" not in read(arm)
    assert not any("Insights" in line for line in arm.server.lines)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (error("AuthorizationFailed", "No", 403), "Give the identity Reader there"),
        (error("TooManyRequests", "Slow", 429), "throttling"),
    ],
)
def test_a_log_that_cannot_be_read_leaves_it_open(arm: ResourceManagerDouble, reply: Any, words: str) -> None:
    arm.script(LOG, reply)
    row = read(arm, changes_since=SINCE, retries=0)
    assert row["status_set_at"] is None
    assert words in row["status_set_refused"] and "Security Admin" not in row["status_set_refused"]


@pytest.mark.parametrize("key", ["eventTimestamp", "operationName", "status"])
@pytest.mark.parametrize("value", ["", None, {"name": "x"}])
def test_an_event_that_is_not_recognized_leaves_it_open(arm: ResourceManagerDouble, key: str, value: Any) -> None:
    arm.script(LOG, answer({"value": [event("11:00:00", verb="read"), {**event("11:00:00"), key: value}]}))
    row = read(arm, changes_since=SINCE)
    assert row["status_set_at"] is None
    assert "entry 2 of 2 of the activity log lacks one of eventTimestamp" in row["status_set_refused"]


def test_a_time_before_the_events_that_the_log_keeps_leaves_it_open(arm: ResourceManagerDouble) -> None:
    row = read(arm, changes_since={alert_key(ALERT): "2020-01-01"})
    assert row["status_set_at"] is None
    assert "keeps 90 days, and 2020-01-01T00:00:00Z is before them" in row["status_set_refused"]
    assert not any("Insights" in line for line in arm.server.lines)


def test_a_time_that_is_none_is_refused(arm: ResourceManagerDouble) -> None:
    with pytest.raises(InvalidInput, match="changes_since: alert-.*: 'yesterday' is neither a date"):
        read(arm, changes_since={alert_key(ALERT): "yesterday"})
