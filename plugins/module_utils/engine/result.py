# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a call: what it found, what it changed, and which manual steps remain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .problem import is_about_unknown

ABSENT, PRESENT = "absent", "present"
# Status of a row in `results` whose object could not be read, and the field that stands for a whole object.
UNKNOWN, WHOLE = "unknown", "state"
# Shown in place of write-only values.
ON_PLATFORM, DESIRED = "******** (value on the platform)", "******** (desired value)"


@dataclass(frozen=True)
class Drift:
    """One deviation: `field` of `object` was `before` and is, or would be, `after`. Secrets are masked before."""

    object: str
    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Unproven:
    """Whether `field` of `object` is in sync is not known because of `reason`; `field` is "state" for the whole object."""

    object: str
    field: str
    reason: str


@dataclass(frozen=True)
class ManualStep:
    """A step that has no API. `values` maps the label in the portal to the value to enter; `secret_values` lists labels whose
    value is not printed.
    """

    id: str
    title: str
    reason: str
    where: str
    values: dict[str, str]
    secret_values: list[str] = field(default_factory=list)


@dataclass
class Result:
    """The result of one call: `msg` is one sentence about it, `output` what the module returns beyond the common keys.

    `ignored` are ids of problems that leave nothing unproven because the user accepts them.
    """

    changed: bool = False
    msg: str = ""
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    drift: list[Drift] = field(default_factory=list)
    manual_steps: list[ManualStep] = field(default_factory=list)
    unproven: list[Unproven] = field(default_factory=list)
    output: dict[str, Any] = field(default_factory=dict)
    managed: bool = True
    ignored: frozenset[str] = frozenset()

    def as_dict(self, *, with_diff: bool) -> dict[str, Any]:
        """Return the result in Ansible's form; an `_info` module (`managed` false) has no diff, drift or manual steps.

        What is unproven is returned wherever there is drift or a list of problems.
        """
        result: dict[str, Any] = {"changed": self.changed, **({"msg": self.msg} if self.msg else {}), **self.output}
        if self.managed:
            result["drift"] = [asdict(entry) for entry in self.drift]
            result["manual_steps"] = [asdict(step) for step in self.manual_steps]
            if with_diff:
                result["diff"] = {"before": self.before, "after": self.after}
        if self.managed or "problems" in self.output:
            result["unproven"] = [asdict(entry) for entry in self.all_unproven()]
        return result

    def all_unproven(self) -> list[Unproven]:
        """Return everything unproven, once: what plans noted, and the rows and problems of the output that say unknown."""
        noted = [*self.unproven, *unknown_rows(self.output), *unknown_problems(self.output, self.ignored)]
        return list({(entry.object, entry.field): entry for entry in reversed(noted)}.values())[::-1]


def unknown_rows(output: Mapping[str, Any]) -> Iterator[Unproven]:
    """Yield the objects whose row in `results` has the status unknown, with its reason, message or first evidence.

    A row with a `field` is about that field only.
    """
    for row in output.get("results") or []:
        if row.get("status") == UNKNOWN and row.get("object"):
            evidence = next(iter(row.get("evidence") or []), "")
            reason = row.get("reason") or row.get("message") or evidence or "its state could not be read"
            yield Unproven(str(row["object"]), str(row.get("field") or WHOLE), " ".join(str(reason).split()))


def unknown_problems(output: Mapping[str, Any], ignored: frozenset[str]) -> Iterator[Unproven]:
    """Yield the problems that say that something could not be read, without the `ignored` ones."""
    for problem in output.get("problems") or []:
        if is_about_unknown(problem["id"]) and problem["id"] not in ignored:
            yield Unproven(f"problem {problem['id']}", WHOLE, f"{problem['message']}. {problem['remedy']}")


def information(msg: str = "", **output: Any) -> Result:
    """Return the result of a call that only reads."""
    return Result(msg=msg, output=output, managed=False)
