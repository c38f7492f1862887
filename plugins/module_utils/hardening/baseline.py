# SPDX-License-Identifier: GPL-3.0-or-later
"""Select the settings of a task, with its own values. All invalid input is reported at once."""

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
from .evaluate import Target, split_list

SECURE_SCORE, RECOMMENDED, ALL = "secure_score", "recommended", "all"
BASELINES = (SECURE_SCORE, RECOMMENDED, ALL)
BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class Selection:
    """The settings of a task in the order of the catalogue, with their targets; `pinned` are those that it names itself."""

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
    accepted: Collection[str] = (),
) -> Selection:
    """Return the settings of `baseline` and `ids` without `exclude`, with the values of `overrides` (id to value).

    Without a baseline it is `ids` alone, or secure_score where there are none. Raises `InvalidInput` that names every
    unknown id, conflict and wrong value.
    """
    given = dict(overrides or {})
    wrong = [*unknown_ids("ids", ids), *unknown_ids("exclude", exclude), *unknown_ids("overrides", given)]
    wrong += unknown_ids("accept_side_effects", accepted)
    chosen = baseline or ("" if ids else SECURE_SCORE)
    wanted = {s.id for s in CATALOGUE if _in_baseline(s, chosen)} | set(ids)
    wrong += _conflicts(wanted, ids, exclude, given)
    targets = []
    for setting in CATALOGUE:
        if setting.id not in wanted or setting.id in exclude:
            continue
        try:
            value = _converted(setting, given[setting.id]) if setting.id in given else None
        except ValueError as error:
            wrong.append(f"overrides: {setting.id} {error}")
            continue
        targets.append(Target.of(setting, value))
    if not targets and not wrong:
        wrong.append("no setting is left: exclude removes all of them")
    if wrong:
        raise InvalidInput(f"{'; '.join(wrong)}. Nothing was written")
    return Selection(chosen, tuple(targets), frozenset(ids) | frozenset(given))


def _in_baseline(setting: Setting, baseline: str) -> bool:
    if baseline == SECURE_SCORE:
        return bool(setting.secure_score_control)
    return baseline == ALL or (baseline == RECOMMENDED and setting.status == CURRENT)


def unknown_ids(option: str, ids: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for each id of `option` that no setting has, with ids that resemble it."""
    for id in ids:
        if id in BY_ID:
            continue
        named = [s.id for s in CATALOGUE if id in (s.name, *s.also)]
        close = named or get_close_matches(str(id), BY_ID, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        yield f"{option}: unknown setting {id!r}{hint}"


def _conflicts(
    wanted: Collection[str], ids: Collection[str], exclude: Collection[str], overrides: Collection[str]
) -> Iterator[str]:
    for id in sorted({*ids} & {*exclude}):
        yield f"{id} is in ids and in exclude: remove one of them"
    for id in sorted({*overrides} & {*exclude}):
        yield f"{id} is in overrides and in exclude: remove one of them"
    for id in sorted(({*overrides} & {*BY_ID}) - {*wanted} - {*exclude}):
        yield f"{id} is in overrides, but neither in the baseline nor in ids: add it to ids"


def _converted(setting: Setting, value: Any) -> Wanted:
    """Return an override in the type of the setting; raise ValueError with the reason if it is invalid."""
    if setting.kind == PLUGIN or setting.comparator == ANY_OF_ACTIVE:
        raise ValueError("is either active or not and has no other value: use exclude to skip it")
    if setting.comparator == REVIEW:
        raise ValueError("requires manual review and is never written: use exclude to skip it")
    if not setting.customer_editable:
        raise ValueError("cannot be set by customers: use exclude to skip it")
    if setting.type == BOOLEAN:
        return _boolean(value)
    if setting.type == INTEGER:
        return _number(setting, value)
    if setting.type == LIST:
        if isinstance(value, str) or (isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value)):
            return tuple(split_list(value))
        raise ValueError(f"must be a list of strings, not {value!r}")
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be a string, not {value!r}")
    return value.strip()


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in BOOLEANS:
        return BOOLEANS[value.strip().lower()]
    raise ValueError(f"must be true or false, not {value!r}")


def _number(setting: Setting, value: Any) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not text.isascii() or not text.isdigit():
        raise ValueError(f"must be an integer of 0 or more, not {value!r}")
    if setting.comparator == RANGE_1_720 and not 1 <= int(text) <= 720:
        raise ValueError(f"must be an integer from 1 to 720, not {value!r}")
    return int(text)
