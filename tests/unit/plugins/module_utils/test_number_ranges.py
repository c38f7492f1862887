# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that users and roles legitimately give are in range; the tests of modules and of variables try the rest."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.number_ranges import range_problem

TEN_YEARS = 315_360_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # What role mda_connection passes on if it does not know the application.
        ("connectors[0].refresh_token_lifespan", 0),
        ("mda_connection_refresh_token_lifespan", "0"),
        ("snow_connection_refresh_token_lifespan", TEN_YEARS),
        ("oauth_applications[1].refresh_token_lifespan", str(TEN_YEARS)),
        ("assignment_rules[0].order", -100),
        ("mdc_configuration_compliance_assignment_rules[0].order", "-1"),
    ],
)
def test_what_users_legitimately_have_is_in_range(name: str, value: Any) -> None:
    assert range_problem(name, value) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("oauth_applications[0].refresh_token_lifespan", 0),
        ("snow_connection_refresh_token_lifespan", 0),
        ("connectors[0].refresh_token_lifespan", -1),
        ("sources.azure", -1),
    ],
)
def test_the_same_words_can_have_another_range_elsewhere(name: str, value: Any) -> None:
    assert f"{name} must be between" in range_problem(name, value)
