# SPDX-License-Identifier: GPL-3.0-or-later
"""What a call found, did and left to a person (interface: what every state module returns)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

ABSENT, PRESENT = "absent", "present"


@dataclass(frozen=True)
class Drift:
    """One deviation: `field` of `object` was `before` and is, or would be, `after`. Secrets are masked by their makers."""

    object: str
    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class ManualStep:
    """What no API can do. `values` maps the label in the portal to what to enter; `secret_values` lists labels not printed."""

    id: str
    title: str
    reason: str
    where: str
    values: dict[str, str]
    secret_values: list[str] = field(default_factory=list)


@dataclass
class Result:
    """The outcome of one call; `output` holds what the module at hand returns beyond the common keys."""

    changed: bool = False
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    drift: list[Drift] = field(default_factory=list)
    manual_steps: list[ManualStep] = field(default_factory=list)
    output: dict[str, Any] = field(default_factory=dict)
    managed: bool = True

    def as_dict(self, *, with_diff: bool) -> dict[str, Any]:
        """Return the result as Ansible takes it; an `_info` module (`managed` false) has no diff, drift or manual steps."""
        result: dict[str, Any] = {"changed": self.changed, **self.output}
        if self.managed:
            result["drift"] = [asdict(entry) for entry in self.drift]
            result["manual_steps"] = [asdict(step) for step in self.manual_steps]
            if with_diff:
                result["diff"] = {"before": self.before, "after": self.after}
        return result


def information(**output: Any) -> Result:
    """Return the result of a call that only reads."""
    return Result(output=output, managed=False)
