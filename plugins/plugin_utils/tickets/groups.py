# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of findings: each has one ticket, identified by the values that its findings have in common."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...module_utils.microsoft.defender_cloud.assessments import KEY_PREFIX, SEVERITIES
from ...module_utils.stable_key import stable_key

CATEGORY, TITLE, RECOMMENDATION, OWNER = "category", "title", "recommendation", "owner"
RESOURCE, RESOURCE_GROUP, SUBSCRIPTION, TAG = "resource", "resource_group", "subscription", "tag:"
# What findings without a category have in common instead; no key of the variable.
RESOURCE_TYPE = "resource_type"
KEYS = (CATEGORY, TITLE, RECOMMENDATION, OWNER, RESOURCE, RESOURCE_GROUP, SUBSCRIPTION)
LEADING = (CATEGORY, RESOURCE_TYPE, TITLE, RECOMMENDATION)
DEFAULT_GROUP_BY = (CATEGORY, OWNER)
# Each finding has a group of its own, which has the key of the finding.
EACH = frozenset({RECOMMENDATION, RESOURCE})
VARIABLE = "mdc_tickets_group_by"
WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")

Row = Mapping[str, Any]


@dataclass
class Group:
    """Findings that share the `values` of the keys they are grouped by; `id` is the correlation id of their ticket.

    `is_single`: the group is for one finding.
    """

    id: str
    values: tuple[tuple[str, str], ...]
    rows: list[Row] = field(default_factory=list)
    is_single: bool = False

    @property
    def severity(self) -> str:
        """The highest severity among the findings."""
        return min((str(row.get("severity") or "") for row in self.rows), key=severity_rank, default="")

    @property
    def rank(self) -> tuple[Any, ...]:
        """Sort key: the group with the most severe findings comes first, of several the one with more of them."""
        worst = min((finding_rank(row) for row in self.rows), default=(9, 9))
        return (*worst, -sum(finding_rank(row) == worst for row in self.rows), -len(self.rows), self.id)

    @property
    def name(self) -> str:
        """What the findings have in common, in words."""
        if self.is_single and self.rows:
            row = self.rows[0]
            return f"{title_of(row)} ({row.get('resource_name') or row.get('resource_id')})"
        first = [words_of(key, value) for key, value in self.values if key in LEADING]
        rest = [words_of(key, value) for key, value in self.values if key not in LEADING]
        known = [each for each in rest if each]
        head = first[0] if first else "Findings of Defender for Cloud"
        return f"{head} ({', '.join(known)})" if known else head


def severity_rank(severity: Any) -> int:
    """Return the place of a severity or risk level, 0 for Critical; what is none of them comes last."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def finding_rank(row: Row) -> tuple[int, int]:
    """Return the sort key of a finding: its severity, then its risk level."""
    return severity_rank(row.get("severity")), severity_rank(row.get("risk_level"))


def title_of(row: Row) -> str:
    """Return the title of a recommendation, in one line."""
    return " ".join(str(row.get("display_name") or row.get("name") or "").split())


def checked_keys(group_by: Iterable[Any] | str | None) -> tuple[str, ...]:
    """Return the keys to group by; raise `ValueError` for one that does not exist."""
    given = [group_by] if isinstance(group_by, str) else list(group_by or DEFAULT_GROUP_BY)
    keys = tuple(dict.fromkeys(str(key).strip() for key in given))
    for key in keys:
        if key not in KEYS and not (key.startswith(TAG) and key != TAG):
            raise ValueError(f"{VARIABLE}: {key!r} is no key; they are {', '.join(KEYS)} and {TAG}<key of a tag>")
    return keys


def tags_of(keys: Iterable[str]) -> list[str]:
    """Return the keys of tags among the keys to group by."""
    return [key.removeprefix(TAG) for key in keys if key.startswith(TAG)]


def category_of(row: Row) -> str:
    """Return the recommendation category of a finding, else the first category of its recommendation, "" for none."""
    others = sorted((str(each).strip() for each in row.get("categories") or []), key=str.casefold)
    return next((name for name in (str(row.get("recommendation_category") or "").strip(), *others) if name), "")


def value_of(row: Row, key: str, default_owner: str = "") -> tuple[str, str]:
    """Return the key and the value of a finding to group by: without a category, its type of resource, else its title.

    Each finding may have a title of its own, so titles would make as many groups as there are findings.
    """
    category = category_of(row)
    if key == CATEGORY and not category:
        key = RESOURCE_TYPE if row.get("resource_type") else TITLE
    found = {
        CATEGORY: category,
        RESOURCE_TYPE: row.get("resource_type"),
        TITLE: title_of(row),
        RECOMMENDATION: row.get("name"),
        OWNER: owner_of(row) or default_owner,
        RESOURCE: row.get("resource_id"),
        RESOURCE_GROUP: row.get("resource_group"),
        SUBSCRIPTION: row.get("subscription_id"),
    }
    value = tag_of(row, key.removeprefix(TAG)) if key.startswith(TAG) else found[key]
    return key, str(value or "").strip()


def owner_of(row: Row) -> str:
    """Return the owner in the governance assignment of a finding."""
    return str((row.get("assignment") or {}).get("owner") or "")


def tag_of(row: Row, key: str) -> str:
    """Return the value of a tag of the resource; Azure ignores the case of keys."""
    tags = row.get("tags") or {}
    return next((str(value) for name, value in tags.items() if str(name).casefold() == key.casefold()), "")


def group_id(values: Sequence[tuple[str, str]]) -> str:
    """Return the correlation id of a group: the same for the same values, in any order and case."""
    text = json.dumps(sorted([key, value.casefold()] for key, value in values))
    return stable_key(KEY_PREFIX, text)


def group_of(row: Row, keys: Sequence[str], default_owner: str = "") -> Group:
    """Return the group of a finding, without its findings."""
    if set(keys) >= EACH:
        return Group(str(row["key"]), (), is_single=True)
    values = tuple(value_of(row, key, default_owner) for key in keys)
    return Group(group_id(values), values)


def hand_id(key: str) -> str:
    """Return the correlation id of the ticket that is made by hand for a finding."""
    return group_id((("finding", key),))


def hand_group(row: Row) -> Group:
    """Return the group of a finding that gets a ticket of its own, made by hand; without the finding."""
    return Group(hand_id(str(row["key"])), (), is_single=True)


def words_of(key: str, value: str) -> str:
    """Return a value of a group as text in one line; "" if it says nothing."""
    value = " ".join(value.split())
    if not value:
        return ""
    if key == RESOURCE_TYPE:
        value = value.rpartition("/")[2]
    if key in (CATEGORY, RESOURCE_TYPE):
        return WORDS.sub(" ", value).capitalize()
    labels = {OWNER: "owner", RESOURCE_GROUP: "resource group", SUBSCRIPTION: "subscription", RESOURCE: ""}
    label = labels.get(key, key.removeprefix(TAG) if key.startswith(TAG) else "")
    value = value.rstrip("/").rsplit("/", 1)[-1] if key == RESOURCE else value
    return f"{label} {value}".strip()
