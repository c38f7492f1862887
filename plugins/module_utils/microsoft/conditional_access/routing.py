# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether sign-ins to each instance go through Defender for Cloud Apps: its enterprise application, and the policies for that.

The application of an instance is the one with the instance's address among its identifiers and URLs. Which users a policy applies to
is not judged: a policy for some of them counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from ...engine.plan import OK, Plan, Resource, SecretDecision
from ...engine.result import UNKNOWN, Drift
from ...engine.snapshot import Query, Row, Snapshot
from .directory_api import APPLICATIONS
from .session_control import ON_CREATE, SessionControl
from .session_control_api import ALL, COLLECTION, NO_CONTROL

ROUTED, REPORTED, NOT_ROUTED = "routed", "report_only", "not_routed"
# What a policy does in each mode, and what is enough for the desired mode.
EFFECTS = {"enabled": ROUTED, "report_only": REPORTED}
ENOUGH = {"enabled": (ROUTED,), "report_only": (ROUTED, REPORTED), "disabled": (ROUTED, REPORTED, NOT_ROUTED)}
PORTS = {"http": 80}


class Routing(Resource):
    """The instances, compared with the policies as they are with the desired one; nothing is written."""

    label = "session_routing"

    def __init__(self, instances: Sequence[str], control: SessionControl) -> None:
        self.instances, self.control = list(dict.fromkeys(instances)), control

    def reads(self) -> list[Query]:
        """Read policies and applications; a refusal of either leaves every instance unproven."""
        optional = self.control.tolerant
        return [
            Query(COLLECTION, "name", (), ("id", "name"), optional=optional),
            Query(APPLICATIONS, "id", (), ("id", "app_id", "name"), optional=optional),
        ]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare instance by instance."""
        plan = Plan(self.label, bulk=True)
        if not self.instances:
            return plan
        refused = [snapshot.refused(query.collection, query.column) for query in self.control.reads()]
        reason = next((words for words in refused if words), "")
        policies, mode = ([], "") if reason else self._policies(snapshot)
        for address in self.instances:
            outcome: dict[str, Any] = {
                "object": f"{self.label} {address}",
                "name": address,
                "applications": [],
                "policies": [],
            }
            plan.outcomes.append(outcome)
            if reason:
                outcome.update(status=UNKNOWN, reason=reason)
            else:
                self._plan_one(plan, outcome, snapshot, policies, mode)
        return plan

    def _policies(self, snapshot: Snapshot) -> tuple[list[Row], str]:
        """Return the policies as they are after this run, and the mode of the desired one."""
        row, wanted = self.control.existing(snapshot), self.control.wanted(snapshot)
        own: dict[str, Any] = {**(row or ON_CREATE), **wanted, "name": self.control.options["display_name"]}
        others = [each for each in snapshot.all_rows(COLLECTION, "name") if row is None or each["id"] != row["id"]]
        return [*others, {**own, "excluded_applications": []}], str(own["mode"])

    @staticmethod
    def _plan_one(plan: Plan, outcome: dict[str, Any], snapshot: Snapshot, policies: Sequence[Row], mode: str) -> None:
        found = [
            row
            for row in snapshot.all_rows(APPLICATIONS, "id")
            if any(covers(outcome["name"], url) for url in row["addresses"])
        ]
        outcome["applications"] = sorted(row["name"] for row in found)
        if not found:
            reason = "no enterprise application has its address, so how its users sign in is not known; set up single sign-on, or check its Reply URL"
            outcome.update(status=UNKNOWN, reason=reason)
            return
        effects = {}
        for application in found:
            matching = [row for row in policies if _applies(row, application["app_id"])]
            outcome["policies"] = sorted({*outcome["policies"], *(row["name"] for row in matching)})
            effects[application["name"]] = {EFFECTS[row["mode"]] for row in matching}
        left = [name for name, reached in effects.items() if not reached & set(ENOUGH.get(mode, ()))]
        weakest = [ROUTED if ROUTED in reached else REPORTED if reached else NOT_ROUTED for reached in effects.values()]
        routing = max(weakest, key=(ROUTED, REPORTED, NOT_ROUTED).index)
        outcome.update(status=OK, routing=routing)
        if left and mode != "disabled":
            reason = f"no policy routes {', '.join(sorted(left))} through Defender for Cloud Apps; add it to the applications"
            outcome.update(status=routing, reason=reason)
            plan.drift.append(Drift(outcome["object"], "routing", routing, ENOUGH[mode][-1]))


def _applies(policy: Row, app_id: str) -> bool:
    """Return whether a policy routes, or would route, sign-ins to an application."""
    applications = policy["applications"]
    return (
        policy["mode"] in EFFECTS
        and policy["control"] != NO_CONTROL
        and (app_id in applications or ALL in applications)
        and app_id not in policy["excluded_applications"]
    )


def covers(address: str, url: str) -> bool:
    """Return whether `url` is on the instance at `address`: the same host, below its path."""
    try:
        (host, path), (other_host, other_path) = _place(address), _place(url)
    except ValueError:
        # Not every identifier of an application is a valid URL.
        return False
    return host == other_host and f"{other_path}/".startswith(f"{path}/")


def _place(url: str) -> tuple[tuple[str, int], str]:
    parts = urlsplit(url.strip().lower())
    return (parts.hostname or "", parts.port or PORTS.get(parts.scheme, 443)), parts.path.rstrip("/")
