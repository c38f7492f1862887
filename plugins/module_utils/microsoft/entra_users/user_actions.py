# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions on users: which users are acted on, which are excluded, and which must never be acted on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import CHANGED, MANUAL, OK, PERFORM, REFUSED, Plan, Resource, SecretDecision, Write
from ...engine.result import ABSENT, Drift
from ...engine.snapshot import Query, Row, Snapshot
from ...timestamps import parse
from ..entra.tokens import caller_claims
from ..graph.client import GraphClient
from .manual_steps import directory_step, message_step
from .users_api import (
    ACTIONS,
    COLLECTION,
    ENABLED,
    NOTIFY,
    REQUIRE_SIGN_IN,
    SUSPEND,
    UNSUSPEND,
    UsersEndpoint,
)

COLUMNS = (
    "id", "object_id", "user_principal_name", "display_name", "mail", "guest", "synced", "enabled", "sessions_valid_from",
    "roles",
)  # fmt: skip
PROTECTED, SKIPPED = "protected", "skipped"
MAX_USERS = 10

USER_OPTIONS: dict[str, dict[str, Any]] = {
    "id": {"type": "str", "required": True},
    "action": {"type": "str", "choices": list(ACTIONS), "required": True},
}
USER_ACTIONS_OPTIONS: dict[str, dict[str, Any]] = {
    "users": {"type": "list", "elements": "dict", "required": True, "options": USER_OPTIONS},
    "protected": {"type": "list", "elements": "str", "default": []},
    "max_users": {"type": "int", "default": MAX_USERS},
    "since": {"type": "str"},
    "notify_sender": {"type": "str"},
    "notify_subject": {"type": "str"},
    "notify_message": {"type": "str"},
}


@dataclass(frozen=True)
class Rules:
    """Which users are excluded, and from when on sessions count as revoked. `myself` is the object id of the caller."""

    protected: frozenset[str] = frozenset()
    since: str = ""
    myself: str = ""

    def protects(self, entry: Mapping[str, Any], row: Row | None) -> bool:
        """Return whether the user is protected, by any of the known names."""
        names = {entry["id"].casefold()}
        if row:
            names |= {row["object_id"].casefold(), row["user_principal_name"].casefold()}
        return bool(names & self.protected)

    def veto(self, row: Row) -> str:
        """Return why no action is allowed on a user, "" where it is."""
        if self.myself and row["object_id"].casefold() == self.myself.casefold():
            return "is the account that this task signs in with"
        roles = row["roles"]
        if roles:
            return (
                f"has the directory role {', '.join(roles)}. Act on administrators manually in the Entra admin center"
            )
        return ""


