# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings a task means, and with which values of its own. Everything that cannot be meant is said at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ..engine.errors import InvalidInput
from .catalogue import BY_ID, CATALOGUE
from .catalogue.setting import (
    ANY_OF_ACTIVE,
    BOOLEAN,
    CURRENT,
    INTEGER,
    LIST,
    PLUGIN,
    RANGE_1_720,
    REVIEW,
    Setting,
    Wanted,
)
from .evaluate import Target, words

SECURE_SCORE, RECOMMENDED, ALL = "secure_score", "recommended", "all"
BASELINES = (SECURE_SCORE, RECOMMENDED, ALL)
TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class Selection:
    """The settings of a task in the catalogue's order, with their targets; `pinned` are those that it names itself."""

    baseline: str
    targets: tuple[Target, ...]
    pinned: frozenset[str]

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The settings alone."""
        return tuple(target.setting for target in self.targets)


def select(
    baseline: str | None = None,
    ids: Collection[str] = (),
    exclude: Collection[str] = (),
    overrides: Mapping[str, Any] | None = None,
    acknowledged: Collection[str] = (),
) -> Selection:
    """Return the settings of `baseline` and `ids` without `exclude`, with the values of `overrides` (id to value).

    Without a baseline it is `ids` alone, or secure_score where there are none. Raises `InvalidInput` that names every
    unknown id, conflict and wrong value.
    """
    given = dict(overrides or {})
    wrong = [*_unknown("ids", ids), *_unknown("exclude", exclude), *_unknown("overrides", given)]
    wrong += _unknown("accept_side_effects", acknowledged)
    chosen = baseline or ("" if ids else SECURE_SCORE)
    wanted = {s.id for s in CATALOGUE if _belongs(s, chosen)} | set(ids)
    wrong += _conflicts(wanted, ids, exclude, given)
    targets = []
    for setting in CATALOGUE:
        if setting.id not in wanted or setting.id in exclude:
            continue
        try:
            value = _typed(setting, given[setting.id]) if setting.id in given else None
        except ValueError as error:
            wrong.append(f"overrides: {setting.id} {error}")
            continue
        targets.append(Target.of(setting, value))
    if not targets and not wrong:
        wrong.append("nothing is left to look at: exclude takes away every setting")
    if wrong:
        raise InvalidInput(f"{'; '.join(wrong)}. Nothing was written")
    return Selection(chosen, tuple(targets), frozenset(ids) | frozenset(given))


def _belongs(setting: Setting, baseline: str) -> bool:
    if baseline == SECURE_SCORE:
        return bool(setting.secure_score_control)
    return baseline == ALL or (baseline == RECOMMENDED and setting.status == CURRENT)


def _unknown(option: str, ids: Iterable[str]) -> Iterator[str]:
    for id in ids:
        if id in BY_ID:
            continue
        named = [s.id for s in CATALOGUE if id in (s.name, *s.also)]
        close = named or get_close_matches(str(id), BY_ID, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        yield f"{option}: the catalogue has no setting {id!r}{hint}"


def _conflicts(
    wanted: Collection[str], ids: Collection[str], exclude: Collection[str], overrides: Collection[str]
) -> Iterator[str]:
    for id in sorted({*ids} & {*exclude}):
        yield f"{id} is named by ids and by exclude: which one is meant?"
    for id in sorted({*overrides} & {*exclude}):
        yield f"{id} has a value in overrides and is named by exclude: which one is meant?"
    for id in sorted(({*overrides} & {*BY_ID}) - {*wanted} - {*exclude}):
        yield f"{id} has a value in overrides, but neither the baseline nor ids names it: add it to ids"


def _typed(setting: Setting, value: Any) -> Wanted:
    """Return a user's value in the type of the setting; raise ValueError that says what is wrong with it."""
    if setting.kind == PLUGIN or setting.comparator == ANY_OF_ACTIVE:
        raise ValueError("is active or it is not: use exclude to leave it alone")
    if setting.comparator == REVIEW:
        raise ValueError("is for a person to look at and is never written: use exclude to leave it alone")
    if not setting.customer_editable:
        raise ValueError("cannot be set by customers: use exclude to leave it alone")
    if setting.type == BOOLEAN:
        return _truth(value)
    if setting.type == INTEGER:
        return _number(setting, value)
    if setting.type == LIST:
        if isinstance(value, str) or (isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value)):
            return tuple(words(value))
        raise ValueError(f"takes a list of texts, not {value!r}")
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"takes a text, not {value!r}")
    return value.strip()


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in TRUTHS:
        return TRUTHS[value.strip().lower()]
    raise ValueError(f"takes true or false, not {value!r}")


def _number(setting: Setting, value: Any) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not text.isascii() or not text.isdigit():
        raise ValueError(f"takes a whole number that is not negative, not {value!r}")
    if setting.comparator == RANGE_1_720 and not 1 <= int(text) <= 720:
        raise ValueError(f"takes a number from 1 to 720, not {value!r}")
    return int(text)
