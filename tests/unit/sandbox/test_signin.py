# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in to the APIs.

See docs/facts/servicenow_platform.md#sign-in-gates, docs/facts/servicenow_platform.md#users,
docs/facts/servicenow_hardening.md#connection-impact.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from tests.unit.sandbox.client import RestClient, error_of

Make = Callable[..., RestClient]
REFUSED = (401, "User Not Authenticated", "Required to provide Auth information")


def test_every_failed_sign_in_gets_the_same_answer(instance: RestClient) -> None:
    for client in (instance.anonymous(), instance.as_user("admin", "wrong"), instance.with_token("nonsense")):
        assert error_of(client.table("sys_user")) == REFUSED


def test_a_wrong_password_is_counted_locks_and_a_right_one_resets(instance: RestClient) -> None:
    client = instance.user("svc", "Right-1")
    wrong = instance.as_user("svc", "Wrong-1")
    for _ in range(4):
        wrong.table("sys_user")
    assert instance.row("sys_user", "user_name=svc")["failed_attempts"] == "4"
    assert client.table("sys_user").status_code == 200
    assert instance.row("sys_user", "user_name=svc")["failed_attempts"] == ""
    for _ in range(5):
        wrong.table("sys_user")
    assert instance.row("sys_user", "user_name=svc")["locked_out"] == "true"
    assert error_of(client.table("sys_user")) == REFUSED


def test_the_lock_out_knob_sets_the_number_of_attempts(make: Make) -> None:
    instance = make(lockout_after=2)
    instance.user("svc", "Right-1")
    for _ in range(2):
        instance.as_user("svc", "Wrong-1").table("sys_user")
    assert instance.row("sys_user", "user_name=svc")["locked_out"] == "true"


@pytest.mark.parametrize("state", [{"active": False}, {"locked_out": True}])
def test_an_inactive_or_locked_account_is_refused(make: Make, state: dict[str, bool]) -> None:
    instance = make(users={"svc": {"password": "Right-1", **state}})
    assert error_of(instance.as_user("svc", "Right-1").table("sys_user")) == REFUSED


def test_a_pending_reset_blocks_basic_only_with_the_property(make: Make) -> None:
    users = {"svc": {"password": "Right-1", "password_needs_reset": True}}
    assert make(users=users).as_user("svc", "Right-1").table("sys_user").status_code == 200
    strict = make(users=users, properties={"glide.authenticate.api.user.reset_password.mandatory": "true"})
    assert strict.as_user("svc", "Right-1").table("sys_user").status_code == 401


def test_enforced_basic_restriction_admits_service_accounts_only(make: Make) -> None:
    instance = make(basic_auth_enforced=True)
    access = instance.access
    assert error_of(instance.as_user("admin", access.admin_password).table("sys_user")) == REFUSED
    assert instance.table("sys_user").status_code == 200
    person = instance.user("person")
    assert person.table("sys_user").status_code == 401
    exempt = instance.user("exempt", roles=["snc_basic_auth_api_access"])
    assert exempt.table("sys_user").status_code == 200


@pytest.mark.parametrize("name", ["allowed_users", "allowed_roles"])
def test_allow_lists_open_the_basic_restriction(make: Make, name: str) -> None:
    instance = make(basic_auth_enforced=True)
    person = instance.user("person", roles=["itil"])
    value = "itil" if name == "allowed_roles" else instance.row("sys_user", "user_name=person")["sys_id"]
    prop = f"glide.authenticate.basic_auth.{name}"
    instance.sandbox.tamper(instance.name, "sys_properties", {"value": value}, match={"name": prop})
    assert person.table("sys_user").status_code == 200


def test_enrolled_users_need_a_second_factor_if_integrations_are_included(make: Make) -> None:
    instance = make(properties={"glide.authenticate.multifactor.for_integrations": "true"})
    assert instance.user("plain").table("sys_user").status_code == 200
    refused = instance.user("enrolled", enable_multifactor_authn=True).table("sys_user")
    assert (refused.status_code, refused.headers["X-MFA_TOKEN"]) == (401, "invalid")


def test_an_api_key_opens_the_api_in_header_or_query(make: Make) -> None:
    instance = make(api_keys={"key-1": "itil_agent"})
    for kwargs in ({"headers": {"x-sn-apikey": "key-1"}}, {"params": {"x-sn-apikey": "key-1"}}):
        answer = instance.anonymous().call("GET", "api/now/ui/user/current_user", **kwargs)
        assert answer.json()["result"]["user_name"] == "itil_agent"
    wrong = instance.anonymous().call("GET", "api/now/table/sys_user", headers={"x-sn-apikey": "key-2"})
    assert wrong.status_code == 401


def test_an_access_policy_turns_valid_credentials_into_401(make: Make) -> None:
    refused = make(allowed_auth=["oauth"]).table("sys_user")
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_session_cookie_signs_in_until_the_user_is_closed(instance: RestClient) -> None:
    instance.user("svc", "Right-1")
    with requests.Session() as session:
        session.trust_env = False
        url = f"{instance.url}/api/now/ui/user/current_user"
        assert session.get(url, auth=("svc", "Right-1")).status_code == 200
        assert session.get(url).json()["result"]["user_name"] == "svc"
        assert "Set-Cookie" not in session.get(url).headers
        # A wrong password is refused, with or without a cookie.
        assert session.get(url, auth=("svc", "wrong")).status_code == 401
        instance.sandbox.tamper(instance.name, "sys_user", {"active": False}, match={"user_name": "svc"})
        assert session.get(url).status_code == 401


def test_cookies_of_one_instance_are_invalid_on_another(make: Make) -> None:
    one, other = make(), make()
    with requests.Session() as session:
        session.trust_env = False
        session.get(f"{one.url}/api/now/table/sys_user", auth=one.auth)
        assert session.get(f"{other.url}/api/now/table/sys_user").status_code == 401


@pytest.mark.parametrize(("value", "status"), [("false", 200), ("true", 401)])
def test_a_cookie_may_outlive_its_token(make: Make, value: str, status: int) -> None:
    prop = "glide.authenticate.oauth.post.token.expiration.cookie_auth.disabled"
    instance = make(properties={prop: value})
    form = {"grant_type": "password", "username": instance.access.username, "password": instance.access.password}
    with requests.Session() as session:
        session.trust_env = False
        token = session.post(f"{instance.url}/oauth_token.do", data={**form, **instance.application()}).json()
        session.headers["Authorization"] = f"Bearer {token['access_token']}"
        instance.sandbox.turn(instance.name, time_shift=1800.0 - 30)
        assert session.get(f"{instance.url}/api/now/table/sys_user").status_code == 200
        session.post(f"{instance.url}/oauth_revoke_token.do", params={"token": token["access_token"]})
        assert session.get(f"{instance.url}/api/now/table/sys_user").status_code == status


def test_without_the_api_property_requests_run_as_guest(make: Make) -> None:
    instance = make(properties={"glide.basicauth.required.api": "false"})
    answer = instance.anonymous().call("GET", "api/now/ui/user/current_user")
    assert answer.json()["result"]["user_name"] == "guest"
    assert instance.as_user("admin", "wrong").table("sys_user").status_code == 401


def test_a_sign_in_is_recorded_on_the_user(instance: RestClient) -> None:
    instance.user("svc").table("sys_user")
    assert instance.row("sys_user", "user_name=svc")["last_login_time"] != ""
