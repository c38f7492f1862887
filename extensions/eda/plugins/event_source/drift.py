# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source of ansible-rulebook: one event for each drift report in which something is not in sync."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

DOCUMENTATION = r"""
---
short_description: Send an event for each drift report in which something is not in sync
description:
  - Watches C(drift.json), which the callback C(secops.servicenow_defender.drift) writes, and sends an event for each new report
    in which an instance or the tenant is not in sync.
  - The playbook C(drift) may run anywhere, for example in a CI job each night, if it writes its report to a folder that
    ansible-rulebook can read.
  - Only reports of check mode count, so that the report of a repair does not start the next one. Of playbooks whose check mode shows what
    they would do, such as C(tickets) and C(alerts), none counts.
  - A report that cannot be read is logged, and the source waits for the next one.
options:
  report:
    description:
      - The path of C(drift.json). It need not exist yet. A relative path is relative to the current directory.
    type: str
    required: true
  interval:
    description:
      - The number of seconds between two checks of the file, greater than 0.
    type: float
    default: 10
  existing:
    description:
      - Whether a report that exists when the source starts is sent, too.
    type: bool
    default: true
"""

EXAMPLES = r"""
- secops.servicenow_defender.drift:
    report: /srv/reports/drift.json
    interval: 60
"""

# Versions of the report; what an event needs is the same in all of them.
SCHEMAS = (1, 2)
IN_SYNC = "in_sync"
# What may be in an event of each host; the rest of the report would make it large.
LISTS = ("drift", "unproven", "manual_steps", "problems")
HARDENING_KIND = "setting"
# Playbooks that compare nothing with its desired state: what they would do is no deviation that another one corrects.
NO_COMPARISON = {"activity.yml", "adopt.yml", "alerts.yml", "offboard.yml", "respond.yml", "rotate.yml", "tickets.yml"}
OPTIONS = {"report", "interval", "existing"}

logger = logging.getLogger(__name__)


async def main(queue: asyncio.Queue[dict[str, Any]], args: dict[str, Any]) -> None:
    """Put an event into `queue` for each new report; ansible-rulebook ends it by cancelling. Raises `ValueError` for bad `args`."""
    report, interval, existing = read_options(args)
    known = None if existing else stamp(report)
    while True:
        current = stamp(report)
        if current is not None and current != known:
            known = current
            event = read_event(report)
            if event:
                await queue.put(event)
        await asyncio.sleep(interval)


def read_options(args: dict[str, Any]) -> tuple[Path, float, bool]:
    """Return the path, the seconds between two checks and whether an existing report counts."""
    unknown = sorted(set(args) - OPTIONS)
    if unknown:
        raise ValueError(f"drift: {', '.join(unknown)} is not an option; the options are {', '.join(sorted(OPTIONS))}")
    if not args.get("report"):
        raise ValueError(
            "drift: set report to the path of drift.json, the report of the callback secops.servicenow_defender.drift"
        )
    try:
        interval = float(args.get("interval", 10))
    except (TypeError, ValueError):
        interval = 0
    if not interval > 0:
        raise ValueError(f"drift: interval must be a number of seconds greater than 0, not {args['interval']}")
    existing = args.get("existing", True)
    if not isinstance(existing, bool):
        raise ValueError(f"drift: existing must be true or false, not {existing}")
    return Path(str(args["report"])), interval, existing


def stamp(report: Path) -> tuple[int, int, int] | None:
    """Return what changes when the report is replaced; None if there is none."""
    try:
        found = report.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_event(report: Path) -> dict[str, Any] | None:
    """Return the event of a report; None if everything is in sync, or if it cannot be read."""
    try:
        document = json.loads(report.read_text(encoding="utf-8"))
        if document.get("schema") not in SCHEMAS:
            raise ValueError(f"its schema is {document.get('schema')}, not one of {', '.join(map(str, SCHEMAS))}")
        play, hosts = document["play"], document["hosts"]
        playbooks = {str(name) for name in play.get("playbooks") or ()}
        found = {name: summarize(host) for name, host in hosts.items() if host["status"] != IN_SYNC}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        logger.error("drift: the report %s cannot be read (%s). Waiting for the next one", report, error)
        return None
    if not play.get("check_mode"):
        logger.info("drift: the report %s is not of check mode", report)
        return None
    if playbooks and playbooks <= NO_COMPARISON:
        logger.info("drift: the report %s is of %s, which compares nothing", report, ", ".join(sorted(playbooks)))
        return None
    if not found:
        logger.info("drift: all %d of the report %s are in sync", len(hosts), report)
        return None
    by_status: dict[str, list[str]] = {}
    for name, host in found.items():
        by_status.setdefault(host["status"], []).append(name)
    connection, hardening = deviating(found, hardening=False), deviating(found, hardening=True)
    event = {
        "generated_at": document.get("generated_at"),
        "playbooks": play.get("playbooks", []),
        "report": str(report),
        # Conditions of rulebooks compare numbers, not lists: hosts that the playbook onboard corrects, and those for harden.
        "connection": connection,
        "connection_count": len(connection),
        "hardening": hardening,
        "hardening_count": len(hardening),
        "by_status": by_status,
        "hosts": found,
    }
    return {"drift": event}


def deviating(found: dict[str, dict[str, Any]], *, hardening: bool) -> list[str]:
    """Return the hosts with deviations of hardening settings, or with others."""
    return [
        name
        for name, host in found.items()
        if any((entry.get("kind") == HARDENING_KIND) is hardening for entry in host["drift"])
    ]


def summarize(host: dict[str, Any]) -> dict[str, Any]:
    """Return status, message and the findings that are open."""
    lists = {name: list(host.get(name) or []) for name in LISTS}
    lists["drift"] = [entry for entry in lists["drift"] if not entry.get("repaired")]
    return {"status": host["status"], "message": host.get("message", ""), **lists}
