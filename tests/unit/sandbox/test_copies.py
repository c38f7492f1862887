# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances that are cloned over others, and instances that get another address."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from tests.sandbox.process import SandboxError
from tests.unit.sandbox.client import RestClient

Make = Callable[..., RestClient]


def token_of(client: RestClient, client_id: str, secret: str) -> int:
    form = {
        "grant_type": "password",
        "client_id": client_id,
        "client_secret": secret,
        "username": "svc",
        "password": "prod-Pass-1",
    }
    return requests.post(f"{client.access.url}/oauth_token.do", form, timeout=30).status_code


def prod_and_dev(make: Make) -> tuple[RestClient, RestClient, str]:
    prod, dev = make(), make()
    prod.sandbox.tamper(prod.name, "sys_user", {"user_name": "svc", "user_password": "prod-Pass-1"}, insert=True)
    dev.sandbox.tamper(dev.name, "sys_user", {"user_name": "only-dev", "user_password": "x"}, insert=True)
    prod.sandbox.tamper(prod.name, "oauth_entity", {"name": "App", "client_secret": "prod-secret-1"}, insert=True)
    (row,) = prod.rows("oauth_entity", "name=App")
    return prod, dev, row["client_id"]


def test_a_clone_has_the_users_secrets_and_client_ids_of_its_source(make: Make) -> None:
    prod, dev, client_id = prod_and_dev(make)
    prod.sandbox.clone(prod.name, dev.name)
    (row,) = dev.rows("oauth_entity", "name=App")
    assert row["client_id"] == client_id
    assert token_of(dev, client_id, "prod-secret-1") == 200
    assert dev.rows("sys_user", "user_name=only-dev") == []


def test_a_clone_keeps_its_name_and_its_credentials(make: Make) -> None:
    prod, dev, _client_id = prod_and_dev(make)
    prod.sandbox.clone(prod.name, dev.name)
    (row,) = dev.rows("sys_properties", "name=instance_name")
    assert row["value"] == dev.name
    dev.insert("sys_user", {"user_name": "after"})
    assert prod.rows("sys_user", "user_name=after") == [], "from now on they share nothing"


def test_a_clone_of_a_clone_still_decrypts(make: Make) -> None:
    prod, dev, client_id = prod_and_dev(make)
    third = make()
    prod.sandbox.clone(prod.name, dev.name)
    prod.sandbox.clone(dev.name, third.name)
    assert token_of(third, client_id, "prod-secret-1") == 200


def test_a_renamed_instance_answers_under_its_new_address_only(make: Make) -> None:
    prod, _dev, client_id = prod_and_dev(make)
    old = prod.access.url
    renamed = prod.sandbox.rename(prod.name, f"{prod.name}-renamed")
    assert renamed.url == f"{old}-renamed"
    assert renamed.password == prod.access.password
    assert requests.get(f"{old}/api/now/table/sys_user", timeout=30).status_code == 404
    there = RestClient(prod.sandbox, renamed)
    assert token_of(there, client_id, "prod-secret-1") == 200
    prod.sandbox.rename(renamed.name, prod.name)
    assert token_of(prod, client_id, "prod-secret-1") == 200


@pytest.mark.parametrize("action", ["clone", "rename"])
def test_what_is_not_there_cannot_be_copied_or_renamed(make: Make, action: str) -> None:
    client = make()
    with pytest.raises(SandboxError, match="needs"):
        getattr(client.sandbox, action)("nothing", client.name)


def test_rows_can_be_hidden_and_are_counted_all_the_same(make: Make) -> None:
    client = make(acl={"hidden_rows": {"oauth_entity": "name=App"}})
    for name in ("App", "Other"):
        client.insert("oauth_entity", {"name": name})
    answer = client.table("oauth_entity", sysparm_query="name=App")
    assert answer.json()["result"] == []
    assert answer.headers["X-Total-Count"] == "1"
    assert len(client.rows("oauth_entity", "name=Other")) == 1


def test_a_column_can_be_shorter_and_cuts_what_is_longer(make: Make) -> None:
    client = make(lengths={"oauth_entity.name": 10})
    client.insert("oauth_entity", {"name": "a" * 20})
    assert len(client.rows("oauth_entity", f"name={'a' * 10}")) == 1
    (row,) = client.rows("sys_dictionary", "name=oauth_entity^element=name")
    assert row["max_length"] == "10"


def test_booleans_can_be_null_in_the_rows_that_exist(make: Make) -> None:
    client = make(users={"svc": {}}, null_booleans=["sys_user.web_service_access_only"])
    (row,) = client.rows("sys_user", "user_name=svc")
    assert row["web_service_access_only"] == ""
    assert client.rows("sys_user", "user_name=svc^web_service_access_only=false") == []
    client.insert("sys_user", {"user_name": "new"})
    assert client.rows("sys_user", "user_name=new")[0]["web_service_access_only"] == "false"


def test_a_rule_that_denies_has_to_be_passed(make: Make) -> None:
    client = make(users={"reader": {"password": "p-1", "roles": ["itil"]}})
    reader = (client.access.url, ("reader", "p-1"))
    path = "/api/now/table/incident"
    assert requests.get(reader[0] + path, auth=reader[1], timeout=30).status_code == 200
    values = {"name": "incident", "operation": "read", "type": "record", "active": "true", "decision_type": "deny"}
    (rule,) = client.sandbox.tamper(client.name, "sys_security_acl", values, insert=True)
    client.sandbox.tamper(client.name, "incident", {"short_description": "One"}, insert=True)
    role = {"sys_security_acl": rule, "sys_user_role": "admin"}
    client.sandbox.tamper(client.name, "sys_security_acl_role", role, insert=True)
    assert requests.get(reader[0] + path, auth=reader[1], timeout=30).json()["result"] == []
    assert len(client.rows("incident", "short_description=One")) == 1, "an administrator passes it"