@dataclass
class UserActions(Resource):
    """The requested actions. None is carried out when one of them is not allowed."""

    entries: Sequence[Mapping[str, Any]]
    endpoint: UsersEndpoint
    rules: Rules
    label: str = field(default="user_actions", init=False)
    planned: bool = field(default=False, init=False)

    def reads(self) -> list[Query]:
        """Read all users at once."""
        return [Query(COLLECTION, "id", (), COLUMNS)] if self.entries else []

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Plan the actions; raise `InvalidInput` when one of them is not allowed."""
        plan = Plan(self.label, bulk=True)
        rows = {row["id"]: row for row in snapshot.all_rows(COLLECTION, "id")} if self.entries else {}
        self._check_required(rows)
        check_pairs((rows[entry["id"]]["object_id"], entry["action"]) for entry in self.entries if entry["id"] in rows)
        for entry in self.entries:
            self._plan_one(plan, entry, rows.get(entry["id"]))
        if not self.planned:
            self._refuse_all(plan.outcomes)
        self.planned = True
        return plan

    def _check_required(self, rows: Mapping[str, Row]) -> None:
        missing = [key for key in self.endpoint.required if key not in rows]
        if missing and self.entries:
            raise InvalidInput(f"notify_sender: the tenant has no user {missing[0]!r}. No action was carried out")

    def _refuse_all(self, outcomes: list[dict[str, Any]]) -> None:
        refused = [outcome for outcome in outcomes if outcome["status"] == REFUSED]
        if not refused:
            return
        for outcome in outcomes:
            if outcome["status"] in (CHANGED, MANUAL):
                outcome["status"] = SKIPPED
        refusals = "; ".join(f"{outcome['object']}: {outcome['reason']}" for outcome in refused)
        raise InvalidInput(
            f"{refusals}. No action was carried out. Remove them from users, or add them to protected to act on the others only",
            {"results": outcomes},
        )

    def _plan_one(self, plan: Plan, entry: Mapping[str, Any], row: Row | None) -> None:
        action = entry["action"]
        name = (row["user_principal_name"] or row["object_id"]) if row else entry["id"]
        label = f"user {name}: {action}"
        outcome = {
            "object": label,
            "id": row["object_id"] if row else entry["id"],
            "user_principal_name": row["user_principal_name"] if row else "",
            "display_name": row["display_name"] if row else "",
            "action": action,
            "status": OK,
        }
        plan.outcomes.append(outcome)
        if self.rules.protects(entry, row):
            outcome |= {"status": PROTECTED, "reason": "is protected"}
        elif row is None:
            outcome |= {"status": ABSENT, "reason": "the tenant has no such user"}
            plan.warnings.append(f"the tenant has no user {entry['id']}; {action} was skipped")
        elif self.rules.veto(row):
            outcome |= {"status": REFUSED, "reason": self.rules.veto(row)}
        elif (action, row["object_id"]) not in self.endpoint.done:
            self._plan_action(plan, action, row, outcome)

    def _plan_action(self, plan: Plan, action: str, row: Row, outcome: dict[str, Any]) -> None:
        if action == NOTIFY and not row["mail"]:
            outcome |= {"status": MANUAL, "reason": "has no mail address"}
            plan.manual_steps.append(message_step(row, self.endpoint.message))
            return
        change = self._change(action, row)
        if change is None:
            return
        label = outcome["object"]
        outcome["status"] = CHANGED
        drift = Drift(label, *change)
        plan.drift.append(drift)
        plan.before[label], plan.after[label] = {drift.field: drift.before}, {drift.field: drift.after}
        values: dict[str, Any] = {"action": action, "mail": row["mail"]}
        write = Write(
            PERFORM, COLLECTION, label, values, row["object_id"], 1 if action == NOTIFY else 0, outcome=outcome
        )
        if action in ENABLED and row["synced"]:
            write.step = directory_step(action, row)
        plan.writes.append(write)
        plan.warnings += warnings_of(action, row)

    def _change(self, action: str, row: Row) -> tuple[str, Any, Any] | None:
        """Return what the action changes (field, before, after), None when the user is already in that state."""
        if action == NOTIFY:
            return "message", None, self.endpoint.message["subject"]
        if action == REQUIRE_SIGN_IN:
            valid_from = row["sessions_valid_from"]
            if self.rules.since and _is_since(valid_from, self.rules.since):
                return None
            return "sessions_valid_from", valid_from or None, "the time of the run"
        if row["enabled"] == ENABLED[action]:
            return None
        return "account_enabled", row["enabled"], ENABLED[action]


def actions_of(params: Mapping[str, Any], client: GraphClient) -> UserActions:
    """Return the actions of a task; raise `InvalidInput` for invalid ones.

    Only a token is requested here, to identify the caller.
    """
    entries = [{**entry, "id": entry["id"].strip()} for entry in params["users"]]
    check_entries(entries, params["max_users"])
    since = params.get("since") or ""
    try:
        parse(since or "2000-01-01")
    except ValueError as error:
        raise InvalidInput(f"since: {error}") from None
    message = _message(params, any(entry["action"] == NOTIFY for entry in entries))
    sender = [message["sender"]] if message else []
    endpoint = UsersEndpoint(client, list(dict.fromkeys(entry["id"] for entry in entries)), sender)
    endpoint.message = message
    protected = frozenset(name.strip().casefold() for name in params["protected"])
    myself = str(caller_claims(client.session).get("oid") or "") if entries else ""
    return UserActions(entries, endpoint, Rules(protected, since, myself))


def _message(params: Mapping[str, Any], wanted: bool) -> dict[str, str]:
    if not wanted:
        return {}
    options = {"sender": "notify_sender", "subject": "notify_subject", "text": "notify_message"}
    missing = [option for option in options.values() if not (params.get(option) or "").strip()]
    if missing:
        raise InvalidInput(f"the action notify requires {', '.join(missing)}")
    return {name: params[option] for name, option in options.items()}


def check_entries(entries: Sequence[Mapping[str, Any]], max_users: int) -> None:
    """Raise `InvalidInput` for invalid entries; nothing is read for that."""
    if any(not entry["id"].strip() for entry in entries):
        raise InvalidInput("users: an id is empty")
    users = list(dict.fromkeys(entry["id"].casefold() for entry in entries))
    if len(users) > max_users:
        raise InvalidInput(
            f"users lists {len(users)} users, but max_users allows {max_users}. No action was carried out. "
            f"Check that all of them are intended, then raise max_users"
        )
    check_pairs((entry["id"].casefold(), entry["action"]) for entry in entries)


def check_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Raise `InvalidInput` for an action that a user has twice, and for two that contradict each other."""
    seen: set[tuple[str, str]] = set()
    for user, action in pairs:
        if (user, action) in seen:
            raise InvalidInput(f"users: {action} is listed twice for {user}. No action was carried out")
        seen.add((user, action))
        if {(user, SUSPEND), (user, UNSUSPEND)} <= seen:
            raise InvalidInput(f"users: {user} has both suspend and unsuspend in one task. No action was carried out")


def _is_since(valid_from: str, since: str) -> bool:
    try:
        return parse(valid_from) >= parse(since)
    except ValueError:
        return False


def warnings_of(action: str, row: Row) -> list[str]:
    """Return why an action may be reverted or have no effect.

    See docs/facts/defender_for_cloud_apps.md#governance-actions, docs/facts/microsoft_graph.md#user-actions.
    """
    name = row["user_principal_name"]
    if action in ENABLED and row["synced"]:
        return [f"{name} is synced from on premises, and directory sync can revert this. Make the same change there"]
    if action == REQUIRE_SIGN_IN and row["guest"]:
        return [
            f"{name} is a guest: revoking sessions has no effect on guests, who sign in through their home tenant. Suspend the guest instead"
        ]
    return []
