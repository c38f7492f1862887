# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures drift of a fleet in slices, as a controller divides a job: each slice has all groups and a part of the hosts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import yaml

from tests.perf.measure import Measured, run

PLAYBOOK = "secops.servicenow_defender.drift"
SLICES = 4
# Of the job template whose slices run on execution nodes (extensions/controller/configure.yml): the tenant has a job of its own.
ARGUMENTS = ("--tags", "snow", "-e", "drift_fail=false")


def inventory_of_slice(inventory: Path, number: int) -> Path:
    """Write the inventory of a slice next to the whole one and return its path."""
    groups = yaml.safe_load(inventory.read_text())
    hosts = [name for group in groups.values() for name in group["hosts"]]
    kept = set(hosts[number::SLICES])
    for group in groups.values():
        group["hosts"] = {name: variables for name, variables in group["hosts"].items() if name in kept}
    path = inventory.with_name(f"slice-{number}.yml")
    path.write_text(yaml.safe_dump(groups, sort_keys=False))
    return path


def measure_slices(
    folder: Path, inventory: Path, timed: Callable[[str, Callable[[], Measured]], Measured]
) -> tuple[Measured, Measured]:
    """Return the undivided job, and the slice that took the most CPU time."""
    whole = timed("drift of the instances, undivided", lambda: run(folder, inventory, PLAYBOOK, *ARGUMENTS))
    parts = []
    for number in range(SLICES):
        part = inventory_of_slice(inventory, number)
        label = f"slice {number + 1} of {SLICES}"
        parts.append(timed(label, partial(run, folder, part, PLAYBOOK, *ARGUMENTS)))
    return whole, max(parts, key=lambda part: part.cpu)
