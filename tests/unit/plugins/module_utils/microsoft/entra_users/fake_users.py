# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays the users of Graph, and what can be done to them."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import unquote

from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, answer

DOMAIN = "acme.example"


def token(**claims: Any) -> str:
    """Return what looks like an access token."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"header-text.{body}.signature-text"


class Directory:
    """The users by name; `refusals` by (name, verb) answer instead of the action."""

    def __init__(self, server: Loopback) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.roles: dict[str, list[str]] = {}
        self.refusals: dict[tuple[str, str], Reply] = {}
        self.done: list[tuple[str, str]] = []
        self.mails: list[dict[str, Any]] = []
        self.forgets_synced = True
        server.answers_by(self._answer)

    def add(self, name: str, *roles: str, **values: Any) -> None:
        """Add a user."""
        upn = f"{name}@{DOMAIN}"
        self.users[name] = {
            "id": f"id-{name}",
            "userPrincipalName": upn,
            "displayName": name.title(),
            "mail": upn,
            "userType": "Member",
            "accountEnabled": True,
            "onPremisesSyncEnabled": None,
            "signInSessionsValidFromDateTime": "2026-01-01T00:00:00Z",
            **values,
        }
        self.roles[name] = list(roles)

    def _named(self, key: str) -> str:
        wanted = unquote(key).casefold()
        return next(
            (
                name
                for name, user in self.users.items()
                if wanted in (user["id"].casefold(), user["userPrincipalName"].casefold())
            ),
            "",
        )

    def _answer(self, request: Received) -> Reply:
        if request.path.endswith("/$batch"):
            return answer({"responses": [self._inner(each) for each in request.json["requests"]]})
        name, verb = self._split(request.path.removeprefix("/v1.0"))
        if request.method == "GET":
            return answer(self.users[name])
        verb = verb or "enable"
        if (name, verb) in self.refusals:
            return self.refusals[(name, verb)]
        self.done.append((verb, name))
        if verb == "sendMail":
            self.mails.append({"sender": name, **request.json["message"]})
            return answer(None, 202)
        if verb == "revokeSignInSessions":
            return answer({"value": True})
        if not (self.users[name]["onPremisesSyncEnabled"] and self.forgets_synced):
            self.users[name] |= request.json
        return answer(None, 204)

    def _split(self, path: str) -> tuple[str, str]:
        key, _slash, verb = path.partition("?")[0].removeprefix("/users/").partition("/")
        return self._named(key), verb

    def _inner(self, request: dict[str, Any]) -> dict[str, Any]:
        name, verb = self._split(request["url"])
        if not name:
            error = {"error": {"code": "Request_ResourceNotFound", "message": "does not exist"}}
            return {"id": request["id"], "status": 404, "body": error}
        body: dict[str, Any] = self.users[name]
        if verb == "transitiveMemberOf":
            roles = [
                {"@odata.type": "#microsoft.graph.directoryRole", "id": "r", "displayName": role}
                for role in self.roles[name]
            ]
            body = {"value": [{"@odata.type": "#microsoft.graph.group", "id": "g", "displayName": "Staff"}, *roles]}
        return {"id": request["id"], "status": 200, "body": body}
