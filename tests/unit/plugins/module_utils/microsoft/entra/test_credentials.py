# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in with Entra: every source of the interface (docs/facts/entra.md#sign-in)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import (
    TaskContext,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.arm import AZURE_OPTIONS
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.entra.clouds import CLOUDS, cloud_of
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.entra.credentials import (
    may_sign_in,
    signer_for,
    source_name,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    BadConnectionOption,
    SignInFailed,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.settings import TRANSPORT_OPTIONS
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, answer

SCOPE = "https://graph.microsoft.com/.default"
APPLICATION = {"azure_tenant_id": "contoso", "azure_client_id": "c1ient", "azure_client_secret": "s3cret-value"}


def params(**given: Any) -> dict[str, Any]:
    """Return a task's parameters as Ansible would hand them over."""
    checked = ArgumentSpecValidator({**AZURE_OPTIONS, **TRANSPORT_OPTIONS}).validate({"retries": 0, **given})
    assert not checked.error_messages
    return dict(checked.validated_parameters)


def token(text: str = "t0ken-text", **more: Any) -> Reply:
    return answer({"token_type": "Bearer", "expires_in": 3599, "access_token": text, **more})


def refused(number: int, error: str = "invalid_client", words: str = "no") -> Reply:
    return answer({"error": error, "error_description": f"AADSTS{number}: {words}", "error_codes": [number]}, 401)


def program(folder: Path, text: str) -> None:
    """Put an `az` on the path."""
    file = folder / "az"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


# -- which way --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "source"),
    [
        (APPLICATION, "client_secret"),
        ({**APPLICATION, "azure_access_token": "given"}, "token"),
        ({"azure_tenant_id": "t", "azure_client_id": "c", "azure_federated_token_file": "/f"}, "federated"),
        ({"azure_auth_source": "managed_identity"}, "managed_identity"),
        ({"azure_auth_source": "cli"}, "cli"),
    ],
)
def test_the_source_follows_from_what_is_given(given: dict[str, str], source: str) -> None:
    assert source_name(params(**given)) == source


def test_an_announced_identity_and_an_installed_program_are_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(tmp_path, "exit 1")
    assert source_name(params()) == "cli"
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/token")
    monkeypatch.setenv("IDENTITY_HEADER", "proof-of-machine")
    assert source_name(params()) == "managed_identity"


def test_missing_credentials_are_reported_with_the_possible_ones() -> None:
    assert not may_sign_in(params(azure_tenant_id="contoso"))
    with pytest.raises(BadConnectionOption, match=r"set: azure_tenant_id\). Set azure_tenant_id, azure_client_id"):
        source_name(params(azure_tenant_id="contoso"))


def test_a_named_source_reports_what_it_lacks() -> None:
    with pytest.raises(BadConnectionOption, match="client_secret requires azure_client_id, azure_client_secret"):
        source_name(params(azure_auth_source="client_secret", azure_tenant_id="t"))


@pytest.mark.parametrize(
    ("variables", "option"),
    [
        (("AZURE_TENANT_ID", "AZURE_TENANT"), "azure_tenant_id"),
        (("AZURE_CLIENT_SECRET", "AZURE_SECRET"), "azure_client_secret"),
    ],
)
def test_both_families_of_variables_are_read(
    monkeypatch: pytest.MonkeyPatch, variables: tuple[str, str], option: str
) -> None:
    monkeypatch.setenv(variables[1], "second")
    assert params()[option] == "second"
    monkeypatch.setenv(variables[0], "first")
    assert params()[option] == "first"


def test_every_cloud_has_its_endpoints() -> None:
    assert set(CLOUDS) == set(AZURE_OPTIONS["azure_cloud"]["choices"])
    assert cloud_of(params(azure_cloud="AzureUSGovernment")).authority == "https://login.microsoftonline.us"
    assert len({cloud.graph for cloud in CLOUDS.values()}) == 3


# -- what is sent -----------------------------------------------------------------------------------------------------


def test_a_secret_goes_to_the_token_endpoint_of_the_tenant(server: Loopback, context: TaskContext) -> None:
    server.answers(token())
    signer = signer_for(params(**APPLICATION, azure_authority_url=f"{server.url}/gateway"), context, SCOPE)
    assert signer.headers() == {"Authorization": "Bearer t0ken-text"}
    (request,) = server.received
    assert (request.method, request.path) == ("POST", "/gateway/contoso/oauth2/v2.0/token")
    assert request.form == {
        "grant_type": "client_credentials",
        "client_id": "c1ient",
        "client_secret": "s3cret-value",
        "scope": SCOPE,
    }


