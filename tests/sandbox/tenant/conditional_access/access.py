# SPDX-License-Identifier: GPL-3.0-or-later
"""Permissions of Conditional Access, and the errors of its API (docs/facts/microsoft_graph.md#conditional-access-policies)."""

from __future__ import annotations

from ...web import Call
from ..errors import graph_error
from ..graph.permissions import granted, throttle
from ..state import Row, Tenant

READ = "Policy.Read.All"
WRITE = "Policy.ReadWrite.ConditionalAccess"


def require(tenant: Tenant, call: Call, *permissions: str) -> None:
    """Require all of the permissions; raises Refused."""
    if not set(permissions) <= set(granted(tenant, call)):
        text = "You cannot perform the requested operation, required scopes are missing in the token."
        raise graph_error(403, "AccessDenied", text)
    throttle(tenant)


def malformed(number: int, text: str) -> Exception:
    """The error for an invalid property: a number and a text."""
    return graph_error(400, "BadRequest", f"{number}: {text}")


def found(rows: list[Row], key: str) -> Row:
    """The row with an id; raises Refused."""
    for row in rows:
        if row["id"] == key:
            return row
    raise graph_error(404, "NotFound", f"{key} could not be found.")


def shown(row: Row) -> Row:
    """A row without what only the sandbox has."""
    return {name: value for name, value in row.items() if name[0] != "_"}
