# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of connectors: the most specific explanation applies, and the guide lists all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps.connector_errors import (
    CONFIRMED,
    ERRORS,
    UNKNOWN_REMEDY,
    explained,
    remedy_for,
)

GUIDE = Path(__file__).parents[6] / "docs/docsite/rst/guide_cloud_apps.rst"
BOX = 'TokenRefreshException: {"error":"invalid_grant","error_description":"Invalid refresh token"}'


@pytest.mark.parametrize(
    ("message", "part"),
    [
        (f"ContextManagerServiceException: com.adallom.adalib.httputils.exceptions.{BOX}", "Invalid refresh token"),
        ("AADSTS70008: The provided authorization code or refresh token is expired.", "refresh token is expired"),
        ("TokenRefreshException: null", "TokenRefreshException"),
        ('{"error":"invalid_grant"}', "invalid_grant"),
        ("RuntimeException: com.adallom.HttpRequestFailure: Server returned: 403 Forbidden", "403 Forbidden"),
        ("HttpRequestFailure: Server returned: 500 Internal server error", "500 Internal"),
        ("HttpRequestFailure: Server returned: 401 Unauthorized", "401"),
        ("Service timeout", "Service timeout"),
        ("SocketTimeoutException: Read timed out", "SocketTimeoutException"),
    ],
)
def test_the_most_specific_explanation_applies(message: str, part: str) -> None:
    error = explained(message)
    assert error is not None
    assert error.part == part
    assert remedy_for(message).endswith(error.remedy)


def test_an_unknown_message_sends_the_reader_to_the_portal() -> None:
    assert explained("CONSOLE2_APP_CONNECTORS_STATUS_WARNING") is None
    assert remedy_for("") == UNKNOWN_REMEDY


def test_the_guide_lists_every_error_with_its_grade() -> None:
    text = GUIDE.read_text()
    for error in ERRORS:
        documented = "yes" if error.grade == CONFIRMED else "likely"
        assert f"  * - ``{error.part}``\n    - {documented}\n" in text, error.part
