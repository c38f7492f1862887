# SPDX-License-Identifier: GPL-3.0-or-later
"""Entra: token endpoints of both versions, discovery, keys (docs/facts/entra.md#sign-in)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote

from ...web import Call, Reply, json_reply
from ..errors import Refused, entra_error
from ..routes import Route, Table
from ..state import DOMAIN, Tenant
from . import access_tokens, signing_keys
from .client_authentication import authenticate, issuer, missing


def _check_tenant(tenant: Tenant, call: Call, name: str) -> None:
    if unquote(name).lower() in (tenant.tenant_id, DOMAIN):
        return
    text = (
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct "
        "cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the "
        "tenant."
    )
    raise entra_error(400, "invalid_request", 90002, text, call)


def token_v2(tenant: Tenant, call: Call, directory: str) -> Reply:
    """Answer `/{tenant}/oauth2/v2.0/token`."""
    _check_tenant(tenant, call, directory)
    form = _form(call)
    _check_grant(call, form)
    client_id = authenticate(tenant, call, form)
    if not form.get("scope"):
        raise missing(call, "scope")
    audience = _audience_of_scope(tenant, call, form["scope"])
    return json_reply(200, _issue(tenant, call, audience, client_id))


def token_v1(tenant: Tenant, call: Call, directory: str) -> Reply:
    """Answer `/{tenant}/oauth2/token`; numbers are strings there."""
    _check_tenant(tenant, call, directory)
    form = _form(call)
    _check_grant(call, form)
    client_id = authenticate(tenant, call, form)
    if not form.get("resource"):
        raise missing(call, "resource")
    if access_tokens.resource_of(form["resource"]) is None:
        raise _unknown_resource(call, form["resource"])
    issued = _issue(tenant, call, form["resource"], client_id)
    now = int(tenant.now())
    times = {"not_before": str(now), "expires_on": str(now + tenant.knobs.token_lifetime)}
    texts = {name: str(value) for name, value in issued.items()}
    return json_reply(200, {**texts, **times, "resource": form["resource"]})


def _form(call: Call) -> dict[str, str]:
    kind = call.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise missing(call, "grant_type")
    return dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))


def _check_grant(call: Call, form: dict[str, str]) -> None:
    grant = form.get("grant_type")
    if not grant:
        raise missing(call, "grant_type")
    if grant != "client_credentials":
        text = f"The app requested an unsupported grant type '{grant}'."
        raise entra_error(400, "unsupported_grant_type", 70003, text, call)


def _audience_of_scope(tenant: Tenant, call: Call, scope: str) -> str:
    words = scope.split()
    if len(words) != 1 or not words[0].endswith("/.default"):
        text = (
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
            "/.default suffixed to the resource identifier (application ID URI)."
        )
        raise entra_error(400, "invalid_scope", 1002012, text, call)
    audience = words[0].removesuffix("/.default")
    if access_tokens.resource_of(audience) is None:
        raise _unknown_resource(call, audience)
    return audience


def _unknown_resource(call: Call, name: str) -> Refused:
    text = (
        f"The resource principal named {name} was not found in the tenant named Acme. This can happen if the application "
        "has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might "
        "have sent your authentication request to the wrong tenant."
    )
    return entra_error(400, "invalid_resource", 500011, text, call)


def _issue(tenant: Tenant, call: Call, audience: str, client_id: str) -> dict[str, Any]:
    lifetime = tenant.knobs.token_lifetime
    token = access_tokens.access_token(tenant, audience, client_id)
    return {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token}


def configuration(tenant: Tenant, call: Call, directory: str) -> Reply:
    """Answer the discovery document of a tenant, of either version."""
    shared = directory.lower() in ("common", "organizations")
    if not shared:
        _check_tenant(tenant, call, directory)
    name = directory if shared else tenant.tenant_id
    root = f"{call.base}/entra/{name}"
    version = "/v2.0" if "/v2.0/" in call.path else ""
    return json_reply(
        200,
        {
            "token_endpoint": f"{root}/oauth2{version}/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{call.base}/entra/{name}/discovery{version}/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"{root}/v2.0" if version else f"https://sts.windows.net/{tenant.tenant_id}/",
            "authorization_endpoint": f"{root}/oauth2{version}/authorize",
            "device_authorization_endpoint": f"{root}/oauth2{version}/devicecode",
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
        },
    )


def instance_discovery(tenant: Tenant, call: Call) -> Reply:
    """Answer `/common/discovery/instance`: the sandbox confirms its own authority."""
    endpoint = f"{call.base}/entra/{tenant.tenant_id}/v2.0/.well-known/openid-configuration"
    return json_reply(200, {"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": []})


def keys(tenant: Tenant, call: Call, directory: str) -> Reply:
    """Answer the key set that verifies access tokens."""
    return json_reply(200, signing_keys.key_set())


def federation_configuration(tenant: Tenant, call: Call) -> Reply:
    """Answer the discovery document of the external identity provider."""
    content = {"issuer": issuer(call), "jwks_uri": f"{issuer(call)}/keys", "response_types_supported": ["id_token"]}
    return json_reply(200, {**content, "subject_types_supported": ["public"]})


def federation_keys(tenant: Tenant, call: Call) -> Reply:
    """Answer the key set of the external identity provider."""
    return json_reply(200, signing_keys.key_set(signing_keys.FEDERATION_KEY_ID))


TABLE = Table(
    Route("GET", "/entra/common/discovery/instance", instance_discovery),
    Route("POST", "/entra/{directory}/oauth2/v2.0/token", token_v2),
    Route("POST", "/entra/{directory}/oauth2/token", token_v1),
    Route("GET", "/entra/{directory}/v2.0/.well-known/openid-configuration", configuration),
    Route("GET", "/entra/{directory}/.well-known/openid-configuration", configuration),
    Route("GET", "/entra/{directory}/discovery/v2.0/keys", keys),
    Route("GET", "/entra/{directory}/discovery/keys", keys),
    Route("GET", "/federation/.well-known/openid-configuration", federation_configuration),
    Route("GET", "/federation/keys", federation_keys),
)
