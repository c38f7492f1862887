# SPDX-License-Identifier: GPL-3.0-or-later
"""The findings that a governance rule covers, and its assignments.

See docs/facts/defender_for_cloud.md#automatic-tickets, docs/facts/defender_for_cloud.md#governance-rules.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..arm.scopes import CONNECTOR, GROUP, SUBSCRIPTION, Scope
from ..arm.state import ArmState, Row, moment

if TYPE_CHECKING:
    from ..state import Tenant

DOMAIN = "acme.example"


def covered(arm: ArmState, rule: Row) -> Iterator[Row]:
    """The unhealthy findings of a rule without a rule of higher priority: management scope first, then the lower number."""
    active = [other for other in arm.rules.values() if not other["properties"].get("isDisabled")]
    stronger = [other for other in active if _rank(other) < _rank(rule)]
    for finding in arm.below("assessments", Scope(rule["scope"])):
        unhealthy = finding["properties"]["status"]["code"] == "Unhealthy"
        if unhealthy and _covers(arm, rule, finding) and not any(_covers(arm, other, finding) for other in stronger):
            yield finding


def _rank(rule: Row) -> tuple[bool, int]:
    return Scope(rule["scope"]).kind != GROUP, int(rule["properties"].get("rulePriority", 1000))


def reaches(scope: Scope, key: str) -> bool:
    """Whether a rule or integration on a scope applies to a resource; on a subscription not to those of AWS or GCP (1.1)."""
    if scope.kind == GROUP:
        return True
    foreign = "/microsoft.security/securityconnectors/" in key
    return scope.holds(key) and (scope.kind == CONNECTOR) is foreign and scope.kind in (SUBSCRIPTION, CONNECTOR)


def _covers(arm: ArmState, rule: Row, finding: Row) -> bool:
    key, properties = finding["scope"].lower(), rule["properties"]
    excluded = [Scope(f"/{str(each).strip('/')}") for each in properties.get("excludedScopes") or []]
    if not reaches(Scope(rule["scope"]), key) or any(scope.holds(key) for scope in excluded):
        return False
    return any(
        all(_fits(arm, each, finding) for each in some["conditions"]) for some in properties.get("conditionSets", [])
    )


def _fits(arm: ArmState, condition: Row, finding: Row) -> bool:
    # By which property the portal selects by risk level is UNKNOWN; this one is made up.
    name = condition["property"].lower().removesuffix("risk.level").rpartition(".")[2] or "risk"
    risk = str((finding["properties"].get("risk") or {}).get("level", ""))
    known = {"assessmentkey": finding["name"], "name": finding["name"], "severity": arm.severity(finding), "risk": risk}
    value = known.get(name)
    if value is None:
        return False
    wanted: Any = condition["value"]
    if condition["operator"] == "In":
        try:
            wanted = json.loads(wanted) if isinstance(wanted, str) else wanted
        except ValueError:
            return False
        return isinstance(wanted, list) and value.lower() in [str(each).lower() for each in wanted]
    return bool(value.lower() == wanted.lower())


def assign(tenant: Tenant, rule: Row, finding: Row, old: Row | None = None) -> Row:
    """Assign a finding according to a rule, replacing its assignment; returns the assignment."""
    properties = rule["properties"]
    new: Row = {"remediationDueDate": moment(tenant.now() + _seconds(properties.get("remediationTimeframe")))}
    owner = owner_of(properties.get("ownerSource") or {}, finding)
    if owner:
        new["owner"] = owner
    new["isGracePeriod"] = bool(properties.get("isGracePeriod"))
    if "governanceEmailNotification" in properties:
        new["governanceEmailNotification"] = properties["governanceEmailNotification"]
    if old is not None:
        # A recorded ticket is kept.
        old["properties"] = {**old["properties"], **new}
        return old
    name = f"{finding['name']}/{uuid.uuid5(uuid.NAMESPACE_URL, finding['_id'].lower())}"
    more = {"assessment": finding["name"], "rule": rule["_id"], "integration": ""}
    return tenant.arm.put("assignments", Scope(finding["scope"]), name, new, **more)[0]


def assigned(arm: ArmState) -> dict[str, Row]:
    """The assignments by finding."""
    return {key.rpartition("/governanceassignments/")[0]: row for key, row in arm.assignments.items()}


def owner_of(source: Row, finding: Row) -> str:
    """The owner of a finding; every second resource has a tag `owner`."""
    if source.get("type") == "Manually":
        return str(source.get("value", ""))
    tagged = finding["scope"][-1:] in "02468"
    return f"{finding['scope'].rpartition('/')[2]}@{DOMAIN}" if tagged and source.get("value") == "owner" else ""


def _seconds(timeframe: str | None) -> float:
    days, _, clock = (timeframe or "0.00:00:00").partition(".")
    hours, minutes, seconds = (int(part) for part in clock.split(":"))
    return timedelta(days=int(days), hours=hours, minutes=minutes, seconds=seconds).total_seconds()
