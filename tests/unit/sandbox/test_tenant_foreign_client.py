# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's own Python clients against the sandbox's Entra.

azure-identity and MSAL are independent of this collection. They require https, so the sandbox runs with a certificate.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.client_certificates import client_certificate
from tests.sandbox.process import SandboxProcess
from tests.unit.sandbox.tenant_client import GRAPH, MDA

identity: Any = pytest.importorskip("azure.identity")
msal: Any = pytest.importorskip("msal")


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    directory: Path = tmp_path_factory.mktemp("sandbox")
    with SandboxProcess("--instances", "0", "--tls", "--inventory", str(directory / "inventory.yml")) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    for name in (*proxies, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AZURE_CLIENT_ID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def known(secure: SandboxProcess) -> dict[str, Any]:
    return secure.new_tenant()


def options(known: dict[str, Any]) -> dict[str, Any]:
    return {
        "authority": known["azure_authority_url"],
        "disable_instance_discovery": True,
        "connection_verify": known["ca_path"],
    }


def opens_cloud_apps(known: dict[str, Any], token: str) -> bool:
    url = f"{known['mda_url']}/api/v1/activities/"
    answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, verify=known["ca_path"], timeout=20)
    return answer.status_code == 200


def test_a_client_secret_credential(known: dict[str, Any]) -> None:
    names = (known["azure_tenant_id"], known["azure_client_id"], known["azure_client_secret"])
    with identity.ClientSecretCredential(*names, **options(known)) as credential:
        assert opens_cloud_apps(known, credential.get_token(f"{MDA}/.default").token)
        graph = credential.get_token(f"{GRAPH}/.default").token
        assert not opens_cloud_apps(known, graph)


def test_a_wrong_secret_and_a_wrong_tenant(known: dict[str, Any]) -> None:
    from azure.core.exceptions import ClientAuthenticationError

    tenant, client = known["azure_tenant_id"], known["azure_client_id"]
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        identity.ClientSecretCredential(tenant, client, "wrong", **options(known)).get_token(f"{MDA}/.default")
    other = identity.ClientSecretCredential("nobody.example", client, "wrong", **options(known))
    with pytest.raises((ClientAuthenticationError, ValueError), match="AADSTS90002|authority configuration"):
        other.get_token(f"{MDA}/.default")


def test_a_certificate_credential(secure: SandboxProcess, known: dict[str, Any], tmp_path: Path) -> None:
    from azure.core.exceptions import ClientAuthenticationError

    mine, names = client_certificate(), (known["azure_tenant_id"], known["azure_client_id"])
    file = mine.pem(tmp_path / "client.pem")
    with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
        identity.CertificateCredential(*names, file, **options(known)).get_token(f"{MDA}/.default")
    secure.tamper_tenant("applications", {"keyCredentials": [mine.uploaded]}, match={"appId": names[1]})
    with identity.CertificateCredential(*names, file, **options(known)) as credential:
        assert opens_cloud_apps(known, credential.get_token(f"{MDA}/.default").token)


def test_a_workload_identity_credential(secure: SandboxProcess, known: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(secure.assertion(), encoding="utf-8")
    names = {"tenant_id": known["azure_tenant_id"], "client_id": known["azure_client_id"]}
    with identity.WorkloadIdentityCredential(token_file_path=str(file), **names, **options(known)) as credential:
        assert opens_cloud_apps(known, credential.get_token(f"{MDA}/.default").token)


def test_managed_identities(known: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    trust = {"connection_verify": known["ca_path"]}
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", known["imds_url"])
    assert opens_cloud_apps(known, identity.ManagedIdentityCredential(**trust).get_token(MDA).token)
    mine = identity.ManagedIdentityCredential(client_id=known["identity_client_id"], **trust)
    assert opens_cloud_apps(known, mine.get_token(MDA).token)
    monkeypatch.setenv("IDENTITY_ENDPOINT", known["identity_endpoint"])
    monkeypatch.setenv("IDENTITY_HEADER", known["identity_header"])
    assert opens_cloud_apps(known, identity.ManagedIdentityCredential(**trust).get_token(MDA).token)


def test_msal_discovers_the_authority_and_keeps_the_token(known: dict[str, Any]) -> None:
    application = msal.ConfidentialClientApplication(
        known["azure_client_id"],
        known["azure_client_secret"],
        authority=f"{known['azure_authority_url']}/{known['azure_tenant_id']}",
        instance_discovery=False,
        verify=known["ca_path"],
    )
    first = application.acquire_token_for_client([f"{MDA}/.default"])
    assert opens_cloud_apps(known, first["access_token"])
    again = application.acquire_token_for_client([f"{MDA}/.default"])
    assert (again["access_token"], again["token_source"]) == (first["access_token"], "cache")
