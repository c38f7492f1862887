# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in with a certificate (docs/facts/entra.md#sign-in-with-a-certificate)."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.entra import (
    client_certificate as unit,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.entra.credentials import (
    signer_for,
    source_name,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import BadConnectionOption
from tests.client_certificates import PASSWORD, client_certificate
from tests.unit.plugins.module_utils.loopback import Loopback
from tests.unit.plugins.module_utils.microsoft.entra.test_credentials import SCOPE, params, token

AUDIENCE = "https://login.microsoftonline.com/contoso/oauth2/v2.0/token"
KNOWN = client_certificate()


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def parts_of(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of an assertion after its signature has been verified with the public key."""
    signed, _, signature = assertion.rpartition(".")
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
    KNOWN.key.public_key().verify(decoded(signature), signed.encode(), pss, hashes.SHA256())
    header, claims = (json.loads(decoded(part)) for part in signed.split("."))
    return header, claims


@pytest.mark.parametrize(
    ("form", "password"), [("pem", ""), ("pem", PASSWORD), ("pfx", ""), ("pfx", PASSWORD)], ids=str
)
def test_an_assertion_is_signed_as_documented(tmp_path: Path, form: str, password: str) -> None:
    path = getattr(KNOWN, form)(tmp_path / "client", password)
    fields = unit.ClientCertificate(path, password).form("c1ient", AUDIENCE)
    assert fields["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    header, claims = parts_of(fields["client_assertion"])
    thumbprint = hashlib.sha256(KNOWN.certificate.public_bytes(serialization.Encoding.DER)).digest()
    assert (header["alg"], header["typ"], decoded(header["x5t#S256"])) == ("PS256", "JWT", thumbprint)
    assert (claims["aud"], claims["iss"], claims["sub"]) == (AUDIENCE, "c1ient", "c1ient")
    assert claims["nbf"] <= time.time() < claims["exp"] <= claims["nbf"] + 600
    again = unit.ClientCertificate(path, password).form("c1ient", AUDIENCE)["client_assertion"]
    assert parts_of(again)[1]["jti"] != claims["jti"]


def test_the_certificate_of_the_key_is_found_among_those_of_its_issuers(tmp_path: Path) -> None:
    file = tmp_path / "chain.pem"
    file.write_bytes(KNOWN.key_pem() + client_certificate("issuer").certificate_pem() + KNOWN.certificate_pem())
    parts_of(unit.ClientCertificate(str(file)).form("c", AUDIENCE)["client_assertion"])


def written(folder: Path, case: str) -> str:
    """Write a file that cannot be used and return its path."""
    file = folder / "client"
    other = client_certificate("other")
    contents = {
        "no key": KNOWN.certificate_pem(),
        "no certificate": KNOWN.key_pem(),
        "another key": KNOWN.certificate_pem() + other.key_pem(),
        "damaged key": KNOWN.certificate_pem() + KNOWN.key_pem().replace(b"MII", b"XII", 1),
        "damaged certificate": KNOWN.certificate_pem().replace(b"MII", b"XII", 1) + KNOWN.key_pem(),
        "text": b"not a certificate\n",
        "damaged pfx": b"\x30\x82\x01\x02garbage",
    }
    if case in contents:
        file.write_bytes(contents[case])
    elif case == "expired":
        client_certificate("late", days=-1).pem(file)
    elif case == "too early":
        client_certificate("early", days=90).pfx(file)
    elif case == "not RSA":
        client_certificate("curve", kind="ec").pem(file)
    elif case.startswith(("pem", "pfx")):
        getattr(KNOWN, case[:3])(file, "another password")
    return str(file)


@pytest.mark.parametrize(
    ("case", "password", "reported"),
    [
        ("missing", "", "cannot be read: No such file or directory"),
        ("no key", "", "holds no private key; add the key to the PEM file, or use a PFX file that has it"),
        ("no certificate", "", "holds no certificate of its private key"),
        ("another key", "", "holds no certificate of its private key"),
        ("damaged key", "", "holds a damaged private key"),
        ("damaged certificate", "", "holds a damaged certificate"),
        ("text", "", "is neither a PEM file nor a PFX file"),
        ("damaged pfx", "", "is encrypted or damaged; set azure_client_certificate_password"),
        ("expired", "", "expired on 20"),
        ("too early", "", "is not valid before 20"),
        ("not RSA", "", "holds a key that is not RSA, which Entra does not accept"),
        ("pem without password", "", "is encrypted; set azure_client_certificate_password"),
        ("pem with another", PASSWORD, "cannot be decrypted: azure_client_certificate_password is wrong"),
        ("pfx without password", "", "is encrypted or damaged; set azure_client_certificate_password"),
        ("pfx with another", PASSWORD, "cannot be decrypted: azure_client_certificate_password is wrong"),
    ],
    ids=str,
)
def test_a_certificate_that_cannot_be_used_is_reported_in_one_sentence(
    tmp_path: Path, case: str, password: str, reported: str
) -> None:
    path = written(tmp_path, case)
    with pytest.raises(BadConnectionOption) as caught:
        unit.ClientCertificate(path, password).form("c", AUDIENCE)
    assert str(caught.value).startswith(f"azure_client_certificate {path} {reported}")
    assert ". " not in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_without_the_library_the_python_that_lacks_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit, "CRYPTOGRAPHY_IMPORT_ERROR", "traceback")
    with pytest.raises(BadConnectionOption, match="requires the Python library cryptography, which .* does not have"):
        unit.ClientCertificate(KNOWN.pem(tmp_path / "client")).form("c", AUDIENCE)


def test_the_assertion_is_sent_to_the_token_endpoint_it_is_for_and_is_a_secret(
    server: Loopback, context: TaskContext, tmp_path: Path
) -> None:
    server.answers(token())
    path = KNOWN.pfx(tmp_path / "client.pfx", PASSWORD)
    names = {"azure_tenant_id": "contoso", "azure_client_id": "c1ient", "azure_client_certificate": path}
    given = params(**names, azure_client_certificate_password=PASSWORD, azure_authority_url=server.url)
    assert source_name(given) == "certificate"
    assert signer_for(given, context, SCOPE).headers() == {"Authorization": "Bearer t0ken-text"}
    (request,) = server.received
    _header, claims = parts_of(request.form["client_assertion"])
    assert (request.path, claims["aud"]) == ("/contoso/oauth2/v2.0/token", f"{server.url}{request.path}")
    assert "client_secret" not in request.form
    assert {request.form["client_assertion"], PASSWORD} <= context.redactor.secrets


def test_both_names_of_the_variable_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CERTIFICATE_PATH", "/second")
    assert params()["azure_client_certificate"] == "/second"
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", "/first")
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PASSWORD", PASSWORD)
    assert (params()["azure_client_certificate"], params()["azure_client_certificate_password"]) == ("/first", PASSWORD)
