# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances that were connected before this collection came."""

from __future__ import annotations

from tests.integration.instances import Instance
from tests.integration.test_table_acls import grant

APPLICATION, ACCOUNT, ROLE = "MCAS connector: {{ prod }} # 1", "mcas.service", "x_mcas_reader"
READS = ("sys_user", "sysevent", "incident")


def connect_by_hand(
    instance: Instance, application: str = APPLICATION, account: str = ACCOUNT, role: str = ROLE
) -> None:
    """Make what an administrator made years ago, options off their defaults."""
    instance.add(
        "oauth_entity", name=application, type="client", active="true", client_id=f"id-{instance.name}-{application}",
        client_secret="by-hand-secret-1", access_token_lifespan="1800", refresh_token_lifespan="8640000",
        scope_restriction_status="unrestricted",
    )  # fmt: skip
    granted = instance.add("sys_user_role", name=role, description="Read: logs & users")
    user = instance.add(
        "sys_user", user_name=account, first_name="Cloud", last_name="Apps", active="true", web_service_access_only="false",
    )  # fmt: skip
    instance.add("sys_user_has_role", user=user, role=granted, inherited="false")
    for table in READS:
        grant(instance, role, table)


def connect_exposure_management(instance: Instance, *, basic: bool = False) -> None:
    """Make an account of the name that Microsoft's page suggests, and unless it signs in with `basic` its application."""
    user = instance.add(
        "sys_user", user_name="msem.reader", first_name="Exposure", active="true", web_service_access_only="true"
    )
    role = instance.row("sys_user_role", name="cmdb_read")["sys_id"]
    instance.add("sys_user_has_role", user=user, role=role, inherited="false")
    if not basic:
        instance.add(
            "oauth_entity", name="Exposure CMDB", type="client", active="true", client_id=f"id-{instance.name}-exposure", user=user,
            client_secret="by-hand-secret-1", access_token_lifespan="900", default_grant_type="client_credentials",
            scope_restriction_status="unrestricted",
        )  # fmt: skip
        allowed = {"type": "boolean", "value": "true"}
        instance.add("sys_properties", name="glide.oauth.inbound.client.credential.grant_type.enabled", **allowed)


def connect_with_little(instance: Instance) -> None:
    """Make what an old release left: columns that did not exist then are empty."""
    instance.add(
        "oauth_entity", name="Cloud App Security", type="client", active="true", client_id=f"old-{instance.name}"
    )
    user = instance.add("sys_user", user_name="svc_mcas", active="true")
    for role in ("itil", "x_reader", "y_reader"):
        known = instance.rows("sys_user_role", name=role)
        role_id = known[0]["sys_id"] if known else instance.add("sys_user_role", name=role)
        instance.add("sys_user_has_role", user=user, role=role_id, inherited="false")
