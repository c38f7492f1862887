# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks whether the instance holds a given secret: it never shows one, but it accepts or refuses it.

Both checks change nothing. A check of a client secret issues no token; a check of a password is one sign-in.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from ..engine.snapshot import Row
from ..engine.store import CLOSED, MATCH, MISMATCH, UNKNOWN
from ..transport.responses import Response
from .auth import FixedSigner, ask_for_token, basic_header, token_form
from .client import ServiceNowClient
from .query import TableQuery, encoded

# An account is locked after 5 failed sign-ins by default; ours must never be one of the last. Once the password was
# written, a sign-in most likely succeeds, which resets the count; one attempt is left in reserve anyway.
MAX_FAILED_ATTEMPTS = 2
MAX_FAILED_AFTER_WRITING = 4
CLIENT_REFUSED = frozenset({"invalid_client", "unauthorized_client"})


def client_secret_verdict(client: ServiceNowClient, value: str, row: Row) -> str:
    """Return whether the OAuth application of `row` has the client secret `value`.

    Asks for a token with a refresh token that cannot exist. An answer that refuses the client means a wrong secret. Any other
    one is compared with the answer to a secret that cannot be right: if they differ, the given secret got further; if they do
    not, the answers do not distinguish the two cases, and only a real grant does.
    """
    if row.get("active") == "false":
        return CLOSED
    client_id = row.get("client_id", "")
    if not client_id:
        return UNKNOWN
    given = _token_answer(client, client_id, value)
    if _is_refused(given):
        return MISMATCH
    impossible = _token_answer(client, client_id, secrets.token_hex(16))
    if _word(given) != _word(impossible):
        return MATCH
    return _real_grant_verdict(client, client_id, value)


def client_secret_refused(client: ServiceNowClient, value: str, row: Row) -> bool:
    """Return whether the token endpoint refuses the client of `row` with the client secret `value`; one request."""
    client_id = row.get("client_id", "")
    return row.get("active") != "false" and bool(client_id) and _is_refused(_token_answer(client, client_id, value))


def _token_answer(client: ServiceNowClient, client_id: str, client_secret: str) -> Response:
    client.context.redactor.add(client_secret)
    form = {
        "grant_type": "refresh_token",
        "client_id": client_id,
        "client_secret": client_secret,
        "refresh_token": secrets.token_urlsafe(48),
    }
    return ask_for_token(client.session, form)


def _is_refused(answer: Response) -> bool:
    return _word(answer)[1] in CLIENT_REFUSED


def _word(answer: Response) -> tuple[int, str]:
    error: Any = answer.data.get("error") if isinstance(answer.data, Mapping) else ""
    return answer.status, str(error)


def _real_grant_verdict(client: ServiceNowClient, client_id: str, value: str) -> str:
    """Decide by a password grant of the calling account, where it signs in with a password that is known to be right."""
    if client.grant not in ("basic", "password"):
        return UNKNOWN
    form = token_form("password", {**client.params, "snow_client_id": client_id, "snow_client_secret": value})
    answer = ask_for_token(client.session, form)
    return MATCH if answer.status == 200 else UNKNOWN


def password_verdict(client: ServiceNowClient, value: str, row: Row) -> str:
    """Return whether the user of `row` has the password `value`, by one sign-in.

    An account that is locked or inactive is refused with any password and not tried. One that failed repeatedly since its
    last sign-in is not tried either, so as not to lock it, and counts as holding another password.
    """
    if row.get("active") == "false" or row.get("locked_out") == "true" or row.get("password_needs_reset") == "true":
        return CLOSED
    # Secrets are checked before the first write of a run and verified after the last.
    written = client.context.calls.write > 0
    failed = row.get("failed_attempts", "")
    if failed.isdecimal() and int(failed) >= (MAX_FAILED_AFTER_WRITING if written else MAX_FAILED_ATTEMPTS):
        client.warn(
            f"{client.name}: {row.get('user_name')} has {failed} failed sign-ins; its password was not tried, so as not to lock "
            f"the account, and is assumed to differ from the given one"
        )
        return UNKNOWN if written else MISMATCH
    given = client.params.get("snow_client_id") and client.params.get("snow_client_secret")
    if row.get("web_service_access_only") != "true" and given:
        return _password_grant_verdict(client, value, row)
    return _basic_verdict(client, value, row)


def _basic_verdict(client: ServiceNowClient, value: str, row: Row) -> str:
    user_name = row.get("user_name", "")
    if ":" in user_name:
        # Basic authentication cannot carry such a name (RFC 7617).
        return UNKNOWN
    with _signed_as(client, basic_header(user_name, value)):
        query = TableQuery("sys_user", encoded({"user_name": user_name}), ("sys_id",), limit=1)
        answer = client.session.request("GET", query.path, query=query.parameters, accept_errors=True)
    if answer.status != 401:
        # A client certificate may have opened the door, not the password.
        return UNKNOWN if client.session.settings.client_cert else MATCH
    # Basic authentication of an interactive user may be switched off, which looks just like a wrong password
    # (docs/facts/servicenow_platform.md#sign-in-gates).
    return MISMATCH if row.get("web_service_access_only") == "true" else UNKNOWN


def _password_grant_verdict(client: ServiceNowClient, value: str, row: Row) -> str:
    form = token_form("password", {**client.params, "snow_username": row.get("user_name"), "snow_password": value})
    if ask_for_token(client.session, form).status == 200:
        return MATCH
    # The grant itself may be switched off, unless this account signed in with it.
    return MISMATCH if client.grant == "password" else UNKNOWN


class _signed_as:
    """Within the block, requests are sent with other credentials."""

    def __init__(self, client: ServiceNowClient, headers: dict[str, str]) -> None:
        self.session, self.headers = client.session, headers
        for value in headers.values():
            client.context.redactor.add(value.split(" ", 1)[-1])

    def __enter__(self) -> None:
        self.before, self.session.signer = self.session.signer, FixedSigner(self.headers)

    def __exit__(self, *_exc: object) -> None:
        self.session.signer = self.before


PROBES: dict[str, Callable[[ServiceNowClient, str, Row], str]] = {
    "client_secret": client_secret_verdict,
    "password": password_verdict,
}
# Whether a secret is certainly refused, by the same names.
REFUSALS: dict[str, Callable[[ServiceNowClient, str, Row], bool]] = {
    "client_secret": client_secret_refused,
    "password": lambda client, value, row: password_verdict(client, value, row) == MISMATCH,
}
