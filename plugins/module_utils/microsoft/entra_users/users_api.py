# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of the tenant, their directory roles, and actions on them.

See docs/facts/microsoft_graph.md#user-actions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ...engine.errors import Refused
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
# signInSessionsValidFromDateTime, like some others, is returned only on request (Graph reference, resource user).
COLUMNS = (
    "id", "userPrincipalName", "displayName", "mail", "userType", "accountEnabled", "onPremisesSyncEnabled",
    "signInSessionsValidFromDateTime",
)  # fmt: skip
ROLE = "#microsoft.graph.directoryrole"
MAX_MEMBERSHIPS = 999


class UsersEndpoint(Endpoint):
    """The users of a task, by id or user principal name, and `required` ones, which only have to exist."""

    noun = "users"

    def __init__(self, client: GraphClient, keys: Sequence[str], required: Sequence[str] = ()) -> None:
        self.client, self.keys, self.required = client, tuple(keys), tuple(required)
        # What was done in this run: Graph may show it minutes later, and a message never
        # (docs/facts/microsoft_graph.md#user-actions).
        self.done: set[tuple[str, str]] = set()
        self.message: dict[str, str] = {}
        self._roles: dict[str, list[str]] = {}
        self._progress = client.progress_line()

    def read(self) -> QueryResult:
        """Return the users that exist, in as few requests as possible; the row's id is the key from the task."""
        keys = dict.fromkeys((*self.keys, *self.required))
        with_roles = [key for key in self.keys if key not in self._roles]
        calls = [Call(f"/users/{quoted(key)}?$select={','.join(COLUMNS)}") for key in keys]
        calls += [Call(f"/users/{quoted(key)}/transitiveMemberOf?$top={MAX_MEMBERSHIPS}") for key in with_roles]
        responses = self.client.batch(calls)
        users = {key: self._user(key, response) for key, response in zip(keys, responses, strict=False)}
        for key, response in zip(with_roles, responses[len(keys) :], strict=True):
            if users[key] is not None:
                self._roles[key] = self._roles_in(key, response)
        return QueryResult(
            tuple(row_of(key, user, self._roles.get(key, [])) for key, user in users.items() if user is not None)
        )

    def _user(self, key: str, response: Response) -> Mapping[str, Any] | None:
        """Return a user, None where the tenant has no such user."""
        if response.status == 404:
            return None
        if response.status >= 400:
            raise self.client.refusal(self.client.error_of(response), READ_PERMISSION, f"to show the user {key}")
        if not isinstance(response.data, Mapping) or not response.data.get("id"):
            raise AmbiguousResponse(f"GET {response.path} -> {response.status}: the response contains no user")
        return response.data

    def _roles_in(self, key: str, response: Response) -> list[str]:
        """Return the directory roles of a user, also through groups. Type and id are always visible (Graph: limited info)."""
        if response.status >= 400:
            raise self.client.refusal(self.client.error_of(response), READ_PERMISSION, f"to show the roles of {key}")
        found = self.client.rows_from(response, READ_PERMISSION)
        roles = [row for row in found if str(row.get("@odata.type") or "").lower() == ROLE]
        return sorted(str(row.get("displayName") or row.get("roleTemplateId") or row.get("id")) for row in roles)

    # -- writing ------------------------------------------------------------------------------------------------------

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
        response = self.client.call("POST", path, PERMISSIONS[REQUIRE_SIGN_IN], repeatable=True)
        if isinstance(response.data, Mapping) and response.data.get("value") is False:
            raise Refused("Microsoft Graph reports that the sessions were not revoked")

    def _enable(self, user: str, action: str) -> None:
        wanted, permission = ENABLED[action], PERMISSIONS[action]
        self.client.call("PATCH", f"/users/{quoted(user)}", permission, body={"accountEnabled": wanted})
        shown = self.client.call(
            "GET", f"/users/{quoted(user)}", READ_PERMISSION, query={"$select": "id,accountEnabled"}
        ).data
        if isinstance(shown, Mapping) and shown.get("accountEnabled") is (not wanted):
            raise Refused("Microsoft Graph accepted the change, but the account is unchanged")

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
            self.client.call("POST", f"/users/{quoted(sender)}/sendMail", PERMISSIONS[NOTIFY], body=body)
        except AmbiguousResponse as unclear:
            raise Refused(
                f"whether the message was sent is unclear. {unclear}. Check the folder Sent Items of {sender} before you run again",
                status=FAILED,
            ) from None


def row_of(key: str, user: Mapping[str, Any], roles: Sequence[str]) -> Row:
    """Return a user as a row."""
    enabled = user.get("accountEnabled")
    return {
        "id": key,
        "object_id": str(user["id"]),
        "user_principal_name": str(user.get("userPrincipalName") or ""),
        "display_name": str(user.get("displayName") or ""),
        "mail": str(user.get("mail") or ""),
        "guest": str(user.get("userType") or "").casefold() == "guest",
        "synced": bool(user.get("onPremisesSyncEnabled")),
        "enabled": enabled if isinstance(enabled, bool) else None,
        "sessions_valid_from": str(user.get("signInSessionsValidFromDateTime") or ""),
        "roles": list(roles),
    }


def quoted(key: str) -> str:
    """Return an id or a user principal name for a path: those of guests contain a #."""
    return quote(key, safe="")
