# SPDX-License-Identifier: GPL-3.0-or-later
"""Security alerts of Defender for Cloud, page by page (docs/facts/defender_for_cloud.md#alerts)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...engine.errors import InvalidInput, Refused
from ...engine.problem import ERROR, Problem
from ...stable_key import stable_key
from ...timestamps import parse
from ..arm.client import ArmClient
from ..arm.management_groups import subscriptions_below
from ..arm.scopes import MANAGEMENT_GROUP, RESOURCE, SUBSCRIPTION, Scope, read_scope, scope_of

ALERTS_PATH, VERSION = "/providers/Microsoft.Security/alerts", "2022-01-01"
ACTIVE, IN_PROGRESS, RESOLVED, DISMISSED = "active", "in_progress", "resolved", "dismissed"
# Our name of a status -> the platform's, and the verb that sets it.
STATUSES = {ACTIVE: "Active", IN_PROGRESS: "InProgress", RESOLVED: "Resolved", DISMISSED: "Dismissed"}
VERBS = {ACTIVE: "activate", IN_PROGRESS: "inProgress", RESOLVED: "resolve", DISMISSED: "dismiss"}
SEVERITIES = ("High", "Medium", "Low", "Informational")
GROUP_SEGMENTS = 5
KEY_PREFIX = "alert-"


def alert_key(alert_id: str) -> str:
    """Return the stable key of an alert: `alert-` and the first 40 hex digits of the SHA-256 of its id in lower case."""
    text = alert_id.strip().strip("/").lower()
    return stable_key(KEY_PREFIX, text)


def status_of(alert: Mapping[str, Any]) -> str:
    """Return our name of an alert's status; one that is unknown stays as it is."""
    text = str((alert.get("properties") or {}).get("status") or "")
    return next((ours for ours, theirs in STATUSES.items() if theirs.casefold() == text.casefold()), text)


def alert_row(alert: Mapping[str, Any]) -> dict[str, Any]:
    """Return an alert as one flat row (RETURN of mdc_alert_info)."""
    properties = alert.get("properties") or {}
    alert_id = f"/{str(alert.get('id') or '').strip('/')}"
    resource = _resource(properties.get("resourceIdentifiers"))
    severity = str(properties.get("severity") or "")
    parts = alert_id.split("/")
    return {
        "id": alert_id,
        "key": alert_key(alert_id),
        "name": str(alert.get("name") or parts[-1]),
        "system_alert_id": str(properties.get("systemAlertId") or alert.get("name") or parts[-1]),
        "display_name": str(properties.get("alertDisplayName") or properties.get("alertType") or ""),
        "alert_type": str(properties.get("alertType") or ""),
        "severity": next((name for name in SEVERITIES if name.casefold() == severity.casefold()), severity),
        "status": status_of(alert),
        "description": str(properties.get("description") or ""),
        "resource_id": resource,
        "resource_name": str(properties.get("compromisedEntity") or resource.rpartition("/")[2]),
        "intent": str(properties.get("intent") or ""),
        "started_at": str(properties.get("startTimeUtc") or ""),
        "generated_at": str(properties.get("timeGeneratedUtc") or properties.get("startTimeUtc") or ""),
        "remediation": [str(step) for step in properties.get("remediationSteps") or []],
        "portal_url": str(properties.get("alertUri") or ""),
        "product": str(properties.get("productName") or ""),
        "subscription_id": parts[2] if len(parts) > 2 else "",
    }


def _resource(identifiers: Any) -> str:
    """Return the id of the Azure resource that an alert is about, "" for none."""
    found = [each for each in identifiers or [] if isinstance(each, Mapping)]
    return next((str(each["azureResourceId"]) for each in found if each.get("azureResourceId")), "")


