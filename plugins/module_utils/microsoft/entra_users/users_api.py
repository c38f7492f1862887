# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of the tenant, who of them is an administrator, and what can be done to them.

See docs/facts/microsoft_graph.md#user-actions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ...engine.errors import EngineError, Refused
from ...engine.plan import FAILED, Write
from ...engine.snapshot import QueryResult, Row
from ...transport.errors import AmbiguousResponse
from ...transport.responses import Response
from ..collection_store import Endpoint
from ..graph.batch import Call
from ..graph.client import GraphClient

COLLECTION = "users"
REQUIRE_SIGN_IN, SUSPEND, UNSUSPEND, NOTIFY = "require_sign_in", "suspend", "unsuspend", "notify"
ACTIONS = (REQUIRE_SIGN_IN, SUSPEND, UNSUSPEND, NOTIFY)
READ_PERMISSION = "User.Read.All"
PERMISSIONS = {
    REQUIRE_SIGN_IN: "User.RevokeSessions.All",
    SUSPEND: "User.EnableDisableAccount.All",
    UNSUSPEND: "User.EnableDisableAccount.All",
    NOTIFY: "Mail.Send",
}
ENABLED = {SUSPEND: False, UNSUSPEND: True}
# signInSessionsValidFromDateTime, like some others, comes only when asked for (Graph reference, resource user).
COLUMNS = (
    "id", "userPrincipalName", "displayName", "mail", "userType", "accountEnabled", "onPremisesSyncEnabled",
    "signInSessionsValidFromDateTime",
)  # fmt: skip
ROLE = "#microsoft.graph.directoryrole"
MAX_MEMBERSHIPS = 999


