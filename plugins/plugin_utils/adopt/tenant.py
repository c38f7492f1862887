# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables that describe what a tenant already has for its instances, from what the modules read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ...module_utils.microsoft.arm.scopes import same_path
from .file import Variable
from .instance import UNSUPPLIED

Json = Mapping[str, Any]
COMMENTS = {
    "mda_protection_policies": "Built-in policies as they are.",
    "mda_protection_ip_ranges": "IP ranges; those that Microsoft maintains are left out.",
    "mdc_itsm_plan_extensions": "Extensions of the plan Defender CSPM (CloudPosture).",
    "mdc_itsm_plan": "The plan Defender CSPM (CloudPosture) is off; the integration and governance rules need it.",
    "mdc_itsm_rules": "Governance rules of the scope.",
    UNSUPPLIED: (
        "Credentials that no platform returns and that this collection has not written: named, not invented. They are unproven and\n"
        "do not fail drift. onboard records them once it has written them."
    ),
}
ORDER = tuple(COMMENTS)
UNEXPRESSED = (
    "no option of mdc_governance_rule expresses it: it is not in mdc_itsm_rules, stays as it is, and is not compared"
)
UNMANAGEABLE = "mdc_governance_rule cannot manage the rule, which is left out of mdc_itsm_rules, stays as it is, and is not compared"


def matched(
    rows: Iterable[Json], addresses: Mapping[str, str], named: Mapping[str, str], key: str, *, all_hosts: bool = True
) -> dict[str, Json]:
    """Return the connector or integration of each host: by its given name, its address, its name, or as the only one left.

    `addresses` and `named` (names that are not defaults) are by host; without `all_hosts`, one that is left may serve a host that
    takes no part. Raises `ValueError` if two fit a host equally.
    """
    known = [row for row in rows if row.get(key)]
    found: dict[str, Json] = {}
    for host, address in addresses.items():
        fitting = _fitting(known, host, address, named.get(host, ""), key)
        if len(fitting) > 1:
            names = " and ".join(f"{row[key]!r} ({row.get('id', '')})" for row in fitting)
            raise ValueError(
                f"{host}: {len(fitting)} of the tenant fit it: {names}. Remove one, or set the name of the right one"
            )
        if fitting:
            found[host] = fitting[0]
    left = [row for row in known if row not in found.values()]
    without = [host for host in addresses if host not in found]
    # Cloud Apps and Defender for Cloud often return no address.
    if all_hosts and len(left) == len(without) == 1 and without[0] not in named and not left[0].get("instance_url"):
        found[without[0]] = left[0]
    return found


def unmatched(
    rows: Iterable[Json], found: Mapping[str, Json], hosts: Iterable[str], key: str, variable: str, elsewhere: str
) -> list[dict[str, str]]:
    """Return, as entries of `unproven`, the hosts that nothing of the tenant fits, with what is left to choose from.

    `elsewhere` says what to do if the right one is not among them.
    """
    left = ", ".join(repr(row[key]) for row in rows if row not in found.values())
    choice = f"one of {left} may be it: set {variable}. Otherwise, " if left else ""
    reason = f"the tenant shows none with its name or address; {choice}{elsewhere}"
    return [
        {"host": host, "object": variable, "field": "state", "reason": reason} for host in hosts if host not in found
    ]


def _fitting(rows: list[Json], host: str, address: str, name: str, key: str) -> list[Json]:
    """Return the rows of the host's given name or own name, else those of its address, else those with the instance's name."""
    instance = (urlsplit(address).hostname or "").split(".")[0]
    by_name = [row for row in rows if row.get(key) == (name or host)]
    by_address = [row for row in rows if row.get("instance_url") and _same(row["instance_url"], address)]
    alike = {host.casefold(), instance.casefold()} if not name else set()
    return by_name or by_address or [row for row in rows if str(row.get(key)).casefold() in alike]


def _same(one: str, other: str) -> bool:
    return one.rstrip("/").casefold() == other.rstrip("/").casefold()


def policies_of(rows: Iterable[Json], wanted: Iterable[Json]) -> list[dict[str, str]]:
    """Return the state of each of the `wanted` policies; one that the tenant does not have is left out."""
    by_key = {key: row for row in rows for key in (row["id"], row["name"])}
    states = {True: "enabled", False: "disabled"}
    found = []
    for entry in wanted:
        row = by_key.get(entry.get("id") or entry.get("name"))
        if row and row.get("enabled") in states:
            key = "id" if entry.get("id") else "name"
            found.append({key: entry[key], "state": states[row["enabled"]]})
    return found


def ip_ranges_of(before: Json) -> list[dict[str, Any]]:
    """Return the ranges that a purge would remove, in the options of mda_ip_ranges, sorted by name."""
    prefix = "ip_range "
    return [
        {
            "name": label.removeprefix(prefix),
            **{name: value for name, value in before[label].items() if value not in ("", [], None)},
        }
        for label in sorted(before)
        if label.startswith(prefix)
    ]


def extensions_of(plan: Json) -> list[dict[str, Any]]:
    """Return the extensions of a plan in the options of mdc_plan."""
    return [
        {name: row[name] for name in ("name", "enabled") if row.get(name) is not None}
        for row in plan.get("extensions") or []
    ]


def rules_of(rows: Iterable[Json], scope: str) -> list[dict[str, Any]]:
    """Return the rules that a scope defines, in the options of mdc_governance_rule; with `scope`, each names it."""
    place = {"scope": scope} if scope else {}
    return [{**row["options"], **place} for row in rows if row["options"] and not row["inherited_from"]]


def not_described(host: str, rows: Iterable[Json], places: Collection[str]) -> list[dict[str, str]]:
    """Return, as entries of `unproven`, what no option expresses of rules, and rules of scopes that are not among `places`."""
    found = []
    for row in rows:
        name = f"governance_rule {row['display_name']}"
        place = row["inherited_from"]
        if not place:
            found += [
                {"host": host, "object": name, "field": each, "reason": UNEXPRESSED if row["options"] else UNMANAGEABLE}
                for each in row["not_described"]
            ]
        elif not any(same_path(place, other) for other in places):
            reason = (
                f"it is inherited from {place} and not compared. To manage it, add it to mdc_itsm_rules with that scope"
            )
            found.append({"host": host, "object": name, "field": "scope", "reason": reason})
    return found


def in_order(values: Mapping[str, Any]) -> list[Variable]:
    """Return variables in the order of the file, with their comments."""
    return [Variable(name, values[name], COMMENTS[name]) for name in ORDER if name in values]
