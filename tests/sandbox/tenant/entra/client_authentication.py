# SPDX-License-Identifier: GPL-3.0-or-later
"""How a client proves its identity at the token endpoint: secret, certificate, token of another issuer.

See docs/facts/entra.md#sign-in.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import unquote

from ...snow.jwt import BadAssertion, unpack
from ...web import Call
from ..errors import Refused, entra_error
from ..state import FEDERATED_SUBJECT, Row, Tenant
from . import registered, signing_keys

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FEDERATED_AUDIENCE = "api://AzureADTokenExchange"


def missing(call: Call, name: str) -> Refused:
    """The error for a parameter that is missing."""
    text = f"The request body must contain the following parameter: '{name}'."
    return entra_error(400, "invalid_request", 900144, text, call)


def authenticate(tenant: Tenant, call: Call, form: dict[str, str]) -> str:
    """Return the client id of the application that signs in; raises Refused."""
    client_id, secret = _client(call, form)
    if not client_id:
        raise missing(call, "client_id")
    row = registered.find(tenant, client_id)
    is_inventory = client_id.lower() == tenant.client_id
    if row is None or (is_inventory and tenant.knobs.application == "removed"):
        text = (
            f"Application with identifier '{client_id}' was not found in the directory 'Acme'. This can happen if the "
            "application has not been installed by the administrator of the tenant or consented to by any user in the "
            "tenant. You may have sent your authentication request to the wrong tenant."
        )
        raise entra_error(400, "unauthorized_client", 700016, text, call)
    if is_inventory and tenant.knobs.application == "disabled":
        text = f"Application '{client_id}'(automation) is disabled."
        raise entra_error(400, "unauthorized_client", 7000112, text, call)
    if form.get("client_assertion"):
        _check_assertion(tenant, call, form, row)
    elif secret:
        _check_secret(tenant, call, secret, row)
    else:
        text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise entra_error(401, "invalid_client", 7000218, text, call)
    if not any(each["appId"] == row["appId"] for each in tenant.service_principals):
        text = f"The client application {client_id} is missing service principal in the tenant {tenant.tenant_id}."
        raise entra_error(400, "unauthorized_client", 7000229, text, call)
    return str(row["appId"])


def _client(call: Call, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, encoded = call.headers.get("Authorization", "").partition(" ")
    if form.get("client_id") or scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote(client_id), unquote(secret)


def _check_secret(tenant: Tenant, call: Call, secret: str, row: Row) -> None:
    entry = registered.secret_of(row, secret)
    if entry is None:
        text = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
            f"the client secret ID, for a secret added to app '{row['appId']}'."
        )
        raise entra_error(401, "invalid_client", 7000215, text, call)
    if not registered.is_valid(tenant, row, entry):
        text = (
            f"The provided client secret keys for app '{row['appId']}' are expired. Visit the Azure portal to create "
            "new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added "
            "security: https://aka.ms/certCreds."
        )
        raise entra_error(401, "invalid_client", 7000222, text, call)


def _check_assertion(tenant: Tenant, call: Call, form: dict[str, str], row: Row) -> None:
    if form.get("client_assertion_type") != JWT_BEARER:
        raise missing(call, "client_assertion_type")
    try:
        header, claims = unpack(form["client_assertion"])
    except BadAssertion as bad:
        text = "Unable to parse the token: it is not a JSON Web Token."
        raise entra_error(401, "invalid_client", 50027, text, call) from bad
    if {"x5t", "x5t#S256"} & set(header):
        _check_own(call, form["client_assertion"], header, claims, row)
    else:
        _check_federated(call, form["client_assertion"], claims)
    if not float(claims.get("nbf", 0)) <= tenant.now() < float(claims.get("exp", 0)):
        raise entra_error(401, "invalid_client", 700024, "Client assertion is not within its valid time range.", call)


def _check_own(call: Call, assertion: str, header: dict[str, Any], claims: dict[str, Any], row: Row) -> None:
    """Check an assertion that the application signed itself (docs/facts/entra.md#sign-in-with-a-certificate)."""
    certificate = registered.certificate_of(row, header)
    if certificate is None:
        text = (
            f"The certificate with identifier used to sign the client assertion is not registered on application '{row['appId']}'. "
            "[Reason - The key was not found.]"
        )
        raise entra_error(401, "invalid_client", 700027, text, call)
    if not registered.is_signed_by(certificate, header, assertion):
        text = "Client assertion failed signature validation."
        raise entra_error(401, "invalid_client", 700027, text, call)
    if claims.get("iss") != row["appId"] or claims.get("sub") != row["appId"]:
        text = f"Client assertion application identifier doesn't match 'client_id' parameter: {row['appId']}."
        raise entra_error(401, "invalid_client", 700023, text, call)
    if claims.get("aud") != f"{call.base}{call.path}":
        text = f"Client assertion audience claim does not match Realm issuer: {claims.get('aud')}."
        raise entra_error(401, "invalid_client", 7000212, text, call)
    if not claims.get("jti"):
        raise entra_error(401, "invalid_client", 50027, "JWT token is invalid or malformed: no jti.", call)


def _check_federated(call: Call, assertion: str, claims: dict[str, Any]) -> None:
    expected = (
        ("iss", issuer(call), 700211, "issuer"),
        ("sub", FEDERATED_SUBJECT, 700213, "subject"),
        ("aud", FEDERATED_AUDIENCE, 700212, "audience"),
    )
    for claim, value, number, what in expected:
        if claims.get(claim) != value:
            text = f"No matching federated identity record found for presented assertion {what} '{claims.get(claim)}'."
            raise entra_error(401, "invalid_client", number, text, call)
    if signing_keys.claims_of(assertion, signing_keys.FEDERATION_KEY_ID) is None:
        raise entra_error(401, "invalid_client", 50013, "Assertion failed signature validation.", call)


def issuer(call: Call) -> str:
    """The identity provider whose assertions the app registration trusts."""
    return f"{call.base}/federation"


def federated_assertion(tenant: Tenant, issued_by: str, changes: dict[str, Any]) -> str:
    """Sign the assertion of a workload's token file; `changes` override claims."""
    now = int(tenant.now())
    claims = {"iss": issued_by, "sub": FEDERATED_SUBJECT, "aud": FEDERATED_AUDIENCE, "iat": now, "nbf": now - 5}
    return signing_keys.sign({**claims, "exp": now + 3600, **changes}, signing_keys.FEDERATION_KEY_ID)