def scopes_of(params: Mapping[str, Any]) -> list[Scope]:
    """Return the scopes of options `scopes` or `scope`, each once; else the subscription of the connection options."""
    texts = params.get("scopes") or []
    found = [read_scope("scopes", str(text)) for text in texts] or [scope_of(params)]
    for scope in found:
        is_group = scope.kind == RESOURCE and scope.path.count("/") == GROUP_SEGMENTS - 1
        if scope.kind not in (SUBSCRIPTION, MANAGEMENT_GROUP) and not is_group:
            raise InvalidInput(
                f"{scope.path} is a {scope.kind}; alerts are listed for a subscription, a resource group or a management group"
            )
    return list({scope.path.casefold(): scope for scope in found}.values())


@dataclass(frozen=True)
class AlertFilter:
    """Which alerts are selected; an empty list selects all."""

    statuses: frozenset[str] = frozenset()
    severities: frozenset[str] = frozenset()
    since: str = ""

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> AlertFilter:
        """Return the filter of the options; raise `InvalidInput` for an unknown severity or an invalid time."""
        severities = set()
        for given in params.get("severities") or []:
            known = [name for name in SEVERITIES if name.casefold() == given.strip().casefold()]
            if not known:
                raise InvalidInput(f"severities: {given!r} is no severity; they are {', '.join(SEVERITIES)}")
            severities.update(known)
        since = params.get("since") or ""
        try:
            parse(since or "2000-01-01")
        except ValueError as error:
            raise InvalidInput(f"since: {error}") from None
        return cls(frozenset(params.get("status") or []), frozenset(severities), since)

    def selects(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row is selected; a time that cannot be read excludes none."""
        if (self.statuses and row["status"] not in self.statuses) or (
            self.severities and row["severity"] not in self.severities
        ):
            return False
        try:
            return not self.since or parse(row["generated_at"]) >= parse(self.since)
        except ValueError:
            return True


@dataclass
class AlertReader:
    """Reads the alerts of `scopes` that `wanted` selects. After `read`, `scopes_read` are complete, `problems` name the others."""

    client: ArmClient
    scopes: Sequence[Scope]
    wanted: AlertFilter
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    scopes_read: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    read_count: int = 0

    def read(self) -> list[dict[str, Any]]:
        """Return the selected alerts, the newest first. Where all scopes are refused, the first refusal is raised."""
        refusals = []
        progress = self.client.progress_line()
        for scope in self.scopes:
            try:
                for path in self._paths(scope):
                    for row in self._rows(path):
                        progress.report(f"{self.read_count} alerts read")
                        if self.wanted.selects(row):
                            self.rows.setdefault(row["id"].casefold(), row)
                    self.scopes_read.append(path)
            except Refused as refusal:
                refusals.append(refusal)
                remedy = "Its alerts are missing; correct the scope or the permissions, and run again"
                name = scope.path.rsplit("/", 1)[-1]
                message = f"{scope} could not be read. {refusal}"
                self.problems.append(Problem(f"scope_refused:{name}", ERROR, message, remedy))
        if refusals and len(refusals) == len(self.scopes):
            raise refusals[0]
        by_id = sorted(self.rows.values(), key=lambda row: row["id"].casefold())
        return sorted(by_id, key=lambda row: row["generated_at"], reverse=True)

    def summary(self) -> str:
        """Return one sentence about what was read."""
        where = str(self.scopes[0]) if len(self.scopes) == 1 else f"{len(self.scopes)} scopes"
        text = f"{len(self.rows)} of {self.read_count} alerts selected in {where}"
        return f"{text}; {len(self.problems)} could not be read" if self.problems else text

    def _paths(self, scope: Scope) -> list[str]:
        """Return where a scope's alerts are listed: a management group has no list of its own."""
        return subscriptions_below(self.client, scope) if scope.kind == MANAGEMENT_GROUP else [scope.path]

    def _rows(self, path: str) -> Iterator[dict[str, Any]]:
        for page in self.client.pages(f"{path}{ALERTS_PATH}", VERSION):
            self.read_count += len(page)
            yield from map(alert_row, page)
