# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource providers of a subscription: types and registration.

See docs/facts/defender_for_cloud.md#integration-operations, docs/facts/defender_for_cloud.md#provider-registration.
"""

from __future__ import annotations

from ...web import Reply, json_reply
from .errors import bad_request, forbidden, not_found
from .provider_manifest import SECURITY, VERSIONS, resource_types, versions
from .roles import may, sees
from .routes import ArmRequest
from .scopes import SUBSCRIPTION, Scope
from .state import Row

_READ = "Microsoft.Resources/subscriptions/providers/read"
_SETTLES = 0.2
"""Duration of a registration in seconds."""


def is_call(tail: str) -> bool:
    """Whether a path refers to a provider itself, not to one of its types."""
    name, _, action = tail.partition("/")
    return not action or (action.lower() in ("register", "unregister") and bool(name))


def route_of(tail: str) -> str | None:
    """Name the route of such a path."""
    if not is_call(tail):
        return None
    action = tail.partition("/")[2].lower()
    return "/arm/{scope}/providers/{namespace}" + (f"/{action}" if action else "")


def answer(request: ArmRequest, tail: str) -> Reply:
    """Answer GET of a provider, and POST of `register`."""
    _check_version(request)
    name, _, action = tail.partition("/")
    known = next((each for each in VERSIONS if each.lower() == name.lower()), None)
    if known is None or request.scope.kind != SUBSCRIPTION:
        raise not_found(f"The resource namespace '{name}' is invalid.", "InvalidResourceNamespace")
    if action.lower() == "register" and request.call.method == "POST":
        return _register(request, known)
    if action or request.call.method != "GET":
        raise not_found(f"No resource was found at '{request.call.path.removeprefix('/arm')}'.", "ResourceNotFound")
    hidden = not request.tenant.knobs.provider_visible and not may(
        request.tenant, request.scope, _READ, request.principal
    )
    if hidden or not sees(request.tenant, request.scope, request.principal):
        raise forbidden(request.principal, _READ, request.scope.text)
    return json_reply(200, _shown(request, known))


def is_list(scope: Scope) -> bool:
    """Whether a path is the list of providers of a subscription or of the tenant."""
    return scope.key == "/providers" or (scope.key.endswith("/providers") and scope.key.count("/") == 3)


def answer_list(request: ArmRequest) -> Reply:
    """Answer the list of providers; in that of the tenant there is no registration."""
    _check_version(request)
    if request.call.method != "GET":
        raise not_found(f"No resource was found at '{request.scope.text}'.", "ResourceNotFound")
    if not request.scope.subscription:
        shown = {name: _shown(request, name) for name in VERSIONS}
        kept = ("namespace", "resourceTypes")
        return request.page([{key: each[key] for key in kept} for each in shown.values()], dict)
    if not sees(request.tenant, request.scope, request.principal):
        raise forbidden(request.principal, _READ, request.scope.text.rpartition("/")[0])
    return request.page(list(VERSIONS), lambda name: _shown(request, name))


def _check_version(request: ArmRequest) -> None:
    known = versions("Microsoft.Resources", "providers")
    if request.version not in known:
        text = f"The api-version '{request.version}' is invalid. The supported versions are '{','.join(known)}'."
        raise bad_request(text, code="InvalidApiVersionParameter")


def _register(request: ArmRequest, name: str) -> Reply:
    action = f"{name}/register/action"
    if not may(request.tenant, request.scope, action, request.principal):
        raise forbidden(request.principal, action, request.scope.text)
    if name == SECURITY:
        request.arm.registered.setdefault(request.scope.subscription, request.now + _SETTLES)
    return json_reply(200, _shown(request, name))


def _shown(request: ArmRequest, name: str) -> Row:
    since = request.arm.registered.get(request.scope.subscription) if name == SECURITY else 0.0
    state = "NotRegistered" if since is None else "Registering" if since > request.now else "Registered"
    return {
        "id": f"/subscriptions/{request.scope.subscription}/providers/{name}",
        "namespace": name,
        "resourceTypes": resource_types(name),
        "registrationState": state,
        "registrationPolicy": "RegistrationRequired" if name == SECURITY else "RegistrationFree",
    }
