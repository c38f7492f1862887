# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose records will change, for integrations and connectors."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps.connector_credentials import (
    ConnectorCredentials,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.defender_cloud.integration import (
    credentials_at,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.accepted_records import hosts_to_record

TENANT, SUBSCRIPTION = "https://acme.portal.cloudappsecurity.com", "6dd09dc7-9bc2-4bd1-8d31-3f6d2e1b7f52"
COMMON = {
    "instance_url": "https://acme-dev.service-now.com",
    "username": "svc",
    "password": "p",
    "client_id": "c",
    "client_secret": "s",
    "accepted": "",
    "accepted_key": "k" * 40,
    "state": "present",
}
INTEGRATION = {**COMMON, "display_name": "acme-dev", "scope": "", "azure_subscription_id": SUBSCRIPTION}
CONNECTOR = {**COMMON, "name": "acme-dev", "mode": "oauth"}


def record_of(options: dict[str, Any]) -> str:
    if "display_name" in options:
        return credentials_at(f"/subscriptions/{SUBSCRIPTION}", options).record()
    found = ConnectorCredentials.from_entry(options, options["instance_url"], TENANT)
    assert found
    return found.credentials.record()


def is_to_record(options: dict[str, Any]) -> bool:
    return hosts_to_record(["acme-dev"], [options], f"{TENANT}/") == ["acme-dev"]


@pytest.mark.parametrize("options", [INTEGRATION, CONNECTOR], ids=["integration", "connector"])
def test_a_host_is_named_if_its_credentials_are_not_those_that_were_accepted(options: dict[str, Any]) -> None:
    recorded = {**options, "accepted": record_of(options)}
    assert not is_to_record(recorded)
    assert is_to_record(options)
    assert is_to_record({**recorded, "password": "other"})
    assert is_to_record({**recorded, "instance_url": "https://acme-other.service-now.com"})


@pytest.mark.parametrize("options", [INTEGRATION, CONNECTOR], ids=["integration", "connector"])
@pytest.mark.parametrize(
    "changes",
    [{"client_id": ""}, {"accepted_key": ""}, {"accepted": "damaged"}, {"instance_url": "acme"}, {"state": "absent"}],
)
def test_what_is_not_recorded_or_is_refused_is_left_out(options: dict[str, Any], changes: dict[str, str]) -> None:
    assert not is_to_record({**options, **changes})
