# SPDX-License-Identifier: GPL-3.0-or-later
"""The run of a governance rule."""

from __future__ import annotations

from typing import Any

from ...engine.field import wire_text
from ...engine.plan import PERFORM, Plan, SecretDecision, Write
from ...engine.reconcile import NeverWrite
from ...engine.snapshot import PlannedId, Query, Snapshot
from .governance_rule import GovernanceRule
from .governance_rules_api import COLLECTION


class RuleRun:
    """The run of a rule that is as described; `row_id` is its id, "" in check mode where it does not exist yet."""

    def __init__(self, rule: GovernanceRule, *, override: bool) -> None:
        self.rule, self.override = rule, override
        self.label = f"the run of {rule.label}"

    def planned_ids(self) -> list[PlannedId]:
        """Promise nothing."""
        return []

    def reads(self) -> list[Query]:
        """Ask nothing: it was read just now."""
        return []

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Run it, once."""
        plan = Plan(self.label)
        if not isinstance(secrets, NeverWrite):
            values: dict[str, Any] = {"override": wire_text(self.override)}
            plan.writes.append(Write(PERFORM, COLLECTION, self.label, values, self.rule.row_id))
        return plan
