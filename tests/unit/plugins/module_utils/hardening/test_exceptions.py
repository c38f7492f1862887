# SPDX-License-Identifier: GPL-3.0-or-later
"""Accepted deviations have an end, and invalid ones are all reported at once."""

from __future__ import annotations

from datetime import date

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.exceptions import Exceptions

TODAY = date(2026, 11, 29)
TIMEOUT = "session.idle_timeout"


@pytest.mark.parametrize(
    ("until", "accepted"), [("2026-11-28", False), ("2026-11-29", True), ("2026-11-30", True), (None, True)]
)
def test_an_exception_holds_through_its_last_day(until: str | None, accepted: bool) -> None:
    found = Exceptions.of([{"id": TIMEOUT, "reason": "kiosks", "owner": None, "until": until}], TODAY)
    assert (TIMEOUT in found.reasons) is accepted
    assert bool(found.ended) is not accepted


def test_everything_invalid_is_named() -> None:
    entries = [
        {"id": TIMEOUT, "reason": "kiosks"},
        {"id": TIMEOUT, "reason": "kiosks"},
        {"id": "session.idle_timeot", "reason": "kiosks"},
        {"id": "auth.mfa_enabled", "reason": " "},
        {"id": "auth.mfa_email_otp", "reason": "kiosks", "until": "31.12.2026"},
    ]
    with pytest.raises(InvalidInput) as raised:
        Exceptions.of(entries, TODAY)
    for words in (
        f"{TIMEOUT} is there twice",
        f"did you mean {TIMEOUT}",
        "auth.mfa_enabled has no reason",
        "until of auth.mfa_email_otp must be a date such as 2027-06-30, not '31.12.2026'",
        "Nothing was written",
    ):
        assert words in str(raised.value)
