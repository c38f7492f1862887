# SPDX-License-Identifier: GPL-3.0-or-later
"""Connectors sign in to their instance; their data is in the APIs.

See docs/facts/defender_for_cloud_apps.md#the-servicenow-connector, docs/facts/defender_for_cloud_apps.md#instance-ids,
docs/facts/defender_for_cloud_apps.md#undocumented-routes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.sandbox.client import RestClient
from tests.unit.sandbox.tenant_client import TenantClient, trace, wait

MakeTenant = Callable[..., TenantClient]
Make = Callable[..., RestClient]
TABLES = (
    "sys_user sys_user_group sys_user_grmember sys_user_has_role sys_user_role_contains sys_properties v_plugin sysevent "
    "sysevent_script_action syslog_transaction sys_attachment sys_attachment_doc incident"
)


@pytest.fixture
def tenant(make_tenant: MakeTenant) -> TenantClient:
    return make_tenant(connect_seconds=0.0, data_delay=0.0, throttle=0)


def reader(instance: RestClient, *, without: str = "") -> dict[str, str]:
    """An account with one role, and read access controls for that role on the tables that a connector reads."""
    tamper, name = instance.sandbox.tamper, instance.name
    tamper(name, "sys_user_role", {"name": "custom_table_access"}, insert=True)
    instance.user("svc_mda", "Made-up-1", roles=["custom_table_access"])
    for table in TABLES.split():
        if table != without:
            values = {"name": table, "type": "record", "operation": "read", "active": "true", "admin_overrides": "true"}
            (acl,) = tamper(name, "sys_security_acl", values, insert=True)
            role = {"sys_security_acl": acl, "sys_user_role": "custom_table_access"}
            tamper(name, "sys_security_acl_role", role, insert=True)
    return {"login": "svc_mda", "password": "Made-up-1"}


def test_a_connector_is_connected_and_brings_accounts_and_events(tenant: TenantClient, instance: RestClient) -> None:
    row = tenant.connect("acme-dev", instance)
    assert (row["appId"], row["instanceName"], row["appName"]) == (14509, "acme-dev", "ServiceNow")
    api = row["api"]
    assert (api["isConnected"], api["isEnabled"], api.get("hasWarnings")) == (True, True, None)
    tenant.wait_for_rows("activities")
    assert {each["email"] for each in tenant.rows("/api/v1/entities/", filters={"app": {"eq": [14509]}})}
    events = tenant.rows("/api/v1/activities/", filters={"service": {"eq": [14509]}, "date": {"gte_ndays": 1}})
    assert [(event["actionType"], event["user"]["userName"]) for event in events] == [("Log on", "svc_ansible")]
    (seen,) = tenant.hunt_rows("CloudAppEvents | where ApplicationId == 14509 | take 1")
    assert (seen["Application"], seen["AppInstanceId"]) == ("ServiceNow", 0)
    assert "app connector" in seen["AuditSource"]
    assert tenant.connector(row["_id"])["api"]["usersCount"] > 3


def test_the_least_privileged_account_is_enough(tenant: TenantClient, instance: RestClient) -> None:
    row = tenant.connect("acme-dev", instance, **reader(instance))
    assert (row["api"]["isConnected"], row["api"].get("hasWarnings")) == (True, None), row["api"]


@pytest.mark.parametrize("table", ["sys_user", "sys_properties", "v_plugin"])
def test_a_missing_access_control_gives_the_documented_error(
    tenant: TenantClient, instance: RestClient, table: str
) -> None:
    api = tenant.connect("acme-dev", instance, **reader(instance, without=table))["api"]
    assert (api["isConnected"], api["isEnabled"], api["hasWarnings"]) == (False, True, True)
    assert api["statusTemplateMessage"].endswith("HttpRequestFailure: Server returned: 403 Forbidden")


def test_without_the_event_log_a_connector_warns(tenant: TenantClient, instance: RestClient) -> None:
    api = tenant.connect("acme-dev", instance, **reader(instance, without="sysevent"))["api"]
    assert (api["isConnected"], api["hasWarnings"]) == (True, True)
    assert api["statusTemplateMessage"] == "CONSOLE2_APP_CONNECTORS_STATUS_WARNING"


@pytest.mark.parametrize("wrong", [{"client_secret": "wrong"}, {"password": "wrong"}, {"client_id": "0" * 32}])
def test_wrong_credentials_return_the_documented_error(
    tenant: TenantClient, instance: RestClient, wrong: dict[str, str]
) -> None:
    api = tenant.connect("acme-dev", instance, **wrong)["api"]
    assert api["isConnected"] is False
    assert "403 Forbidden" in api["statusTemplateMessage"]
    assert tenant.sandbox.tenant_state("activities") == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [("503", "500 Internal server error"), ("hibernating", "Service timeout"), ("reset", "Service timeout")],
)
def test_an_instance_with_its_own_fault(tenant: TenantClient, make: Make, kind: str, text: str) -> None:
    instance = make()
    instance.application("acme-dev")
    given = {"login": instance.access.username, "password": instance.access.password, **instance.application("other")}
    connector = tenant.submit("acme-dev", instance.url, **given)
    instance.sandbox.turn(instance.name, faults=[{"kind": kind}])
    tenant.confirm(connector)
    assert tenant.wait_connected(connector)["api"]["statusTemplateMessage"].endswith(text)


def test_an_instance_elsewhere_is_never_called(tenant: TenantClient) -> None:
    application = {"client_id": "x", "client_secret": "y"}
    connector = tenant.submit("acme-prod", "https://acme-prod.service-now.com", "svc", "pw", **application)
    tenant.confirm(connector)
    assert tenant.wait_connected(connector)["api"]["statusTemplateMessage"] == "Service timeout"


def test_the_legacy_mode_signs_in_with_user_and_password_only(tenant: TenantClient, instance: RestClient) -> None:
    connector = tenant.submit("acme-dev", instance.url, instance.access.username, instance.access.password)
    tenant.confirm(connector)
    assert tenant.wait_connected(connector)["api"]["isConnected"] is True
    assert "POST /oauth_token.do" not in instance.sandbox.requests(instance.name)["routes"]


def test_it_is_connecting_first_and_data_arrives_later(make_tenant: MakeTenant, instance: RestClient) -> None:
    tenant = make_tenant(connect_seconds=600.0)
    given = {"login": instance.access.username, "password": instance.access.password, **instance.application("a")}
    connector = tenant.submit("acme-dev", instance.url, **given)
    # Nothing happens before the confirmation.
    assert tenant.connector(connector)["api"]["statusTemplateMessage"].endswith("PENDING")
    assert "POST /oauth_token.do" not in instance.sandbox.requests(instance.name)["routes"]
    tenant.confirm(connector)
    assert tenant.connector(connector)["api"]["statusTemplateMessage"].endswith("CONNECTING")
    tenant = make_tenant(connect_seconds=0.0, data_delay=600.0)
    assert tenant.connect("b", instance)["api"]["isConnected"] is True
    assert tenant.sandbox.tenant_state("activities") == []
    tenant = make_tenant(connect_seconds=0.2, data_delay=0.2)
    tenant.connect("c", instance)
    tenant.wait_for_rows("activities")


def test_the_password_is_not_kept_and_the_refresh_token_does_the_rest(
    tenant: TenantClient, instance: RestClient
) -> None:
    tenant.connect("acme-dev", instance)
    tenant.wait_for_rows("activities")
    assert "password" not in tenant.sandbox.tenant_state("connectors")[0]["holds"]
    # Ninety days later the refresh token has expired: the connection stops.
    tenant.sandbox.turn_tenant(time_shift=90 * 86400)
    instance.sandbox.turn(instance.name, time_shift=101 * 86400)
    tenant.sandbox.sync_tenant()
    wait(lambda: tenant.sandbox.tenant_state("connectors")[0]["state"] == "error")
    assert "403 Forbidden" in tenant.sandbox.tenant_state("connectors")[0]["message"]


def test_a_connector_recovers_from_an_outage(tenant: TenantClient, instance: RestClient) -> None:
    tenant.connect("acme-dev", instance)
    tenant.wait_for_rows("activities")
    instance.sandbox.turn(instance.name, faults=[{"kind": "503", "path": "/api/*"}])
    tenant.sandbox.sync_tenant()
    wait(lambda: tenant.sandbox.tenant_state("connectors")[0]["state"] == "error")
    instance.sandbox.turn(instance.name, faults=[])
    tenant.sandbox.sync_tenant()
    wait(lambda: tenant.sandbox.tenant_state("connectors")[0]["state"] == "connected")


def test_new_events_of_the_instance_arrive(tenant: TenantClient, instance: RestClient) -> None:
    tenant.connect("acme-dev", instance)
    tenant.wait_for_rows("activities")
    instance.insert("sys_user", {"user_name": "newcomer", "last_name": "Newcomer"})
    tenant.sandbox.tamper(instance.name, "sysevent", {"name": "login.failed", "parm1": "abel"}, insert=True)
    tenant.sandbox.sync_tenant()

    def names() -> set[str]:
        return {row["actionType"] for row in tenant.sandbox.tenant_state("activities")}

    wait(lambda: {"Log on", "Create user", "Failed log on"} <= names())
    before = len(tenant.sandbox.tenant_state("activities"))
    tenant.sandbox.sync_tenant()
    assert before <= len(tenant.sandbox.tenant_state("activities")) <= before + 1


def test_reading_old_data_synchronizes_the_instance(make_tenant: MakeTenant, instance: RestClient) -> None:
    tenant = make_tenant(connect_seconds=0.0, data_delay=0.0, sync_seconds=0.0)
    tenant.connect("acme-dev", instance)
    tenant.wait_for_rows("activities")
    instance.insert("sys_user", {"user_name": "newcomer", "last_name": "Newcomer"})
    wait(lambda: any(row["actionType"] == "Create user" for row in tenant.rows("/api/v1/activities/")), 5)


def test_an_idle_instance_has_accounts_and_no_events(make_tenant: MakeTenant, instance: RestClient) -> None:
    tenant = make_tenant(connect_seconds=0.0, data_delay=0.0, silent=True)
    tenant.connect("acme-dev", instance)
    assert tenant.wait_for_rows("entities")
    assert tenant.sandbox.tenant_state("activities") == []


def test_instances_are_numbered(tenant: TenantClient, make: Make) -> None:
    tenant.connect("acme-dev", make())
    tenant.connect("acme-test", make())
    wait(lambda: len({row["instance"] for row in tenant.sandbox.tenant_state("activities")}) == 2)
    assert {row["instance"] for row in tenant.sandbox.tenant_state("activities")} == {14509, 1063085}
    catalogue = tenant.portal("GET", "/services/").json()["data"]
    assert [(row["appId"], row["saasId"]) for row in catalogue] == [(14509, 14509), (1063085, 14509)]
    found = tenant.hunt_rows("CloudAppEvents | summarize count() by AppInstanceId, ApplicationId")
    assert {row["AppInstanceId"] * 1048576 + row["ApplicationId"] for row in found} == {14509, 1063085}


def manage(tenant: TenantClient, method: str, connector: str, what: str, body: dict[str, Any] | None = None) -> int:
    return tenant.portal(
        method, f"/v1/connector_onboarding/connectors/{connector}/{what}", {**trace(), **body} if body else None
    ).status_code


def test_a_disabled_connector_needs_its_details_again(tenant: TenantClient, instance: RestClient) -> None:
    connector = tenant.connect("acme-dev", instance)["_id"]
    assert manage(tenant, "PATCH", connector, "power/", {"desired": "DISABLED"}) == 200
    api = tenant.connector(connector)["api"]
    assert (api["isConnected"], api["isEnabled"], api["disabledBy"]) == (False, False, "console")
    assert tenant.sandbox.tenant_state("connectors")[0]["holds"] == []
    assert manage(tenant, "PATCH", connector, "power/", {"desired": "ENABLED"}) == 400


def test_a_deleted_connector_deletes_its_accounts(tenant: TenantClient, instance: RestClient) -> None:
    connector = tenant.connect("acme-dev", instance)["_id"]
    tenant.wait_for_rows("activities")
    assert manage(tenant, "DELETE", connector, "") == 200
    assert tenant.sandbox.tenant_state("entities") == []
    assert tenant.sandbox.tenant_state("activities") != []
    assert manage(tenant, "DELETE", connector, "") == 404


def test_the_posture_switch(tenant: TenantClient, instance: RestClient) -> None:
    connector = tenant.connect("acme-dev", instance)["_id"]
    manage(tenant, "PATCH", connector, "posture/", {"secureScore": False})
    assert tenant.connector(connector)["api"]["isSSPMEnabled"] is False


def test_tampering_breaks_a_connector_or_duplicates_it(tenant: TenantClient, instance: RestClient) -> None:
    tenant.connect("acme-dev", instance)
    tenant.sandbox.tamper_tenant(
        "connectors", {"state": "error", "message": "Service timeout"}, match={"name": "acme-dev"}
    )
    tenant.sandbox.tamper_tenant("connectors", {"name": "acme-dev", "instance_url": instance.url}, insert=True)
    rows = [row for row in tenant.portal("GET", "/v1/app_connectors/").json()["data"] if row["appId"] == 14509]
    assert [row["instanceName"] for row in rows] == ["acme-dev", "acme-dev"]
    assert rows[0]["api"]["statusTemplateMessage"] == "Service timeout"
