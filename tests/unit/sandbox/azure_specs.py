# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft's OpenAPI files and JSON Schemas, if SPECS_FOLDER has a copy of them."""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.unit.vendor_files import specs_folder

_OPENAPI = "azure-rest-api-specs/specification/security/resource-manager"
_FILES = {
    "pricings": "Microsoft.Security/stable/2024-01-01/pricings.json",
    "rules": "Microsoft.Security/preview/2022-01-01-preview/governanceRules.json",
    "assignments": "Microsoft.Security/preview/2022-01-01-preview/governanceAssignments.json",
    "integrations": "Microsoft.Security/preview/2023-07-01-preview/integrations.json",
    "types": "common/v1/types.json",
}
_EXPRESSION = "https://schema.management.azure.com/schemas/common/definitions.json"


@cache
def load(path: str) -> Any:
    """A file below the folder."""
    root = specs_folder()
    assert root is not None
    return json.loads((root / path).read_text(encoding="utf-8"))


def example(resource: str, name: str) -> Any:
    """An example of an operation: its parameters and responses."""
    return load(f"{_OPENAPI}/{Path(_FILES[resource]).parent}/examples/{name}")


def body_schema(version: str) -> str:
    """The JSON Schema of request bodies, by api-version."""
    return f"azure-resource-manager-schemas/schemas/{version}/Microsoft.Security.json"


@cache
def _registry() -> Any:
    referencing = import_module("referencing")
    draft = import_module("referencing.jsonschema").DRAFT4
    known = {f"{_OPENAPI}/{name}": load(f"{_OPENAPI}/{name}") for name in _FILES.values()}
    for version in ("2022-01-01-preview", "2024-01-01", "2025-05-04"):
        known[body_schema(version)] = load(body_schema(version))
    resources = {f"https://specs/{path}": draft.create_resource(content) for path, content in known.items()}
    # Requests contain no template expressions.
    nothing: Any = {"definitions": {"expression": {"not": {}}}}
    resources[_EXPRESSION] = draft.create_resource(nothing)
    return referencing.Registry().with_resources(resources.items())


def problems(path: str, definition: str, content: Any) -> list[str]:
    """The schema errors of a JSON value: `path` is the name of an OpenAPI file or of a schema."""
    file = f"{_OPENAPI}/{_FILES[path]}" if path in _FILES else path
    schema = {"$ref": f"https://specs/{file}#/definitions/{definition}"}
    validator = import_module("jsonschema").Draft4Validator(schema, registry=_registry())
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(content)]
