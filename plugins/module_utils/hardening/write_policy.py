# SPDX-License-Identifier: GPL-3.0-or-later
"""Write policy: which deviating settings are written, which are withheld, and which option releases them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..engine.plan import REFUSED
from ..option_names import named_option
from ..snow.resources.properties import NEEDS_ELEVATION
from .assessment import ELEVATED_ROLE, LOCKED, Assessment
from .catalogue.setting import CURRENT, EQ, INTEGER, PLUGIN, PROPERTY
from .evaluate import DEVIATING
from .exceptions import Exceptions
from .locations import PatternLocation, RecordLocation, location_of

# Statuses of a setting that is not written. NOTED: reported only. WITHHELD: an option or the limit withholds it. MANUAL:
# only possible manually. ACCEPTED: the task accepts the deviation. UNKNOWN_VALUE: the actual value is unknown. FULFILLED: a sibling setting is written instead.
NOTED, WITHHELD, MANUAL, UNKNOWN_VALUE, FULFILLED = "noted", "withheld", "manual", "unknown", "fulfilled"
ACCEPTED = "accepted"

# What withholds a deviating setting: values of `withheld_by` in results.
BASELINE, STRICTER, CONNECTION, LIMIT = "baseline", "stricter", "connection", "max_writes"
# For messages outside of rows: a row has its option as `switch`, which reports show as a variable.
LIMIT_OPTION = named_option(LIMIT, "snow_hardening")
EXCEPTION = "exception"
IRREVERSIBLE, ACTIVATES_PLUGIN, SIDE_EFFECTS, ELEVATION = "irreversible", "plugin", "side_effects", "elevation"

# Settings that are compared for equality although a smaller value is stricter (never loosen,
# docs/facts/servicenow_hardening.md#evaluation-rules).
STRICTER_BELOW = frozenset({"session.guest_idle"})
STRICTER_ABOVE = frozenset({"auth.lockout_minutes"})


@dataclass(frozen=True)
class Withheld:
    """A setting that is not written: its status, the reason, what withholds it, and the option that releases it."""

    status: str
    reason: str
    by: str = ""
    switch: str = ""


@dataclass(frozen=True)
class Allowances:
    """What a task allows beyond ordinary settings; `accepted` are the ids whose side effects are accepted, `exceptions` the accepted deviations."""

    irreversible: bool = False
    plugins: bool = False
    accepted: Collection[str] = ()
    exceptions: Exceptions = field(default_factory=Exceptions)


def as_result(entry: Assessment, withheld: Withheld | None) -> dict[str, Any]:
    """Return a setting as modules return it, with what withholds it."""
    return {
        **entry.as_dict(),
        "withheld_by": withheld.by if withheld else "",
        "switch": withheld.switch if withheld else "",
    }


def reason_not_to_write(
    entry: Assessment, allowances: Allowances, pinned: Collection[str] = (), disconnected: str = ""
) -> Withheld | None:
    """Return why a deviating setting is not written; None when it may be.

    `pinned` are the ids that the task names itself; `disconnected` names the connection that the setting would break.
    """
    return next(_reasons(entry, allowances, pinned, disconnected), None)


def withheld_by_default(entry: Assessment) -> Withheld | None:
    """Return why a task without further options does not write a setting; None when it does, or when nothing deviates."""
    return reason_not_to_write(entry, Allowances()) if entry.verdict == DEVIATING else None


def _reasons(
    entry: Assessment, allowances: Allowances, pinned: Collection[str], disconnected: str
) -> Iterator[Withheld]:
    excepted = allowances.exceptions.reasons.get(entry.setting.id)
    if excepted:
        yield Withheld(ACCEPTED, excepted, EXCEPTION)
    reason = _report_only(entry, pinned)
    if reason:
        yield reason
    if disconnected:
        yield Withheld(
            REFUSED,
            f"{disconnected}. Leave it out with exclude, or remove the service from services (an empty list protects no service)",
            CONNECTION,
            "services",
        )
    for reason in (_disallowed(entry, allowances), _manual_only(entry)):
        if reason:
            yield reason
    if entry.write_class == ELEVATED_ROLE:
        yield Withheld(
            NEEDS_ELEVATION,
            "its write roles include security_admin, an elevated role that no API call can hold",
            ELEVATION,
        )


def _report_only(entry: Assessment, pinned: Collection[str]) -> Withheld | None:
    setting = entry.setting
    if entry.write_class == LOCKED:
        return Withheld(NOTED, "customers cannot set it; contact ServiceNow support", LOCKED)
    if setting.status != CURRENT and setting.id not in pinned and not setting.secure_score_control:
        left = setting.status.replace("left: ", "it left the baseline: ")
        return Withheld(NOTED, f"{left}; add it to ids to have it written", BASELINE, "ids")
    if _is_stricter(entry):
        return Withheld(NOTED, "it is stricter than required, and stricter values are never loosened", STRICTER)
    return None


def _is_stricter(entry: Assessment) -> bool:
    actual, wanted = entry.evaluation.actual, entry.target.wanted
    if not isinstance(actual, int):
        return False
    if entry.target.comparator != EQ or entry.setting.type != INTEGER or isinstance(actual, bool):
        return False
    below = entry.setting.id in STRICTER_BELOW and 0 < actual < int(str(wanted))
    return below or (entry.setting.id in STRICTER_ABOVE and actual > int(str(wanted)))


def _disallowed(entry: Assessment, allowances: Allowances) -> Withheld | None:
    setting = entry.setting
    if setting.kind == PLUGIN and not allowances.plugins:
        return Withheld(
            WITHHELD,
            "it is a plugin, which cannot be deactivated again; set allow_plugins to have it activated",
            ACTIVATES_PLUGIN,
            "allow_plugins",
        )
    if setting.irreversible and not allowances.irreversible:
        return Withheld(
            WITHHELD,
            "once changed it cannot be changed back; set allow_irreversible to have it written",
            IRREVERSIBLE,
            "allow_irreversible",
        )
    if setting.side_effects and setting.id not in allowances.accepted:
        return Withheld(
            WITHHELD,
            f"side effects: {setting.side_effects}. Add {setting.id} to accept_side_effects to have it written",
            SIDE_EFFECTS,
            "accept_side_effects",
        )
    return None


def _manual_only(entry: Assessment) -> Withheld | None:
    reason = _reason_for_manual(entry)
    return Withheld(MANUAL, reason, MANUAL) if reason else None


def _reason_for_manual(entry: Assessment) -> str:
    setting, rows = entry.setting, entry.observation.rows
    if setting.kind == PLUGIN:
        return "" if rows else "the instance does not list it: ServiceNow provides it on request"
    if entry.target.value_to_write("") is None:
        return "the right value depends on the instance and has to be chosen manually"
    if setting.kind == PROPERTY:
        return ""
    if not isinstance(location_of(setting), (RecordLocation, PatternLocation)):
        return "where it is stored is not documented well enough to write it"
    return "" if rows else "its record is missing, and the content of that record is not documented"
