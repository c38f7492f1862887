# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings would break an existing connection, or that of this automation.

See docs/facts/servicenow_hardening.md#connection-impact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine.snapshot import Query, Snapshot
from .queries import FOR_INTEGRATIONS, PROPERTIES
from .registered_consumers import PASSWORD, Consumer, consumer_queries, consumers_in, unread_consumers

APPLICATIONS, USERS = "oauth_entity", "sys_user"
ROPC, RESET, MFA = "oauth.ropc_disabled", "auth.reset_required_api", "auth.mfa_enabled"
ADDRESSES = ("plugin.ip_authenticator", "network.ip_access_rules", "network.ip_strict")
DISCONNECTING = frozenset({ROPC, RESET, MFA, *ADDRESSES})
USER_COLUMNS = ("sys_id", "user_name", "password_needs_reset", "enable_multifactor_authn")


@dataclass(frozen=True)
class Connections:
    """The connections to an instance that must keep working: OAuth applications with their accounts, and this automation.

    `entries` are `{application, user_name, grant_type}`; with any, the other consumers that are registered on the instance count
    as well. `own_grant` and `own_user` are those of the connection options.
    """

    entries: Sequence[Mapping[str, Any]]
    own_grant: str
    own_user: str = ""

    def reads(self, ids: Iterable[str]) -> list[Query]:
        """Return the queries that show the impact of the settings `ids`; none if none of them can break a connection."""
        if not DISCONNECTING & set(ids):
            return []
        names = tuple(dict.fromkeys(entry["application"] for entry in self.entries))
        users = tuple(dict.fromkeys(filter(None, (self.own_user, *(e.get("user_name") for e in self.entries)))))
        reads = [Query(APPLICATIONS, "name", names, ("sys_id", "name", "active"), optional=True)] if names else []
        reads += [Query(USERS, "user_name", users, USER_COLUMNS, optional=True)] if users else []
        return reads + (consumer_queries() if self.entries else [])

    def disconnected_by(self, id: str, snapshot: Snapshot) -> str:
        """Return which connections a setting would break and why; "" for none."""
        if id not in DISCONNECTING:
            return ""
        if id == ROPC:
            return "; ".join(self._by_password_grant(snapshot))
        if id in ADDRESSES:
            names = [*self._in_use(snapshot), *self._others_in_use(snapshot)]
            remedy = "allow the addresses of Microsoft and of this controller first"
            return f"{' and '.join(names)} would be locked out: {remedy}" if names else ""
        return "; ".join(self._accounts(id, snapshot))

    def _consumers(self, snapshot: Snapshot) -> list[Consumer]:
        return consumers_in(snapshot, self.own_user) if self.entries else []

    def _others(self, snapshot: Snapshot) -> list[Consumer]:
        """Return the consumers on the instance that no entry names."""
        named = {entry["application"] for entry in self.entries}
        return [each for each in self._consumers(snapshot) if each.application not in named]

    def _others_in_use(self, snapshot: Snapshot) -> list[str]:
        names = dict.fromkeys(each.application for each in self._others(snapshot))
        return [f"the OAuth application {name}" for name in names]

    def _in_use(self, snapshot: Snapshot, grants: Sequence[str] = ()) -> list[str]:
        refused = snapshot.refused(APPLICATIONS, "name")
        if refused:
            return [f"the connections, which the account cannot read ({refused}),"]
        return [
            f"the OAuth application {entry['application']}"
            for entry in self.entries
            if (not grants or entry.get("grant_type", "password") in grants)
            and any(row.get("active") != "false" for row in snapshot.rows(APPLICATIONS, "name", entry["application"]))
        ]

    def _by_password_grant(self, snapshot: Snapshot) -> Iterable[str]:
        if self.own_grant == "password":
            yield "this automation itself signs in with the password grant"
        for name in self._in_use(snapshot, ("password",)):
            yield f"{name} signs in with the password grant"
        for each in self._others(snapshot):
            if each.grant == PASSWORD:
                yield (
                    f"the OAuth application {each.application}, which services does not list, holds tokens of "
                    f"{each.account['user_name']} by the password grant"
                )
        unread = unread_consumers(snapshot) if self.entries else ""
        if unread:
            yield f"which other applications sign in with the password grant cannot be read ({unread})"

    def _accounts(self, id: str, snapshot: Snapshot) -> Iterable[str]:
        column, reason = (
            ("password_needs_reset", "must change its password") if id == RESET else
            ("enable_multifactor_authn", f"is enrolled, and {FOR_INTEGRATIONS} is true")
        )  # fmt: skip
        if id == MFA and not any(
            row.get("value", "").lower() == "true" for row in snapshot.rows(PROPERTIES, "name", FOR_INTEGRATIONS)
        ):
            return
        known = [*snapshot.all_rows(USERS, "user_name"), *(each.account for each in self._consumers(snapshot))]
        for name in dict.fromkeys(str(row.get("user_name")) for row in known if row.get(column) == "true"):
            yield f"the account {name} {reason}"
