# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource groups of a subscription: those of its findings and of its connectors, read-only."""

from __future__ import annotations

import re

from ...web import Reply, json_reply
from ..defender_cloud.recommendations import LOCATION
from .errors import arm_error, bad_request, forbidden, not_found
from .provider_manifest import versions
from .roles import may, sees
from .routes import ArmRequest
from .scopes import Scope
from .state import Row

_PATH = re.compile(r"/subscriptions/([^/]+)/resourcegroups(?:/([^/]+))?", re.IGNORECASE)


def route_of(scope: Scope) -> str | None:
    """Name the route of the list or of one resource group."""
    found = _PATH.fullmatch(scope.text)
    if found is None:
        return None
    return "/arm/subscriptions/{subscriptionId}/resourceGroups" + ("/{name}" if found[2] else "")


def answer(request: ArmRequest) -> Reply:
    """Answer GET of the list, and GET and HEAD of one group."""
    found = _PATH.fullmatch(request.scope.text)
    known = versions("Microsoft.Resources", "resourceGroups")
    if request.version not in known:
        text = f"The api-version '{request.version}' is invalid. The supported versions are '{','.join(known)}'."
        raise bad_request(text, code="InvalidApiVersionParameter")
    if found is None or request.call.method not in (("GET", "HEAD") if found[2] else ("GET",)):
        text = f"The requested resource does not support http method '{request.call.method}'."
        raise arm_error(405, "HttpMethodNotSupported", text)
    action = "Microsoft.Resources/subscriptions/resourceGroups/read"
    if not sees(request.tenant, request.scope, request.principal) or not may(
        request.tenant, request.scope, action, request.principal
    ):
        raise forbidden(request.principal, action, request.scope.text)
    names = _names(request)
    if not found[2]:
        return request.page(names, lambda name: _shown(request, name))
    name = next((each for each in names if each.lower() == found[2].lower()), None)
    if request.call.method == "HEAD":
        return Reply(204 if name else 404)
    if name is None:
        raise not_found(f"Resource group '{found[2]}' could not be found.", "ResourceGroupNotFound")
    return json_reply(200, _shown(request, name))


def _names(request: ArmRequest) -> list[str]:
    start = f"/subscriptions/{request.scope.subscription}/resourcegroups/"
    scopes = [row["scope"] for row in (*request.arm.connectors(), *request.arm.assessments.values())]
    # Ids of other clouds have their groups in lower case, so the spelling of the first one stands.
    names: dict[str, str] = {}
    for scope in scopes:
        if scope.lower().startswith(start):
            name = scope[len(start) :].split("/", 1)[0]
            names.setdefault(name.lower(), name)
    return [names[key] for key in sorted(names)]


def _shown(request: ArmRequest, name: str) -> Row:
    return {
        "id": f"/subscriptions/{request.scope.subscription}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": LOCATION,
        "properties": {"provisioningState": "Succeeded"},
    }
