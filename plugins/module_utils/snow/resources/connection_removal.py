# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes what a connection needed on an instance: tokens, application, account and role, unless others use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...engine.plan import CHANGED, DELETE, MANUAL, OK, UPDATE, Plan, Resource, SecretDecision, Write
from ...engine.result import ABSENT, Drift, ManualStep
from ...engine.snapshot import Query, Snapshot
from ..options import Options, entries
from ..record_resource import RecordResource
from .connection_usage import (
    TOKENS,
    Connection,
    access_rules,
    application_queries,
    application_usage,
    role_queries,
    role_usage,
    tokens_of,
    user_queries,
    user_usage,
)
from .oauth_application import OAuthApplication
from .role import Role
from .user import User

KEPT, WAITING = "kept", "waiting"
# Of an application that is deactivated first, so that no new token is issued, then of its tokens. What records delete comes later.
DEACTIVATION, TOKEN_STAGE = 94, 95
CONNECTION_OPTIONS: Options = {
    "application_name": {"type": "str"},
    "user_name": {"type": "str"},
    "user_roles": {"type": "list", "elements": "str"},
    "role_name": {"type": "str"},
    "keep": {"type": "str"},
    "waits_for": {"type": "str"},
}
OFFBOARDING_OPTIONS: Options = {"connections": {**entries(CONNECTION_OPTIONS), "required": True}}


class RemovedApplication(OAuthApplication):
    """An application to remove. Of two of its name, nothing shows which one is ours, and no option selects one."""

    found_by_id = False


class ConnectionRemoval(Resource):
    """The objects of one connection; what others use is kept, with the reason."""

    def __init__(self, connection: Connection, signed_in_as: str = "", signed_in_with: str = "") -> None:
        self.connection = connection
        # User name and client id of the calling account.
        self.own = (signed_in_as, signed_in_with)
        self.label = f"connection {connection.application or connection.user or connection.role}"
        self.application = _absent(RemovedApplication, "name", connection.application)
        self.user = _absent(User, "user_name", connection.user)
        self.role = _absent(Role, "name", connection.role)

    @classmethod
    def from_params(cls, params: Mapping[str, Any], signed_in_as: str, signed_in_with: str) -> ConnectionRemoval:
        """Return the removal of an entry of the option `connections`."""
        return cls(Connection.from_params(params), signed_in_as, signed_in_with)

    def reads(self) -> list[Query]:
        """Return the queries for the objects, and for those who use them."""
        queries: list[Query] = []
        if self.application:
            queries += [*self.application.reads(), *application_queries(self.connection)]
        if self.user:
            queries += [*self.user.reads(), *user_queries(self.connection)]
        if self.role:
            queries += [*self.role.reads(), *role_queries(self.connection)]
        return queries

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Plan the removal of each object that exists and that no one else uses."""
        plan = Plan(self.label, bulk=True)
        user_is_kept = False
        if self.application:
            client_id = next(iter(snapshot.rows("oauth_entity", "name", self.connection.application)), {}).get(
                "client_id"
            )
            own = "this run signs in with it" if client_id and client_id == self.own[1] else ""
            usage = [own] if own else list(application_usage(self.connection, snapshot))
            self._plan_tokens(plan, snapshot)
            self._plan_object(plan, self.application, snapshot, secrets, usage)
        if self.user:
            own = "this run signs in with it" if self.connection.user == self.own[0] else ""
            usage = [own] if own else list(user_usage(self.connection, snapshot))
            user_is_kept = self._plan_object(plan, self.user, snapshot, secrets, usage) == KEPT
        if self.role:
            usage = list(role_usage(self.connection, snapshot, user_is_kept=user_is_kept))
            rules = access_rules(self.connection, snapshot)
            step = _access_rules_step(self.connection.role, rules) if rules and not usage else None
            self._plan_object(plan, self.role, snapshot, secrets, usage, step)
        return plan

    def _plan_object(
        self,
        plan: Plan,
        resource: RecordResource,
        snapshot: Snapshot,
        secrets: SecretDecision,
        usage: list[str],
        step: ManualStep | None = None,
    ) -> str:
        """Add the removal of one object, or why it stays; return its status."""
        found = resource.plan(snapshot, secrets)
        outcome: dict[str, Any] = {"object": resource.label, "status": OK}
        plan.outcomes.append(outcome)
        if not found.writes:
            return OK
        reason = self.connection.keep or "; ".join(usage)
        if reason:
            outcome.update(status=KEPT, reason=reason)
            return KEPT
        plan.drift += found.drift
        plan.before[resource.label], plan.after[resource.label] = "present", ABSENT
        if self.connection.waits_for:
            outcome.update(status=WAITING, reason=self.connection.waits_for)
        elif step:
            outcome.update(status=MANUAL, reason=step.reason)
            plan.manual_steps.append(step)
        else:
            outcome.update(status=CHANGED, sys_id=str((found.row or {}).get("sys_id", "")))
            plan.needs += found.needs
            plan.writes += [_in_order(write) for write in found.writes]
        return str(outcome["status"])

    def _plan_tokens(self, plan: Plan, snapshot: Snapshot) -> None:
        """Add the revocation of the tokens that the account has of the application, which is to delete their rows."""
        tokens = [
            row for row in tokens_of(self.connection, snapshot) if row.get("user.user_name") == self.connection.user
        ]
        label = f"token {self.connection.application}"
        status = CHANGED if tokens else OK
        if tokens and self.connection.keep:
            status = KEPT
        elif tokens and self.connection.waits_for:
            status = WAITING
        reason = {KEPT: self.connection.keep, WAITING: self.connection.waits_for}.get(status)
        plan.outcomes.append(
            {"object": label, "status": status, "tokens": len(tokens), **({"reason": reason} if reason else {})}
        )
        if status in (CHANGED, WAITING):
            plan.drift.append(Drift(label, "state", f"{len(tokens)} issued", ABSENT))
        if status == CHANGED:
            plan.writes += [Write(DELETE, TOKENS, label, row=row["sys_id"], stage=TOKEN_STAGE) for row in tokens]


def signed_in(params: Mapping[str, Any]) -> tuple[str, str]:
    """Return user name and client id with which a task signs in, "" for those it does not use."""
    return params.get("snow_username") or "", params.get("snow_client_id") or ""


def removals(params: Mapping[str, Any]) -> Iterator[ConnectionRemoval]:
    """Yield the resources of a task."""
    for entry in params["connections"]:
        yield ConnectionRemoval.from_params(entry, *signed_in(params))


def _absent(kind: type[RecordResource], key: str, name: str) -> Any:
    return kind({key: name}, state=ABSENT) if name else None


def _in_order(write: Write) -> Write:
    if write.action == UPDATE:
        write.stage = DEACTIVATION
    return write


def _access_rules_step(role: str, rules: list[str]) -> ManualStep:
    return ManualStep(
        id=f"table_acls:{role}:remove",
        title=f"Remove the role {role} from {len(rules)} access control {'rule' if len(rules) == 1 else 'rules'}",
        # docs/facts/servicenow_platform.md#access-rules
        reason=(
            "Access rules are writable only with the elevated role security_admin, which no API call can have. The role stays until then: "
            "a rule that lost its only role with it would admit everyone"
        ),
        where=(
            "ServiceNow: user menu > Elevate role > security_admin, then System Security > Access Control (ACL): delete each rule that "
            "requires this role only, and remove the role from the others"
        ),
        values={"Requires role": role, "Rules": ", ".join(rules)},
    )
