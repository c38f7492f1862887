# SPDX-License-Identifier: GPL-3.0-or-later
"""One governance assignment: its finding, its desired state, and the properties that Azure receives.

See docs/facts/defender_for_cloud.md#governance-assignments.
"""

from __future__ import annotations

import copy
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ...engine.errors import InvalidInput
from ...timestamps import format_utc, parse, same_instant
from ..arm.scopes import MANAGEMENT_GROUP, read_scope
from .assessments import ASSESSMENTS_PATH, connector_of

NAME = re.compile(r"[-\w.()]+")
MAX_NUMBER = 2**31 - 1
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "secops.servicenow_defender/governanceAssignments")

ASSIGNMENT_OPTIONS: dict[str, dict[str, Any]] = {
    "recommendation": {"type": "str", "required": True},
    "resource_id": {"type": "str", "required": True},
    "owner": {"type": "str"},
    "due_date": {"type": "str"},
    "eta": {"type": "str"},
    "eta_justification": {"type": "str"},
    "grace_period": {"type": "bool"},
    "ticket_number": {"type": "str"},
    "ticket_link": {"type": "str"},
    "ticket_status": {"type": "str"},
    "create": {"type": "bool", "default": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


@dataclass(frozen=True)
class Pair:
    """The finding of an assignment: the recommendation's name and the id of the resource. Case is ignored in both."""

    recommendation: str
    resource_id: str

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Pair:
        """Return the pair of an entry; raise `InvalidInput` where its name or id is malformed."""
        name, resource = entry["recommendation"].strip(), entry["resource_id"].strip()
        if not NAME.fullmatch(name):
            raise InvalidInput(
                f"recommendation must be the name of an assessment, such as 1195afff-c881-495e-9bc5-1486211ae03f, not {name!r}"
            )
        if ASSESSMENTS_PATH.lower() in resource.lower():
            raise InvalidInput(
                f"resource_id must be the id of the resource alone; {resource} also contains {ASSESSMENTS_PATH}"
            )
        scope = read_scope("resource_id", resource)
        if scope.kind == MANAGEMENT_GROUP:
            raise InvalidInput(f"resource_id {scope.path} is a management group, but assignments belong to resources")
        return cls(name, scope.path)

    @property
    def key(self) -> str:
        """The pair in a form that can be compared."""
        return f"{self.recommendation}|{self.resource_id.strip('/')}".casefold()

    @property
    def label(self) -> str:
        """The name of the assignment in messages."""
        return f"assignment {self.recommendation} on {self.resource_id}"

    @property
    def scope(self) -> str:
        """The scope whose list contains the assignment: the resource's connector, or its subscription.

        See docs/facts/defender_for_cloud.md#governance-assignments.
        """
        return connector_of(self.resource_id) or "/".join(self.resource_id.split("/")[:3])

    @property
    def assessment_path(self) -> str:
        """The path of the assessment."""
        return f"{self.resource_id}{ASSESSMENTS_PATH}/{self.recommendation}"

    @property
    def name(self) -> str:
        """The key of a new assignment: the same in every run, so that it can be sent again."""
        return str(uuid.uuid5(NAMESPACE, self.key))


@dataclass(frozen=True)
class Part:
    """One option, and its path below `properties`."""

    option: str
    path: tuple[str, ...]
    same: Callable[[Any, Any], bool]

    def read(self, properties: Mapping[str, Any]) -> Any:
        """Return the value, None where there is none."""
        value: Any = properties
        for name in self.path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def write(self, properties: dict[str, Any], value: Any) -> None:
        """Set the value; None removes it. Its neighbours stay."""
        inner = properties
        for name in self.path[:-1]:
            found = inner.get(name)
            inner[name] = dict(found) if isinstance(found, Mapping) else {}
            inner = inner[name]
        if value is None:
            inner.pop(self.path[-1], None)
        else:
            inner[self.path[-1]] = value


def _same_text(one: Any, other: Any) -> bool:
    return (one or "") == (other or "")


def _same_address(one: Any, other: Any) -> bool:
    return str(one or "").casefold() == str(other or "").casefold()


def _same_date(one: Any, other: Any) -> bool:
    return same_instant(str(one or ""), str(other or ""))


PARTS = (
    Part("owner", ("owner",), _same_address),
    Part("due_date", ("remediationDueDate",), _same_date),
    Part("eta", ("remediationEta", "eta"), _same_date),
    Part("eta_justification", ("remediationEta", "justification"), _same_text),
    Part("grace_period", ("isGracePeriod",), lambda one, other: bool(one) is bool(other)),
    Part("ticket_number", ("additionalData", "ticketNumber"), lambda one, other: str(one) == str(other)),
    Part("ticket_link", ("additionalData", "ticketLink"), _same_text),
    Part("ticket_status", ("additionalData", "ticketStatus"), _same_text),
)


class Assignment:
    """One desired assignment. `note` names what Azure cannot store of it.

    Raises `InvalidInput` for invalid or contradictory options.
    """

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.pair = Pair.of(entry)
        self.is_wanted = entry["state"] == "present"
        self.may_create = self.is_wanted and entry["create"]
        self.note = ""
        self.values: dict[str, Any] = {}
        for part in PARTS:
            if entry.get(part.option) is not None:
                # An empty text removes a value.
                self.values[part.option] = None if entry[part.option] == "" else entry[part.option]
        for option in ("due_date", "eta"):
            if self.values.get(option) is not None:
                self.values[option] = self._date(option)
        self._check()

    def _date(self, option: str) -> str:
        try:
            return format_utc(parse(self.values[option]))
        except (ValueError, OverflowError) as error:
            raise InvalidInput(f"{self.pair.label}: {option} {error}") from None

    def _check(self) -> None:
        if "due_date" in self.values and self.values["due_date"] is None:
            raise InvalidInput(f"{self.pair.label}: due_date must not be empty; an assignment always has one")
        # Both are required if one is there (docs/facts/defender_for_cloud.md#governance-assignments).
        if bool(self.values.get("eta")) != bool(self.values.get("eta_justification")):
            raise InvalidInput(f"{self.pair.label}: eta and eta_justification require each other; set both or none")
        text = self.values.get("ticket_number")
        if text is not None:
            self.values["ticket_number"] = self._number(text.strip())

    def _number(self, text: str) -> int | None:
        """Return the digits of a ticket's number; None, with a note, where Azure cannot store them (int32).

        See docs/facts/defender_for_cloud.md#governance-assignments.
        """
        digits = re.fullmatch(r"(?:.*[^0-9])?([0-9]+)", text, re.S)
        number = int(digits.group(1)[-20:]) if digits else None
        fits = number is not None and number <= MAX_NUMBER
        is_bare = digits is not None and digits.group(1) == text
        if not (fits and is_bare) and not self.values.get("ticket_link"):
            raise InvalidInput(
                f"{self.pair.label}: ticket_number {text} requires ticket_link, as an assignment stores only a whole number up to "
                f"{MAX_NUMBER}"
            )
        if fits:
            return number
        why = (
            f"is greater than {MAX_NUMBER}, the largest number"
            if digits
            else "does not end in digits, so it is not a number"
        )
        self.note = (
            f"{self.pair.label}: ticket number {text} {why} that an assignment can store. Only link and status are written; the link "
            f"leads to the ticket"
        )
        return None

    def patched(self, current: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, Any, Any]]]:
        """Return the properties to send, and the drift as (option, before, after). Other properties stay unchanged."""
        properties, drift = copy.deepcopy(dict(current)), []
        for part in PARTS:
            if part.option not in self.values:
                continue
            before, after = part.read(current), self.values[part.option]
            if not part.same(before, after):
                drift.append((part.option, before, after))
                part.write(properties, after)
        if not properties.get("remediationEta", True):
            del properties["remediationEta"]
        return properties, drift

    def created(self, default_due_days: int) -> dict[str, Any]:
        """Return the properties of a new assignment. Without a due date, it is due in `default_due_days` days."""
        properties, _drift = self.patched({})
        day = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
        properties.setdefault("remediationDueDate", format_utc(day + timedelta(days=default_due_days)))
        return properties

    def as_result(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Return the part of the assignment that results contain."""
        return {part.option: part.read(properties) for part in PARTS if part.option.startswith("ticket_")}


def desired_assignments(entries: Iterable[Mapping[str, Any]]) -> dict[str, Assignment]:
    """Return the assignments of a task by the key of their pair; raise `InvalidInput` for invalid ones and duplicates."""
    desired: dict[str, Assignment] = {}
    for entry in entries:
        assignment = Assignment(entry)
        if assignment.pair.key in desired:
            raise InvalidInput(f"assignments lists {assignment.pair.label} twice (case is ignored)")
        desired[assignment.pair.key] = assignment
    return desired
