# SPDX-License-Identifier: GPL-3.0-or-later
"""Entra and managed identities, according to the documentation (docs/facts/entra.md#sign-in)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable

import pytest

from tests.unit.sandbox.tenant_client import GRAPH, MDA, TenantClient

MakeTenant = Callable[..., TenantClient]


def claims(token: str) -> dict[str, object]:
    part = token.split(".")[1]
    content: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return content


def test_a_client_secret_gives_a_token_for_one_audience(tenant: TenantClient) -> None:
    answer = tenant.token(scope=f"{GRAPH}/.default")
    assert answer.status_code == 200
    content = answer.json()
    assert (content["token_type"], content["expires_in"]) == ("Bearer", 3599)
    assert "refresh_token" not in content
    decoded = claims(content["access_token"])
    assert (decoded["aud"], decoded["tid"]) == (GRAPH, tenant.known["azure_tenant_id"])
    assert decoded["roles"][:2] == ["ThreatHunting.Read.All", "SecurityEvents.ReadWrite.All"]
    assert claims(tenant.token().json()["access_token"])["aud"] == MDA


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": ""}, 401, "invalid_client", 7000218),
        ({"tenant": "5d9e7a36-0000-4000-8000-000000000000"}, 400, "invalid_request", 90002),
        ({"client_id": "5d9e7a36-0000-4000-8000-000000000000"}, 400, "unauthorized_client", 700016),
        ({"scope": "https://graph.microsoft.com/User.Read"}, 400, "invalid_scope", 1002012),
        ({"scope": "https://graph.example/.default"}, 400, "invalid_resource", 500011),
        ({"scope": ""}, 400, "invalid_request", 900144),
        ({"grant_type": ""}, 400, "invalid_request", 900144),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"client_assertion": "x"}, 400, "invalid_request", 900144),
    ],
)
def test_an_invalid_token_request_is_refused(
    tenant: TenantClient, changes: dict[str, str], status: int, error: str, number: int
) -> None:
    answer = tenant.token(**changes)
    content = answer.json()
    assert (answer.status_code, content["error"], content["error_codes"]) == (status, error, [number])
    assert content["error_description"].startswith(f"AADSTS{number}: ")
    assert (
        f"Trace ID: {content['trace_id']} Correlation ID: {content['correlation_id']}" in content["error_description"]
    )
    assert tenant.known["azure_client_secret"] not in answer.text


@pytest.mark.parametrize(
    ("knobs", "error", "number"),
    [
        ({"client_secret": "expired"}, "invalid_client", 7000222),
        ({"application": "removed"}, "unauthorized_client", 700016),
        ({"application": "disabled"}, "unauthorized_client", 7000112),
    ],
)
def test_an_application_that_no_longer_works(
    make_tenant: MakeTenant, knobs: dict[str, str], error: str, number: int
) -> None:
    content = make_tenant(**knobs).token().json()
    assert (content["error"], content["error_codes"]) == (error, [number])


def test_the_v1_endpoint_takes_a_resource_and_returns_numbers_as_strings(tenant: TenantClient) -> None:
    content = tenant.token(version="", scope="", resource="https://management.azure.com/").json()
    assert (content["expires_in"], content["resource"]) == ("3599", "https://management.azure.com/")
    assert claims(content["access_token"])["aud"] == "https://management.azure.com/"


def federated(tenant: TenantClient, assertion: str) -> tuple[int, object]:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    answer = tenant.token(client_secret="", client_assertion=assertion, client_assertion_type=kind)
    return answer.status_code, answer.json().get("error_codes")


def test_a_federated_assertion_replaces_the_secret(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(client_secret="expired")
    assert federated(tenant, tenant.sandbox.assertion()) == (200, None)


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"sub": "system:serviceaccount:other:robot"}, 700213),
        ({"iss": "https://token.example"}, 700211),
        ({"aud": "api://other"}, 700212),
        ({"exp": 1767225600}, 700024),
    ],
)
def test_an_assertion_of_another_subject_is_refused(
    tenant: TenantClient, change: dict[str, object], number: int
) -> None:
    assert federated(tenant, tenant.sandbox.assertion(**change)) == (401, [number])


def test_an_assertion_with_a_broken_signature_is_refused(tenant: TenantClient) -> None:
    header, content, signature = tenant.sandbox.assertion().split(".")
    turned = ("B" if signature[0] == "A" else "A") + signature[1:]
    assert federated(tenant, f"{header}.{content}.{turned}") == (401, [50013])
    assert federated(tenant, "no token") == (401, [50027])


def test_the_discovery_document_contains_the_token_endpoint(tenant: TenantClient) -> None:
    root = f"{tenant.known['azure_authority_url']}/{tenant.known['azure_tenant_id']}"
    content = tenant.call("GET", f"{root}/v2.0/.well-known/openid-configuration").json()
    assert content["token_endpoint"] == f"{root}/oauth2/v2.0/token"
    assert tenant.call("GET", content["jwks_uri"]).json()["keys"][0]["kty"] == "RSA"
    unknown = f"{tenant.known['azure_authority_url']}/nobody.example/v2.0/.well-known/openid-configuration"
    assert tenant.call("GET", unknown).status_code == 400


def test_a_virtual_machine_gets_its_token_from_the_metadata_service(tenant: TenantClient) -> None:
    url = f"{tenant.known['imds_url']}/metadata/identity/oauth2/token"
    query = {"api-version": "2018-02-01", "resource": MDA}
    content = tenant.call("GET", url, params=query, headers={"Metadata": "true"}).json()
    assert claims(content["access_token"])["appid"] == tenant.known["identity_client_id"] == content["client_id"]
    assert content["expires_in"].isdigit() and int(content["expires_on"]) > time.time()
    assert tenant.call("GET", url, params=query).json()["error"] == "invalid_request"
    other = {**query, "client_id": tenant.known["azure_client_id"]}
    refused = tenant.call("GET", url, params=other, headers={"Metadata": "true"})
    assert (refused.status_code, refused.json()["error_description"]) == (400, "Identity not found")
    bearer = {"Authorization": f"Bearer {content['access_token']}"}
    assert tenant.api("GET", "/api/v1/activities/", headers=bearer).status_code == 200


def test_app_service_requires_its_header(tenant: TenantClient) -> None:
    url, query = tenant.known["identity_endpoint"], {"api-version": "2019-08-01", "resource": GRAPH}
    right = {"X-IDENTITY-HEADER": tenant.known["identity_header"]}
    assert tenant.call("GET", url, params=query, headers=right).json()["token_type"] == "Bearer"
    assert tenant.call("GET", url, params=query, headers={"X-IDENTITY-HEADER": "wrong"}).status_code == 401


def test_a_token_ends_with_its_lifetime(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(token_lifetime=60)
    bearer = tenant.bearer()
    assert tenant.api("GET", "/api/v1/activities/", headers=bearer).status_code == 200
    tenant.sandbox.turn_tenant(time_shift=61)
    assert tenant.api("GET", "/api/v1/activities/", headers=bearer).status_code == 401
