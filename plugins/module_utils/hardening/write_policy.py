# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a setting that deviates is not written: switches that are off, what it would break, what nobody can write."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..engine.plan import REFUSED
from .catalogue.setting import CURRENT, EQ, INTEGER, PLUGIN, PROPERTY
from .locations import PatternLocation, RecordLocation, location_of
from .posture import LOCKED, Assessed

# NOTED: reported, and that is all. WITHHELD: a switch or the limit keeps it. MANUAL: only a person can. UNSEEN: nobody
# knows whether it deviates. FULFILLED: a sibling is written in its place.
NOTED, WITHHELD, MANUAL, UNSEEN, FULFILLED = "noted", "withheld", "manual", "unknown", "fulfilled"

# Settings that are compared for equality although a smaller value is stricter (never loosen,
# docs/facts/servicenow_hardening.md#evaluation-rules).
STRICTER_BELOW = frozenset({"session.guest_idle"})
STRICTER_ABOVE = frozenset({"auth.lockout_minutes"})


@dataclass(frozen=True)
class Withheld:
    """The status of a setting that is not written, and why."""

    status: str
    reason: str


@dataclass(frozen=True)
class Allowances:
    """What a task allows beyond ordinary settings; `acknowledged` are the ids whose side effects are accepted."""

    irreversible: bool = False
    plugins: bool = False
    acknowledged: Collection[str] = ()


def reason_not_to_write(entry: Assessed, allowances: Allowances, pinned: Collection[str], cut: str) -> Withheld | None:
    """Return why a setting that deviates is not written; None when it may be. `cut` says which connection it would cut."""
    return (
        _only_noted(entry, pinned)
        or (
            Withheld(REFUSED, f"{cut}. Leave it out with exclude, or remove the service from services") if cut else None
        )
        or _by_switch(entry, allowances)
        or _by_hand(entry)
    )


def _only_noted(entry: Assessed, pinned: Collection[str]) -> Withheld | None:
    setting = entry.setting
    if entry.write_class == LOCKED:
        return Withheld(NOTED, "customers cannot set it; ask ServiceNow support")
    if setting.status != CURRENT and setting.id not in pinned and not setting.secure_score_control:
        return Withheld(
            NOTED, f"{setting.status.replace('left: ', 'it left the baseline: ')}; name it in ids to have it written"
        )
    if _is_stricter(entry):
        return Withheld(NOTED, "it is stricter than asked for, and nothing is ever loosened")
    return None


def _is_stricter(entry: Assessed) -> bool:
    actual, wanted = entry.evaluation.actual, entry.target.wanted
    if not isinstance(actual, int):
        return False
    if entry.target.comparator != EQ or entry.setting.type != INTEGER or isinstance(actual, bool):
        return False
    below = entry.setting.id in STRICTER_BELOW and 0 < actual < int(str(wanted))
    return below or (entry.setting.id in STRICTER_ABOVE and actual > int(str(wanted)))


def _by_switch(entry: Assessed, allowances: Allowances) -> Withheld | None:
    setting = entry.setting
    if setting.kind == PLUGIN and not allowances.plugins:
        return Withheld(WITHHELD, "it is a plugin, which nobody can deactivate again: allow_plugins has it activated")
    if setting.irreversible and not allowances.irreversible:
        return Withheld(WITHHELD, "once changed it cannot be changed back: allow_irreversible has it written")
    if setting.breaks and setting.id not in allowances.acknowledged:
        return Withheld(
            WITHHELD, f"it breaks: {setting.breaks}. Name {setting.id} in accept_side_effects to have it written"
        )
    return None


def _by_hand(entry: Assessed) -> Withheld | None:
    setting, observation = entry.setting, entry.observation
    if setting.kind == PLUGIN:
        listed = bool(observation.rows)
        return None if listed else Withheld(MANUAL, "the instance does not list it: ServiceNow provides it on request")
    if entry.target.value_to_write("") is None:
        return Withheld(MANUAL, "what is right here only a person can say")
    if setting.kind != PROPERTY and not isinstance(location_of(setting), (RecordLocation, PatternLocation)):
        return Withheld(MANUAL, "where it is kept is not documented well enough to write it")
    if setting.kind != PROPERTY and not observation.rows:
        return Withheld(MANUAL, "the row is not there, and what belongs into it is not documented")
    return None
