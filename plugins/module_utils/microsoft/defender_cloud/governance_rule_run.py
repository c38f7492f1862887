# SPDX-License-Identifier: GPL-3.0-or-later
"""The run of a governance rule."""

from __future__ import annotations

from typing import Any

from ...engine.plan import PERFORM, Plan, Resource, SecretDecision, Write
from ...engine.reconcile import NeverWrite
from ...engine.snapshot import Query, Snapshot
from .governance_rule import GovernanceRule
from .governance_rules_api import COLLECTION


class RuleRun(Resource):
    """The run of a rule that is in sync."""

    def __init__(self, rule: GovernanceRule, *, override: bool) -> None:
        self.rule, self.override = rule, override
        self.label = f"the run of {rule.label}"

    def reads(self) -> list[Query]:
        """Read nothing: the rule has just been read."""
        return []

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Plan one run."""
        plan = Plan(self.label)
        if not isinstance(secrets, NeverWrite):
            values: dict[str, Any] = {"override": self.override}
            plan.writes.append(Write(PERFORM, COLLECTION, self.label, values, self.rule.row_id))
        return plan
