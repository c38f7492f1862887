# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs playbooks against a simulated fleet and measures time, memory of the workers, and requests."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FORKS = 4
SAMPLE = 0.1  # seconds; more often would slow down what is measured
LARGE_WORKERS = 15
CHANGED = re.compile(r"^\S+ +: ok=\d+ +changed=(\d+)", re.M)


@dataclass(frozen=True)
class Measured:
    """Wall-clock seconds, CPU seconds of the run with its workers, the private memory of a large worker in MiB (0 where it
    cannot be read), the resident memory of the largest process in MiB, and what the recap counts as changed.
    """

    seconds: float
    cpu: float
    worker_memory: float
    largest: float = 0.0
    changed: int = 0


class Watch(threading.Thread):
    """Samples the private memory of the children of a process while it runs.

    A single sample may hit a worker at any moment of its run, so that the largest one of a run means little: the median of the
    largest workers is compared.
    """

    def __init__(self, parent: int) -> None:
        super().__init__(daemon=True)
        self.parent, self.peaks, self.ended = parent, dict[str, float](), threading.Event()

    def run(self) -> None:
        """Sample until `ended` is set."""
        while not self.ended.wait(SAMPLE):
            for child in self._children():
                self.peaks[child] = max(self.peaks.get(child, 0.0), self._private_memory(child))

    @property
    def memory(self) -> float:
        """The median of the peaks of the largest workers."""
        largest = sorted(self.peaks.values())[-LARGE_WORKERS:]
        return statistics.median(largest) if largest else 0.0

    def _children(self) -> list[str]:
        try:
            return Path(f"/proc/{self.parent}/task/{self.parent}/children").read_text().split()
        except OSError:
            return []

    @staticmethod
    def _private_memory(process: str) -> float:
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            return 0.0
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def run(folder: Path, inventory: Path, what: str | list[dict[str, Any]], *arguments: str, limit: int = 0) -> Measured:
    """Run a playbook of the collection (by name) or a list of tasks, on all hosts or the first `limit` ones."""
    if isinstance(what, str):
        target = what
    else:
        play = {"name": "Bench", "hosts": "servicenow", "gather_facts": False, "tasks": what}
        path = folder / "bench.yml"
        path.write_text(yaml.safe_dump([play], sort_keys=False))
        target = str(path)
    command = ["ansible-playbook", target, "-i", str(inventory), "-f", str(FORKS), *arguments]
    if limit:
        command += ["--limit", f"servicenow[0:{limit - 1}]"]
    environment = {**os.environ, "ANSIBLE_DISPLAY_OK_HOSTS": "false", "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false"}
    started = time.perf_counter()
    path_of_log = folder / "bench.log"
    with open(path_of_log, "a", encoding="utf-8") as log:
        start = log.tell()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        watch = Watch(process.pid)
        watch.start()
        # With the CPU time of the process and of all workers that it has waited for.
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    watch.ended.set()
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}; see {path_of_log}")
    changed = sum(map(int, CHANGED.findall(path_of_log.read_bytes()[start:].decode())))
    # In KiB on Linux.
    largest = used.ru_maxrss / 1024
    return Measured(time.perf_counter() - started, used.ru_utime + used.ru_stime, watch.memory, largest, changed)
