# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed since the earlier report in the same folder, and how the totals of its runs developed.

The earlier report is replaced, so that a report carries what later ones need of it: its open findings, and the totals of the runs before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .document import open_deviations
from .objects import OK
from .values import Json, mappings

# A year of weekly reports.
MAX_TREND = 52
TOTALS = ("hosts", "in_sync", "drift", "unproven", "failed", "unreachable", "deviations", "manual_steps")
# Whole objects, and manual steps, are findings without a field.
Finding = tuple[str, str, str]


def with_history(document: Json, earlier: Any, *, same_run: bool = False) -> Json:
    """Return the report with `since` and `trend`; `earlier` is the report that it replaces, or with `same_run` extends.

    Runs of other playbooks compare other objects, so that only reports of the same playbooks are compared.
    """
    if not isinstance(earlier, Mapping) or not isinstance(earlier.get("play"), Mapping):
        return {**document, "since": None, "trend": []}
    if same_run:
        base, trend = earlier.get("earlier"), mappings(earlier.get("trend"))
    else:
        base, trend = _base(earlier), [*mappings(earlier.get("trend")), _entry(earlier)][-MAX_TREND:]
    found = {**document, "since": None, "trend": trend}
    if isinstance(base, Mapping) and base.get("playbooks") == document["play"].get("playbooks"):
        found |= {"since": _since(base, document), "earlier": dict(base)}
    return found


def shown_trend(document: Mapping[str, Any]) -> list[Json]:
    """Return the totals of earlier runs of the same playbooks, the oldest first, and those of this run at the end."""
    same = [row for row in mappings(document.get("trend")) if row.get("playbooks") == document["play"].get("playbooks")]
    return [*same, _entry(document)]


def _entry(document: Mapping[str, Any]) -> Json:
    totals = document.get("totals")
    known = dict(totals) if isinstance(totals, Mapping) else {}
    known |= known["instances"] if isinstance(known.get("instances"), Mapping) else {}
    play: Mapping[str, Any] = document["play"]
    numbers = {name: int(known.get(name) or 0) for name in TOTALS}
    # By which a slice that is late is known.
    run = {"run_id": play["run_id"]} if play.get("run_id") else {}
    return {"generated_at": document.get("generated_at"), "playbooks": play.get("playbooks"), **run, **numbers}


def _base(document: Mapping[str, Any]) -> Json:
    """Return what a later report needs of this one: its open findings by host."""
    hosts = document.get("hosts")
    found = {
        str(name): [list(each) for each in _findings(host)]
        for name, host in (hosts if isinstance(hosts, Mapping) else {}).items()
        if isinstance(host, Mapping)
    }
    modules = {name: list(hosts[name].get("modules") or ()) for name in found} if isinstance(hosts, Mapping) else {}
    play: Mapping[str, Any] = document["play"]
    return {
        "generated_at": document.get("generated_at"),
        "playbooks": play.get("playbooks"),
        "findings": found,
        "modules": modules,
    }


def _findings(host: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield each open finding once: kind and name of its object, and the field."""
    found = [(str(row.get("kind")), str(row.get("name")), str(row.get("field"))) for row in open_deviations(host)]
    found += [
        ("manual step", str(step.get("title") or step.get("id")), "") for step in mappings(host.get("manual_steps"))
    ]
    yield from dict.fromkeys(found)


def _since(base: Mapping[str, Any], document: Mapping[str, Any]) -> Json:
    """Return the findings that are new and those that are no longer found, of hosts that both reports have.

    What this run has not read stays out of both lists: see `_is_gone`.
    """
    before = base.get("findings")
    before = before if isinstance(before, Mapping) else {}
    modules = base.get("modules")
    modules = modules if isinstance(modules, Mapping) else {}
    new, gone = [], []
    for name, host in document["hosts"].items():
        if name in before:
            known = {tuple(map(str, each)) for each in before[name]}
            now = set(_findings(host))
            in_sync = {(row["kind"], row["name"]) for row in host["objects"] if row["status"] == OK}
            new += [_row(name, each) for each in sorted(now - known)]
            reported = set(map(str, modules.get(name) or ()))
            gone += [_row(name, each) for each in sorted(known - now) if _is_gone(each, host, in_sync, reported)]
    hosts = {*document["hosts"]}
    return {
        "generated_at": base.get("generated_at"),
        "new": new,
        "gone": gone,
        "hosts_added": sorted(hosts - {*before}),
        "hosts_missing": sorted({*before} - hosts),
    }


def _is_gone(
    finding: tuple[str, ...], host: Mapping[str, Any], in_sync: set[tuple[str, str]], reported: set[str]
) -> bool:
    """Return whether a finding that is not there any more was looked for.

    Either its object is in sync, or all modules that had `reported` the host did so again: not all of them list what is in sync.
    """
    if finding[:2] in in_sync:
        return True
    if host["failures"] or host["unproven"] or not reported or not reported <= set(host.get("modules") or ()):
        return False
    # One module compares settings only if it is asked to.
    return finding[0] != "setting" or bool(host.get("posture"))


def _row(host: str, finding: tuple[str, ...]) -> Json:
    kind, name, field = finding
    return {"host": host, "object": f"{kind} {name}", "field": field}
