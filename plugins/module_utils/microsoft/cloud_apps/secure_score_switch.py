# SPDX-License-Identifier: GPL-3.0-or-later
"""The switch "Turn on Secure Score recommendations" of a connector.

It is in the list of connectors; Microsoft documents no API that turns it
(docs/facts/defender_for_cloud_apps.md#reading-connectors, docs/facts/defender_for_cloud_apps.md#posture-recommendations).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ...engine.plan import UPDATE, Plan, Write
from ...engine.result import Drift
from ...engine.snapshot import Row
from .connector_health import ABSENT
from .manual_steps import secure_score_step

SWITCH, OPERATION = "secure_score", "secure_score"
UNMANAGED, ENABLED, OFF = "unmanaged", "enabled", "disabled"
STATES = (UNMANAGED, ENABLED, OFF)
NOT_SHOWN = "the list of connectors does not show the switch"


class SwitchReplay(Protocol):
    """A contract that may contain the operation of the switch."""

    def offers(self, operation: str) -> bool:
        """Return whether the contract has `operation`."""

    def check(self, operation: str, values: Mapping[str, Any], label: str) -> None:
        """Raise `InvalidInput` if a value is missing."""


def shown(value: Any) -> str:
    """Return the state of the switch, "" if a record does not show it."""
    return (ENABLED if value else OFF) if isinstance(value, bool) else ""


def as_value(state: str) -> bool:
    """Return the value that a contract sends for a state."""
    return state == ENABLED


def plan_switch(
    plan: Plan,
    entry: Mapping[str, Any],
    row: Row | None,
    outcome: dict[str, Any],
    replay: SwitchReplay | None,
    collection: str,
) -> bool:
    """Plan the switch of a connector that exists; return whether it is written. Evidence does not show the switch.

    Without a contract that has the operation, it is a manual step.
    """
    wanted, label = entry.get(SWITCH) or UNMANAGED, outcome["object"]
    if wanted == UNMANAGED or entry["state"] != "present" or row is None or row["status"] == ABSENT:
        return False
    before = row.get(SWITCH, "")
    if not before:
        plan.add_unproven(NOT_SHOWN, SWITCH, label)
        return False
    if before == wanted:
        return False
    plan.drift.append(Drift(label, SWITCH, before, wanted))
    if replay is not None and replay.offers(OPERATION):
        values = {"name": entry["name"], SWITCH: wanted}
        replay.check(OPERATION, {**values, "id": row["id"]}, label)
        plan.writes.append(Write(UPDATE, collection, f"{label}: {SWITCH}", values, row["id"], outcome=outcome))
        return True
    plan.manual_steps.append(secure_score_step(entry["name"], turn_on=wanted == ENABLED))
    return False
