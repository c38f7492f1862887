# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one JSON document: the findings of a run, or two slices of one run merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from ...module_utils.token_end import remaining
from ..connector_shares import connector_findings, steps_to_do
from . import posture
from .collect import UNREACHABLE, Fleet, HostFindings, deviation_key
from .objects import DRIFT, FAILED, OK, UNPROVEN
from .values import Json, identity, mappings

SCHEMA = 2
IN_SYNC = "in_sync"
# From worst to best, also the order on the page.
STATUSES = (FAILED, UNREACHABLE, DRIFT, UNPROVEN, IN_SYNC)
SEVERITIES = ("error", "warning", "info")
LISTS = (
    "objects", "drift", "unproven", "manual_steps", "problems", "settings", "exceptions", "tokens", "tickets", "failures",
)  # fmt: skip
# The prefixes of modules that work on a tenant and not on an instance.
TENANT_MODULES = ("mda_", "mdc_", "graph_", "entra_")


def make(fleet: Fleet, play: Mapping[str, Any], now: datetime) -> Json:
    """Return the report of a run whose fleet is settled.

    `play` holds playbook, plays and `run_id`; `now` is an aware time. Beyond the documented schema, a host has `message`, `failures`,
    `tenant` (whether it is one), `settings`, `exceptions`, `tokens`, `tickets` and `repaired`, and a deviation `kind`, `name` and `repaired`.
    """
    reported = {name: found for name, found in fleet.hosts.items() if found.reported or found.failures}
    hosts = {
        name: {**_host(found), "tenant": name not in fleet.instances and is_tenant(name, found, fleet.tenants)}
        for name, found in reported.items()
    }
    details = {**play, "check_mode": fleet.modes == {True}, "slices": 1, "hidden_results": fleet.hidden_results}
    return _finish(details, hosts, now)


def is_tenant(name: str, found: HostFindings, tenants: Collection[str]) -> bool:
    """Return whether a host is a Microsoft tenant: the inventory says so, or else only modules for tenants reported it."""
    if tenants:
        return name in tenants
    if any(known.kind == "tenant" for known in found.objects):
        return True
    return bool(found.modules) and all(module.startswith(TENANT_MODULES) for module in found.modules)


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
    """Return whether `document`, as read from a file, is a report of the run `run_id`."""
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        return False
    play, hosts = document.get("play"), document.get("hosts")
    if not isinstance(play, dict) or not isinstance(hosts, dict) or play.get("run_id") != run_id:
        return False
    return all(isinstance(host, dict) for host in hosts.values())


def open_deviations(host: Mapping[str, Any]) -> list[Json]:
    """Return the open deviations of a host."""
    return [dict(entry) for entry in mappings(host.get("drift")) if not entry.get("repaired")]


def summary(document: Mapping[str, Any]) -> str:
    """Return the result of the run in short: `2 of 3 instances deviate (3 deviations, 1 manual step); tenant: in sync`."""
    totals, instances = document["totals"], document["totals"]["instances"]
    deviating, hosts = instances["deviating"], instances["hosts"]
    line = f"{deviating} of {counted(hosts, 'instance')} deviate{'s' if deviating == 1 else ''}"
    parts = [counted(totals["deviations"], "deviation")] if totals["deviations"] else []
    parts += [counted(totals["manual_steps"], "manual step")] if totals["manual_steps"] else []
    parts += [f"{totals['repaired']} repaired"] if totals["repaired"] else []
    line += f" ({', '.join(parts)})" if parts else ""
    line += "".join(f", {instances[name]} {name}" for name in (UNPROVEN, FAILED, UNREACHABLE) if instances[name])
    return f"{line}; tenant: {totals['tenant'].replace('_', ' ')}" if totals["tenant"] else line


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
        "unproven": list(found.unproven.values()),
        "manual_steps": list(found.manual_steps.values()),
        "problems": list(found.problems.values()),
        "settings": [row for row in found.settings.values() if row],
        "exceptions": list(found.exceptions.values()),
        "tokens": list(found.tokens.values()),
        "tickets": list(found.tickets.values()),
        "failures": [{key: failure[key] for key in ("status", "task", "message")} for failure in failures],
        "posture": found.posture,
        "modules": sorted(found.modules),
    }


def _merge_hosts(first: Mapping[str, Any], second: Mapping[str, Any]) -> Json:
    """Return one host that both slices report, such as the host of the tenant."""
    host: Json = {name: mappings(first.get(name)) + mappings(second.get(name)) for name in LISTS}
    still_open = {deviation_key(entry) for entry in open_deviations(host)}
    host["drift"] = [{**entry, "repaired": deviation_key(entry) not in still_open} for entry in host["drift"]]
    statuses: dict[str, Json] = {}
    for row in host["objects"]:
        known = statuses.setdefault(identity([row["kind"], row["name"]]), dict(row))
        known["status"] = min(known["status"], row["status"], key=(FAILED, DRIFT, UNPROVEN, OK).index)
    host["objects"] = list(statuses.values())
    # Of two expiries of one token the earlier counts; the days left are derived from it.
    latest_first = sorted(host["tokens"], key=lambda token: str(token["expires_at"]), reverse=True)
    host["tokens"] = list(
        {identity([token["kind"], token["of"], token["name"]]): token for token in latest_first}.values()
    )
    merged = {name: _unique(entries) for name, entries in host.items()}
    modules = sorted({*(first.get("modules") or ()), *(second.get("modules") or ())})
    return {
        **merged,
        "posture": posture.worse(first.get("posture"), second.get("posture")),
        "modules": modules,
        "tenant": bool(first.get("tenant") or second.get("tenant")),
    }


