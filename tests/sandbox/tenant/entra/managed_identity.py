# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of a managed identity: the metadata service of a virtual machine, and the endpoint of App Service."""

from __future__ import annotations

from ...web import Call, Reply, json_reply
from ..errors import Refused
from ..routes import Route, Table
from ..state import Tenant
from . import access_tokens

_LIFETIME = 86399
_VERSIONS = ("2018-02-01", "2019-08-01", "2021-02-01")


def _refused(status: int, error: str, text: str) -> Refused:
    return Refused(json_reply(status, {"error": error, "error_description": text}))


def _checked_resource(tenant: Tenant, call: Call) -> str:
    if not call.query.get("resource"):
        raise _refused(400, "invalid_request", "Required query variable 'resource' is missing")
    asked = [call.query[name] for name in ("client_id", "object_id", "mi_res_id", "msi_res_id") if name in call.query]
    if not tenant.knobs.managed_identity or (asked and asked != [tenant.identity_client_id]):
        raise _refused(400, "invalid_request", "Identity not found")
    resource = call.query["resource"]
    if access_tokens.resource_of(resource) is None:
        text = f"AADSTS500011: The resource principal named {resource} was not found in the tenant named Acme."
        raise _refused(400, "invalid_resource", text)
    return resource


def virtual_machine(tenant: Tenant, call: Call) -> Reply:
    """Answer `/metadata/identity/oauth2/token`; numbers are strings (docs/facts/entra.md#managed-identity)."""
    if call.headers.get("Metadata", "").lower() != "true":
        raise _refused(400, "invalid_request", "Required metadata header not specified")
    if call.headers.get("X-Forwarded-For"):
        raise _refused(400, "invalid_request", "The request came through a proxy")
    if call.query.get("api-version", "") < _VERSIONS[0]:
        raise _refused(400, "bad_request_102", "Required api-version is missing or not supported")
    resource = _checked_resource(tenant, call)
    now = int(tenant.now())
    content = {
        "access_token": access_tokens.access_token(tenant, resource, tenant.identity_client_id),
        "client_id": tenant.identity_client_id,
        "expires_in": str(_LIFETIME),
        "expires_on": str(now + _LIFETIME),
        "ext_expires_in": str(_LIFETIME),
        "not_before": str(now - 300),
        "resource": resource,
        "token_type": "Bearer",
    }
    return json_reply(200, content)


def app_service(tenant: Tenant, call: Call) -> Reply:
    """Answer `IDENTITY_ENDPOINT`, which requires the value of `IDENTITY_HEADER`."""
    if call.headers.get("X-IDENTITY-HEADER") != tenant.identity_header:
        text = "The X-IDENTITY-HEADER does not match"
        raise Refused(json_reply(401, {"statusCode": 401, "message": text, "correlationId": tenant.new_id()}))
    if call.query.get("api-version") != "2019-08-01":
        raise Refused(json_reply(400, {"statusCode": 400, "message": "The api-version is not supported"}))
    resource = _checked_resource(tenant, call)
    content = {
        "access_token": access_tokens.access_token(tenant, resource, tenant.identity_client_id),
        "client_id": tenant.identity_client_id.upper(),
        "expires_on": str(int(tenant.now()) + _LIFETIME),
        "resource": resource,
        "token_type": "Bearer",
    }
    return json_reply(200, content)


TABLE = Table(
    Route("GET", "/metadata/identity/oauth2/token", virtual_machine),
    Route("GET", "/msi/token", app_service),
)
