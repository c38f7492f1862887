# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads recommendations of many scopes, page by page, and joins them with their metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...engine.errors import InvalidInput, Refused
from ...engine.problem import ERROR, WARNING, Problem
from ...transport.polling import ProgressLine
from ..arm.client import ArmClient
from ..arm.management_groups import subscriptions_below
from ..arm.scopes import (
    CONNECTOR,
    MANAGEMENT_GROUP,
    SUBSCRIPTION,
    Scope,
    read_scope,
    scope_of,
)
from .assessments import (
    ASSESSMENTS_PATH,
    ASSESSMENTS_VERSION,
    is_elsewhere,
    recommendation,
)
from .pricings_api import FOUNDATIONAL, foundational_off, is_off, pricing_path
from .pricings_api import VERSION as PRICING_VERSION
from .recommendation_filter import Selection

METADATA_PATH = "/providers/Microsoft.Security/assessmentMetadata"
KINDS = (SUBSCRIPTION, MANAGEMENT_GROUP, CONNECTOR)
MAX_NAMED = 5


def scopes_of(params: Mapping[str, Any]) -> list[Scope]:
    """Return the scopes of options `scopes` or `scope`, each once; else the subscription of the connection options."""
    if not params.get("scopes"):
        return [scope_of(params, *KINDS)]
    scopes: dict[str, Scope] = {}
    for text in params["scopes"]:
        scope = read_scope("scopes", str(text))
        if scope.kind not in KINDS:
            raise InvalidInput(f"scopes: {scope.path} is a {scope.kind}; it must be a {' or a '.join(KINDS)}")
        scopes.setdefault(scope.path.casefold(), scope)
    return list(scopes.values())


