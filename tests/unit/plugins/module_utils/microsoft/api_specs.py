# SPDX-License-Identifier: GPL-3.0-or-later
"""What a PUT body must fit: our own small expectations, and Microsoft's specifications if SPECS_FOLDER has a copy of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.unit.vendor_files import specs_folder

BELOW = "azure-rest-api-specs/specification/security/resource-manager"
FILES = {
    "pricings": ("Microsoft.Security/stable/2024-01-01/pricings.json", "Pricing"),
    "governanceRules": ("Microsoft.Security/preview/2022-01-01-preview/governanceRules.json", "GovernanceRule"),
    "integrations": ("Microsoft.Security/preview/2023-07-01-preview/integrations.json", "Integration"),
}
# What a PUT must have, and what only the platform writes (docs/facts/defender_for_cloud.md#integration-body,
# docs/facts/defender_for_cloud.md#plans, docs/facts/defender_for_cloud.md#governance-rules).
REQUIRED = {
    "pricings": {"pricingTier"},
    "governanceRules": {
        "displayName", "rulePriority", "ruleType", "sourceResourceType", "conditionSets", "ownerSource",
    },
    "integrations": {"displayName", "integrationType"},
}  # fmt: skip
READ_ONLY = {
    "pricings": {"freeTrialRemainingTime", "enablementTime", "inherited", "inheritedFrom", "resourcesCoverageStatus", "deprecated", "replacedBy"},
    "governanceRules": {"tenantId", "metadata"},
    "integrations": {"tenantId", "metadata", "integrationRootDetails"},
}  # fmt: skip


def assert_fits(kind: str, body: Any) -> None:
    """Check a PUT body against our expectations, and against the specification where there is one."""
    assert set(body) == {"properties"}
    properties = body["properties"]
    assert REQUIRED[kind] <= set(properties)
    assert not READ_ONLY[kind] & set(properties), "what only the platform writes was sent"
    assert "operationStatus" not in json.dumps(body)
    if kind == "governanceRules" and "remediationTimeframe" in properties:
        assert re.fullmatch(r"[0-9]+\.[0-9]{2}:[0-9]{2}:[0-9]{2}", properties["remediationTimeframe"])
    for problem in problems(kind, body):
        raise AssertionError(problem)


def problems(kind: str, body: Any) -> Iterator[str]:
    """Yield where a body does not fit its definition; nothing without SPECS_FOLDER."""
    place = specs_folder()
    if place is None:
        return
    # They come with ansible-lint.
    import jsonschema
    import referencing
    from referencing.jsonschema import DRAFT4

    def retrieve(uri: str) -> Any:
        text = Path(uri.removeprefix("file://")).read_text(encoding="utf-8")
        return referencing.Resource(json.loads(text), DRAFT4)

    file, definition = FILES[kind]
    schema = {"$ref": f"{(place / BELOW / file).as_uri()}#/definitions/{definition}"}
    registry = referencing.Registry(retrieve=retrieve)
    for error in jsonschema.Draft4Validator(schema, registry=registry).iter_errors(body):
        yield f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
