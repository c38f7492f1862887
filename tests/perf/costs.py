# SPDX-License-Identifier: GPL-3.0-or-later
"""What each playbook costs for a fleet in sync: requests to each instance, and to Microsoft for the whole fleet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.sandbox.process import SandboxProcess

TENANT = "tenant"


@dataclass(frozen=True)
class Playbook:
    """A playbook by name, and its arguments for a run that writes nothing in a fleet that is in sync."""

    name: str
    arguments: tuple[str, ...] = ()


# In the order of the table of docs/docsite/rst/guide_performance.rst.
IN_SYNC = (
    Playbook("onboard"),
    Playbook("drift", ("-e", "drift_fail=false")),
    Playbook("harden"),
    Playbook("verify"),
    # Secrets that onboard has just stored, and tokens that live for 60 days: nothing is due.
    Playbook("rotate", ("-e", "rotate_max_age_days=90", "-e", "rotate_renew_before_days=15")),
)
# Works on the tenant: of no instance does it cost more than of one.
TICKETS = Playbook("tickets")


@dataclass(frozen=True)
class Cost:
    """Requests: of an instance (the mean) and of Microsoft for the whole fleet."""

    instance: float
    tenant: int


def cost_of(fleet: SandboxProcess, names: Iterable[str], run: Callable[[], object]) -> Cost:
    """Return the requests of a run for the instances with these names."""
    fleet.reset_requests()
    run()
    known = fleet.requests()["instances"]
    totals = [known.get(name, {"total": 0})["total"] for name in names]
    return Cost(sum(totals) / len(totals), known.get(TENANT, {"total": 0})["total"])