class Metadata:
    """Metadata of assessments: the list of the tenant, and for what it does not contain that of the subscription."""

    def __init__(self, client: ArmClient, progress: ProgressLine) -> None:
        self.client, self.progress = client, progress
        self.lists: dict[str, dict[str, Mapping[str, Any]]] = {}

    def of(self, assessment: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the metadata of an assessment, {} where there are none. A list is read once, when it is first needed."""
        properties = assessment.get("properties") or {}
        name = str(assessment.get("name") or "")
        if properties.get("metadata"):
            return {}
        parts = str(assessment.get("id") or "").split("/")
        scopes = ["", f"/subscriptions/{parts[2].lower()}"] if len(parts) > 2 else [""]
        found = (self._list(scope).get(name.casefold()) for scope in scopes)
        return next((entry for entry in found if entry is not None), {})

    def _list(self, scope: str) -> dict[str, Mapping[str, Any]]:
        if scope not in self.lists:
            known: dict[str, Mapping[str, Any]] = {}
            try:
                for page in self.client.pages(f"{scope}{METADATA_PATH}", ASSESSMENTS_VERSION):
                    known |= {str(row.get("name")).casefold(): row.get("properties") or {} for row in page}
                    self.progress.report(f"{len(known)} recommendation types read")
            except Refused:
                # The right to read a subscription does not include the tenant's list; the subscription's list has everything.
                if scope:
                    raise
            self.lists[scope] = known
        return self.lists[scope]


@dataclass
class Reading:
    """What was read: `rows`, the scopes that were read completely, and the problems found."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    scopes_read: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    refused: list[Scope] = field(default_factory=list)

    def summary(self, scopes: Sequence[Scope]) -> str:
        """Return one sentence about what was read of `scopes`."""
        selected = sum(row["selected"] for row in self.rows)
        count = f"{selected} of {len(self.rows)}" if selected < len(self.rows) else str(selected)
        where = str(scopes[0]) if len(scopes) == 1 else f"{len(scopes)} scopes"
        text = f"{count} recommendation{'' if count == '1' else 's'} selected in {where}"
        return f"{text}; {len(self.refused)} could not be read" if self.refused else text


@dataclass
class Reader:
    """Reads `scopes`. `limit` (0: all) is the number of selected rows to stop at; `keeps_others` keeps unselected rows."""

    client: ArmClient
    scopes: Sequence[Scope]
    selection: Selection
    limit: int = 0
    keeps_others: bool = False
    reading: Reading = field(default_factory=Reading)
    _seen: set[str] = field(default_factory=set)
    _resources: dict[str, str] = field(default_factory=dict)
    _selected: int = 0
    _with_rows: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.progress = self.client.progress_line()
        self.metadata = Metadata(self.client, self.progress)

    def read(self) -> Reading:
        """Read everything. A refused scope becomes a problem; where all are refused, the first refusal is raised."""
        refusals: list[Refused] = []
        for scope in self.scopes:
            try:
                found = self._read_scope(scope)
            except Refused as refusal:
                refusals.append(refusal)
                self.reading.refused.append(scope)
                name = scope.path.rsplit("/", 1)[-1]
                remedy = "Its recommendations are missing; correct the scope or the permissions, and run again"
                self._note(f"scope_refused:{name}", f"{scope} could not be read. {refusal}", remedy)
                continue
            if self._is_full:
                break
            self._note_missing_plan(scope)
            self.reading.scopes_read += [path for path in found if path not in self.reading.scopes_read]
        if len(refusals) == len(self.scopes):
            raise refusals[0]
        return self._end()

    @property
    def _is_full(self) -> bool:
        return bool(self.limit) and self._selected >= self.limit

    def _read_scope(self, scope: Scope) -> list[str]:
        """Read one scope and return the scopes read with it: itself, and the subscriptions of a management group."""
        read = [scope.path]
        for row in self._rows(scope):
            self._with_rows.add(scope.path.casefold())
            path = f"/subscriptions/{row['subscription_id']}"
            if scope.kind == MANAGEMENT_GROUP and row["subscription_id"] and path not in read:
                read.append(path)
            if row["id"].casefold() not in self._seen:
                self._take(row)
            if self._is_full:
                break
        if scope.kind == MANAGEMENT_GROUP and self.keeps_others:
            known = {path.casefold() for path in read}
            read += [path for path in self._subscriptions_of(scope) if path.casefold() not in known]
        return read

    def _note_missing_plan(self, scope: Scope) -> None:
        """Note why a subscription has no recommendation at all (docs/facts/defender_for_cloud.md#plans)."""
        if scope.kind != SUBSCRIPTION or scope.path.casefold() in self._with_rows:
            return
        try:
            plan = self.client.find(pricing_path(scope.path, FOUNDATIONAL), PRICING_VERSION) or {}
        except Refused:
            return
        if is_off(plan.get("properties")):
            problem = foundational_off(scope.subscription)
            self.reading.problems.append(replace(problem, id=f"{problem.id}:{scope.subscription}"))

    def _subscriptions_of(self, group: Scope) -> list[str]:
        """Return the subscriptions of a management group, also those without a recommendation."""
        try:
            return subscriptions_below(self.client, group)
        except Refused as refusal:
            name = group.path.rsplit("/", 1)[-1]
            message = f"which subscriptions {group} has could not be read, so one without recommendations is not noticed. {refusal}"
            remedy = "Give the identity Microsoft.Management/managementGroups/read, which Security Reader includes, on the group"
            self._note(f"scope_children:{name}", message, remedy, WARNING)
            return []

    def _take(self, row: dict[str, Any]) -> None:
        self._seen.add(row["id"].casefold())
        # One answer can spell a resource in two ways (docs/facts/defender_for_cloud.md#assessments).
        resource = row["resource_id"]
        row["resource_id"] = self._resources.setdefault(resource.casefold(), resource)
        row["selected"] = self.selection.selects(row)
        self._selected += row["selected"]
        if row["selected"] or self.keeps_others:
            self.reading.rows.append(row)

    def _rows(self, scope: Scope) -> Iterator[dict[str, Any]]:
        count = 0
        for page in self.client.pages(f"{scope.path}{ASSESSMENTS_PATH}", ASSESSMENTS_VERSION):
            count += len(page)
            self.progress.report(f"{count} recommendations of {scope} read")
            for assessment in page:
                yield recommendation(assessment, self.metadata.of(assessment))

    def _end(self) -> Reading:
        self.reading.rows.sort(key=lambda row: row["id"].casefold())
        self._note_connectors()
        if self.selection.without_severity:
            self.client.context.warn(
                f"{self.selection.without_severity} recommendations have no metadata and thus no severity; option severities excludes them"
            )
        return self.reading

    def _note_connectors(self) -> None:
        """Note the connectors that need an integration of their own (one on a subscription does not cover them).

        See docs/facts/defender_for_cloud.md#connecting-servicenow.
        """
        named = {scope.path.casefold() for scope in self.scopes if scope.kind == CONNECTOR}
        rows = [row for row in self.reading.rows if is_elsewhere(row) and row["connector"].casefold() not in named]
        if not rows:
            return
        sources = ", ".join(sorted({row["source"] or "another cloud" for row in rows}))
        connectors = sorted({row["connector"] for row in rows if row["connector"]})
        shown = ", ".join(connectors[:MAX_NAMED]) or "the connector of their account"
        more = f" and {len(connectors) - MAX_NAMED} more" if len(connectors) > MAX_NAMED else ""
        self._note(
            "integration_scope",
            f"{len(rows)} recommendations concern resources of {sources}. An integration on a subscription or a management group does "
            f"not cover them",
            f"Create the integration, and governance rules, on the security connector itself: {shown}{more}",
            WARNING,
        )

    def _note(self, name: str, message: str, remedy: str, severity: str = ERROR) -> None:
        self.reading.problems.append(Problem(name, severity, message, remedy))


class ResourceGraphReader(Reader):
    """Reads through Resource Graph, which filters by status and severity on the server, but lags behind.

    It silently omits what may not be read, so no scope ever counts as read completely. That its rows have `metadata` is
    LIKELY; a row without them has no severity.

    See docs/facts/defender_for_cloud.md#resource-graph.
    """

    def read(self) -> Reading:
        """Read everything. Raises `InvalidInput` for a management group, and where all rows are wanted."""
        if self.keeps_others:
            raise InvalidInput(
                "include_unselected requires source: assessments, as Resource Graph returns only what is selected"
            )
        groups = [scope for scope in self.scopes if scope.kind == MANAGEMENT_GROUP]
        if groups:
            raise InvalidInput(
                f"source: resource_graph supports subscriptions and security connectors, not {groups[0]}"
            )
        subscriptions = list(dict.fromkeys(scope.subscription.lower() for scope in self.scopes))
        inside = tuple(f"{scope.path.lower()}/" for scope in self.scopes)
        for found in self.client.resource_graph(self._query(), subscriptions):
            row = recommendation(found, {})
            if row["id"].lower().startswith(inside) and row["id"].casefold() not in self._seen and not self._is_full:
                self._take(row)
        return self._end()

    def _query(self) -> str:
        lines = ["securityresources", f"where type =~ '{ASSESSMENTS_PATH.removeprefix('/providers/').lower()}'"]
        for column, values in (
            ("properties.status.code", self.selection.statuses),
            ("properties.metadata.severity", self.selection.severities),
        ):
            if values:
                # Both are choices of the module: there is nothing to escape.
                lines.append(f"where tostring({column}) in~ ({', '.join(repr(value) for value in sorted(values))})")
        return " | ".join([*lines, "project id, name, properties"])
