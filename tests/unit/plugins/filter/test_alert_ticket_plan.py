# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the plan for alerts, as the templates of each line of ansible-core make them."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.secops.servicenow_defender.plugins.filter.alert_ticket_plan import alert_ticket_plan


def test_a_number_may_be_text() -> None:
    given = {"severities": ["High"], "since": ""}
    assert alert_ticket_plan([], options={**given, "max_new": "2"}) == alert_ticket_plan(
        [], options={**given, "max_new": 2}
    )


@pytest.mark.parametrize("value", ["many", None, []])
def test_another_value_is_refused_by_name(value: object) -> None:
    with pytest.raises(AnsibleFilterError, match="max_new must be a number"):
        alert_ticket_plan([], options={"max_new": value})
