# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one JSON document: the findings of a run, or two slices of one run merged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from . import posture
from .collect import UNREACHABLE, Fleet, HostFindings, deviation_key
from .objects import DRIFT, FAILED, OK
from .values import Json, encode, identity, mappings

SCHEMA = 1
CLEAN = "clean"
# From worst to best, also the order on the page.
STATUSES = (FAILED, UNREACHABLE, DRIFT, CLEAN)
SEVERITIES = ("error", "warning", "info")


def make(fleet: Fleet, play: Mapping[str, Any], now: datetime) -> Json:
    """Return the report of a run whose fleet is settled.

    `play` holds playbook, plays and `run_id`; `now` is an aware time. Beyond the documented schema, a
    host has `message`, `failures`, `tokens` and `repaired`, and a deviation `kind`, `name` and `repaired`.
    """
    reported = {name: found for name, found in fleet.hosts.items() if found.reported or found.failures}
    hosts = {name: _host(found) for name, found in reported.items()}
    details = {**play, "check_mode": fleet.modes == {True}, "slices": 1, "hidden_results": fleet.hidden_results}
    return _finish(details, hosts, now)


def merge(earlier: Mapping[str, Any], later: Mapping[str, Any], now: datetime) -> Json:
    """Return the report of two slices of one run, in any order: the worse of two statuses counts."""
    hosts = {name: dict(host) for name, host in earlier["hosts"].items()}
    for name, host in later["hosts"].items():
        hosts[name] = _merge_hosts(hosts[name], host) if name in hosts else dict(host)
    first, second = earlier["play"], later["play"]
    details = {
        **second,
        "playbooks": sorted({*first.get("playbooks", []), *second.get("playbooks", [])}),
        "plays": list(dict.fromkeys([*first.get("plays", []), *second.get("plays", [])])),
        "started_at": min(first.get("started_at", ""), second.get("started_at", "")),
        "check_mode": bool(first.get("check_mode") and second.get("check_mode")),
        "slices": first.get("slices", 1) + second.get("slices", 1),
        "hidden_results": first.get("hidden_results", 0) + second.get("hidden_results", 0),
    }
    return _finish(details, hosts, now)


def is_slice_of(document: Any, run_id: str) -> bool:
    """Return whether `document`, as read from a file, is a report of this schema and of the run `run_id`."""
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        return False
    play, hosts = document.get("play"), document.get("hosts")
    if not isinstance(play, dict) or not isinstance(hosts, dict) or play.get("run_id") != run_id:
        return False
    return all(isinstance(host, dict) for host in hosts.values())


