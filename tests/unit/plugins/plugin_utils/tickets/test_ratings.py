# SPDX-License-Identifier: GPL-3.0-or-later
"""Ratings and other dictionaries of dictionaries that make no sense are named, for both playbooks."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.secops.servicenow_defender.plugins.filter.alert_ticket_plan import alert_ticket_plan
from ansible_collections.secops.servicenow_defender.plugins.filter.tickets_for_recommendations import (
    tickets_for_recommendations,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.tickets.ratings import checked_ratings

WRONG = [
    ({"High": 5}, "High has 5; it must have a dictionary, such as {impact: 1, urgency: 1}"),
    ({"Hi": {"impact": 1}}, "'Hi' is no severity; they are "),
    (["High"], "is ['High']; it must be a dictionary"),
]


@pytest.mark.parametrize(("ratings", "words"), WRONG)
def test_ratings_that_make_no_sense_are_named(ratings: Any, words: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        tickets_for_recommendations([], [], ratings=ratings)
    assert "mdc_tickets_ratings" in str(caught.value) and words in str(caught.value)
    with pytest.raises(AnsibleFilterError) as caught:
        alert_ticket_plan([], options={"ratings": ratings})
    assert "defender_alerts_ratings" in str(caught.value) and words in str(caught.value)


def test_classifications_that_make_no_sense_are_named() -> None:
    with pytest.raises(
        AnsibleFilterError, match="defender_alerts_classifications: User error has 'x'; it must have a dic"
    ):
        alert_ticket_plan([], options={"classifications": {"User error": "x"}})


def test_a_severity_may_be_in_any_case() -> None:
    rating = {"impact": 1}
    assert checked_ratings("x", {"HIGH ": rating, "low": None}, ["High", "Low"]) == {"High": rating, "Low": {}}
    assert checked_ratings("x", None, ["High"]) == {}
