# SPDX-License-Identifier: GPL-3.0-or-later
"""What the errors of connectors mean, and how to fix them. Data and one look-up.

See docs/facts/defender_for_cloud_apps.md#connector-states-and-errors.
"""

from __future__ import annotations

from typing import NamedTuple

CONFIRMED, LIKELY = "confirmed", "likely"
RENEW = (
    "Revoke the old refresh token in ServiceNow (System OAuth > Manage Tokens), then enter the same details again: "
    "Edit settings of the connector"
)
UNKNOWN_REMEDY = "Open the connector in the portal, read its message, and enter the details again (Edit settings)"


class ConnectorError(NamedTuple):
    """An error by a part of the vendor's text. `grade`: whether Microsoft documents it for ServiceNow or all apps, or for others."""

    part: str
    cause: str
    remedy: str
    grade: str = CONFIRMED


# The first one whose part is in a message applies.
ERRORS = (
    ConnectorError(
        "Invalid refresh token",
        "the refresh token has expired or was revoked",
        RENEW,
        LIKELY,
    ),
    ConnectorError(
        "refresh token is expired",
        "the refresh token has expired",
        RENEW,
        LIKELY,
    ),
    ConnectorError(
        "TokenRefreshException",
        "the refresh token was not accepted: it has expired or was revoked, or the application was changed or deactivated",
        f"Check the application with snow_oauth_check. {RENEW}",
        LIKELY,
    ),
    ConnectorError(
        "invalid_grant",
        "the instance refused user, password or refresh token",
        f"Check them with snow_oauth_check. {RENEW}",
        LIKELY,
    ),
    ConnectorError(
        "403 Forbidden",
        "the account may not read what the connector reads",
        "Check user and client with snow_oauth_check; give the account the role with the 13 read rules (snow_table_acls), or reconnect with an "
        "administrator's account",
    ),
    ConnectorError(
        "500 Internal",
        "the instance returned an internal error",
        "Check the instance's system log, then try again",
    ),
    ConnectorError(
        "Service timeout",
        "the instance did not answer in time",
        "Try again later",
    ),
    ConnectorError(
        "SocketTimeoutException",
        "the instance did not answer in time",
        "Test the connection again: Test now of the connector",
        LIKELY,
    ),
    ConnectorError(
        "401",
        "the instance refused the credentials",
        "Check them with snow_oauth_check, then enter them again (Edit settings of the connector)",
        LIKELY,
    ),
)


def explained(message: str) -> ConnectorError | None:
    """Return the known error that a message of the vendor contains, None if there is none."""
    return next((error for error in ERRORS if error.part.casefold() in message.casefold()), None)


def remedy_for(message: str) -> str:
    """Return the cause of a connector's error, and its remedy."""
    error = explained(message)
    return f"{error.cause[0].upper()}{error.cause[1:]}. {error.remedy}" if error else UNKNOWN_REMEDY
