# SPDX-License-Identifier: GPL-3.0-or-later
"""The run of a governance rule."""

from __future__ import annotations

from typing import Any

from ...engine.field import wire_text
from ...engine.plan import PERFORM, Judge, Plan, Write
from ...engine.reconcile import SettledJudge
from ...engine.snapshot import Pending, Read, World
from .governance_rule import GovernanceRule
from .governance_rules_api import COLLECTION


class RuleRun:
    """The run of a rule that is as described; `row_id` is its id, "" in check mode where it does not exist yet."""

    def __init__(self, rule: GovernanceRule, *, override: bool) -> None:
        self.rule, self.override = rule, override
        self.label = f"the run of {rule.label}"

    def promises(self) -> list[Pending]:
        """Promise nothing."""
        return []

    def reads(self) -> list[Read]:
        """Ask nothing: it was read just now."""
        return []

    def plan(self, world: World, judge: Judge) -> Plan:
        """Run it, once."""
        plan = Plan(self.label)
        if not isinstance(judge, SettledJudge):
            values: dict[str, Any] = {"override": wire_text(self.override)}
            plan.writes.append(Write(PERFORM, COLLECTION, self.label, values, self.rule.row_id))
        return plan
