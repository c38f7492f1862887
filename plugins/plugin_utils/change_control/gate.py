# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate between planning and applying: whether a run may write its plan, and what it says if not."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from .run_plan import APPLYING, InvalidPlan, RunPlan, is_remainder, moved

# What is to be done with the saved plan or the change request.
SAVE, OPEN, START, CLOSE = "save", "open", "start", "close"


@dataclass
class Gate:
    """`held`: the run writes nothing. `failed`: it also ends with an error. `message` is one sentence for the summary.

    `action` is what the playbook does with the saved plan or the change request, `done` what it says when everything was applied.
    `change` names the change request, and `ticket` has its fields.
    """

    message: str = ""
    held: bool = True
    failed: bool = False
    action: str = ""
    done: str = ""
    change: dict[str, str] = field(default_factory=dict)
    ticket: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the gate as a fact."""
        return asdict(self)


def refused(message: str) -> Gate:
    """Return the gate of a run that must not write."""
    return Gate(message, failed=True)


def saved_plan_gate(plan: RunPlan, path: str, content: str | None, *, check_mode: bool) -> Gate:
    """Return the gate of a run with a saved plan in the file `path`; `content` is its text, None if there is no such file."""
    if content is None:
        return _without_file(plan, path, check_mode=check_mode)
    try:
        saved, state = RunPlan.from_document(content)
    except InvalidPlan as error:
        return refused(f"the file {path} {error}. Nothing was written. Remove it to save a new plan")
    problem = misfit(saved, plan)
    if problem:
        return refused(f"the plan in {path} is {problem}. Nothing was written. Name another file")
    if not plan.rows:
        return Gate(f"nothing is left to change: the plan in {path} is applied. Remove the file before the next plan")
    is_same = saved.digest == plan.digest
    if not is_same and not (state == APPLYING and is_remainder(saved.lines(), plan.lines())):
        return refused(
            f"the plan in {path} is not what would be written now, so nothing was written. Moved: "
            f"{moved(saved.lines(), plan.lines())}. Review it, and remove the file to save a new plan"
        )
    what = "exactly the plan" if is_same else "the rest of the plan"
    if check_mode:
        return Gate(f"{what} in {path} would be applied: {plan.size}")
    return Gate(held=False, action=START, done=f"{what} in {path} was applied. Remove the file before the next plan")


def _without_file(plan: RunPlan, path: str, *, check_mode: bool) -> Gate:
    if not plan.rows:
        return Gate("nothing to change, so no plan was saved")
    if check_mode:
        return Gate(f"a plan would be saved in {path}: {plan.size}")
    return Gate(
        f"the plan is saved in {path}: {plan.size}. Nothing was written. Run the same command again to apply exactly this plan",
        action=SAVE,
    )


def misfit(saved: RunPlan, plan: RunPlan) -> str:
    """Return what a saved plan belongs to, if not to this playbook and fleet, else ""."""
    if saved.playbook != plan.playbook:
        return f"one of {saved.playbook}, not of {plan.playbook}"
    hosts = sorted({*saved.fleet, *plan.fleet})
    others = [host for host in hosts if saved.fleet.get(host) != plan.fleet.get(host)]
    if others:
        return f"one of another fleet: it differs in {', '.join(others[:3])}{' and others' if others[3:] else ''}"
    return ""
