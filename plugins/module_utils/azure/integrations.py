# SPDX-License-Identifier: GPL-3.0-or-later
"""Integrations with ServiceNow: which api-version, which are there, whose they are (Defender for Cloud facts 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.errors import EngineError
from ..transport.errors import TransportError
from .arm import ResourceManager
from .documents import row_of
from .scopes import Scope, same_path

COLLECTION = "integrations"
SERVICENOW = "ServiceNow"
# Facts D1 and D3: the first is the only one of the provider's manifest, the second was proposed with the same shape.
SHIPPED = "2023-07-01-preview"
KNOWN_VERSIONS = ("2024-01-31", SHIPPED)
PROVIDER_VERSION = "2021-04-01"
MARK = "/providers/microsoft.security/integrations/"


def integrations_path(scope: str, name: str = "") -> str:
    """Return the path of the integrations of a scope, or of one of them."""
    return f"{scope}/providers/Microsoft.Security/integrations{'/' + name if name else ''}"


def names_of(manager: ResourceManager, scope: Scope) -> list[str]:
    """Return what the integrations are called that work on `scope`, inherited ones too; none where they cannot be read."""
    try:
        return sorted(display_name(row) for row in manager.rows(integrations_path(scope.path), SHIPPED))
    except (EngineError, TransportError):
        return []


def display_name(document: Mapping[str, Any]) -> str:
    """Return what people call an integration."""
    return str((document.get("properties") or {}).get("displayName") or document.get("name") or "")


__all__ = ["COLLECTION", "KNOWN_VERSIONS", "MARK", "SERVICENOW", "row_of", "same_path"]
