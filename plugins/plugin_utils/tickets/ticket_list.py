# SPDX-License-Identifier: GPL-3.0-or-later
"""The findings of a ticket: the list in its description, the file attached to it, and how both are read again."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...module_utils.microsoft.defender_cloud.assessments import assessment_key
from .groups import owner_of, severity_rank, title_of
from .text import ASSESSMENT, HOLDS, MAX_DESCRIPTION, truncate

HEADING, FILE_NAME = "Open findings: ", "findings.csv"
IN_FILE = f"the attached file {FILE_NAME}"
# Characters of a list in the description; a longer one is attached as a file.
MAX_LIST = 2400
SECTION = re.compile(rf"^{HEADING}.*?(?=\n\n|\Z)", re.M | re.S)
LINE = re.compile(r"(?P<severity>\w+): (?P<title>.*?)(?: \((?P<resource_name>[^()]*)\))?")
COLUMNS = {
    "severity": "Severity",
    "risk_level": "Risk level",
    "title": "Finding",
    "resource_name": "Resource",
    "resource_group": "Resource group",
    "subscription": "Subscription",
    "owner": "Owner",
    "since": "Unhealthy since",
    "assessment": "Assessment",
}
# A spreadsheet runs a cell that begins so as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Listed:
    """One finding of a ticket, as far as its list shows it."""

    assessment: str
    title: str = ""
    resource_name: str = ""
    severity: str = ""
    risk_level: str = ""
    resource_group: str = ""
    subscription: str = ""
    owner: str = ""
    since: str = ""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Listed:
        """Return a finding as mdc_recommendation_info returns it."""
        return cls(
            assessment=str(row.get("id") or ""),
            title=title_of(row),
            resource_name=_line(row.get("resource_name") or row.get("resource_id")),
            severity=str(row.get("severity") or ""),
            risk_level=str(row.get("risk_level") or ""),
            resource_group=str(row.get("resource_group") or ""),
            subscription=str(row.get("subscription_id") or ""),
            owner=owner_of(row),
            since=str(row.get("changed_at") or row.get("first_evaluated_at") or ""),
        )

    @property
    def key(self) -> str:
        """The key of the finding."""
        return assessment_key(self.assessment)

    @property
    def text(self) -> str:
        """The finding in one line: severity, title and resource."""
        where = f" ({self.resource_name})" if self.resource_name else ""
        return f"{self.severity or 'Unrated'}: {self.title}{where}"


def _line(text: Any) -> str:
    return " ".join(str(text or "").replace("(", "[").replace(")", "]").split())


def ordered(listed: Iterable[Listed]) -> list[Listed]:
    """Return findings with the most severe first; the order is the same in each run."""
    return sorted(
        listed,
        key=lambda one: (severity_rank(one.severity), severity_rank(one.risk_level), one.title, one.assessment.lower()),
    )


def section(listed: Iterable[Listed], room: int = MAX_LIST) -> str:
    """Return the list for a description: each finding with the id of its assessment, or the first ones of an attached list.

    `room` is how many characters the description has for it.
    """
    those, limit = ordered(listed), min(MAX_LIST, room)
    text = _inline(those)
    if len(text) <= limit:
        return text
    counts = Counter(one.severity or "Unrated" for one in those)
    shown = ", ".join(f"{counts[name]} {name}" for name in sorted(counts, key=severity_rank))
    resources = len({one.resource_name for one in those})
    head = f"{HEADING}{len(those)} on {resources} resources ({shown}), all of them in {IN_FILE}"
    lines = [head if len(head) <= limit else f"{HEADING}{len(those)}, all of them in {IN_FILE}"]
    for place, one in enumerate(those, 1):
        more = len(_more(len(those) - place)) + 1 if room < MAX_LIST else 0
        if sum(map(len, lines)) + len(lines) + len(one.text) + more > limit:
            break
        lines.append(one.text)
    left = len(those) - len(lines) + 1
    return "\n".join([*lines, _more(left)] if left and len(lines) > 1 else lines)


def _more(count: int) -> str:
    return f"... and {count} more"


def _inline(those: Sequence[Listed]) -> str:
    lines = [f"{HEADING}{len(those)}"]
    for one in those:
        lines += [truncate(one.text, 200), f"{ASSESSMENT}{one.assessment}"]
    return "\n".join(lines)


def with_section(description: str, listed: Iterable[Listed]) -> str:
    """Return a description with another list; what people wrote around it stays, and one without a list stays as it is.

    Where their text leaves less room, the list is shorter. Their text is only cut where the column has no place for it.
    """
    found = SECTION.search(description)
    if not found:
        return description
    most = max(MAX_DESCRIPTION, len(description))
    text = section(listed, most - len(description) + len(found.group()))
    return truncate(f"{description[: found.start()]}{text}{description[found.end() :]}", max(HOLDS, most))


def refers_to_file(description: str) -> bool:
    """Return whether the list of a description is only the beginning of one that is attached as a file."""
    found = SECTION.search(description)
    return found is not None and IN_FILE in found.group().split("\n", 1)[0]


def file_content(listed: Iterable[Listed]) -> str:
    """Return the list as a file of comma-separated values; the same for the same findings."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS.values())
    for one in ordered(listed):
        writer.writerow(_cell(getattr(one, name)) for name in COLUMNS)
    return out.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def listed_in(description: str, file: str | None) -> dict[str, Listed] | None:
    """Return the findings that a ticket lists, by their key; None if its list cannot be read.

    A list in the description counts; only for a longer one, the attached `file`.
    """
    found = SECTION.search(description)
    if not found:
        return _in_file(file) if file else None
    if not refers_to_file(description):
        return _in_section(found.group())
    return _in_file(file) if file else None


def _in_section(text: str) -> dict[str, Listed]:
    lines = text.split("\n")[1:]
    found = {}
    for before, line in zip(lines, lines[1:], strict=False):
        if line.startswith(ASSESSMENT):
            named = LINE.fullmatch(before)
            one = Listed(line.removeprefix(ASSESSMENT).strip(), **(_texts(named.groupdict()) if named else {}))
            found[one.key] = one
    return found


def _texts(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value or "" for name, value in values.items()}


def _in_file(text: str) -> dict[str, Listed] | None:
    found = {}
    names = {label: name for name, label in COLUMNS.items()}
    for line in csv.DictReader(io.StringIO(text)):
        values = {names[label]: (cell or "") for label, cell in line.items() if label in names}
        cells = {
            name: cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA) else cell
            for name, cell in values.items()
        }
        if cells.get("assessment"):
            one = Listed(**cells)
            found[one.key] = one
    return found or None
