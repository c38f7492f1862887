# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as Markdown, for a comment on a pull request: the sections of the page, each finding that instances share once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from ...module_utils.token_end import in_words
from . import groups, hardening
from .document import IN_SYNC, counted, summary
from .history import shown_trend
from .instances import NEAR_DAYS
from .manual_steps import manual_steps
from .rows import ACCEPTED, ENDED
from .values import Json, encode, mappings, named, text

# GitHub refuses comments of more than 65,536 characters.
MAX_SIZE = 60_000
MAX_VALUE = 120
MAX_ROWS = 200
MAX_TREND = 8
MAX_EACH = 20
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!@])")


def to_markdown(document: Mapping[str, Any]) -> bytes:
    """Return the report as GitHub and GitLab render it; values are escaped, so that no platform's text is markup."""
    hosts = document["hosts"]
    parts = [
        [
            "# Drift report",
            "",
            escaped(summary(document)),
            "",
            f"{document['generated_at'][:16].replace('T', ' ')} UTC",
        ],
        list(_since(document.get("since"))),
        list(_failures(hosts)),
        list(_problems(hosts)),
        list(_steps(hosts)),
        list(_unproven(hosts)),
        list(_deviations(hosts)),
        list(_settings(hosts)),
        list(_exceptions(hosts, datetime.fromisoformat(document["generated_at"]))),
        list(_tokens(hosts)),
        list(_trend(document)),
    ]
    page = "\n\n".join("\n".join(part) for part in parts if part) + "\n"
    return encode(page if len(page) <= MAX_SIZE else _cut(page))


def escaped(value: Any) -> str:
    """Return a value as one line without markup, links or mentions."""
    shown = " ".join(text(value).split())
    shown = shown if len(shown) <= MAX_VALUE * 4 else f"{shown[: MAX_VALUE * 4]}..."
    return SPECIAL.sub(r"\\\1", shown)


def _cut(page: str) -> str:
    kept = page[:MAX_SIZE].rsplit("\n", 1)[0]
    return f"{kept}\n\nThe rest is left out here; drift.json has everything.\n"


def _table(title: str, columns: Iterable[str], rows: list[list[str]]) -> Iterator[str]:
    """Yield a table, nothing without rows."""
    if rows:
        head = list(columns)
        yield from (f"## {title}", "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}")
        yield from (f"| {' | '.join(row)} |" for row in rows[:MAX_ROWS])
        if len(rows) > MAX_ROWS:
            yield f"\n{len(rows) - MAX_ROWS} more rows are left out; drift.json has them."


def _grouped(rows: Iterable[tuple[str, tuple[str, ...]]]) -> list[list[str]]:
    """Return rows of host and cells as rows of cells and the hosts that share them, those of most hosts first."""
    by_cells: dict[tuple[str, ...], list[str]] = {}
    for host, cells in rows:
        by_cells.setdefault(cells, []).append(host)
    ordered = sorted(by_cells.items(), key=lambda item: (-len(item[1]), item[0]))
    return [[*cells, escaped(named(dict.fromkeys(hosts)))] for cells, hosts in ordered]


def _short(value: Any) -> str:
    shown = " ".join(("not set" if value is None else text(value)).split())
    return SPECIAL.sub(r"\\\1", shown if len(shown) <= MAX_VALUE else f"{shown[:MAX_VALUE]}...")


def _instances(row: Mapping[str, Any]) -> str:
    return escaped(named(row["hosts"]))


def _failures(hosts: Mapping[str, Json]) -> Iterator[str]:
    rows = [[escaped(row["message"]), _instances(row)] for row in groups.failures(hosts)]
    yield from _table("Failed", ("Message", "Instances"), rows)


def _problems(hosts: Mapping[str, Json]) -> Iterator[str]:
    rows = [
        [escaped(row["severity"]), escaped(row["message"] or row["id"]), escaped(row["remedy"]), _instances(row)]
        for row in groups.problems(hosts)
    ]
    yield from _table("Problems", ("Severity", "Problem", "Remedy", "Instances"), rows)


def _deviations(hosts: Mapping[str, Json]) -> Iterator[str]:
    rows = [
        [*(_short(row[key]) for key in ("object", "field", "before", "after")), _instances(row)]
        for row in groups.deviations(hosts)
    ]
    yield from _table("Drift", ("Object", "Field", "Is", "Should be", "Instances"), rows)


def _unproven(hosts: Mapping[str, Json]) -> Iterator[str]:
    rows = [[_short(row["object"]), escaped(row["reason"]), _instances(row)] for row in groups.unproven(hosts)]
    yield from _table("Unproven", ("Object", "Reason", "Instances"), rows)


