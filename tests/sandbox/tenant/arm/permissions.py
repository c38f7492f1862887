# SPDX-License-Identifier: GPL-3.0-or-later
"""Effective permissions and role assignments of the caller (docs/facts/defender_for_cloud.md#permissions)."""

from __future__ import annotations

import re

from ...web import Reply
from . import roles
from .errors import bad_request
from .routes import ArmRequest, Resource
from .scopes import CONNECTOR, GROUP, RESOURCE, SUBSCRIPTION

_ANYWHERE = (GROUP, SUBSCRIPTION, CONNECTOR, RESOURCE)
_FILTERS = r"atScope\(\)|(principalId eq|assignedTo\()\s*'(?P<who>[^']*)'\)?"


def permissions(request: ArmRequest) -> Reply:
    """Answer the effective permissions on a scope."""
    return request.page(roles.permissions(request.tenant, request.scope), dict)


def role_assignments(request: ArmRequest) -> Reply:
    """Answer the role assignments that apply to a scope; only the caller has any."""
    rows = roles.assignments(request.tenant, request.scope, request.principal)
    for part in filter(None, re.split(r"\s+and\s+", request.call.query.get("$filter", ""))):
        found = re.fullmatch(_FILTERS, part.strip(), re.IGNORECASE)
        if found is None:
            raise bad_request(f"The filter '{part}' is not supported.", code="UnsupportedQuery")
        if found["who"] is not None and found["who"].lower() != request.principal:
            rows = []
    return request.page(rows, dict)


RESOURCES = (
    Resource("Microsoft.Authorization", "permissions", "permissions", {"GET": permissions}, _ANYWHERE),
    Resource("Microsoft.Authorization", "roleAssignments", "roleAssignments", {"GET": role_assignments}, _ANYWHERE),
)
