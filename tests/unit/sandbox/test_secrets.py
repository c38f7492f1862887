# SPDX-License-Identifier: GPL-3.0-or-later
"""Encrypted columns (docs/facts/servicenow_platform.md#encrypted-columns, docs/facts/servicenow_platform.md#users)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.sandbox.client import RestClient

Make = Callable[..., RestClient]
DISPLAY = {"sysparm_input_display_value": "true"}


def secret_works(instance: RestClient, client_id: str, secret: str) -> bool:
    """Send a refresh token that does not exist: only wrong client credentials are an invalid client."""
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": client_id, "client_secret": secret}
    return bool(instance.token(**form).json()["error"] != "invalid_client")


@pytest.mark.parametrize("mode", ["ciphertext", "masked", "empty"])
@pytest.mark.parametrize("params", [{}, DISPLAY], ids=["raw", "display"])
def test_no_answer_ever_shows_a_client_secret(make: Make, mode: str, params: dict[str, str]) -> None:
    instance = make(secret_mode=mode)
    answer = instance.table("oauth_entity", method="POST", body={"name": "A", "client_secret": "pl4in-text"}, **params)
    for display in ("false", "true", "all"):
        shown = instance.table("oauth_entity", sysparm_query="name=A", sysparm_display_value=display)
        assert "pl4in-text" not in answer.text + shown.text
    value = answer.json()["result"]["client_secret"]
    assert {"ciphertext": len(value) > 10, "masked": value == "********", "empty": value == ""}[mode]


def test_a_raw_secret_is_unusable_and_one_written_as_display_value_works(instance: RestClient) -> None:
    row = instance.insert("oauth_entity", {"name": "A", "client_secret": "one"})
    assert not secret_works(instance, row["client_id"], "one")
    instance.update("oauth_entity", row["sys_id"], {"client_secret": "two"}, **DISPLAY)
    assert secret_works(instance, row["client_id"], "two")
    assert not secret_works(instance, row["client_id"], "one")


def test_an_instance_can_accept_raw_secrets(make: Make) -> None:
    instance = make(requires_input_display=False)
    row = instance.insert("oauth_entity", {"name": "A", "client_secret": "one"})
    assert secret_works(instance, row["client_id"], "one")


@pytest.mark.parametrize("automatic", [True, False])
def test_a_blank_secret_is_generated_if_the_platform_does_so(make: Make, automatic: bool) -> None:
    instance = make(auto_generate=automatic)
    instance.insert("oauth_entity", {"name": "A"})
    (row,) = [each for each in instance.sandbox.state(instance.name, "oauth_entity") if each["name"] == "A"]
    assert ("client_secret" in row) is automatic


def test_a_caller_may_choose_the_client_id(instance: RestClient) -> None:
    assert instance.insert("oauth_entity", {"name": "A", "client_id": "mine"})["client_id"] == "mine"


def test_a_raw_password_is_stored_unhashed_and_unusable(instance: RestClient) -> None:
    user = instance.insert("sys_user", {"user_name": "svc", "user_password": "Right-1"})
    assert instance.as_user("svc", "Right-1").table("sys_user").status_code == 401
    instance.update("sys_user", user["sys_id"], {"user_password": "Right-2"}, **DISPLAY)
    assert instance.as_user("svc", "Right-2").table("sys_user").status_code == 200
    assert "Right-2" not in instance.table("sys_user", user["sys_id"]).text


def test_an_instance_can_refuse_passwords_through_rest(make: Make) -> None:
    instance = make(password_by_rest=False)
    instance.insert("sys_user", {"user_name": "svc", "user_password": "Right-1"}, **DISPLAY)
    assert instance.as_user("svc", "Right-1").table("sys_user").status_code == 401


def test_tampering_stores_a_secret_usable_or_raw(instance: RestClient) -> None:
    client_id = instance.application("A", "planted")["client_id"]
    assert secret_works(instance, client_id, "planted")
    instance.sandbox.tamper(instance.name, "oauth_entity", {"client_secret": "x"}, match={"name": "A"}, raw=True)
    assert not secret_works(instance, client_id, "x")
