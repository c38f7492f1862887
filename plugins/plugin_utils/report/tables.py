# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of the page: rows with their style and order, cut to a limit, and the instances of each row in short."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from . import groups, hardening
from .groups import Hosts
from .instances import NO_END, nearness, order
from .objects import FAILED, UNPROVEN
from .posture import SEVERITIES
from .rows import ACCEPTED, CHANGED, ENDED
from .sheet import to_do
from .values import Json

NAMES_IN_ROW = 8
# The styles of the states of settings; others are drift.
SETTING_STYLES = {
    "unproven": UNPROVEN,
    "refused": FAILED,
    "failed": FAILED,
    "accepted": "accepted",
    "noted": "accepted",
}


class Listing:
    """The names of hosts as a row shows them: some by name, the others as numbers that the script of the page resolves.

    `names` are all hosts in the order of their numbers, from 1; `instances` those of them that are not tenants.
    """

    def __init__(self, names: Sequence[str], instances: int) -> None:
        self._numbers = {name: number for number, name in enumerate(names, 1)}
        self._instances = instances

    def of(self, hosts: Sequence[str]) -> Json:
        """Return `names`, and in `more` the numbers of the `count` hosts that it does not name."""
        if len(hosts) <= NAMES_IN_ROW:
            return {"names": list(hosts), "more": "", "count": 0, "all": False}
        everywhere = len(hosts) == self._instances
        named = 0 if everywhere else NAMES_IN_ROW - 1
        rest = sorted(self._numbers[host] for host in hosts[named:])
        shown = [f"all {len(hosts)} instances"] if everywhere else list(hosts[:named])
        return {"names": shown, "more": ranges(rest), "count": len(rest), "all": everywhere}


def ranges(numbers: Sequence[int]) -> str:
    """Return sorted numbers in short: `1-3 7`."""
    starts = [number for before, number in pairwise([-2, *numbers]) if number != before + 1]
    ends = [number for number, after in pairwise([*numbers, -1]) if after != number + 1]
    return " ".join(
        str(first) if first == last else f"{first}-{last}" for first, last in zip(starts, ends, strict=True)
    )


def content_of(hosts: Hosts, now: datetime) -> Json:
    """Return the rows of all hosts, each group once: what `sheet` and `tables` cut to a limit."""
    return {
        "todo": to_do(hosts),
        "drift": groups.deviations(hosts),
        "settings": [_setting(row) for row in hardening.settings(hosts)],
        "in_sync": [_severity(row) for row in hardening.settings_in_sync(hosts)],
        "exceptions": [_exception(row) for row in hardening.exceptions(hosts, now)],
        "tokens": [_token(row) for row in groups.tokens(hosts)],
    }


def sheet(content: Json, listing: Listing, limit: int) -> Json:
    """Return the to-do sheet with numbered rows, at most `limit` of each group; `by_host` are the rows of each host."""
    by_host: dict[str, list[Json]] = {}
    found, number = [], 0
    for group in content["todo"]:
        rows = []
        for row in group["rows"][:limit]:
            number += 1
            each = {"each": row["each"][:limit], "each_count": len(row["each"])}
            rows.append({**row, **each, "number": number, "at": listing.of(row["hosts"])})
            for host in row["hosts"]:
                by_host.setdefault(host, []).append(rows[-1])
        found.append({**group, "count": len(group["rows"]), "rows": rows})
    return {"groups": found, "count": sum(group["count"] for group in found), "by_host": by_host}


def tables(content: Json, listing: Listing, limit: int) -> Json:
    """Return the tables of the page by name: `drift`, `settings`, `exceptions` and `tokens`."""
    return {
        "drift": _cut(content["drift"], listing, limit),
        "settings": {
            **_cut(content["settings"], listing, limit),
            "in_sync": _cut(content["in_sync"], listing, limit)["rows"],
        },
        "exceptions": _cut(content["exceptions"], listing, limit)["rows"],
        "tokens": _cut(content["tokens"], listing, limit),
    }


def sections(todo: Json, found: Json, counts: tuple[int, int], *, since: bool, posture: bool) -> list[Json]:
    """Return the sections of the page that are not empty, with their number of entries; `counts` are instances and tenants."""
    instances, tenants = counts
    listed: list[tuple[str, str, int | None, Any]] = [
        ("since", "Since last time", None, since),
        ("todo", "To do", todo["count"], True),
        ("drift", "Drift", found["drift"]["count"], found["drift"]["rows"]),
        (
            "settings",
            "Settings",
            found["settings"]["count"],
            found["settings"]["rows"] or found["settings"]["in_sync"] or posture,
        ),
        ("exceptions", "Accepted", len(found["exceptions"]), found["exceptions"]),
        ("tokens", "Tokens", found["tokens"]["count"], found["tokens"]["rows"]),
        ("tenant", "Tenant", None, tenants),
        ("instances", "Instances", instances, True),
    ]
    return [{"id": id, "title": title, "count": count} for id, title, count, shown in listed if shown]


def _cut(rows: list[Json], listing: Listing, limit: int) -> Json:
    shown = [{**row, "at": listing.of(row["hosts"])} for row in rows[:limit]]
    return {"rows": shown, "count": len(rows)}


def _severity(row: Json) -> Json:
    known = row["severity"] in SEVERITIES
    rank = SEVERITIES.index(row["severity"]) if known else len(SEVERITIES)
    return {**row, "rank": rank, "severity_style": row["severity"] if known else "unrated"}


def _setting(row: Json) -> Json:
    reason = row["reason"].removeprefix(f"{ACCEPTED} ") or (
        "the playbook harden writes it" if row["status"] == CHANGED else ""
    )
    return {**_severity(row), "reason": reason, "style": SETTING_STYLES.get(row["state"], "drift")}


def _exception(row: Json) -> Json:
    days, state = row["days_left"], row["state"]
    words = "ended, counts as drift again" if state == ENDED else state
    if state != ENDED and days is not None:
        words += f", ends in {days} day{'' if days == 1 else 's'}" if days else ", ends today"
    style = FAILED if state == ENDED else "drift" if days is not None and nearness(days) != "far" else "accepted"
    return {**row, "words": words, "style": style, "order": row["until"] or str(NO_END)}


def _token(row: Json) -> Json:
    day = str(row["expires_at"])[:10] if row["days_left"] is not None else row["expires_at"]
    return {**row, "nearness": nearness(row["days_left"]), "order": order(row), "day": day}
