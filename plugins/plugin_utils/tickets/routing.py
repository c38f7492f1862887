# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a new ticket goes: the first rule that all of its findings match, else the default."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .groups import Group, owner_of, tag_of

VARIABLE = "mdc_tickets_rules"
# Impact and urgency from which an instance derives each priority (docs/facts/servicenow_tickets.md#incidents).
PRIORITIES = {1: (1, 1), 2: (2, 1), 3: (2, 2), 4: (2, 3), 5: (3, 3)}
# Types whose priority is derived; that of others can be written.
DERIVED = frozenset({"incident", "problem"})
CONDITIONS = frozenset({"subscriptions", "tags", "owners", "categories"})
FIELDS = ("assignment_group", "assigned_to", "caller", "template")
ROUTES = frozenset({*FIELDS, "priority", "type", "change_type", "extra_fields"})

Row = Mapping[str, Any]


@dataclass
class Rule:
    """One rule: `conditions` of a finding, all of which have to hold, and the `route` of its ticket."""

    name: str
    conditions: list[Callable[[Row], bool]]
    route: dict[str, Any] = field(default_factory=dict)

    def matches(self, group: Group) -> bool:
        """Return whether all findings of a group meet all conditions."""
        return all(condition(row) for row in group.rows for condition in self.conditions)


def rules_of(given: Iterable[Any] | None) -> list[Rule]:
    """Return the rules of the variable; raise `ValueError` for one that makes no sense."""
    return [_rule(place, each) for place, each in enumerate(given or (), 1)]


def _rule(place: int, given: Any) -> Rule:
    if not isinstance(given, Mapping):
        raise ValueError(f"{VARIABLE}: rule {place} is not a dictionary")
    name = str(given.get("name") or f"rule {place}")
    unknown = sorted(set(given) - CONDITIONS - ROUTES - {"name"})
    if unknown:
        known = ", ".join(sorted(CONDITIONS | ROUTES))
        raise ValueError(
            f"{VARIABLE}: {name} has {', '.join(unknown)}, which is not a key of a rule; they are name, {known}"
        )
    route = {key: given[key] for key in ROUTES if given.get(key) not in (None, "", {})}
    if "priority" in route:
        text = str(route["priority"])
        if not text.isdecimal() or int(text) not in PRIORITIES:
            raise ValueError(f"{VARIABLE}: {name}: priority is {text!r}; it must be a number from 1 to 5")
        route["priority"] = int(text)
    return Rule(name, list(_conditions(name, given)), route)


def _conditions(name: str, given: Mapping[str, Any]) -> Iterable[Callable[[Row], bool]]:
    readers: dict[str, Callable[[Row], Sequence[str]]] = {
        "subscriptions": lambda row: [str(row.get("subscription_id") or "")],
        "owners": lambda row: [owner_of(row)],
        "categories": lambda row: [
            str(row.get("recommendation_category") or ""),
            *map(str, row.get("categories") or []),
        ],
    }
    for key, read in readers.items():
        if given.get(key):
            yield _any_of(read, {_plain(key, each) for each in _listed(given[key])})
    tags = given.get("tags") or {}
    if not isinstance(tags, Mapping):
        raise ValueError(f"{VARIABLE}: {name}: tags must be a dictionary of keys and values")
    for tag, values in tags.items():
        yield _has_tag(str(tag), {str(each).casefold() for each in _listed(values)})


def _any_of(read: Callable[[Row], Sequence[str]], wanted: set[str]) -> Callable[[Row], bool]:
    return lambda row: any(text.casefold() in wanted for text in read(row))


def _has_tag(tag: str, wanted: set[str]) -> Callable[[Row], bool]:
    return lambda row: tag_of(row, tag).casefold() in wanted


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _plain(key: str, value: Any) -> str:
    text = str(value).strip().casefold()
    return text.strip("/").removeprefix("subscriptions/") if key == "subscriptions" else text


def tags_in(given: Iterable[Any] | None) -> list[str]:
    """Return the keys of tags that rules need."""
    rules = [each for each in given or () if isinstance(each, Mapping) and isinstance(each.get("tags"), Mapping)]
    return [str(key) for each in rules for key in each["tags"]]


def route_of(group: Group, rules: Sequence[Rule]) -> Rule | None:
    """Return the first rule that a group matches, None for the default."""
    return next((rule for rule in rules if rule.matches(group)), None)


def priority_fields(kind: str, priority: int) -> dict[str, Any]:
    """Return the options of a ticket that give it a priority."""
    if kind in DERIVED:
        impact, urgency = PRIORITIES[priority]
        return {"impact": impact, "urgency": urgency}
    return {"extra_fields": {"priority": str(priority)}}
