# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateway of Resource Manager: authentication, api-versions, throttling and authorization of each request."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from ...web import Call, Reply
from ..defender_cloud import (
    alerts,
    assessment_metadata,
    assessments,
    exemptions,
    governance_assignments,
    governance_rules,
    integrations,
    pricings,
    security_connectors,
)
from ..entra.access_tokens import InvalidToken, claims_of_call
from ..errors import Refused
from . import (
    activity_log,
    long_running,
    permissions,
    resource_graph,
    resource_groups,
    resource_provider,
    role_assignments,
    subscriptions,
)
from .errors import arm_error, bad_request, forbidden, not_found
from .provider_manifest import SECURITY, VERSIONS, versions
from .roles import has_any_role, may
from .routes import VERBS, ArmRequest, Handler, Resource, find
from .scopes import GROUP, TENANT, Scope, split
from .spelling import lose_case
from .throttle import remaining, spend

if TYPE_CHECKING:
    from ..cloud_apps.instance_client import InstanceClient
    from ..state import Tenant

RESOURCES: tuple[Resource, ...] = (
    *activity_log.RESOURCES,
    *alerts.RESOURCES,
    *assessments.RESOURCES,
    *exemptions.RESOURCES,
    *governance_assignments.RESOURCES,
    *permissions.RESOURCES,
    *role_assignments.RESOURCES,
    *security_connectors.RESOURCES,
    *resource_graph.RESOURCES,
    *integrations.RESOURCES,
    *assessment_metadata.RESOURCES,
    *long_running.RESOURCES,
    *pricings.RESOURCES,
    *governance_rules.RESOURCES,
    *subscriptions.RESOURCES,
)


def route_of(path: str) -> str | None:
    """Name the route of a path, without identifiers."""
    scope, tail = split(path.removeprefix("/arm"))
    found = find(RESOURCES, tail)
    if found is not None:
        return found[0].route
    return _route_of_scope(scope) if not tail else resource_provider.route_of(tail)


def _route_of_scope(scope: Scope) -> str | None:
    if resource_provider.is_list(scope):
        return "/arm/{scope}/providers"
    return resource_groups.route_of(scope) or subscriptions.route_of(scope)


