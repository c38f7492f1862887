# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring an instance to a hardening baseline: the options of a task, and its result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..engine.errors import InvalidInput
from ..engine.result import Result
from ..snow.activation import Wait
from .assessment import Assessment
from .baseline import Selection, select
from .connection_impact import Connections
from .lockout_guard import LockoutGuard
from .observe import Observer
from .posture import posture_of, summary
from .queries import WHOLE_ROW
from .resource import PROPERTY_TYPES, Hardening
from .update_set import PropertyRow, update_set
from .write_policy import Allowances

if TYPE_CHECKING:
    from ..snow.client import Instance

TITLE = "Hardening settings that need elevation"
# Columns that belong to the instance and not to the setting.
NOT_CARRIED = frozenset({"sys_id", "name", "sys_scope"})


def selection_of(params: Mapping[str, Any]) -> Selection:
    """Return the settings that a task selects; raise `InvalidInput` with everything that is invalid."""
    for entry in params["services"]:
        if not entry["application"].strip():
            raise InvalidInput("services: an application without a name")
    return select(
        params["baseline"], params["ids"], params["exclude"], params["overrides"], params["accept_side_effects"]
    )


def hardening_of(instance: Instance, params: Mapping[str, Any], selection: Selection) -> Hardening:
    """Return the settings as one resource of the instance; the account is queried with the first read."""
    instance.prefetch_account()
    user = str(instance.params.get("snow_username") or "") if instance.grant in ("basic", "password") else ""
    return Hardening(
        selection,
        Observer(selection.settings, instance.account, params["production"], WHOLE_ROW),
        Allowances(params["allow_irreversible"], params["allow_plugins"], frozenset(params["accept_side_effects"])),
        Connections(params["services"], instance.grant, user),
        params["max_writes"],
        params["create_for_score"],
        Wait(params["wait"], params["wait_timeout"], params["poll_interval"]),
    )


def harden(instance: Instance, params: Mapping[str, Any], selection: Selection) -> Result:
    """Bring the instance to the baseline, or report in check mode what would be changed."""
    hardening = hardening_of(instance, params, selection)
    guard = LockoutGuard(instance, params["services"], lambda: hardening.writes_left)
    result = instance.ensure(hardening, guard=guard)
    posture = posture_of(selection.baseline, hardening.assessed)
    result.output.update(
        msg=_summary(instance, result, summary(posture)),
        posture=posture,
        writes_left=hardening.writes_left,
        update_set=update_set(
            instance.session.base_url,
            TITLE,
            [_row(entry, wanted) for entry, wanted in hardening.properties_to_import()],
        ),
    )
    return result


def _summary(instance: Instance, result: Result, posture_summary: str) -> str:
    counted = Counter(outcome["status"] for outcome in result.output["results"])
    done = [f"{counted[status]} {label}" for status, label in STATUS_LABELS.items() if counted[status]]
    return f"{instance.name}: {posture_summary}" + (f"; {', '.join(done)}" if done else "")


STATUS_LABELS = {
    "changed": "changed",
    "needs_elevation": "need elevation",
    "manual": "manual",
    "request_only": "on request only",
    "withheld": "withheld",
    "refused": "refused",
    "noted": "noted",
    "unknown": "unknown",
}


def _row(entry: Assessment, wanted: str) -> PropertyRow:
    setting, row = entry.setting, entry.observation.row
    if row is None:
        columns = {"type": PROPERTY_TYPES.get(setting.type, "string"), "description": setting.title}
        return PropertyRow(setting.name, "", {**columns, "value": wanted})
    kept = {name: value for name, value in row.items() if name not in NOT_CARRIED}
    return PropertyRow(setting.name, row["sys_id"], {**kept, "value": wanted})


__all__ = ["harden", "hardening_of", "selection_of"]