def _settings(hosts: Mapping[str, Json]) -> Iterator[str]:
    rows = [
        [
            escaped(row["severity"]),
            str(row["points"]),
            escaped(row["title"] or row["id"]),
            _short(row["actual"]) + (" and others" if row["differs"] else ""),
            _short(row["expected"]),
            escaped(f"{row['state']}{': ' if row['reason'] else ''}{row['reason']}"),
            escaped(row["variable"]),
            _instances(row),
        ]
        for row in hardening.settings(hosts)
        if row["status"] != ACCEPTED
    ]
    columns = ("Severity", "Points", "Setting", "Is", "Recommended", "State", "Variable", "Instances")
    yield from _table("Hardening settings", columns, rows)


def _exceptions(hosts: Mapping[str, Json], now: datetime) -> Iterator[str]:
    rows = [
        [
            escaped(row["title"] or row["object"]),
            escaped(row["reason"]),
            escaped(row["owner"] or "no owner"),
            escaped(row["until"] or "no end"),
            "ended, counts as drift again" if row["state"] == ENDED else escaped(row["state"]),
            _instances(row),
        ]
        for row in hardening.exceptions(hosts, now)
    ]
    yield from _table("Accepted deviations", ("Object", "Reason", "Owner", "Last day", "State", "Instances"), rows)


def _tokens(hosts: Mapping[str, Json]) -> Iterator[str]:
    """Yield the tokens and secrets that end soon, or have ended."""
    rows = [
        [
            escaped(f"{row['of'].replace('_', ' ')} {row['name']}"),
            row["kind"],
            in_words(row["days_left"], row["ended_days_ago"]),
            _instances(row),
        ]
        for row in groups.tokens(hosts)
        if groups.time_left(row) < NEAR_DAYS
    ]
    yield from _table(
        f"Tokens and secrets that end within {NEAR_DAYS} days", ("Name", "Kind", "End", "Instances"), rows
    )


def _steps(hosts: Mapping[str, Json]) -> Iterator[str]:
    """Yield the manual steps as a list of tasks, each once with the values to enter."""
    steps = manual_steps(hosts)
    if steps:
        yield "## Manual steps"
        yield ""
    for step in steps:
        yield f"- [ ] {escaped(step['title'])} ({_instances(step)})"
        yield from _step(step)


def _step(step: Mapping[str, Any]) -> Iterator[str]:
    if step["where"]:
        yield f"  - Where: {escaped(step['where'])}"
    yield from (f"  - {escaped(label)}: {escaped(value)}" for label, value in step["values"].items())
    yield from (f"  - {escaped(label)}: (secret)" for label in step["secret_values"])
    for own in step["each"][:MAX_EACH]:
        yield f"  - {escaped(own['host'])}"
        yield from (f"    - {escaped(label)}: {escaped(value)}" for label, value in own["values"].items())
    if len(step["each"]) > MAX_EACH:
        yield f"  - {len(step['each']) - MAX_EACH} more instances in drift.json"


def _since(since: Any) -> Iterator[str]:
    if not isinstance(since, Mapping):
        return
    new, gone = mappings(since.get("new")), mappings(since.get("gone"))
    when = str(since.get("generated_at"))[:16].replace("T", " ")
    yield f"## Since {when} UTC"
    yield ""
    yield f"{counted(len(new), 'new finding')}, {len(gone)} no longer found"
    for word, rows in (("new", new), ("no longer found", gone)):
        cells = (
            (str(row.get("host")), (f"{row.get('object')}{f' ({field})' if (field := row.get('field')) else ''}",))
            for row in rows
        )
        for shown, hosts in _grouped((host, (escaped(each[0]),)) for host, each in cells)[:MAX_ROWS]:
            yield f"- {word}: {shown} ({hosts})"
    for word, names in (
        ("not in the report before", since.get("hosts_added")),
        ("not in this report", since.get("hosts_missing")),
    ):
        if names:
            yield f"- {word}: {escaped(named(names))}"


def _trend(document: Mapping[str, Any]) -> Iterator[str]:
    rows = shown_trend(document)[-MAX_TREND:]
    if len(rows) > 1:
        cells = [
            [
                str(row.get("generated_at"))[:10],
                *(str(row.get(name, 0)) for name in ("hosts", IN_SYNC, "drift", "unproven", "deviations")),
            ]
            for row in rows
        ]
        yield from _table("Trend", ("Report", "Instances", "In sync", "Drift", "Unproven", "Deviations"), cells)