def test_a_federated_token_is_read_again_for_each_sign_in(
    server: Loopback, context: TaskContext, tmp_path: Path, clock: Clock
) -> None:
    server.answers(token())
    file = tmp_path / "assertion"
    file.write_text("first.assertion.text\n")
    given = {"azure_tenant_id": "t", "azure_client_id": "c", "azure_federated_token_file": str(file)}
    signer = signer_for(params(**given, azure_authority_url=server.url), context, SCOPE)
    signer.headers()
    file.write_text("second.assertion.text")
    clock.passes(3600)
    signer.headers()
    assert [request.form["client_assertion"] for request in server.received] == [
        "first.assertion.text",
        "second.assertion.text",
    ]
    assert "client_secret" not in server.received[0].form
    assert "second.assertion.text" in context.redactor.secrets


def test_an_app_service_identity_is_requested_with_its_header(
    server: Loopback, context: TaskContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers(answer({"access_token": "m4chine-token", "expires_on": "9999999999"}))
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "proof-of-machine")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    signer = signer_for(params(azure_auth_source="managed_identity", azure_client_id="mine"), context, SCOPE)
    assert signer.headers() == {"Authorization": "Bearer m4chine-token"}
    (request,) = server.received
    assert request.path == "/msi/token"
    assert request.query == {
        "resource": "https://graph.microsoft.com",
        "client_id": "mine",
        "api-version": "2019-08-01",
    }
    assert request.headers["x-identity-header"] == "proof-of-machine"


def test_the_azure_cli_is_called_for_the_resource(context: TaskContext, tmp_path: Path) -> None:
    said = json.dumps({"accessToken": "cli-t0ken", "expires_on": 9999999999})
    program(tmp_path, f"echo \"$@\" > {tmp_path}/asked; echo '{said}'")
    signer = signer_for(params(azure_auth_source="cli", azure_tenant_id="contoso"), context, SCOPE)
    assert signer.headers() == {"Authorization": "Bearer cli-t0ken"}
    asked = (tmp_path / "asked").read_text().strip()
    assert asked == "account get-access-token --resource https://graph.microsoft.com -o json --tenant contoso"


def test_an_azure_cli_without_a_sign_in_is_reported(context: TaskContext, tmp_path: Path) -> None:
    program(tmp_path, "echo 'ERROR: Please run az login' >&2; exit 1")
    with pytest.raises(
        SignInFailed, match=r"returned no token: ERROR: Please run az login\. Sign in with 'az login' first"
    ):
        signer_for(params(azure_auth_source="cli"), context, SCOPE).headers()


def test_a_given_token_is_sent_as_it_is_and_not_renewed(context: TaskContext) -> None:
    signer = signer_for(params(azure_access_token="given-t0ken"), context, SCOPE)
    assert signer.headers() == {"Authorization": "Bearer given-t0ken"}
    assert not signer.renew()


# -- how long ---------------------------------------------------------------------------------------------------------


def test_a_token_is_fetched_once_until_shortly_before_its_end(
    server: Loopback, context: TaskContext, clock: Clock
) -> None:
    server.answers(token())
    for seconds in (0, 3000, 400):
        clock.passes(seconds)
        signer_for(params(**APPLICATION, azure_authority_url=server.url), context, SCOPE).headers()
    assert len(server.received) == 2


def test_each_scope_has_its_token(server: Loopback, context: TaskContext) -> None:
    server.answers(token("for-graph"), token("for-cloud-apps"))
    given = params(**APPLICATION, azure_authority_url=server.url)
    sent = [signer_for(given, context, scope).headers()["Authorization"] for scope in ("a/.default", "b/.default")]
    assert sent == ["Bearer for-graph", "Bearer for-cloud-apps"]


# -- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "reported"),
    [
        (7000215, "the client secret is wrong"),
        (7000222, "the client secret has expired"),
        (90002, "azure_tenant_id is not a tenant"),
        (700016, "azure_client_id is not an application"),
        (1, "the client id, or its secret or certificate, is wrong or has expired"),
    ],
)
def test_a_refusal_names_its_likely_cause(server: Loopback, context: TaskContext, number: int, reported: str) -> None:
    server.answers(refused(number))
    with pytest.raises(SignInFailed) as caught:
        signer_for(params(**APPLICATION, azure_authority_url=server.url), context, SCOPE).headers()
    assert reported in str(caught.value)
    assert f"AADSTS{number}" in str(caught.value)
    assert "s3cret-value" not in str(caught.value)


def test_a_secret_in_a_response_is_masked(server: Loopback, context: TaskContext) -> None:
    def echo(request: Received) -> Reply:
        return refused(7000215, words=f"you sent {request.form['client_secret']}")

    server.answers_by(echo)
    with pytest.raises(SignInFailed, match=r"you sent \*\*\*\*"):
        signer_for(params(**APPLICATION, azure_authority_url=server.url), context, SCOPE).headers()


def test_a_missing_token_file_is_named(server: Loopback, context: TaskContext) -> None:
    given = {"azure_tenant_id": "t", "azure_client_id": "c", "azure_federated_token_file": "/nowhere/at/all"}
    with pytest.raises(BadConnectionOption, match="azure_federated_token_file /nowhere/at/all cannot be read"):
        signer_for(params(**given, azure_authority_url=server.url), context, SCOPE).headers()
    assert server.received == []
