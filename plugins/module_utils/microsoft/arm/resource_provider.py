# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider Microsoft.Security of a subscription: its registration, its types and their versions.

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
    """`state` is Registered, Registering, NotRegistered ...; "" where it is unknown."""

    state: str
    versions: Mapping[str, tuple[str, ...]]


def provider_path(subscription: str) -> str:
    """Return the path of the provider on a subscription."""
    return f"/subscriptions/{subscription}/providers/Microsoft.Security"


def provider_of(response: Response) -> Provider:
    """Return the provider in a response."""
    data: Mapping[str, Any] = response.data if isinstance(response.data, dict) else {}
    types = data.get("resourceTypes")
    versions = {
        str(entry.get("resourceType")).casefold(): tuple(map(str, entry.get("apiVersions") or ()))
        for entry in (types if isinstance(types, list) else [])
        if isinstance(entry, dict)
    }
    return Provider(str(data.get("registrationState") or ""), versions)


def read_provider(client: ArmClient, subscription: str) -> Provider | None:
    """Return the provider, None where the caller may not read it. Raises `Refused` for a subscription that does not exist."""
    response = client.call("GET", provider_path(subscription), VERSION, accept=(403,))
    return None if response.status == 403 else provider_of(response)
