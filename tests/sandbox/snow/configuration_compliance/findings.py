# SPDX-License-Identifier: GPL-3.0-or-later
"""Assessments of Defender for Cloud as the jobs of the integration read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...settings import SettingError
from ..store import stable_id

_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
_ASSESSMENT = re.compile(r"/providers/microsoft\.security/assessments/", re.IGNORECASE)
COUNTS = {
    "unhealthy": "Unhealthy",
    "healthy": "Healthy",
    "not_applicable": "NotApplicable",
    "long_unhealthy": "Unhealthy",
}
_DEFINITIONS = 5
_LONG_AGO = datetime(2020, 1, 1)


@dataclass(frozen=True, slots=True)
class Finding:
    """One assessment of one resource. `changed` is the time of its last status change, UTC; None means now."""

    key: str
    name: str
    title: str
    code: str
    resource: str
    subscription: str
    severity: str = ""
    provider: str = "Azure"
    changed: datetime | None = None


def from_assessments(rows: Iterable[Mapping[str, Any]]) -> tuple[Finding, ...]:
    """Read assessments in the form of Resource Manager (`id`, `name`, `properties`); raises SettingError."""
    try:
        return tuple(map(_finding, rows))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise SettingError(f"not an assessment of Resource Manager: {error!r}") from error


def _finding(row: Mapping[str, Any]) -> Finding:
    identifier = str(row.get("id") or row["_id"])
    properties = row["properties"]
    status = properties["status"]
    resource = _ASSESSMENT.split(identifier)[0]
    found = _SUBSCRIPTION.match(resource)
    details, metadata, risk = (properties.get(name) or {} for name in ("resourceDetails", "metadata", "risk"))
    changed = status.get("statusChangeDate")
    return Finding(
        key=identifier.lower(),
        name=str(row["name"]),
        title=str(properties.get("displayName", row["name"])),
        code=str(status["code"]),
        resource=resource,
        subscription=found[1].lower() if found else "",
        severity=str(metadata.get("severity") or risk.get("level", "")),
        provider=str(details.get("source") or details.get("Source") or "Azure"),
        # The vendor writes seven digits of a second; whole seconds are enough here.
        changed=datetime.fromisoformat(changed[:19]) if changed else None,
    )


def from_counts(counts: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Generate findings by count of each kind; `long_unhealthy` ones changed long ago. Raises SettingError."""
    unknown = sorted(set(counts) - set(COUNTS))
    if unknown:
        raise SettingError(f"unknown count {', '.join(unknown)}; known: {', '.join(COUNTS)}")
    subscription = "00000000-0000-0000-0000-000000000001"
    found = []
    for kind, count in counts.items():
        for number in range(int(count)):
            name = stable_id("assessment", str(number % _DEFINITIONS))
            resource = f"/subscriptions/{subscription}/resourceGroups/made-up/providers/Acme.Made/ups/{kind}-{number}"
            found.append(
                Finding(
                    key=f"{resource}/providers/Microsoft.Security/assessments/{name}".lower(),
                    name=name,
                    title=f"Recommendation {number % _DEFINITIONS + 1}",
                    code=COUNTS[kind],
                    resource=resource,
                    subscription=subscription,
                    severity="High",
                    changed=_LONG_AGO if kind == "long_unhealthy" else None,
                )
            )
    return tuple(found)
