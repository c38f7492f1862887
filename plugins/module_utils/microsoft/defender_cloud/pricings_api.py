# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans of Defender for Cloud: how one is read and set (docs/facts/defender_for_cloud.md#plans)."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Mapping
from typing import Any

from ...engine.errors import EngineError
from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ...transport.polling import ProgressLine, pause
from ...transport.responses import Response
from ...transport.retry import retry_after_seconds
from ..arm.client import ArmClient
from ..arm.json_properties import flag, overlaid, row_of
from ..arm.scopes import Scope
from ..collection_store import Endpoint

COLLECTION, VERSION = "pricings", "2024-01-01"
CLOUD_POSTURE = "CloudPosture"
FREE, STANDARD = "Free", "Standard"
# Seconds. Terraform sends a refused update again after half a minute; most settle sooner.
FIRST_WAIT, MAX_WAIT = 2.0, 30.0
FAILED = "failed"


def pricing_path(scope: str, name: str) -> str:
    """Return the path of a plan."""
    return f"{scope}/providers/Microsoft.Security/pricings/{name}"


def extensions_of(properties: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the extensions of a plan by name, in the words of the module."""
    found = properties.get("extensions")
    return {
        str(entry.get("name")): shown_extension(entry)
        for entry in (found if isinstance(found, list) else [])
        if isinstance(entry, dict)
    }


def shown_extension(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an extension as results show it; `isEnabled` is a word on the wire."""
    status = entry.get("operationStatus") or {}
    return {
        "name": str(entry.get("name")),
        "enabled": flag(entry.get("isEnabled")),
        "properties": entry.get("additionalExtensionProperties") or {},
        "status": str(status.get("code") or ""),
        "message": str(status.get("message") or ""),
    }


class PricingsEndpoint(Endpoint):
    """One plan of a subscription or resource. An update waits up to `retry_budget` seconds for others to settle."""

    def __init__(self, manager: ArmClient, scope: Scope, name: str, retry_budget: float) -> None:
        self.manager, self.scope, self.name, self.retry_budget = manager, scope, name, retry_budget
        self.path = pricing_path(scope.path, name)

    def read(self) -> QueryResult:
        """Return the plan, or nothing where the platform does not know it."""
        found = self.manager.find(self.path, VERSION)
        return QueryResult((row_of(found, name=self.name),)) if found else QueryResult()

    def create(self, write: Write, values: Mapping[str, str]) -> Row:
        """Refuse: plans are there or not."""
        raise EngineError(f"{write.label}: plans are not created")

    def delete(self, write: Write, row_id: str) -> None:
        """Refuse: a plan is switched off, not removed."""
        raise EngineError(f"{write.label}: plans are not removed")

    def update(self, write: Write, row_id: str, values: Mapping[str, str]) -> None:
        """Set the plan; wait while another update of the subscription settles.

        Raises `EngineError` when it does not settle in time, or when an extension of the answer failed.
        """
        wanted = json.loads(values["properties"])
        progress = ProgressLine(self.manager.context.progress)
        for attempt in itertools.count():
            # Read for each attempt: the update that we waited for may have set extensions.
            properties = (self.manager.find(self.path, VERSION) or {}).get("properties") or {}
            body = {"properties": put_properties(properties, wanted)}
            answer = self.manager.call("PUT", self.path, VERSION, body=body, accept=(409,))
            if answer.status != 409:
                break
            self._pause(answer, progress, attempt)
        self.manager.finish(answer, write.label, self.retry_budget)
        self._check(answer)

    def _pause(self, answer: Response, progress: ProgressLine, attempt: int) -> None:
        given = retry_after_seconds(answer.headers.get("retry-after"))
        ceiling = min(MAX_WAIT, FIRST_WAIT * 2**attempt)
        wait = random.uniform(ceiling / 2, ceiling) if given is None else given  # noqa: S311 (jitter, not secrecy)
        if progress.seconds + wait > self.retry_budget:
            words = answer.error(self.manager.context.redactor.scrub_text).words
            raise EngineError(
                f"another update of the plans of {self.scope} has not settled within {self.retry_budget:g} s ({words or 'status 409'}); only one "
                f"at a time is accepted. Nothing was changed; run again later, or raise wait_timeout"
            )
        what = f"waiting for another update of the plans of {self.scope}"
        pause(wait, progress, lambda seconds: f"{what}: running for {seconds:.0f} s")

    def _check(self, answer: Response) -> None:
        properties = answer.data.get("properties") if isinstance(answer.data, dict) else None
        found = extensions_of(properties or {})
        failed = [entry for entry in found.values() if entry["status"].lower() == FAILED]
        if not failed:
            return
        kept = [f"{e['name']} {'on' if e['enabled'] else 'off'}" for e in found.values() if e not in failed]
        words = "; ".join(f"extension {entry['name']} -> {entry['status']}: {entry['message']}" for entry in failed)
        raise EngineError(
            f"plan {self.name} of {self.scope} was set, but not all of it: {words.rstrip('.')}. Kept: tier {(properties or {}).get('pricingTier')}"
            f"{', ' + ', '.join(kept) if kept else ''}. Enabling every extension takes Owner on the subscription; mend the cause and run again"
        )


def put_properties(properties: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a PUT has to hold so that only `wanted` changes.

    `wanted` holds wire properties, its `extensions` by name. What is not described of a plan that is on goes along as it is.
    A plan that is switched on gets only what is described: the platform has its own mind on the rest (its example of a
    PUT with nothing but the tier comes back with every extension on).
    """
    body = {name: value for name, value in wanted.items() if name != "extensions"}
    described: Mapping[str, Any] = wanted.get("extensions") or {}
    stays_on = properties.get("pricingTier") == STANDARD == body.get("pricingTier")
    if stays_on:
        body = {**{name: properties[name] for name in ("subPlan", "enforce") if properties.get(name)}, **body}
    present = {e["name"]: e for e in properties.get("extensions") or [] if isinstance(e, dict) and e.get("name")}
    names = [*(present if stays_on else ()), *(name for name in described if not stays_on or name not in present)]
    extensions = []
    for name in names:
        entry = {key: value for key, value in present.get(name, {}).items() if key != "operationStatus"}
        extensions.append({"name": name, **overlaid(entry, described.get(name, {}))})
    return {**body, **({"extensions": extensions} if extensions else {})}
