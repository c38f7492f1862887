# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a run: every value that it would write, in a canonical form whose digest stands for it.

Two runs that would write the same have the same digest: what is generated when it is written, secrets and ids, has the same word in
both, and rows have one order.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

FORMAT = 1
MASK = "********"
HIDDEN_BY_ANSIBLE = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
# What a plan says in place of secrets and of ids that the platform gives.
NEW_SECRET, PRESENT_SECRET, LATER = "(new secret)", "(secret)", "(known after apply)"
# What was done with a saved plan or with the change request that has it.
PLANNED, APPLYING, APPLIED = "planned", "applying", "applied"
# Fields with ids that a platform gives.
IDS = frozenset({"sys_id", "client_id"})
COLUMNS = ("instance", "object", "field", "before", "after")
# Changes that a change request shows, and the length of its columns
# (docs/facts/servicenow_tickets.md#change-requests).
MAX_TEXT = 3900

ARROW = " -> "

Row = dict[str, Any]
# Instance, object and field of each change, and its values before and after in readable form.
Lines = dict[tuple[str, str, str], str]


class InvalidPlan(ValueError):
    """A plan that cannot be used; the message says why."""


@dataclass(frozen=True)
class RunPlan:
    """What a playbook would write: `rows` of {instance, object, field, before, after}, sorted.

    `fleet` maps the hosts of the run to their addresses.
    """

    playbook: str
    fleet: Mapping[str, str]
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, playbook: str, fleet: Mapping[str, str], drift: Iterable[tuple[str, Mapping[str, Any]]]) -> RunPlan:
        """Return the plan with the deviations that a run would correct, each with its host."""
        # A field counts once, the last time that it is named. The id of a new object is known after it was written.
        known = (
            (host, entry) for host, entry in drift if entry.get("field") not in IDS or entry.get("before") is not None
        )
        fields = {tuple(row[name] for name in COLUMNS[:3]): row for row in (_row(host, entry) for host, entry in known)}
        return cls(playbook, dict(fleet), tuple(fields[key] for key in sorted(fields)))

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical form, in hexadecimal."""
        return hashlib.sha256(_canonical(self._content()).encode(errors="surrogatepass")).hexdigest()

    @property
    def fleet_digest(self) -> str:
        """The start of the SHA-256 of the fleet, in hexadecimal."""
        return hashlib.sha256(_canonical(self.fleet).encode()).hexdigest()[:12]

    @property
    def size(self) -> str:
        """How many changes there are, and on how many hosts."""
        hosts = len({row["instance"] for row in self.rows})
        return f"{_counted(len(self.rows), 'change')} on {_counted(hosts, 'host')}"

    def _content(self) -> dict[str, Any]:
        return {"format": FORMAT, "playbook": self.playbook, "fleet": self.fleet, "changes": self.rows}

    def document(self, state: str) -> str:
        """Return the plan as the text of a file, with what was done with it."""
        content = {**self._content(), "sha256": self.digest, "state": state}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_document(cls, text: str) -> tuple[RunPlan, str]:
        """Return the plan in the text of a file, and its state. Raises `InvalidPlan` if it is damaged or of another version."""
        try:
            found = json.loads(text)
        except ValueError as error:
            raise InvalidPlan("is damaged: it is not JSON") from error
        if not isinstance(found, Mapping) or "format" not in found:
            raise InvalidPlan("is not a plan of this collection")
        if found["format"] != FORMAT:
            raise InvalidPlan(
                f"has format {found['format']!r}, but this version of the collection reads format {FORMAT}"
            )
        fleet, rows = found.get("fleet"), found.get("changes")
        if not isinstance(fleet, Mapping) or not isinstance(rows, list) or not all(map(_is_row, rows)):
            raise InvalidPlan("is damaged: changes or fleet are missing")
        plan = cls(str(found.get("playbook")), fleet, tuple(rows))
        if plan.digest != found.get("sha256"):
            raise InvalidPlan("was edited or is damaged: its changes do not have the digest in it")
        return plan, str(found.get("state"))

    def lines(self) -> Lines:
        """Return every change in readable form."""
        return {(row["instance"], row["object"], row["field"]): _values(row) for row in self.rows}

    def text(self, limit: int = MAX_TEXT) -> str:
        """Return the plan in readable form, at most `limit` characters: hosts with the same changes are listed together."""
        by_host: dict[str, list[str]] = {}
        for (host, name, field), values in self.lines().items():
            lines = by_host.setdefault(host, [])
            lines += [] if f"- {name}" in lines else [f"- {name}"]
            lines.append(f"  {field}: {values}")
        groups: dict[tuple[str, ...], list[str]] = {}
        for host, changes in by_host.items():
            groups.setdefault(tuple(changes), []).append(host)
        text = [line for changes, hosts in groups.items() for line in (f"{', '.join(hosts)}:", *changes)]
        return _shortened(text, limit)


def lines_of(text: str) -> Lines:
    """Return what `RunPlan.lines` did for the plan whose readable form is `text`, as far as that was not shortened."""
    found: Lines = {}
    hosts: list[str] = []
    name = ""
    for line in text.split("\n"):
        if line.startswith("  "):
            field, _colon, values = line[2:].partition(": ")
            found.update({(host, name, field): values for host in hosts})
        elif line.startswith("- "):
            name = line[2:]
        elif line.endswith(":"):
            hosts = line[:-1].split(", ")
    return found


def moved(approved: Lines, present: Lines, most: int = 10) -> str:
    """Return what differs between two plans: changes that were added, were removed, or are others."""
    found = [f"added: {_named(key)}: {present[key]}" for key in present if key not in approved]
    found += [f"removed: {_named(key)}: {approved[key]}" for key in approved if key not in present]
    found += [
        f"changed: {_named(key)}: {present[key]}, approved was {approved[key]}"
        for key in present
        if key in approved and approved[key] != present[key]
    ]
    more = [f"and {len(found) - most} more"] if len(found) > most else []
    return "; ".join([*found[:most], *more]) or "the order or number of its changes"


def is_remainder(approved: Lines, present: Lines) -> bool:
    """Return whether `present` is what is left of a plan that was applied in part: each change ends in an approved value."""
    return all(
        key in approved and approved[key].split(ARROW)[-1] == values.split(ARROW)[-1] for key, values in present.items()
    )


def _named(key: tuple[str, str, str]) -> str:
    return f"{key[0]}: {key[1]} ({key[2]})"


def _row(host: str, entry: Mapping[str, Any]) -> Row:
    field = str(entry.get("field"))
    before = _plain(entry.get("before"), PRESENT_SECRET)
    after = LATER if field in IDS else _plain(entry.get("after"), NEW_SECRET)
    return dict(zip(COLUMNS, (host, str(entry.get("object")), field, before, after), strict=True))


def _plain(value: Any, secret: str) -> Any:
    """Return a value as JSON can hold it, without what differs each time."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item, secret) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, secret) for item in value]
    if isinstance(value, str):
        return secret if MASK in value or HIDDEN_BY_ANSIBLE in value else str(value)
    return value if isinstance(value, (bool, int, float)) or value is None else LATER


def _is_row(row: Any) -> bool:
    return isinstance(row, Mapping) and set(row) == set(COLUMNS)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _values(row: Row) -> str:
    """Return the values of a row on one line; of what has none before, only the one after."""
    before, after = (json.dumps(row[name], ensure_ascii=False, sort_keys=True) for name in ("before", "after"))
    return after if row["before"] is None else f"{before}{ARROW}{after}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _shortened(lines: list[str], limit: int) -> str:
    """Return the lines as one text; those that do not fit are only counted."""
    text = "\n".join(lines)
    if len(text) <= limit:
        return text
    kept: list[str] = []
    for line in lines:
        if sum(len(each) + 1 for each in (*kept, line)) > limit - 100:
            break
        kept.append(line)
    left = len(lines) - len(kept)
    return "\n".join([*kept, f"... and {_counted(left, 'more line')}, which the digest of the plan covers."])


def is_shortened(text: str) -> bool:
    """Return whether a plan in readable form does not have all of its changes."""
    return bool(re.search(r"^\.\.\. and \d+ more lines?, which", text, re.MULTILINE))
