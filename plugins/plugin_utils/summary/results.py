# SPDX-License-Identifier: GPL-3.0-or-later
"""What the registered results of one host add up to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]
DONE = frozenset({"ok", "changed"})
# Results that the roles and playbooks of this collection register, in the order in which they run.
REGISTERED = (
    "snow_preflight_result",
    "snow_connection_result",
    "snow_connection_token",
    "snow_hardening_result",
    "mdc_configuration_compliance_result",
    "mda_connection_result",
    "mda_connection_verified",
    "mda_protection_ip_ranges_result",
    "mda_protection_policies_result",
    "mdc_itsm_plan_result",
    "mdc_itsm_result",
    "mdc_itsm_rules_result",
    "mdc_tickets_found",
    "mdc_tickets_left_open",
    "mdc_tickets_result",
    "mdc_tickets_assignments",
    "respond_result",
)


@dataclass
class HostResult:
    """What was found on one host: each list holds entries of results, in their order.

    Deviations are `corrected`, `pending` (a run without check mode writes them) or `left` (it does not). `unproven` holds the
    reason, "" if none was given, why an object is neither in sync nor drift, by its name.
    """

    name: str
    failure: str = ""
    checked: bool = False
    pending: list[Json] = field(default_factory=list)
    left: list[Json] = field(default_factory=list)
    corrected: list[Json] = field(default_factory=list)
    unproven: dict[str, str] = field(default_factory=dict)
    manual_steps: list[Json] = field(default_factory=list)
    problems: list[Json] = field(default_factory=list)
    tokens_verified: int = 0
    connectors: list[Json] = field(default_factory=list)
    applications: list[Json] = field(default_factory=list)
    actions: list[Json] = field(default_factory=list)
    withheld: list[Json] = field(default_factory=list)
    posture: Json | None = None
    writes_left: int = 0


def host_result(name: str, variables: Json, *, check_mode: bool, failure: str = "") -> HostResult:
    """Return what the registered results among the `variables` of a host add up to."""
    found = HostResult(name, failure)
    for result in (each for key in REGISTERED for each in _single(variables.get(key))):
        if result.get("unreachable") or result.get("failed"):
            found.failure = found.failure or str(result.get("msg") or "unreachable")
        if not result.get("skipped"):
            _take(found, result, check_mode)
    return found


def _single(result: Any) -> Iterator[Json]:
    """Yield a result, or those of the items of a loop."""
    if isinstance(result, Mapping):
        items = result.get("results")
        looped = isinstance(items, list) and any(
            isinstance(each, Mapping) and "ansible_loop_var" in each for each in items
        )
        yield from items if looped and items else [result]


def _take(found: HostResult, result: Json, check_mode: bool) -> None:
    found.checked = found.checked or not (result.get("failed") or result.get("unreachable"))
    rows: list[Json] = [each for each in result.get("results") or [] if isinstance(each, Mapping)]
    if _is_about_users(rows):
        found.actions += rows
    else:
        _take_drift(found, result, rows, check_mode)
    found.manual_steps += result.get("manual_steps") or []
    # Warnings of the preflight are about the connection; those of other modules are in their own results.
    found.problems += [
        problem
        for problem in result.get("problems") or []
        if "instance" in result or problem.get("severity") == "error"
    ]
    found.tokens_verified += result.get("verified") is True
    found.connectors += [row for row in rows if "evidence" in row]
    found.applications += [row for row in rows if "days_left" in row and "evidence" not in row]
    if "posture" in result:
        found.posture = result["posture"]
        found.writes_left = int(result.get("writes_left") or 0)
        found.withheld = [
            row for row in rows
            if str(row.get("object")).startswith("setting ") and row.get("status") in ("withheld", "refused")
        ]  # fmt: skip


def _is_about_users(rows: Iterable[Json]) -> bool:
    first: Json = next(iter(rows), {})
    return "user_principal_name" in first and "action" in first


def _take_drift(found: HostResult, result: Json, rows: list[Json], check_mode: bool) -> None:
    outcomes = {row.get("object"): row.get("status") for row in rows}
    writes = bool(result.get("changed", True)) and not result.get("failed")
    for entry in result.get("drift") or []:
        if not writes or outcomes.get(entry.get("object"), "ok") not in DONE:
            found.left.append(entry)
        elif check_mode:
            found.pending.append(entry)
        else:
            found.corrected.append(entry)
    found.unproven.update(
        (str(row["object"]), _reason(row)) for row in rows if row.get("status") == "unknown" and "object" in row
    )


def _reason(row: Json) -> str:
    """Return why a row is unknown: its reason or message, or the first line of its evidence."""
    evidence = row.get("evidence")
    first = evidence[0] if isinstance(evidence, list) and evidence else ""
    return " ".join(str(row.get("reason") or row.get("message") or first).split())