def to_json(document: Mapping[str, Any]) -> bytes:
    """Return the report as `drift.json`: every list sorted, so that two reports compare line by line."""
    return encode(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def days_left(expires_at: str, now: datetime) -> int | None:
    """Return the whole days until `expires_at` (ISO 8601, by default UTC); None if it is not a valid time."""
    try:
        expires = datetime.fromisoformat(expires_at.strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    return ((expires if expires.tzinfo else expires.replace(tzinfo=timezone.utc)) - now).days


def open_deviations(host: Mapping[str, Any]) -> list[Json]:
    """Return the open deviations of a host."""
    return [dict(entry) for entry in mappings(host.get("drift")) if not entry.get("repaired")]


def summary(document: Mapping[str, Any]) -> str:
    """Return the result of the run in short: `2 of 3 instances deviate (3 deviations, 1 manual step)`."""
    totals = document["totals"]
    deviating, hosts = totals["deviating"], totals["hosts"]
    line = f"{deviating} of {counted(hosts, 'instance')} deviate{'s' if deviating == 1 else ''}"
    parts = [counted(totals["deviations"], "deviation")] if totals["deviations"] else []
    parts += [counted(totals["manual_steps"], "manual step")] if totals["manual_steps"] else []
    parts += [f"{totals['repaired']} repaired"] if totals["repaired"] else []
    line += f" ({', '.join(parts)})" if parts else ""
    return line + "".join(f", {totals[status]} {status}" for status in (FAILED, UNREACHABLE) if totals[status])


def counted(number: int, noun: str) -> str:
    """Return `1 deviation`, `2 deviations`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _host(found: HostFindings) -> Json:
    failures = [asdict(failure) for failure in found.failures]
    return {
        "objects": [
            {"object": known.label, "kind": known.kind, "name": known.name, "status": status}
            for known, status in found.objects.items()
        ],
        "drift": list(found.drift.values()),
        "manual_steps": list(found.manual_steps.values()),
        "problems": list(found.problems.values()),
        "tokens": list(found.tokens.values()),
        "failures": [{key: failure[key] for key in ("status", "task", "message")} for failure in failures],
        "posture": found.posture,
    }


def _merge_hosts(first: Mapping[str, Any], second: Mapping[str, Any]) -> Json:
    """Return one host that both slices report, such as the host of the tenant."""
    lists = ("objects", "drift", "manual_steps", "problems", "tokens", "failures")
    host: Json = {name: mappings(first.get(name)) + mappings(second.get(name)) for name in lists}
    still_open = {deviation_key(entry) for entry in open_deviations(host)}
    host["drift"] = [{**entry, "repaired": deviation_key(entry) not in still_open} for entry in host["drift"]]
    statuses: dict[str, Json] = {}
    for row in host["objects"]:
        known = statuses.setdefault(identity([row["kind"], row["name"]]), dict(row))
        known["status"] = min(known["status"], row["status"], key=(FAILED, DRIFT, OK).index)
    host["objects"] = list(statuses.values())
    # Of two expiries of one token the earlier counts; the days left are derived from it.
    latest_first = sorted(host["tokens"], key=lambda token: str(token["refresh_token_expires_at"]), reverse=True)
    host["tokens"] = list({token["name"]: token for token in latest_first}.values())
    merged = {name: _unique(entries) for name, entries in host.items()}
    return {**merged, "posture": posture.worse(first.get("posture"), second.get("posture"))}


def _unique(entries: Iterable[Mapping[str, Any]]) -> list[Json]:
    by_content = {identity(entry): dict(entry) for entry in entries}
    return [by_content[content] for content in sorted(by_content)]


def _finish(play: Json, hosts: Mapping[str, Json], now: datetime) -> Json:
    finished = {name: _finish_host(hosts[name], now) for name in sorted(hosts)}
    generated_at = now.astimezone(timezone.utc).isoformat(timespec="seconds")
    return {
        "schema": SCHEMA,
        "generated_at": generated_at,
        "play": play,
        "hosts": finished,
        "totals": _totals(finished.values(), play["hidden_results"]),
    }


def _finish_host(host: Json, now: datetime) -> Json:
    """Return a host with everything that is derived from its findings, in the order of the file."""
    drift = sorted(host["drift"], key=lambda entry: (entry["kind"], deviation_key(entry)))
    failures = host["failures"]
    counts = Counter((entry["kind"], entry["name"], entry["repaired"]) for entry in drift)
    return {
        "status": _status(host),
        "message": failures[-1]["message"] if failures else "",
        "objects": [
            _finish_object(row, counts) for row in sorted(host["objects"], key=lambda row: (row["kind"], row["name"]))
        ],
        "drift": drift,
        "manual_steps": sorted(host["manual_steps"], key=lambda step: (step["id"], step["title"], identity(step))),
        "problems": sorted(host["problems"], key=lambda found: (_severity(found), found["id"], found["message"])),
        "repaired": sum(entry["repaired"] for entry in drift),
        "tokens": sorted(
            ({**token, "days_left": days_left(token["refresh_token_expires_at"], now)} for token in host["tokens"]),
            key=identity,
        ),
        "failures": failures,
        "posture": host.get("posture"),
    }


def _finish_object(row: Json, counts: Mapping[tuple[Any, Any, bool], int]) -> Json:
    deviations, repaired = (counts.get((row["kind"], row["name"], state), 0) for state in (False, True))
    status = DRIFT if deviations and row["status"] == OK else row["status"]
    return {**row, "status": status, "deviations": deviations, "repaired": repaired}


def _status(host: Mapping[str, Any]) -> str:
    """Return the worst status; a manual step counts as drift until it is done."""
    failed_as = {failure["status"] for failure in host["failures"]}
    for status in (FAILED, UNREACHABLE):
        if status in failed_as:
            return status
    return DRIFT if is_deviating(host) else CLEAN


def is_deviating(host: Mapping[str, Any]) -> bool:
    """Return whether a host deviates from its desired state as far as it is known, also if it failed later."""
    return bool(open_deviations(host) or host["manual_steps"] or any(row["status"] != OK for row in host["objects"]))


def _severity(found: Mapping[str, Any]) -> int:
    severity = found.get("severity")
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _totals(hosts: Iterable[Json], hidden_results: int) -> Json:
    all_hosts = list(hosts)
    statuses = Counter(host["status"] for host in all_hosts)
    return {
        "hosts": len(all_hosts),
        **{status: statuses[status] for status in reversed(STATUSES)},
        "deviating": sum(is_deviating(host) for host in all_hosts),
        "objects": sum(len(host["objects"]) for host in all_hosts),
        "deviations": sum(len(open_deviations(host)) for host in all_hosts),
        "repaired": sum(host["repaired"] for host in all_hosts),
        "manual_steps": sum(len(host["manual_steps"]) for host in all_hosts),
        "problems": sum(len(host["problems"]) for host in all_hosts),
        "hidden_results": hidden_results,
        "posture": posture.added(host["posture"] for host in all_hosts),
    }