class UsersEndpoint(Endpoint):
    """The users that a task names, by id or user principal name, and a few that only have to be there."""

    def __init__(self, graph: GraphClient, keys: Sequence[str], witnesses: Sequence[str] = ()) -> None:
        self.graph, self.keys, self.witnesses = graph, tuple(keys), tuple(witnesses)
        # What was done in this run: Graph may show it minutes later, and a message never
        # (docs/facts/microsoft_graph.md#user-actions).
        self.done: set[tuple[str, str]] = set()
        self.message: dict[str, str] = {}
        self._roles: dict[str, list[str]] = {}
        self._progress = graph.progress_line()

    def read(self) -> QueryResult:
        """Return the users that there are, in as few requests as can be; `sys_id` is the key as the task gives it."""
        everybody = dict.fromkeys((*self.keys, *self.witnesses))
        judged = [key for key in self.keys if key not in self._roles]
        calls = [Call(f"/users/{quoted(key)}?$select={','.join(COLUMNS)}") for key in everybody]
        calls += [Call(f"/users/{quoted(key)}/transitiveMemberOf?$top={MAX_MEMBERSHIPS}") for key in judged]
        answers = self.graph.batch(calls)
        users = {key: self._user(key, answer) for key, answer in zip(everybody, answers, strict=False)}
        for key, answer in zip(judged, answers[len(everybody) :], strict=True):
            if users[key] is not None:
                self._roles[key] = self._roles_in(key, answer)
        return QueryResult(
            tuple(row_of(key, user, self._roles.get(key, [])) for key, user in users.items() if user is not None)
        )

    def _user(self, key: str, answer: Response) -> Mapping[str, Any] | None:
        """Return a user, or None when there is nobody of that name."""
        if answer.status == 404:
            return None
        if answer.status >= 400:
            raise self.graph.refusal(self.graph.error_of(answer), READ_PERMISSION, f"to show the user {key}")
        if not isinstance(answer.data, Mapping) or not answer.data.get("id"):
            raise AmbiguousResponse(f"GET {answer.path} -> {answer.status}: the answer holds no user")
        return answer.data

    def _roles_in(self, key: str, answer: Response) -> list[str]:
        """Return the directory roles that a user holds, also through groups. Type and id always show (Graph: limited info)."""
        if answer.status >= 400:
            raise self.graph.refusal(self.graph.error_of(answer), READ_PERMISSION, f"to show the roles of {key}")
        found = self.graph.rows_from(answer, READ_PERMISSION)
        roles = [row for row in found if str(row.get("@odata.type") or "").lower() == ROLE]
        return sorted(str(row.get("displayName") or row.get("roleTemplateId") or row.get("id")) for row in roles)

    # -- writing ------------------------------------------------------------------------------------------------------

    def create(self, write: Write, values: Mapping[str, str]) -> Row:
        """Refuse: accounts are not made here."""
        raise EngineError(f"{write.label}: users are not created")

    def update(self, write: Write, row_id: str, values: Mapping[str, str]) -> None:
        """Refuse: what is done to a user is an action."""
        raise EngineError(f"{write.label}: users are not changed")

    def delete(self, write: Write, row_id: str) -> None:
        """Refuse: accounts are not removed here."""
        raise EngineError(f"{write.label}: users are not removed")

    def perform(self, write: Write) -> None:
        """Carry out one action; raise `Refused`."""
        action, user = str(write.values["action"]), str(write.row)
        if action == NOTIFY:
            self._notify(str(write.values["mail"]))
        elif action == REQUIRE_SIGN_IN:
            self._revoke(user)
        else:
            self._enable(user, action)
        self.done.add((action, user))
        self._progress.report(f"{len(self.done)} actions done")

    def _revoke(self, user: str) -> None:
        path = f"/users/{quoted(user)}/revokeSignInSessions"
        answer = self.graph.call("POST", path, PERMISSIONS[REQUIRE_SIGN_IN], repeatable=True)
        if isinstance(answer.data, Mapping) and answer.data.get("value") is False:
            raise Refused("Microsoft Graph answers that the sessions were not revoked")

    def _enable(self, user: str, action: str) -> None:
        wanted, permission = ENABLED[action], PERMISSIONS[action]
        self.graph.call("PATCH", f"/users/{quoted(user)}", permission, body={"accountEnabled": wanted})
        shown = self.graph.call(
            "GET", f"/users/{quoted(user)}", READ_PERMISSION, query={"$select": "id,accountEnabled"}
        ).data
        if isinstance(shown, Mapping) and shown.get("accountEnabled") is (not wanted):
            raise Refused("Microsoft Graph accepted it, but the account is as it was")

    def _notify(self, mail: str) -> None:
        body = {
            "message": {
                "subject": self.message["subject"],
                "body": {"contentType": "Text", "content": self.message["text"]},
                "toRecipients": [{"emailAddress": {"address": mail}}],
            }
        }
        sender = self.message["sender"]
        try:
            self.graph.call("POST", f"/users/{quoted(sender)}/sendMail", PERMISSIONS[NOTIFY], body=body)
        except AmbiguousResponse as unclear:
            raise Refused(
                f"whether the message was sent is unclear. {unclear}. Look into the folder Sent Items of {sender} before you run again",
                status=FAILED,
            ) from None


def row_of(key: str, user: Mapping[str, Any], roles: Sequence[str]) -> Row:
    """Return a user as text."""
    enabled = user.get("accountEnabled")
    return {
        "sys_id": key,
        "id": str(user["id"]),
        "user_principal_name": str(user.get("userPrincipalName") or ""),
        "display_name": str(user.get("displayName") or ""),
        "mail": str(user.get("mail") or ""),
        "guest": "true" if str(user.get("userType") or "").casefold() == "guest" else "false",
        "synced": "true" if user.get("onPremisesSyncEnabled") else "false",
        "enabled": "true" if enabled is True else "false" if enabled is False else "",
        "sessions_valid_from": str(user.get("signInSessionsValidFromDateTime") or ""),
        "roles": json.dumps(list(roles)),
    }


def quoted(key: str) -> str:
    """Return an id or a user principal name for a path: guests have a # in theirs."""
    return quote(key, safe="")
