# SPDX-License-Identifier: GPL-3.0-or-later
"""The portal's answers have the keys and types that its community specification gives (nodoc, Cloud Apps fragments)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.unit.sandbox.client import RestClient
from tests.unit.sandbox.tenant_client import TenantClient

# A connected service of the specification in our own words: name -> type, "?" for nullable ones.
SERVICE = {
    "appId": "int",
    "name": "str",
    "_id": "str",
    "instanceName": "str?",
    "category": "str",
    "api": "dict",
    "proxy": "dict",
    "discovery": "dict",
    "isOfficeApp": "bool",
    "isApiConnectable": "bool",
    "aadInfo": "dict?",
    "lastUsed": "str?",
    "customData": "dict",
    "isCustomApp": "bool",
    "securityConfiguration": "dict",
    "appName": "str",
}
API = {"isConnected": "bool", "isEnabled": "bool", "usersCount": "int", "creator": "str?", "isSSPMEnabled": "bool?"}
OPTIONAL = {
    "hasWarnings": "bool",
    "statusTemplateMessage": "str",
    "lastConnected": "int",
    "lastCheckTime": "int",
    "disabledBy": "str",
}


def fits(row: dict[str, Any], required: dict[str, str], optional: dict[str, str]) -> bool:
    known = {**required, **optional}
    return set(required) <= set(row) <= set(known) and all(
        type(value).__name__ == known[name].rstrip("?") or (value is None and known[name].endswith("?"))
        for name, value in row.items()
    )


def test_rows_of_connectors(make_tenant: Callable[..., TenantClient], make: Callable[..., RestClient]) -> None:
    tenant = make_tenant(connect_seconds=0.0, data_delay=0.0)
    good = tenant.connect("acme-dev", make())["_id"]
    tenant.connect("acme-test", make(), client_secret="wrong")
    tenant.portal("POST", "/v1/app_connectors/count/", {})
    rows = tenant.portal("POST", "/v1/app_connectors/", {}).json()
    assert len(rows["data"]) == rows["total"] == 3
    for row in rows["data"]:
        assert fits(row, SERVICE, {}), row
        assert fits(row["api"], API, OPTIONAL), row["api"]
    assert {row["_id"] for row in rows["data"]} >= {good}


def test_the_buckets_of_the_dashboard(tenant: TenantClient) -> None:
    content = tenant.portal("GET", "/v1/app_connectors/dashboard/get_apps_count_by_status").json()
    assert content == {"data": {"protected": 0, "needAttention": 1, "notProtected": 0}}


def test_errors_have_a_code_and_a_message(tenant: TenantClient) -> None:
    assert set(tenant.portal("GET", "/v1/nothing/").json()["error"]) == {"code", "message"}
