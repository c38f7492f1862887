# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource providers of a subscription: what types there are, and registering (facts 2.3, 3.8)."""

from __future__ import annotations

from ...web import Reply, json_reply
from .errors import bad_request, forbidden, not_found
from .provider_manifest import SECURITY, VERSIONS, resource_types
from .roles import may, role_on
from .routes import Ask
from .scopes import SUBSCRIPTION
from .state import Row

_VERSIONS = ("2024-03-01", "2022-12-01", "2022-09-01", "2021-04-01", "2021-01-01", "2020-06-01")
_SETTLES = 0.2
"""Seconds that registering takes."""


def is_call(tail: str) -> bool:
    """Whether a path is about a provider itself, not about one of its types."""
    name, _, action = tail.partition("/")
    return not action or (action.lower() in ("register", "unregister") and bool(name))


def route_of(tail: str) -> str | None:
    """Name the route of such a path."""
    if not is_call(tail):
        return None
    action = tail.partition("/")[2].lower()
    return "/arm/{scope}/providers/{namespace}" + (f"/{action}" if action else "")


def answer(ask: Ask, tail: str) -> Reply:
    """Answer GET of a provider, and POST of `register`."""
    if ask.version not in _VERSIONS:
        text = f"The api-version '{ask.version}' is invalid. The supported versions are '{','.join(_VERSIONS)}'."
        raise bad_request(text, code="InvalidApiVersionParameter")
    name, _, action = tail.partition("/")
    known = next((each for each in VERSIONS if each.lower() == name.lower()), None)
    if known is None or ask.scope.kind != SUBSCRIPTION:
        raise not_found(f"The resource namespace '{name}' is invalid.", "InvalidResourceNamespace")
    if action.lower() == "register" and ask.call.method == "POST":
        return _register(ask, known)
    if action or ask.call.method != "GET":
        raise not_found(f"No resource was found at '{ask.call.path.removeprefix('/arm')}'.", "ResourceNotFound")
    wanted = "Microsoft.Resources/subscriptions/providers/read"
    hidden = not ask.tenant.knobs.provider_visible and not may(ask.tenant, ask.scope, wanted)
    if hidden or role_on(ask.tenant, ask.scope) == "none":
        raise forbidden(ask.principal, wanted, ask.scope.text)
    return json_reply(200, _shown(ask, known))


def _register(ask: Ask, name: str) -> Reply:
    action = f"{name}/register/action"
    if not may(ask.tenant, ask.scope, action):
        raise forbidden(ask.principal, action, ask.scope.text)
    if name == SECURITY:
        ask.arm.registered.setdefault(ask.scope.subscription, ask.now + _SETTLES)
    return json_reply(200, _shown(ask, name))


def _shown(ask: Ask, name: str) -> Row:
    since = ask.arm.registered.get(ask.scope.subscription) if name == SECURITY else 0.0
    state = "NotRegistered" if since is None else "Registering" if since > ask.now else "Registered"
    return {
        "id": f"{ask.scope.text}/providers/{name}",
        "namespace": name,
        "resourceTypes": resource_types() if name == SECURITY else [],
        "registrationState": state,
        "registrationPolicy": "RegistrationRequired" if name == SECURITY else "RegistrationFree",
    }
