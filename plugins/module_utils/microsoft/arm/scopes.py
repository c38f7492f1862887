# SPDX-License-Identifier: GPL-3.0-or-later
"""Scopes of Resource Manager: where an integration, a rule or a list applies.

See docs/facts/defender_for_cloud.md#integration-operations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...engine.errors import InvalidInput
from ...transport.words import shortened

SUBSCRIPTION, MANAGEMENT_GROUP, CONNECTOR, RESOURCE = (
    "subscription", "management group", "security connector", "resource",
)  # fmt: skip
SEGMENT = r"[^/?#\s]+"
KINDS = (
    (SUBSCRIPTION, re.compile(rf"/subscriptions/{SEGMENT}", re.I)),
    (MANAGEMENT_GROUP, re.compile(rf"/providers/Microsoft\.Management/managementGroups/{SEGMENT}", re.I)),
    (
        CONNECTOR,
        re.compile(
            rf"/subscriptions/{SEGMENT}/resourceGroups/{SEGMENT}/providers/Microsoft\.Security/securityConnectors/{SEGMENT}",
            re.I,
        ),
    ),
    (RESOURCE, re.compile(rf"/subscriptions/{SEGMENT}(/{SEGMENT})+", re.I)),
)


@dataclass(frozen=True)
class Scope:
    """A scope: `path` starts with a slash and ends without one; `kind` is one of the constants above."""

    path: str
    kind: str

    @property
    def subscription(self) -> str:
        """The id of the subscription that the scope lies in, "" for a management group."""
        parts = self.path.split("/")
        return parts[2] if parts[1].lower() == "subscriptions" else ""

    def __str__(self) -> str:
        return self.path if self.kind == RESOURCE else f"{self.kind} {self.path.rsplit('/', 1)[-1]}"


def scope_of(params: Mapping[str, Any], *kinds: str) -> Scope:
    """Return the scope in option `scope`, or the subscription of the connection options.

    `kinds` are the supported ones (none: all of them). Raises `InvalidInput`.
    """
    text = params.get("scope") or ""
    if not text and not params.get("azure_subscription_id"):
        raise InvalidInput(
            "scope or azure_subscription_id is required, to select the subscription, management group or connector"
        )
    option = "scope" if text else "azure_subscription_id"
    scope = read_scope(option, text or f"/subscriptions/{params['azure_subscription_id']}")
    if kinds and scope.kind not in kinds:
        raise InvalidInput(f"scope {scope.path} is a {scope.kind}; here it must be a {' or a '.join(kinds)}")
    return scope


def read_scope(option: str, text: str) -> Scope:
    """Return the scope in `text`; raise `InvalidInput` naming `option`."""
    path = f"/{text.strip().strip('/')}"
    for kind, pattern in KINDS:
        if pattern.fullmatch(path):
            return Scope(path, kind)
    raise InvalidInput(
        f"{option} must be /subscriptions/<id>, /providers/Microsoft.Management/managementGroups/<name>, or the resource id of a "
        f"security connector, not {shortened(text, 200)!r}"
    )


def path_key(path: Any) -> str:
    """Return a resource id in a form that can be compared: Azure ignores case, and examples differ in the first slash."""
    return str(path).strip("/").casefold()


def same_path(one: str, other: str) -> bool:
    """Return whether two resource ids mean the same."""
    return path_key(one) == path_key(other)


def same_paths(found: Any, wanted: Iterable[Any]) -> bool:
    """Return whether a list that was read holds the wanted resource ids, in any order."""
    return isinstance(found, list) and set(map(path_key, found)) == set(map(path_key, wanted))
