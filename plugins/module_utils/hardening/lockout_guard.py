# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign in again after each batch of writes, and keep a session that can roll a batch back if that fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..engine.rollback import AccessLost
from ..snow.auth import FixedSigner, explain_401, request_token, token_form
from ..snow.client import open_session
from ..snow.query import TableQuery, encoded
from ..snow.token_check import PROBED, check_token
from ..transport.errors import HttpError, TransportError

if TYPE_CHECKING:
    from ..snow.client import ServiceNowClient

# Cookies that identify the session of a call (docs/facts/servicenow_platform.md#response-headers).
SESSION_COOKIES = re.compile(r"\b((?:JSESSIONID|glide_user_route|glide_session_store|BIGipServer[^=;,\s]*)=[^;,\s]+)")
# Grants that request a new token. Of others, the credential is not a sign-in, or can be used only once: a call is all that can be tried.
SECRETS = {"password": ("client_secret", "password"), "client_credentials": ("client_secret",), "basic": ("password",)}
RENEWED = ("password", "client_credentials", "refresh_token")


@dataclass
class LockoutGuard:
    """Signs in again as the account of `client`, and as the connections whose secrets are given.

    `writes_left` returns how many settings remain for later runs.
    """

    client: ServiceNowClient
    connections: Sequence[Mapping[str, Any]] = ()
    writes_left: Callable[[], int] = int
    _cookies: str = ""
    _watched: list[dict[str, Any]] = field(default_factory=list)

    def before(self) -> None:
        """Verify the sign-in before the first write, and open a session that remains valid if the password is refused."""
        if self.client.grant == "basic":
            answer = self._probe(self.client.session)
            cookies = SESSION_COOKIES.findall(answer.headers.get("set-cookie", ""))
            self._cookies = "; ".join(cookies)
            for cookie in cookies:
                self.client.context.redactor.add(cookie.partition("=")[2])
        self.check()
        for connection in self.connections:
            self._watch(connection)

    def wrote(self, done: int, total: int) -> None:
        """Show progress: each write flushes the caches of all nodes, so they are slow."""
        later = f", {self.writes_left()} remain for later runs" if self.writes_left() else ""
        self.client.context.progress(f"{self.client.name}: {done} of {total} settings written{later}")

    def check(self) -> None:
        """Sign in again and read a row; raise `AccessLost` with the platform's message when that fails."""
        grant, params = self.client.grant, self.client.params
        session = open_session(params, self.client.context)
        try:
            if grant in RENEWED:
                token = request_token(session, token_form(grant, params))
                self.client.context.redactor.add(token.text)
                session.signer = FixedSigner({"Authorization": f"Bearer {token.text}"})
            else:
                session.signer = self.client.session.signer
            self._probe(session)
        except TransportError as error:
            raise AccessLost(str(error)) from None
        for connection in self._watched:
            self._check_connection(connection)

    @contextmanager
    def rescue(self) -> Iterator[None]:
        """Use the session that was opened before; a token that is still valid needs none."""
        signer = self.client.session.signer
        if self._cookies:
            self.client.session.signer = FixedSigner({"Cookie": self._cookies})
        try:
            yield
        finally:
            self.client.session.signer = signer

    def _probe(self, session: Any) -> Any:
        try:
            return session.request("GET", PROBED.path, query=PROBED.parameters)
        except HttpError as error:
            user = str(self.client.params.get("snow_username") or "the account")
            message = explain_401(self.client.grant, error, user) if error.status == 401 else str(error)
            raise AccessLost(f"{self.client.name}: {message}") from None

    # -- connections --------------------------------------------------------------------------------------------------

    def _watch(self, connection: Mapping[str, Any]) -> None:
        """Check a connection from now on, if its secrets are given and obtain a token before the first write."""
        grant = connection.get("grant_type", "password")
        if not all(connection.get(secret) for secret in SECRETS[grant]):
            return
        name = connection["application"]
        if grant == "basic":
            self._watch_sign_in({"application": name, "grant_type": grant, "client_id": "", **_account(connection)})
            return
        query = TableQuery("oauth_entity", encoded({"name": name}), ("sys_id", "name", "client_id"), optional=True)
        (answer,) = self.client.query([query])
        rows = [row for row in answer.rows if row.get("name") == name and row.get("client_id")]
        if not rows:
            return
        client = {"client_id": rows[0]["client_id"], "client_secret": connection["client_secret"]}
        self._watch_sign_in({"application": name, "grant_type": grant, **client, **_account(connection)})

    def _watch_sign_in(self, watched: dict[str, Any]) -> None:
        try:
            self._check_connection(watched)
        except AccessLost as error:
            self.client.warn(f"{error}. That was the case before the first write, so the connection is not checked")
            return
        self._watched.append(watched)

    def _check_connection(self, watched: Mapping[str, Any]) -> None:
        try:
            report = check_token(open_session(self.client.params, self.client.context), watched, None)
        except TransportError as error:
            raise AccessLost(str(error)) from None
        if not report["verified"]:
            raise AccessLost(
                f"{self.client.name}: the connection {watched['application']} cannot obtain a token for the API. {report['answer']}"
            )


def _account(connection: Mapping[str, Any]) -> dict[str, Any]:
    return {"username": connection["user_name"], "password": connection.get("password") or ""}
