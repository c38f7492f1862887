# SPDX-License-Identifier: GPL-3.0-or-later
"""Which part of a result belongs to which instance: one task on the tenant's host manages the connectors of all instances.

A connector has the name of its instance. What is found of it counts for that instance, and for the tenant that has it: in the
summary of a run as well as in its report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .report.values import mappings

KIND = "connector"
SHARED_KEYS = ("drift", "results", "manual_steps", "problems", "unproven")


def subject_of(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Return the names of which one is the host that a drift entry, result, manual step or problem may be about."""
    kind, _space, name = str(entry.get("object") or "").partition(" ")
    return name if kind == KIND else "", str(entry.get("id", "")).rpartition(":")[2]


def shares(result: Mapping[str, Any], hosts: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the share of each host that has one, with the name "" what is of none of them."""
    found: dict[str, dict[str, Any]] = {host: {} for host in hosts}
    left = dict(result) | {key: [] for key in SHARED_KEYS if key in result}
    for key in SHARED_KEYS:
        for entry in mappings(result.get(key)):
            host = next((name for name in subject_of(entry) if name and name in found), None)
            share = left if host is None else found[host]
            share.setdefault(key, []).append(entry)
    whole = {key: result[key] for key in ("changed", "failed") if key in result}
    for host, share in found.items():
        if share:
            yield host, {**{key: [] for key in SHARED_KEYS}, **share, **whole}
    if any(left.get(key) for key in SHARED_KEYS):
        yield "", left


def connector_findings(name: str, host: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a report has of the connector of an instance, in the form of a host of the report."""
    rows = {
        key: [each for each in mappings(host.get(key)) if (each.get("kind"), each.get("name")) == (KIND, name)]
        for key in ("objects", "drift", "unproven")
    }
    steps = [
        each
        for each in mappings(host.get("manual_steps"))
        if str(each.get("id")).startswith(f"{KIND}:") and name in subject_of(each)
    ]
    return {**rows, "manual_steps": steps, "failures": []}


def steps_to_do(host: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the manual steps of a host of a report that show drift: whether that of an unproven connector is needed is not known."""
    unproven = {each.get("name") for each in mappings(host.get("unproven")) if each.get("kind") == KIND}
    return [
        each
        for each in mappings(host.get("manual_steps"))
        if not (str(each.get("id")).startswith(f"{KIND}:") and subject_of(each)[1] in unproven)
    ]
