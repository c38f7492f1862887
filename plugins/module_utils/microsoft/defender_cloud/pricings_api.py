# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans of Defender for Cloud: how a plan is read and set (docs/facts/defender_for_cloud.md#plans)."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from typing import Any

from ...engine.errors import EngineError
from ...engine.plan import Write
from ...engine.problem import ERROR, Problem
from ...engine.snapshot import QueryResult
from ...transport.errors import AmbiguousResponse
from ...transport.polling import ProgressLine, pause
from ...transport.responses import Response
from ...transport.retry import requested_pause
from ..arm.client import ArmClient
from ..arm.json_properties import flag, merge_patch, properties_of, row_of
from ..arm.scopes import Scope
from ..collection_store import Endpoint

COLLECTION, VERSION = "pricings", "2024-01-01"
CLOUD_POSTURE, FOUNDATIONAL = "CloudPosture", "FoundationalCspm"
FREE, STANDARD = "Free", "Standard"
# Seconds. Terraform repeats a refused update after half a minute; most can be repeated sooner.
FIRST_WAIT, MIN_WAIT, MAX_WAIT = 2.0, 0.2, 30.0
FAILED = "failed"


def pricing_path(scope: str, name: str) -> str:
    """Return the path of a plan."""
    return f"{scope}/providers/Microsoft.Security/pricings/{name}"


def is_on(properties: Mapping[str, Any] | None) -> bool:
    """Return whether a plan is on. Some clients write tiers in lower case."""
    return str((properties or {}).get("pricingTier") or "").casefold() == STANDARD.casefold()


def is_off(properties: Mapping[str, Any] | None) -> bool:
    """Return whether a plan is certainly off; a plan that the subscription does not list is not."""
    return str((properties or {}).get("pricingTier") or "").casefold() == FREE.casefold()


def foundational_off(subscription: str) -> Problem:
    """Return the problem of a subscription without recommendations (docs/facts/defender_for_cloud.md#plans)."""
    return Problem(
        "foundational_off", ERROR,
        f"Foundational CSPM ({FOUNDATIONAL}) is off, so subscription {subscription} has no recommendations, and nothing of it is in sync or solved",
        "Turn it on (mdc_plan with name FoundationalCspm, or Environment settings > Defender plans); it is free of charge",
    )  # fmt: skip


def extensions_of(properties: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the extensions of a plan by name in lower case, as results show them."""
    found = properties.get("extensions")
    return {
        str(entry.get("name")).casefold(): extension_as_result(entry)
        for entry in (found if isinstance(found, list) else [])
        if isinstance(entry, dict)
    }


def extension_as_result(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an extension as results show it; the API has `isEnabled` as a string."""
    found, more = entry.get("operationStatus"), entry.get("additionalExtensionProperties")
    status: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    return {
        "name": str(entry.get("name")),
        "enabled": flag(entry.get("isEnabled")),
        "properties": more if isinstance(more, Mapping) else {},
        "status": str(status.get("code") or ""),
        "message": str(status.get("message") or ""),
    }


class PricingsEndpoint(Endpoint):
    """One plan of a subscription or resource. An update waits up to `wait_timeout` seconds for another one to end."""

    noun = "plans"

    def __init__(self, client: ArmClient, scope: Scope, name: str, wait_timeout: float) -> None:
        self.client, self.scope, self.name, self.wait_timeout = client, scope, name, wait_timeout
        self.path = pricing_path(scope.path, name)

    def read(self) -> QueryResult:
        """Return the plan, no row where the platform has no such plan."""
        found = self.client.find(self.path, VERSION)
        if found is None:
            return QueryResult()
        row = row_of(found, name=self.name)
        if not isinstance(properties_of(row).get("pricingTier"), str):
            raise AmbiguousResponse(f"GET {self.path}: the response contains no plan")
        return QueryResult((row,))

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """Set the plan; wait while another update of the subscription is running.

        Raises `EngineError` when that one does not end in time, or when an extension failed.
        """
        wanted = values["properties"]
        progress = ProgressLine(self.client.context.progress)
        for attempt in itertools.count():
            # Read for each attempt: the other update may have set extensions.
            properties = (self.client.find(self.path, VERSION) or {}).get("properties") or {}
            body = {"properties": put_properties(properties, wanted)}
            response = self.client.call("PUT", self.path, VERSION, body=body, accept=(409,))
            if response.status != 409:
                break
            self._pause(response, progress, attempt)
        self.client.finish(response, write.label, self.wait_timeout)
        self._check(response)

    def _pause(self, response: Response, progress: ProgressLine, attempt: int) -> None:
        retry_after = requested_pause(response.headers)
        ceiling = min(MAX_WAIT, FIRST_WAIT * 2**attempt)
        wait = random.uniform(ceiling / 2, ceiling) if retry_after is None else max(MIN_WAIT, retry_after)  # noqa: S311 (jitter, not secrecy)
        if progress.seconds + wait > self.wait_timeout:
            words = response.error(self.client.context.redactor.scrub_text).words
            raise EngineError(
                f"another update of the plans of {self.scope} has not ended within {self.wait_timeout:g} s ({words or 'status 409'}); only one "
                f"at a time is accepted. Nothing was changed; run again later, or raise wait_timeout"
            )
        what = f"waiting for another update of the plans of {self.scope}"
        pause(wait, progress, lambda seconds: f"{what}: running for {seconds:.0f} s")

    def _check(self, response: Response) -> None:
        properties = response.data.get("properties") if isinstance(response.data, dict) else None
        found = extensions_of(properties or {})
        failed = [entry for entry in found.values() if entry["status"].lower() == FAILED]
        if not failed:
            return
        kept = [f"{e['name']} {'on' if e['enabled'] else 'off'}" for e in found.values() if e not in failed]
        words = "; ".join(f"extension {entry['name']} -> {entry['status']}: {entry['message']}" for entry in failed)
        raise EngineError(
            f"plan {self.name} of {self.scope} was set only in part: {words.rstrip('.')}. Kept: tier {(properties or {}).get('pricingTier')}"
            f"{', ' + ', '.join(kept) if kept else ''}. Some extensions require Owner on the subscription; fix the cause and run again"
        )


def put_properties(properties: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of a PUT that changes nothing but `wanted`.

    `wanted` holds properties of the API, its `extensions` by name. Of a plan that stays on, everything else is sent
    unchanged. A plan that is turned on gets only what is wanted: the platform has its own defaults for the rest (its
    example of a PUT with only the tier returns with every extension on).
    """
    body = {name: value for name, value in wanted.items() if name != "extensions"}
    desired: Mapping[str, Any] = wanted.get("extensions") or {}
    stays_on = (
        str(properties.get("pricingTier")).casefold() == STANDARD.casefold() and body.get("pricingTier") == STANDARD
    )
    if stays_on:
        body = {**{name: properties[name] for name in ("subPlan", "enforce") if properties.get(name)}, **body}
    present = {e["name"]: e for e in properties.get("extensions") or [] if isinstance(e, dict) and e.get("name")}
    names = [*(present if stays_on else ()), *(name for name in desired if not stays_on or name not in present)]
    extensions = []
    for name in names:
        entry = {key: value for key, value in present.get(name, {}).items() if key != "operationStatus"}
        merged = {"name": name, **merge_patch(entry, desired.get(name, {}))}
        if not flag(merged.get("isEnabled")):
            # Refused with status 500 for an extension that is off (docs/facts/defender_for_cloud.md#plans).
            merged.pop("additionalExtensionProperties", None)
        extensions.append(merged)
    return {**body, **({"extensions": extensions} if extensions else {})}
