# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a call: what it found, what it changed, and which manual steps remain."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

ABSENT, PRESENT = "absent", "present"
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
    """The result of one call: `msg` is one sentence about it, `output` what the module returns beyond the common keys."""

    changed: bool = False
    msg: str = ""
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    drift: list[Drift] = field(default_factory=list)
    manual_steps: list[ManualStep] = field(default_factory=list)
    output: dict[str, Any] = field(default_factory=dict)
    managed: bool = True

    def as_dict(self, *, with_diff: bool) -> dict[str, Any]:
        """Return the result in Ansible's form; an `_info` module (`managed` false) has no diff, drift or manual steps."""
        result: dict[str, Any] = {"changed": self.changed, **({"msg": self.msg} if self.msg else {}), **self.output}
        if self.managed:
            result["drift"] = [asdict(entry) for entry in self.drift]
            result["manual_steps"] = [asdict(step) for step in self.manual_steps]
            if with_diff:
                result["diff"] = {"before": self.before, "after": self.after}
        return result


def information(msg: str = "", **output: Any) -> Result:
    """Return the result of a call that only reads."""
    return Result(msg=msg, output=output, managed=False)
