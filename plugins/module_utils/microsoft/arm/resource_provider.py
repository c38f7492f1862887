# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider Microsoft.Security of a subscription: is it registered, and which types in which versions.

See docs/facts/defender_for_cloud.md#integration-operations, docs/facts/defender_for_cloud.md#provider-registration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...transport.responses import Response
from .client import ArmClient

VERSION = "2021-04-01"


@dataclass(frozen=True)
class Provider:
    """`state` is Registered, Registering, NotRegistered ...; "" where it was not told."""

    state: str
    versions: Mapping[str, tuple[str, ...]]


def provider_path(subscription: str) -> str:
    """Return the path of the provider on a subscription."""
    return f"/subscriptions/{subscription}/providers/Microsoft.Security"


def provider_of(answer: Response) -> Provider:
    """Return what the answer for a provider says."""
    data: Mapping[str, Any] = answer.data if isinstance(answer.data, dict) else {}
    types = data.get("resourceTypes")
    versions = {
        str(entry.get("resourceType")).casefold(): tuple(map(str, entry.get("apiVersions") or ()))
        for entry in (types if isinstance(types, list) else [])
        if isinstance(entry, dict)
    }
    return Provider(str(data.get("registrationState") or ""), versions)


def read_provider(manager: ArmClient, subscription: str) -> Provider | None:
    """Return the provider, or None for a caller who may not read it. Raises `Refused` for a subscription that is not there."""
    answer = manager.call("GET", provider_path(subscription), VERSION, accept=(403,))
    return None if answer.status == 403 else provider_of(answer)
