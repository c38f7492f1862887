# SPDX-License-Identifier: GPL-3.0-or-later
"""Which evidence shows that the credentials of a manual step were entered."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps.connector_credentials import (
    ConnectorCredentials,
)

ADDRESS, PLACE = "https://acme-dev.service-now.com", "https://acme.portal.cloudappsecurity.com"
EARLIER, LATER = "2026-11-01T00:00:00+00:00", "2026-11-02T00:00:00+00:00"
ENTRY = {
    "name": "acme-dev",
    "mode": "oauth",
    "username": "svc",
    "password": "p",
    "client_id": "c",
    "client_secret": "s",
    "accepted_key": "k" * 40,
}


def row(connected: str) -> dict[str, Any]:
    return {"last_connected": connected}


def entered(status: str, before: str, now: str) -> bool:
    asked = ConnectorCredentials.from_entry(ENTRY, ADDRESS, PLACE)
    assert asked
    record = asked.handed_over(status, row(before) if before else None)
    found = ConnectorCredentials.from_entry({**ENTRY, "accepted": record}, ADDRESS, PLACE)
    assert found
    return not found.compare(row(now)).unproven


@pytest.mark.parametrize(
    ("status", "before", "now", "expected"),
    [
        ("absent", "", "", True),
        ("absent", "", EARLIER, True),
        ("error", "", EARLIER, True),
        ("error", EARLIER, EARLIER, False),
        ("connected", EARLIER, LATER, True),
        ("connected", LATER, EARLIER, False),
        ("unknown", "", "", False),
        ("unknown", "", LATER, False),
        ("unknown", EARLIER, EARLIER, False),
        ("unknown", EARLIER, LATER, True),
    ],
)
def test_only_a_connection_after_the_step_shows_that_it_was_done(
    status: str, before: str, now: str, expected: bool
) -> None:
    assert entered(status, before, now) is expected
