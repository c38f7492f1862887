# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions on users: who is hit and how, who is left alone, and who must not be hit at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import CHANGED, MANUAL, OK, PERFORM, REFUSED, Plan, SecretDecision, Write
from ...engine.result import ABSENT, Drift, ManualStep
from ...engine.snapshot import PlannedId, Query, Row, Snapshot
from ...timestamps import parse
from ..entra.tokens import caller_claims
from ..graph.client import GraphClient
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
    "sys_id", "id", "user_principal_name", "display_name", "mail", "guest", "synced", "enabled", "sessions_valid_from",
    "roles",
)  # fmt: skip
PROTECTED, SKIPPED = "protected", "skipped"
MAX_USERS = 10
DONE_TO = {SUSPEND: "Suspend", UNSUSPEND: "Lift the suspension of"}

USER_OPTIONS: dict[str, dict[str, Any]] = {
    "id": {"type": "str", "required": True},
    "action": {"type": "str", "choices": list(ACTIONS), "required": True},
}


@dataclass(frozen=True)
class Rules:
    """Whom to spare, and from when on sessions count as revoked. `myself` is the id of who is calling."""

    protected: frozenset[str] = frozenset()
    since: str = ""
    myself: str = ""

    def spares(self, entry: Mapping[str, Any], row: Row | None) -> bool:
        """Return whether the user is one of the protected ones, by any of the names we know."""
        names = {entry["id"].casefold()}
        if row:
            names |= {row["id"].casefold(), row["user_principal_name"].casefold()}
        return bool(names & self.protected)

    def veto(self, row: Row) -> str:
        """Return why nothing may be done to a user, "" when something may."""
        if self.myself and row["id"].casefold() == self.myself.casefold():
            return "is the account that this task signs in with"
        roles = json.loads(row["roles"])
        if roles:
            return f"holds the directory role {', '.join(roles)}. Administrators are left to a person, in the Entra admin center"
        return ""


@dataclass
class UserActions:
    """The described actions. Nothing is done to anybody when one of them must not be done."""

    entries: Sequence[Mapping[str, Any]]
    endpoint: UsersEndpoint
    rules: Rules
    label: str = field(default="user_actions", init=False)
    planned: bool = field(default=False, init=False)

    def planned_ids(self) -> list[PlannedId]:
        """Promise nothing."""
        return []

    def reads(self) -> list[Query]:
        """Ask for the users, all at once."""
        return [Query(COLLECTION, "sys_id", (), COLUMNS)] if self.entries else []

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Say what is to be done to whom; raise `InvalidInput` when one action must not be done."""
        plan = Plan(self.label, bulk=True)
        rows = {row["sys_id"]: row for row in snapshot.all_rows(COLLECTION, "sys_id")} if self.entries else {}
        self._check_witnesses(rows)
        check_pairs((rows[entry["id"]]["id"], entry["action"]) for entry in self.entries if entry["id"] in rows)
        for entry in self.entries:
            self._plan_one(plan, entry, rows.get(entry["id"]))
        if not self.planned:
            self._refuse_all(plan.outcomes)
        self.planned = True
        return plan

    def _check_witnesses(self, rows: Mapping[str, Row]) -> None:
        missing = [key for key in self.endpoint.witnesses if key not in rows]
        if missing and self.entries:
            raise InvalidInput(f"notify_sender: the tenant has no user {missing[0]!r}. Nothing was done to anybody")

    def _refuse_all(self, outcomes: list[dict[str, Any]]) -> None:
        refused = [outcome for outcome in outcomes if outcome["status"] == REFUSED]
        if not refused:
            return
        for outcome in outcomes:
            if outcome["status"] in (CHANGED, MANUAL):
                outcome["status"] = SKIPPED
        told = "; ".join(f"{outcome['object']}: {outcome['reason']}" for outcome in refused)
        raise InvalidInput(
            f"{told}. Nothing was done to anybody. Take them out of users, or add them to protected to go on with the others",
            {"results": outcomes},
        )

    def _plan_one(self, plan: Plan, entry: Mapping[str, Any], row: Row | None) -> None:
        action = entry["action"]
        name = (row["user_principal_name"] or row["id"]) if row else entry["id"]
        label = f"user {name}: {action}"
        outcome = {
            "object": label,
            "id": row["id"] if row else entry["id"],
            "user_principal_name": row["user_principal_name"] if row else "",
            "display_name": row["display_name"] if row else "",
            "action": action,
            "status": OK,
        }
        plan.outcomes.append(outcome)
        if self.rules.spares(entry, row):
            outcome |= {"status": PROTECTED, "reason": "is protected"}
        elif row is None:
            outcome |= {"status": ABSENT, "reason": "the tenant has no such user"}
            plan.warnings.append(f"the tenant has no user {entry['id']}; nothing was done for {action}")
        elif self.rules.veto(row):
            outcome |= {"status": REFUSED, "reason": self.rules.veto(row)}
        elif (action, row["id"]) not in self.endpoint.done:
            self._plan_action(plan, action, row, outcome)

    def _plan_action(self, plan: Plan, action: str, row: Row, outcome: dict[str, Any]) -> None:
        if action == NOTIFY and not row["mail"]:
            outcome |= {"status": MANUAL, "reason": "has no mail address"}
            plan.manual_steps.append(_message_step(row, self.endpoint.message))
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
        write = Write(PERFORM, COLLECTION, label, values, row["id"], 1 if action == NOTIFY else 0, outcome=outcome)
        if action in ENABLED and row["synced"] == "true":
            write.step = _directory_step(action, row)
        plan.writes.append(write)
        plan.warnings += warnings_of(action, row)

    def _change(self, action: str, row: Row) -> tuple[str, Any, Any] | None:
        """Return what the action changes (field, before, after), None when the user is that way already."""
        if action == NOTIFY:
            return "message", None, self.endpoint.message["subject"]
        if action == REQUIRE_SIGN_IN:
            valid_from = row["sessions_valid_from"]
            if self.rules.since and _is_since(valid_from, self.rules.since):
                return None
            return "sessions_valid_from", valid_from or None, "the moment of the run"
        wanted = "true" if ENABLED[action] else "false"
        if row["enabled"] == wanted:
            return None
        return "account_enabled", {"true": True, "false": False}.get(row["enabled"]), ENABLED[action]


def actions_of(params: Mapping[str, Any], graph: GraphClient) -> UserActions:
    """Return the actions that a task wants; raise `InvalidInput` for what cannot be meant.

    Nothing but a token is asked for here, and that only to know who is calling.
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
    routes = UsersEndpoint(graph, list(dict.fromkeys(entry["id"] for entry in entries)), sender)
    routes.message = message
    protected = frozenset(name.strip().casefold() for name in params["protected"])
    myself = str(caller_claims(graph.session).get("oid") or "") if entries else ""
    return UserActions(entries, routes, Rules(protected, since, myself))


