# SPDX-License-Identifier: GPL-3.0-or-later
"""The applications of a tenant as rows, and what they sign in with."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, load_der_x509_certificate

from ...snow.jwt import decode, encode

if TYPE_CHECKING:
    from ..state import Row, Tenant


def application_row(object_id: str, app_id: str, name: str, now: float) -> Row:
    """An application without credentials, in the format of Graph; `_secrets` has the values by key id."""
    return {
        "_id": object_id,
        "id": object_id,
        "appId": app_id,
        "displayName": name,
        "createdDateTime": datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "signInAudience": "AzureADMyOrg",
        "tags": [],
        "keyCredentials": [],
        "passwordCredentials": [],
        "_secrets": {},
        "_owners": [],
    }


def principal_row(object_id: str, application: Row) -> Row:
    """The service principal of an application, in the format of Graph."""
    return {
        "_id": object_id,
        "id": object_id,
        "appId": application["appId"],
        "displayName": application["displayName"],
        "accountEnabled": True,
        "servicePrincipalType": "Application",
    }


def object_id_of(tenant: Tenant, client_id: str) -> str:
    """The object id of the service principal of an application; that of an identity follows from its client id."""
    found = next((row["id"] for row in tenant.service_principals if row["appId"] == client_id), None)
    return str(found or uuid.uuid5(uuid.UUID(tenant.tenant_id), client_id))


def find(tenant: Tenant, client_id: str) -> Row | None:
    """The application with a client id."""
    return next((row for row in tenant.applications if row["appId"] == client_id.lower()), None)


def secret_of(row: Row, secret: str) -> Row | None:
    """The entry of the application's secret with this value."""
    for entry in row["passwordCredentials"]:
        if hmac.compare_digest(row["_secrets"].get(entry["keyId"], "").encode(), secret.encode()):
            return dict(entry)
    return None


def is_valid(tenant: Tenant, row: Row, entry: Mapping[str, Any]) -> bool:
    """Whether a secret has not ended; a knob ends that of the inventory."""
    if row["appId"] == tenant.client_id:
        return tenant.knobs.client_secret != "expired"
    return datetime.fromisoformat(entry["endDateTime"].replace("Z", "+00:00")).timestamp() > tenant.now()


def wrong_credential(tenant: Tenant, given: Mapping[str, str]) -> str:
    """Which of tenant_id, client_id and client_secret a service cannot sign in with; empty if none."""
    if given["tenant_id"] != tenant.tenant_id:
        return "tenant_id"
    row = find(tenant, given["client_id"])
    if row is None:
        return "client_id"
    entry = secret_of(row, given["client_secret"])
    return "" if entry and is_valid(tenant, row, entry) else "client_secret"


def certificate_of(row: Row, header: dict[str, Any]) -> Certificate | None:
    """The certificate of the application that the header of an assertion names by its thumbprint."""
    for entry in row["keyCredentials"]:
        certificate = load_der_x509_certificate(base64.b64decode(entry["key"]))
        content = certificate.public_bytes(Encoding.DER)
        named = {
            "x5t#S256": encode(hashlib.sha256(content).digest()),
            "x5t": encode(hashlib.sha1(content, usedforsecurity=False).digest()),
        }
        # MSAL for Python sends the thumbprint with padding.
        if any(str(header.get(name, "")).rstrip("=") == value for name, value in named.items()):
            return certificate
    return None


def is_signed_by(certificate: Certificate, header: dict[str, Any], assertion: str) -> bool:
    """Whether the key of a certificate signed an assertion, with PS256 or RS256."""
    signed, _, signature = assertion.rpartition(".")
    key = certificate.public_key()
    pss = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
    scheme = {"PS256": pss, "RS256": padding.PKCS1v15()}.get(str(header.get("alg")))
    if scheme is None or not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(decode(signature), signed.encode(), scheme, SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True
