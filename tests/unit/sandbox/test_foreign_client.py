# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's own Python client against the sandbox.

PySNC is independent of this collection: what works here also works on an instance in the field. It requires https
and builds the URLs inside a batch from the host's root, so the instance gets its own port.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.process import InstanceAccess, SandboxProcess

pysnc: Any = pytest.importorskip("pysnc")


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    directory: Path = tmp_path_factory.mktemp("sandbox")
    with SandboxProcess("--instances", "0", "--tls", "--inventory", str(directory / "inventory.yml")) as sandbox:
        yield sandbox


@pytest.fixture
def access(secure: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[InstanceAccess]:
    made = secure.new_instance(own_port=True, requires_input_display=False, cc_property="true")
    # The token calls of some of its flows accept no CA.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", made.ca_path)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield made
    secure.remove(made.name)


@pytest.fixture
def client(access: InstanceAccess) -> Any:
    return pysnc.ServiceNowClient(access.url, (access.username, access.password), verify=access.ca_path)


def test_query_and_dot_walk(client: Any) -> None:
    record = client.GlideRecord("sys_user")
    record.fields = ["user_name", "manager", "manager.user_name", "active"]
    record.add_query("user_name", "employee")
    record.query()
    assert record.get_row_count() == 1
    assert record.next()
    assert record.get_value("manager.user_name") == "service_owner"
    assert record.get_display_value("manager") == "Service Owner"


def test_conditions_and_related_lists(client: Any) -> None:
    record = client.GlideRecord("sys_user")
    condition = record.add_query("user_name", "admin")
    condition.add_or_condition("user_name", "guest")
    record.query()
    assert sorted(row.get_value("user_name") for row in record) == ["admin", "guest"]
    holders = client.GlideRecord("sys_user")
    related = holders.add_rl_query("sys_user_has_role", "user", ">=1")
    related.add_query("role.name", "itil")
    holders.query()
    assert sorted(row.get_value("user_name") for row in holders) == ["group_member", "itil_agent", "service_owner"]


def test_paging_visits_every_row_once(client: Any) -> None:
    record = client.GlideRecord("sys_user_role", batch_size=7)
    record.query()
    seen = [row.get_value("sys_id") for row in record]
    assert len(seen) == len(set(seen)) == record.get_row_count() > 30


def test_get_insert_update_delete(client: Any) -> None:
    record = client.GlideRecord("incident")
    record.initialize()
    record.short_description = "Written by a foreign client"
    record.impact = "1"
    sys_id = str(record.insert())
    assert len(sys_id) == 32
    again = client.GlideRecord("incident")
    assert again.get(sys_id)
    assert again.get_value("number") == "INC0010004"
    again.short_description = "Changed by a foreign client"
    assert again.update()
    assert again.get_value("sys_mod_count") == "1"
    assert again.delete()
    assert not client.GlideRecord("incident").get(sys_id)


def test_a_long_query_and_many_writes_go_through_the_batch_api(
    secure: SandboxProcess, access: InstanceAccess, client: Any
) -> None:
    record = client.GlideRecord("incident")
    record.add_query("number", "IN", ",".join(["INC0010001", *(f"INC{number:07d}" for number in range(1500))]))
    record.query()
    assert record.get_row_count() == 1
    many = client.GlideRecord("incident")
    many.query()
    for row in many:
        row.description = "touched"
    assert many.update_multiple()
    none = client.GlideRecord("incident")
    none.add_query("active", "true")
    none.query()
    assert none.delete_multiple()
    counts = secure.requests(access.name)
    assert counts["routes"]["POST /api/now/v1/batch"] == 3
    assert counts["inner"]["PATCH /api/now/table/incident/{sys_id}"] == 3
    assert len(secure.state(access.name, "incident")) == 1


def test_errors_arrive_as_the_clients_own_exceptions(
    secure: SandboxProcess, access: InstanceAccess, client: Any
) -> None:
    with pytest.raises(pysnc.exceptions.RequestException, match="Invalid table no_such"):
        client.GlideRecord("no_such").query()
    wrong = pysnc.ServiceNowClient(access.url, (access.username, "wrong"), verify=access.ca_path)
    with pytest.raises(pysnc.exceptions.AuthenticationException):
        wrong.GlideRecord("sys_user").query()
    rule = client.GlideRecord("sys_security_acl")
    rule.initialize()
    rule.name = "incident"
    with pytest.raises(pysnc.exceptions.RoleException, match="ACL Exception Insert Failed"):
        rule.insert()
    secure.turn(access.name, faults=[{"kind": "transaction-cancelled"}])
    with pytest.raises(pysnc.exceptions.RequestException, match="Maximum execution time exceeded"):
        client.GlideRecord("sys_user").query()


def test_it_retries_what_a_throttled_instance_refuses(
    secure: SandboxProcess, access: InstanceAccess, client: Any
) -> None:
    secure.turn(access.name, faults=[{"kind": "429", "count": 1, "seconds": 0}, {"kind": "503", "count": 1}])
    record = client.GlideRecord("sys_user")
    record.query()
    assert record.get_row_count() > 5


def application(client: Any, **columns: str) -> tuple[str, str]:
    record = client.GlideRecord("oauth_entity")
    record.initialize()
    record.name = "Foreign"
    record.client_secret = "f0reign"
    for name, value in columns.items():
        record.set_value(name, value)
    record.insert()
    return record.get_value("client_id"), "f0reign"


def test_password_grant(access: InstanceAccess, client: Any) -> None:
    pytest.importorskip("requests_oauthlib")
    flow = pysnc.ServiceNowPasswordGrantFlow(access.username, access.password, *application(client))
    signed_in = pysnc.ServiceNowClient(access.url, flow, verify=access.ca_path)
    record = signed_in.GlideRecord("sys_user")
    assert record.get("user_name", "guest")


def test_client_credentials_and_assertion_header(access: InstanceAccess, client: Any) -> None:
    user = client.GlideRecord("sys_user")
    user.get("user_name", "oauth_manager")
    flow = pysnc.auth.ServiceNowClientCredentialsFlow(*application(client, user=user.get_value("sys_id")))
    signed_in = pysnc.ServiceNowClient(access.url, flow, verify=access.ca_path)
    assert signed_in.GlideRecord("oauth_entity").get("name", "Foreign")


def test_client_certificate(access: InstanceAccess) -> None:
    client = pysnc.ServiceNowClient(access.url, cert=(access.client_cert, access.client_key), verify=access.ca_path)
    assert client.GlideRecord("sys_user").get("user_name", "guest")


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_signs_in_gets_a_token_and_uses_it(access: InstanceAccess, client: Any) -> None:
    def curl(*arguments: str) -> Any:
        command = ["curl", "--silent", "--noproxy", "*", "--cacert", access.ca_path, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        return json.loads(done.stdout)

    users = f"{access.url}/api/now/table/sys_user?sysparm_query=user_name=guest&sysparm_fields=user_name"
    assert curl("--user", f"{access.username}:{access.password}", users) == {"result": [{"user_name": "guest"}]}
    client_id, secret = application(client)
    form = {"grant_type": "password", "client_id": client_id, "client_secret": secret}
    form.update(username=access.username, password=access.password)
    fields = [word for name, value in form.items() for word in ("--data-urlencode", f"{name}={value}")]
    token = curl(*fields, f"{access.url}/oauth_token.do")["access_token"]
    assert curl("--header", f"Authorization: Bearer {token}", users) == {"result": [{"user_name": "guest"}]}
