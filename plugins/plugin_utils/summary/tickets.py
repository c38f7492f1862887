# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a summary about tickets: what was found in numbers, every ticket that was made or changed, and those that were refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .results import HostResult

MAX_GROUPS = 10
# What check mode says instead.
PLANNED = {
    "created": "would be created",
    "updated": "would be updated",
    "resolved": "would be resolved",
    "closed": "would be closed",
    "canceled": "would be canceled",
    "reopened": "would be reopened",
}
NUMBERS = (("severity", "severity"), ("category", "category"), ("risk_level", "risk level"), ("group", "group"))


def ticket_lines(host: HostResult, *, check_mode: bool) -> Iterator[str]:
    """Yield the lines of one host."""
    counts = host.ticket_counts
    if counts.get("new") or counts.get("left"):
        yield f"{host.name}: {counts['findings']} findings in {plural(counts['groups'], 'group')}"
        for key, label in NUMBERS:
            yield f"- by {label}: {_numbers(counts.get(key) or {})}"
        empty = counts.get("empty") or {}
        if empty:
            yield f"- without a value to group by: {_numbers(empty)}"
    left = counts.get("left") or {}
    if left:
        yield f"{host.name}: {_left_out(left)}; {left['option']} lets them through"
    unread = counts.get("unread") or {}
    if unread:
        yield f"{host.name}: {_unread(unread)}"
    if host.tickets:
        yield f"{plural(len(host.tickets), 'ticket')}:"
    for row in host.tickets:
        action = PLANNED.get(str(row["action"]), "") if check_mode else str(row["action"])
        name = row.get("number") or f"new {str(row.get('type') or 'ticket').replace('_', ' ')}"
        yield f"- {name} {action}: {row.get('short_description') or row.get('correlation_id')} {row.get('link') or ''}".rstrip()
    yield from _left_as_they_are(host)


def _left_as_they_are(host: HostResult) -> Iterator[str]:
    """Yield why tickets that exist are not as they should be, those with one reason together."""
    found: dict[str, list[str]] = {}
    for row in host.tickets_left:
        reason, number = str(row.get("reason") or ""), str(row.get("number") or "")
        if number and reason and reason not in host.failure:
            words = reason.partition(": ")[2] if reason.startswith(str(row.get("object"))) else reason
            numbers = found.setdefault(words, [])
            numbers += [] if number in numbers else [number]
    count = len({number for numbers in found.values() for number in numbers})
    if found:
        yield f"{plural(count, 'ticket')} left as {'it is' if count == 1 else 'they are'}:"
    for words, numbers in found.items():
        more = f" and {len(numbers) - MAX_GROUPS} more" if len(numbers) > MAX_GROUPS else ""
        yield f"- {', '.join(numbers[:MAX_GROUPS])}{more}: {words}"


def _left_out(left: Mapping[str, Any]) -> str:
    """Return what the limit of new tickets leaves out, and what of it stays in other tickets."""
    waiting, held = left["findings"], left.get("held") or 0
    found = [f"with {plural(waiting, 'finding')}"] if waiting else []
    found += [f"with {plural(held, 'finding')} that other tickets list until then"] if held else []
    verb = "gets" if left["groups"] == 1 else "get"
    return f"{plural(left['groups'], 'group')} {' and '.join(found)} {verb} no ticket in this run"


def _unread(unread: Mapping[str, Any]) -> str:
    """Return how many findings of open tickets, or open tickets for alerts and incidents, are about what was not read."""
    count = unread.get("findings", unread["tickets"])
    stay = "stays as it is" if count == 1 else "stay as they are"
    if "findings" in unread:
        found = (
            f"{plural(count, 'finding')} in {plural(unread['tickets'], 'open ticket')} {'is' if count == 1 else 'are'}"
        )
        return f"{found} in no scope that was read (mdc_tickets_scopes), and {stay}"
    numbers = f"{', '.join(unread['numbers'])}{', ...' if count > len(unread['numbers']) else ''}"
    about = "is about an alert or incident that was" if count == 1 else "are about alerts or incidents that were"
    return (
        f"{plural(count, 'open ticket')} {about} not read, and {stay}: {numbers}. See defender_alerts_sources and defender_alerts_scopes; "
        f"an incident is found by the line with its id in the description"
    )


def _numbers(counts: Mapping[str, Any]) -> str:
    shown = [f"{count} {name}" for name, count in list(counts.items())[:MAX_GROUPS]]
    more = [f"and {len(counts) - MAX_GROUPS} more"] if len(counts) > MAX_GROUPS else []
    return ", ".join([*shown, *more]) or "none"


def plural(count: int, noun: str) -> str:
    """Return a number and its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