def _unique(entries: Iterable[Mapping[str, Any]]) -> list[Json]:
    by_content = {identity(entry): dict(entry) for entry in entries}
    return [by_content[content] for content in sorted(by_content)]


def _finish(play: Json, hosts: Mapping[str, Json], now: datetime) -> Json:
    finished = {name: _finish_host(hosts[name], now) for name in sorted(hosts)}
    for host in finished.values():
        if host["tenant"]:
            host["status"] = _tenant_status(host["status"], finished)
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
    unproven = sorted(mappings(host.get("unproven")), key=identity)
    unproven_objects = {(entry["kind"], entry["name"]) for entry in unproven}
    return {
        "status": _status(host),
        "tenant": bool(host.get("tenant")),
        "message": failures[-1]["message"] if failures else "",
        "objects": [
            _finish_object(row, counts, unproven_objects)
            for row in sorted(host["objects"], key=lambda row: (row["kind"], row["name"]))
        ],
        "drift": drift,
        "unproven": unproven,
        "manual_steps": sorted(host["manual_steps"], key=lambda step: (step["id"], step["title"], identity(step))),
        "problems": sorted(host["problems"], key=lambda found: (_severity(found), found["id"], found["message"])),
        "repaired": sum(entry["repaired"] for entry in drift),
        "tokens": sorted(
            ({**token, **remaining(token["expires_at"], now)} for token in host["tokens"]),
            key=identity,
        ),
        "settings": sorted(mappings(host.get("settings")), key=identity),
        "exceptions": sorted(mappings(host.get("exceptions")), key=identity),
        "tickets": sorted(mappings(host.get("tickets")), key=lambda row: (row["number"], row["correlation_id"])),
        "failures": failures,
        "posture": host.get("posture"),
        "modules": list(host.get("modules") or ()),
    }


def _finish_object(
    row: Json, counts: Mapping[tuple[Any, Any, bool], int], unproven: Collection[tuple[Any, Any]]
) -> Json:
    """Return an object with its verdict; drift wins over what is unproven of it."""
    deviations, repaired = (counts.get((row["kind"], row["name"], state), 0) for state in (False, True))
    status = UNPROVEN if row["status"] == OK and (row["kind"], row["name"]) in unproven else row["status"]
    status = DRIFT if deviations and status in (OK, UNPROVEN) else status
    return {**row, "status": status, "deviations": deviations, "repaired": repaired}


def _status(host: Mapping[str, Any]) -> str:
    """Return the worst status; a manual step counts as drift until it is done, and what is unproven is never in sync."""
    failed_as = {failure["status"] for failure in host["failures"]}
    for status in (FAILED, UNREACHABLE):
        if status in failed_as:
            return status
    if is_deviating(host):
        return DRIFT
    unproven = host.get("unproven") or any(row["status"] == UNPROVEN for row in host["objects"])
    return UNPROVEN if unproven else IN_SYNC


def _tenant_status(status: str, hosts: Mapping[str, Json]) -> str:
    """Return the status of a tenant, which has the connectors of all instances."""
    of_connectors = (_status(connector_findings(name, host)) for name, host in hosts.items() if not host["tenant"])
    return min((status, *of_connectors), key=STATUSES.index)


def is_deviating(host: Mapping[str, Any]) -> bool:
    """Return whether a host deviates from its desired state as far as it is known, also if it failed later."""
    deviating = any(row["status"] in (DRIFT, FAILED) for row in host["objects"])
    return bool(open_deviations(host) or steps_to_do(host) or deviating)


def _severity(found: Mapping[str, Any]) -> int:
    severity = found.get("severity")
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _totals(hosts: Iterable[Json], hidden_results: int) -> Json:
    """Return the totals of all hosts, in `instances` those without tenants, and in `tenant` the worst status of a tenant."""
    all_hosts = list(hosts)
    instances = [host for host in all_hosts if not host["tenant"]]
    of_tenants = [host["status"] for host in all_hosts if host["tenant"]]
    return {
        **_statuses(all_hosts),
        "instances": _statuses(instances),
        "tenant": min(of_tenants, key=STATUSES.index, default=None),
        "objects": sum(len(host["objects"]) for host in all_hosts),
        "deviations": sum(len(open_deviations(host)) for host in all_hosts),
        "unproven_objects": sum(len({entry["object"] for entry in host["unproven"]}) for host in all_hosts),
        "repaired": sum(host["repaired"] for host in all_hosts),
        "manual_steps": sum(len(host["manual_steps"]) for host in all_hosts),
        "problems": sum(len(host["problems"]) for host in all_hosts),
        "hidden_results": hidden_results,
        "posture": posture.added(host["posture"] for host in all_hosts),
    }


def _statuses(hosts: list[Json]) -> Json:
    counts = Counter(host["status"] for host in hosts)
    return {
        "hosts": len(hosts),
        **{status: counts[status] for status in reversed(STATUSES)},
        "deviating": sum(is_deviating(host) for host in hosts),
    }
