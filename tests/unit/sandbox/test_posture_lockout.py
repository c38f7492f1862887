# SPDX-License-Identifier: GPL-3.0-or-later
"""Hardening that locks its own account out (docs/facts/servicenow_hardening.md#connection-impact)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.sandbox.client import RestClient

Make = Callable[..., RestClient]
PROPERTIES = "sys_properties"


def harden(instance: RestClient, name: str, value: str) -> None:
    row = instance.row(PROPERTIES, f"name={name}")
    assert instance.update(PROPERTIES, row["sys_id"], {"value": value})["value"] == value


def grant(instance: RestClient, **more: str) -> int:
    known = {"username": instance.access.username, "password": instance.access.password}
    return instance.token(grant_type="password", **known, **more).status_code


def test_without_the_password_grant_only_refresh_tokens_keep_working(instance: RestClient) -> None:
    client = instance.application()
    known = {"username": instance.access.username, "password": instance.access.password}
    refresh = instance.token(grant_type="password", **known, **client).json()["refresh_token"]
    harden(instance, "glide.oauth.inbound.ropc.grant_type.disabled", "true")
    assert grant(instance, **client) == 401
    assert instance.token(grant_type="refresh_token", refresh_token=refresh, **client).status_code == 200


def test_multi_factor_for_integrations_blocks_enrolled_users_only(instance: RestClient) -> None:
    client = instance.application()
    harden(instance, "glide.authenticate.multifactor.for_integrations", "true")
    assert grant(instance, **client) == 200
    match = {"user_name": instance.access.username}
    instance.sandbox.tamper(instance.name, "sys_user", {"enable_multifactor_authn": "true"}, match=match)
    assert grant(instance, **client) == 401
    assert instance.table("sys_user", sysparm_limit=1).status_code == 401


def test_users_with_a_forced_reset_have_no_api_access(instance: RestClient) -> None:
    match = {"user_name": instance.access.username}
    instance.sandbox.tamper(instance.name, "sys_user", {"password_needs_reset": "true"}, match=match)
    assert instance.table("sys_user", sysparm_limit=1).status_code == 200
    harden(instance, "glide.authenticate.api.user.reset_password.mandatory", "true")
    assert instance.table("sys_user", sysparm_limit=1).status_code == 401


def test_credentials_in_the_query_string_are_read_only_while_that_is_allowed(make: Make) -> None:
    instance = make(properties={"glide.oauth.allow.parameters.in.post.body.only": "false"})
    known = {"username": instance.access.username, "password": instance.access.password}
    params = {"grant_type": "password", **known, **instance.application()}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    ask = instance.anonymous().call
    assert ask("POST", "oauth_token.do", params=params, headers=headers).status_code == 200
    harden(instance, "glide.oauth.allow.parameters.in.post.body.only", "true")
    assert ask("POST", "oauth_token.do", params=params, headers=headers).status_code == 401


RULES = {
    "deny": {"type": "deny", "range_start": "0.0.0.0", "range_end": "255.255.255.255"},
    "deny elsewhere": {"type": "deny", "range_start": "198.51.100.0", "range_end": "198.51.100.255"},
    "deny off": {"type": "deny", "range_start": "127.0.0.1", "active": "false"},
    "allow": {"type": "allow", "range_start": "127.0.0.1"},
    "nonsense": {"type": "deny", "range_start": "here", "range_end": "there"},
}


@pytest.mark.parametrize(
    ("rules", "strict", "is_open"),
    [
        ([], "false", True),
        ([], "true", False),
        (["deny"], "false", False),
        (["deny elsewhere"], "false", True),
        (["deny elsewhere"], "true", False),
        (["deny off"], "false", True),
        (["nonsense"], "false", True),
        (["deny", "allow"], "false", True),
        (["allow"], "true", True),
    ],
)
def test_address_rules_decide_who_is_admitted(make: Make, rules: list[str], strict: str, is_open: bool) -> None:
    instance = make(properties={"glide.ip.authenticate.strict": strict})
    for rule in rules:
        instance.insert("ip_access", RULES[rule])
    # Without the plugin the rules are just rows.
    assert instance.table("sys_user", sysparm_limit=1).status_code == 200
    instance.sandbox.turn(instance.name, plugins={"com.snc.ipauthenticator": True})
    statuses = [
        instance.table("sys_user", sysparm_limit=1).status_code,
        instance.anonymous().call("GET", "stats.do").status_code,
    ]
    assert statuses == [200 if is_open else 403] * 2
    assert grant(instance, client_id="none") == (401 if is_open else 403)


def test_an_address_rule_can_match_another_caller(make: Make) -> None:
    instance = make(plugins={"com.snc.ipauthenticator": True})
    instance.insert("ip_access", RULES["deny elsewhere"])
    call = {"headers": {"X-Forwarded-For": "198.51.100.7"}}
    assert instance.call("GET", "api/now/table/sys_user", **call).status_code == 403
    assert instance.table("sys_user", sysparm_limit=1).status_code == 200
