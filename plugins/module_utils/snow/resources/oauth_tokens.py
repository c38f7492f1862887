# SPDX-License-Identifier: GPL-3.0-or-later
"""Access and refresh tokens that an instance has issued for its OAuth applications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...engine.plan import CHANGED, DELETE, MANUAL, OK, Plan, Resource, SecretDecision, Write
from ...engine.result import Drift, ManualStep
from ...engine.snapshot import Query, Snapshot
from .oauth_application import OAuthApplication

TABLE = "oauth_credential"


class OAuthTokens(Resource):
    """The tokens of applications, by the names of these, none of which is to be valid any more.

    A token itself cannot be read by any API, so its row is deleted (docs/facts/servicenow_platform.md#related-oauth-tables).
    """

    label = "tokens"
    # After the secrets: what signs in again has to know the new ones.
    stage = 8

    def __init__(self, applications: Sequence[str]) -> None:
        self.applications = tuple(dict.fromkeys(applications))
        # Those of the first snapshot: a client may get new ones in the meantime.
        self.issued: frozenset[str] | None = None

    def reads(self) -> list[Query]:
        """Query the tokens of the applications."""
        return [Query(TABLE, "peer.name", self.applications, ("sys_id", "peer.name", "type"), optional=True)]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Delete every token; an account that may not read or delete them gets a manual step for each application."""
        plan = Plan(self.label, bulk=True)
        self._plan_revocation(plan, snapshot)
        return plan

    def _plan_revocation(self, plan: Plan, snapshot: Snapshot) -> None:
        refused = snapshot.refused(TABLE, "peer.name")
        for name in self.applications:
            rows = snapshot.rows(TABLE, "peer.name", name)
            outcome: dict[str, Any] = {"object": f"tokens {name}", "status": MANUAL if refused else OK, "revoked": 0}
            plan.outcomes.append(outcome)
            if refused:
                plan.manual_steps.append(revocation_step(name, refused))
            for row in rows if self.issued is None else [row for row in rows if row["sys_id"] in self.issued]:
                self._revoke(plan, outcome, name, row["sys_id"])
            if outcome["revoked"]:
                plan.drift.append(Drift(outcome["object"], "valid", outcome["revoked"], 0))
        if self.issued is None:
            self.issued = frozenset(write.row for write in plan.writes)

    def _revoke(self, plan: Plan, outcome: dict[str, Any], name: str, sys_id: str) -> None:
        outcome.update(status=CHANGED, revoked=outcome["revoked"] + 1)
        step = revocation_step(name, "the account may not delete tokens")
        plan.writes.append(
            Write(
                DELETE,
                TABLE,
                f"{outcome['object']}: {sys_id}",
                row=sys_id,
                stage=self.stage,
                identity={"sys_id": sys_id},
                outcome=outcome,
                step=step,
                bulk_noun="tokens",
            )
        )


class CopiedTokens(OAuthTokens):
    """The tokens that an application of a clone has from its source: valid on both, they are revoked on the clone."""

    # Before the application: its client id shows the next run that an interrupted one has not revoked them all.
    stage = 3

    def __init__(self, application: OAuthApplication) -> None:
        super().__init__([application.display_name])
        self.application = application
        self.label = f"tokens of {application.display_name} from another instance"

    def reads(self) -> list[Query]:
        """Query the tokens; the application, which is planned next to them, has queries of its own."""
        return [self.application.token_query()]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Delete the tokens of an application whose client id is not its own."""
        plan = Plan(self.label, bulk=True)
        row = self.application.find(snapshot)
        # Once its client id was replaced, what the first plan found is verified.
        if self.issued is not None or (row and self.application.is_copied(row)):
            self._plan_revocation(plan, snapshot)
        return plan


def revocation_step(application: str, reason: str) -> ManualStep:
    """Return the manual step that revokes all tokens of an application."""
    return ManualStep(
        id=f"tokens:{application}",
        title=f"Revoke the tokens of {application}",
        reason=reason,
        where="ServiceNow > System OAuth > Manage Tokens, every token of the application > Revoke Access",
        values={"OAuth Application": application},
    )
