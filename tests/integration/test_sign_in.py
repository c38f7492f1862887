# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in to an instance by every grant, and what is reported when it is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import comparable
from tests.integration.playbooks import SHELLS, Playbooks, Task, task

CLIENT = {"snow_client_id": "ansible-client", "snow_client_secret": "client-secret-1"}
JWT_CLIENT = {"snow_client_id": "jwt-client", "snow_client_secret": "client-secret-2"}


def with_clients(new_instance: NewInstance, **knobs: Any) -> Instance:
    """Return an instance on which every grant works."""
    instance = new_instance(cc_property="true", api_keys={"api-key-1": "svc_ansible"}, **knobs)
    client = {"client_id": CLIENT["snow_client_id"], "client_secret": CLIENT["snow_client_secret"]}
    instance.add("oauth_entity", name="Ansible", user="svc_ansible", **client)
    client = {"client_id": JWT_CLIENT["snow_client_id"], "client_secret": JWT_CLIENT["snow_client_secret"]}
    endpoint = instance.add("oauth_jwt", name="Ansible JWT", user_field="email", **client)
    instance.add("jwt_verifier_map", name="key", oauth_jwt=endpoint, shared_key="shared-key-1", kid="k1")
    return instance


def assertion(number: int) -> str:
    """Return a signed assertion for the ITIL agent."""
    claims = {"sub": "itil.agent@example.com", "aud": JWT_CLIENT["snow_client_id"], "jti": f"{number}-{time.time()}"}
    parts = ({"alg": "HS256", "typ": "JWT", "kid": "k1"}, {**claims, "exp": int(time.time()) + 300})
    signed = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    signature = hmac.new(b"shared-key-1", signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def look(name: str, **credentials: Any) -> Task:
    return task("snow_instance_info", name, **credentials, more={"ignore_errors": True})


@pytest.mark.parametrize("shell", SHELLS)
def test_every_grant_signs_in(playbook: Playbooks, new_instance: NewInstance, shell: str) -> None:
    instance = with_clients(new_instance)
    account = {"snow_username": instance.access.username, "snow_password": instance.access.password}
    issued = instance.ask_for_token(
        grant_type="password",
        client_id=CLIENT["snow_client_id"],
        client_secret=CLIENT["snow_client_secret"],
        username=instance.access.username,
        password=instance.access.password,
    )
    grants: dict[str, dict[str, Any]] = {
        "basic": account,
        "password": {**CLIENT, **account},
        "client_credentials": CLIENT,
        "refresh_token": {**CLIENT, "snow_refresh_token": issued["refresh_token"]},
        "jwt_bearer": {**JWT_CLIENT, "snow_jwt_assertion": assertion(1)},
        "token": {"snow_access_token": issued["access_token"]},
        "api_key": {"snow_api_key": "api-key-1"},
    }
    run = playbook(
        [look(name, **credentials) for name, credentials in grants.items()],
        {instance.name: {"snow_url": instance.access.url}},
        shell=shell,
    ).went_well()
    for name in grants:
        found = run[name]["instance"]
        assert found["grant_type"] == name, "the grant follows from what is given"
        assert found["caller"]["user_name"] == ("itil_agent" if name == "jwt_bearer" else "svc_ansible")
        tokens = 1 if name in ("password", "client_credentials", "refresh_token", "jwt_bearer") else 0
        assert run[name].requests.get("POST /oauth_token.do", 0) == tokens
        assert sum(run[name].requests.values()) == 1 + tokens


def test_a_named_grant_wins_over_the_derived_one(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = with_clients(new_instance)
    run = playbook([look("basic", **CLIENT, snow_grant_type="basic")], instance).went_well()
    assert run.last["instance"]["grant_type"] == "basic"
    assert "POST /oauth_token.do" not in run.last.requests


def test_a_token_that_ended_meanwhile_is_renewed_once(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = with_clients(new_instance, token_lifetimes={"access": 3})
    names = ["first", "second", "third"]
    loop = {"loop": names, "loop_control": {"pause": 3.1}, "register": "made"}
    create = task("snow_role", "create", name="{{ item }}", **CLIENT, more=loop)
    run = playbook([create], {instance.name: {"snow_url": instance.access.url}}).went_well()
    assert [item["changed"] for item in run.last["results"]] == [True, True, True]
    tokens = run.last.requests["POST /oauth_token.do"]
    assert 2 <= tokens < sum(run.last.requests.values()) - tokens, "on a slow machine it ends in the middle of an item"
    assert len(instance.rows("sys_user_role")) == len({row["name"] for row in instance.rows("sys_user_role")})


def test_one_token_serves_a_loop(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = with_clients(new_instance)
    loop = {"loop": ["first", "second", "third"]}
    create = task("snow_role", "create", name="{{ item }}", **CLIENT, more=loop)
    run = playbook([create], {instance.name: {"snow_url": instance.access.url}}).went_well()
    assert run.last.requests["POST /oauth_token.do"] == 1


@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_sign_in_names_causes_and_signs_in_once(
    playbook: Playbooks, new_instance: NewInstance, status: int
) -> None:
    instance = with_clients(new_instance, integration_user_status=status)
    instance.add("oauth_entity", name="No user", client_id="no-user", client_secret="client-secret-3")
    account = {"snow_username": "svc_ansible", "snow_password": "wrong-Pass-1"}
    wrong: dict[str, tuple[dict[str, Any], str]] = {
        "basic": (account, "wrong user name or password of svc_ansible"),
        "password": ({**CLIENT, **account}, "wrong user name or password"),
        "secret": ({**CLIENT, "snow_client_secret": "wrong-secret-1"}, "wrong client secret"),
        "client": ({**CLIENT, "snow_client_id": "nobody"}, "unknown client id"),
        "no user": (
            {"snow_client_id": "no-user", "snow_client_secret": "client-secret-3"},
            "the application has no OAuth application user",
        ),
        "refresh": ({**CLIENT, "snow_refresh_token": "gone-token-1"}, "the refresh token has expired or was revoked"),
        "assertion": ({**JWT_CLIENT, "snow_jwt_assertion": "a.b.c"}, "the assertion or code is wrong or expired"),
        "token": ({"snow_access_token": "gone-token-2"}, "The access token has expired, was revoked"),
        "api key": ({"snow_api_key": "wrong-key-1"}, "The API key is wrong, inactive or expired"),
    }
    run = playbook(
        [look(name, **credentials) for name, (credentials, _words) in wrong.items()],
        {instance.name: {"snow_url": instance.access.url}},
    )
    for name, (_credentials, words) in wrong.items():
        assert run[name].failed
        assert words in run[name].message, name
        assert instance.name in run[name].message
        assert "401" in run[name].message or "400" in run[name].message
        assert "Traceback" not in run[name].message
        assert sum(run[name].requests.values()) == 1, f"{name}: refused credentials are not tried again"
    assert int(instance.row("sys_user", user_name="svc_ansible").get("failed_attempts", "0")) == 2


def test_basic_sign_in_that_the_instance_restricts_looks_like_a_wrong_password(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = with_clients(new_instance, basic_auth_enforced=True)
    admin = {"snow_username": instance.access.admin_username, "snow_password": instance.access.admin_password}
    run = playbook(
        [look("interactive", **admin), look("by token", **CLIENT, **admin), look("web service only")],
        instance,
    )
    assert "restricts Basic authentication to web-service-only users" in run["interactive"].message
    assert "Use an OAuth grant" in run["interactive"].message
    assert not run["by token"].failed
    assert not run["web service only"].failed


def test_an_access_policy_that_refuses_tokens_is_named(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = with_clients(new_instance, allowed_auth=["basic"])
    run = playbook([look("token", **CLIENT)], {instance.name: {"snow_url": instance.access.url}})
    assert "an access policy of the instance may demand another way to sign in" in run.last.message
    assert run.last.requests["POST /oauth_token.do"] == 2, "a fresh token is tried once"


def test_a_restricted_application_is_distinguished_from_a_missing_role(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = with_clients(new_instance)
    instance.change("oauth_entity", {"name": "Ansible"}, scope_restriction_status="restricted")
    run = playbook([look("token", **CLIENT)], {instance.name: {"snow_url": instance.access.url}})
    assert "Access to unscoped api is not allowed" in run.last.message
    assert "set its scope restriction to broadly scoped" in run.last.message


def test_missing_and_contradicting_options_send_nothing(playbook: Playbooks, instance: Instance) -> None:
    url = {"snow_url": instance.access.url}
    wrong: dict[str, tuple[dict[str, Any], str]] = {
        "nothing": (url, "no way to sign in to"),
        "no password": ({**url, "snow_username": "svc_ansible"}, "snow_username alone is not enough"),
        "no client": ({**url, "snow_grant_type": "client_credentials"}, "needs snow_client_id, snow_client_secret"),
        "no address": ({"snow_username": "a", "snow_password": "b"}, "snow_url is required"),
        "no scheme": ({"snow_url": "acme-prod.service-now.com"}, "must be an absolute URL that starts with https://"),
        "plain http": ({"snow_url": "http://192.0.2.1"}, "credentials are sent over https only"),
        "user info": (
            {"snow_url": "https://me:{{ hidden }}@acme-prod.service-now.com"},
            "must not contain credentials",
        ),
        "no grant": ({**url, "snow_grant_type": "magic"}, "value of snow_grant_type must be one of"),
    }
    messages = {}
    for shell in SHELLS:
        run = playbook(
            [look(name, **options) for name, (options, _words) in wrong.items()],
            {instance.name: {"hidden": "hidden-1"}},
            shell=shell,
        )
        for name, (_options, words) in wrong.items():
            assert run[name].failed
            assert words in run[name].message, name
            assert not run[name].requests
        messages[shell] = [comparable(done.message, instance) for done in run.done]
        assert "hidden-1" not in run.output
    assert messages[SHELLS[0]] == messages[SHELLS[1]]