def _message(params: Mapping[str, Any], wanted: bool) -> dict[str, str]:
    if not wanted:
        return {}
    options = {"sender": "notify_sender", "subject": "notify_subject", "text": "notify_message"}
    missing = [option for option in options.values() if not (params.get(option) or "").strip()]
    if missing:
        raise InvalidInput(f"the action notify needs {', '.join(missing)}")
    return {name: params[option] for name, option in options.items()}


def check_entries(entries: Sequence[Mapping[str, Any]], most_users: int) -> None:
    """Raise `InvalidInput` for actions that cannot be meant; nothing is read for that."""
    if most_users < 1:
        raise InvalidInput(f"max_users must be at least 1, not {most_users}")
    if any(not entry["id"].strip() for entry in entries):
        raise InvalidInput("users: an id is empty")
    users = list(dict.fromkeys(entry["id"].casefold() for entry in entries))
    if len(users) > most_users:
        raise InvalidInput(
            f"{len(users)} users are described, and max_users allows {most_users}. Nothing was done to anybody. "
            f"Look whether all of them are meant, then raise max_users"
        )
    check_pairs((entry["id"].casefold(), entry["action"]) for entry in entries)


def check_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Raise `InvalidInput` when one user is to get one action twice, or two that contradict each other."""
    seen: set[tuple[str, str]] = set()
    for user, action in pairs:
        if (user, action) in seen:
            raise InvalidInput(f"users: {action} is described twice for {user}. Nothing was done to anybody")
        seen.add((user, action))
        if {(user, SUSPEND), (user, UNSUSPEND)} <= seen:
            raise InvalidInput(
                f"users: {user} is to be suspended and not to be, in one task. Nothing was done to anybody"
            )


def _is_since(valid_from: str, since: str) -> bool:
    try:
        return parse(valid_from) >= parse(since)
    except ValueError:
        return False


def warnings_of(action: str, row: Row) -> list[str]:
    """Return what keeps an action from lasting, or from working at all.

    See docs/facts/defender_for_cloud_apps.md#governance-actions, docs/facts/microsoft_graph.md#user-actions.
    """
    name = row["user_principal_name"]
    if action in ENABLED and row["synced"] == "true":
        return [
            f"{name} is synced from on premises: directory sync can revert this, since the account there wins. Do the same there"
        ]
    if action == REQUIRE_SIGN_IN and row["guest"] == "true":
        return [
            f"{name} is a guest: revoking sessions has no effect on guests, who sign in through their home tenant. Suspend the guest instead"
        ]
    return []


def _directory_step(action: str, row: Row) -> ManualStep:
    name = row["user_principal_name"]
    verb = "Disable" if action == SUSPEND else "Enable"
    return ManualStep(
        f"user:{action}:{name}",
        f"{DONE_TO[action]} {name} in the directory on premises",
        "The account is synced from on premises, where it has to be changed",
        f"Active Directory Users and Computers > the account > {verb} Account",
        {"Account": name},
    )


def _message_step(row: Row, message: Mapping[str, str]) -> ManualStep:
    name = row["user_principal_name"]
    return ManualStep(
        f"user:{NOTIFY}:{name}",
        f"Tell {row['display_name'] or name}",
        "The user has no mail address in Entra",
        "Another way than mail",
        {"User": name, "Subject": message["subject"], "Message": message["text"]},
    )