def answer(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """Answer one request."""
    scope, tail = split(call.path.removeprefix("/arm"))
    try:
        long_running.finish_due(tenant, client)
        principal = _principal(tenant, call)
        reply = _answer(tenant, call, client, scope, tail, principal)
    except Refused as refused:
        reply = refused.reply
    if tenant.knobs.lost_case and reply.pending is None:
        reply = lose_case(reply)
    headers = _headers(tenant, call, scope)
    if reply.pending is not None:
        return Reply(pending=_finish_reply(reply.pending, headers))
    reply.headers.update(headers)
    return reply


async def _finish_reply(pending: Awaitable[Reply], headers: dict[str, str]) -> Reply:
    try:
        reply = await pending
    except Refused as refused:
        reply = refused.reply
    reply.headers.update(headers)
    return reply


def _answer(tenant: Tenant, call: Call, client: InstanceClient, scope: Scope, tail: str, principal: str) -> Reply:
    version = call.query.get("api-version", "")
    if not version:
        text = "The api-version query parameter (?api-version=) is required for all requests."
        raise bad_request(text, code="MissingApiVersionParameter")
    _check_subscription(tenant, scope)
    spend(tenant, call.method, scope)
    request = ArmRequest(tenant, call, client, scope, {}, version, principal)
    if not tail:
        return _answer_scope(request)
    if "/" not in tail or resource_provider.is_call(tail):
        return resource_provider.answer(request, tail)
    found = find(RESOURCES, tail)
    if found is None:
        raise _unknown_type(tail, version)
    resource, names = found
    _check_version(resource, version)
    handler = _handler(resource, call.method, scope)
    _check_right(tenant, resource, call.method, scope, tail, principal)
    _check_scope(tenant, resource, scope)
    return handler(ArmRequest(tenant, call, client, scope, names, version, principal))


def _answer_scope(request: ArmRequest) -> Reply:
    """Answer a path without a provider: subscriptions, resource groups, the list of providers."""
    if resource_provider.is_list(request.scope):
        return resource_provider.answer_list(request)
    if resource_groups.route_of(request.scope):
        return resource_groups.answer(request)
    return subscriptions.answer(request)


def _principal(tenant: Tenant, call: Call) -> str:
    try:
        claims = claims_of_call(tenant, call, "arm")
    except InvalidToken as bad:
        code = "ExpiredAuthenticationToken" if "expired" in str(bad) else "InvalidAuthenticationToken"
        raise _unauthorized(code, str(bad), call) from bad
    if claims is None:
        raise _unauthorized(
            "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.", call
        )
    return str(claims["oid"])


def _unauthorized(code: str, message: str, call: Call) -> Refused:
    challenge = f'Bearer authorization_uri="{call.base}/entra", error="invalid_token", error_description="{message}"'
    return arm_error(401, code, message, headers={"WWW-Authenticate": challenge})


def _check_subscription(tenant: Tenant, scope: Scope) -> None:
    wanted = scope.subscription
    if wanted and wanted not in tenant.arm.subscriptions:
        raise not_found(f"The subscription '{wanted}' could not be found.", "SubscriptionNotFound")


def _unknown_type(tail: str, version: str) -> Refused:
    namespace, kind = tail.split("/")[:2]
    known = next((each for each in VERSIONS if each.lower() == namespace.lower()), None)
    if known is None:
        return not_found(f"The resource namespace '{namespace}' is invalid.", "InvalidResourceNamespace")
    text = f"The resource type '{kind}' could not be found in the namespace '{known}' for api version '{version}'."
    return not_found(text, "InvalidResourceType")


def _check_version(resource: Resource, version: str) -> None:
    known = versions(resource.namespace, resource.kind)
    if version in known:
        return
    if resource.namespace == SECURITY:
        text = (
            f"No registered resource provider found for location '' and API version '{version}' for type "
            f"'{resource.kind}'. The supported api-versions are '{', '.join(known)}'. The supported locations are ''."
        )
        raise bad_request(text, code="NoRegisteredProviderFound")
    text = f"The api-version '{version}' is invalid. The supported versions are '{','.join(known)}'."
    raise bad_request(text, code="InvalidApiVersionParameter")


def _handler(resource: Resource, method: str, scope: Scope) -> Handler:
    if scope.kind not in resource.scopes:
        text = f"The scope '{scope.text or '/'}' is not valid for the resource type '{resource.kind}'."
        raise bad_request(text, code="InvalidScope")
    if method not in resource.handlers:
        text = f"The requested resource does not support http method '{method}'."
        raise arm_error(405, "HttpMethodNotSupported", text)
    return resource.handlers[method]


def _check_right(tenant: Tenant, resource: Resource, method: str, scope: Scope, tail: str, principal: str) -> None:
    action = resource.action(method)
    # In the reference the action is spelled differently from the type (docs/facts/defender_for_cloud.md#permissions).
    action = action.replace("/integrations/", f"/{tenant.knobs.integration_action}/")
    # Metadata and queries at tenant scope require no action: LIKELY. Their rows are limited to those the caller can read.
    allowed = has_any_role(tenant, principal) if scope.kind == TENANT else may(tenant, scope, action, principal)
    if not allowed:
        over = f"{scope.text}/providers/{tail}"
        raise forbidden(principal, action, over)


def _check_scope(tenant: Tenant, resource: Resource, scope: Scope) -> None:
    if not tenant.arm.exists(scope):
        what = f"The management group '{scope.group}'" if scope.kind == GROUP else f"The resource '{scope.text}'"
        raise not_found(f"{what} could not be found.", "NotFound" if scope.kind == GROUP else "ResourceNotFound")
    wanted = scope.subscription
    since = tenant.arm.registered.get(wanted)
    if resource.namespace == SECURITY and wanted and (since is None or since > tenant.now()):
        # As reported for plans; not a 409, and without a target.
        text = "Please register to Microsoft.Security in order to view your security status"
        raise not_found(text, "Subscription Not Registered")


def _headers(tenant: Tenant, call: Call, scope: Scope) -> dict[str, str]:
    request = str(uuid.uuid4())
    headers = {
        "x-ms-request-id": request,
        "x-ms-correlation-request-id": call.headers.get("x-ms-correlation-request-id") or request,
        "x-ms-routing-request-id": f"WESTEUROPE:{request}",
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
    }
    client: Any = call.headers.get("x-ms-client-request-id")
    if client and call.headers.get("x-ms-return-client-request-id", "").lower() == "true":
        headers["x-ms-client-request-id"] = client
    verb = VERBS.get(call.method, "write")
    what = {"read": "reads", "delete": "deletes"}.get(verb, "writes")
    owner = "subscription" if scope.subscription else "tenant"
    headers[f"x-ms-ratelimit-remaining-{owner}-{what}"] = str(remaining(tenant, call.method, scope))
    return headers
