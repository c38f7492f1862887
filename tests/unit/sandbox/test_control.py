# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API and its client, `SandboxProcess`."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import requests

from tests.sandbox.process import SandboxError, SandboxProcess
from tests.unit.sandbox.client import RestClient

Make = Callable[..., RestClient]


def test_an_unknown_knob_is_refused_with_the_known_ones(make: Make) -> None:
    with pytest.raises(SandboxError, match="unknown knob nonsense; known: .*secret_mode"):
        make(nonsense=1)
    with pytest.raises(SandboxError, match="unknown batch knob odd; known: .*unserviced"):
        make(batch={"odd": 1})


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("release", "oslo", "must be one of"),
        ("lockout_after", "five", "must be of type int"),
        ("token_reuse", 1, "must be of type bool"),
        ("acl", [], "must be an object"),
    ],
)
def test_a_wrong_value_of_a_knob_is_refused(make: Make, name: str, value: object, complaint: str) -> None:
    with pytest.raises(SandboxError, match=complaint):
        make(**{name: value})


def test_a_new_instance_resets_an_old_one_of_the_same_name(instance: RestClient) -> None:
    instance.insert("oauth_entity", {"name": "A"})
    instance.sandbox.new_instance(instance.name)
    assert instance.rows("oauth_entity", "name=A") == []
    assert instance.sandbox.requests(instance.name)["total"] == 1


def test_instances_share_nothing(make: Make) -> None:
    one, other = make(), make()
    one.insert("sys_user", {"user_name": "only-here"})
    assert other.rows("sys_user", "user_name=only-here") == []
    assert one.access.password != other.access.password


def test_the_release_of_a_running_instance_stays(instance: RestClient) -> None:
    with pytest.raises(SandboxError, match="cannot change"):
        instance.sandbox.turn(instance.name, release="xanadu")


def test_knobs_that_are_rows_can_be_turned_while_it_runs(instance: RestClient) -> None:
    instance.sandbox.turn(instance.name, cc_property="true", basic_auth_enforced=True)
    name = "name=glide.oauth.inbound.client.credential.grant_type.enabled"
    assert instance.row("sys_properties", name)["value"] == "true"
    assert instance.as_user("admin", instance.access.admin_password).table("sys_user").status_code == 401
    instance.sandbox.turn(instance.name, cc_property="absent", properties={"glide.ui.session_timeout": None})
    assert instance.rows("sys_properties", name) == []
    assert instance.rows("sys_properties", "name=glide.ui.session_timeout") == []


def test_users_are_created_and_changed_by_knob(make: Make) -> None:
    users = {"svc": {"password": "Right-1", "roles": ["itil"]}, "guest": {"active": False}}
    instance = make(users=users)
    assert instance.as_user("svc", "Right-1").table("incident").status_code == 200
    assert instance.row("sys_user", "user_name=guest")["active"] == "false"


def test_requests_are_counted_by_method_and_route_without_identifiers(instance: RestClient) -> None:
    user = instance.row("sys_user", "user_name=admin")["sys_id"]
    instance.sandbox.reset_requests(instance.name)
    instance.table("sys_user", user)
    instance.table("sys_user", "f" * 32)
    instance.token(grant_type="password", password="pl4in-text")
    counts = instance.sandbox.requests(instance.name)
    assert counts["total"] == 3
    assert counts["routes"] == {"GET /api/now/table/sys_user/{sys_id}": 2, "POST /oauth_token.do": 1}
    assert "pl4in-text" not in json.dumps(instance.sandbox.requests())


def test_tampering_updates_inserts_and_deletes(instance: RestClient) -> None:
    sandbox, name = instance.sandbox, instance.name
    (sys_id,) = sandbox.tamper(name, "oauth_entity", {"name": "A", "user": "itil_agent"}, insert=True)
    agent = instance.row("sys_user", "user_name=itil_agent")["sys_id"]
    assert instance.row("oauth_entity", "name=A")["user"]["value"] == agent
    assert sandbox.tamper(name, "oauth_entity", {"access_token_lifespan": 60}, match={"name": "A"}) == [sys_id]
    row = instance.row("oauth_entity", "name=A")
    assert (row["access_token_lifespan"], row["sys_mod_count"], row["sys_updated_by"]) == ("60", "1", "system")
    sandbox.tamper(name, "oauth_entity", {"sys_updated_by": "somebody"}, query="nameSTARTSWITHA^name=A")
    assert instance.row("oauth_entity", "name=A")["sys_updated_by"] == "somebody"
    sandbox.tamper(name, "oauth_entity", match={"name": "A"}, delete=True)
    assert instance.rows("oauth_entity", "name=A") == []


def test_tampering_with_grants_keeps_inheritance_right(instance: RestClient) -> None:
    match = {"user.user_name": "itil_agent", "role.name": "itil"}
    instance.sandbox.tamper(instance.name, "sys_user_has_role", match=match, delete=True)
    assert instance.rows("sys_user_has_role", "user.user_name=itil_agent") == []


@pytest.mark.parametrize(
    ("table", "values", "match"),
    [
        ("no_such", {}, {}),
        ("sys_user", {"bogus": "x"}, {"user_name": "admin"}),
        ("sys_user", {"title": "x"}, {"user_name": "nobody"}),
        ("sys_user", {"title": "x"}, {"bogus": "x"}),
        ("oauth_entity", {"user": "nobody"}, {"name": "Mail Relay"}),
    ],
)
def test_invalid_tampering_is_refused(
    instance: RestClient, table: str, values: dict[str, str], match: dict[str, str]
) -> None:
    with pytest.raises(SandboxError, match="400"):
        instance.sandbox.tamper(instance.name, table, values, match=match)


def test_the_state_shows_tables_as_stored(instance: RestClient) -> None:
    rows = instance.sandbox.state(instance.name, "sys_user")
    admin = next(row for row in rows if row["user_name"] == "admin")
    assert admin["user_password"].startswith("$SHA256$")
    assert "title" not in admin
    everything = requests.get(f"{instance.sandbox.base_url}/_sandbox/state/{instance.name}", timeout=10).json()
    assert {"sys_user", "sys_properties"} <= set(everything["tables"])
    assert everything["knobs"]["release"] == "zurich"
    with pytest.raises(SandboxError, match="unknown table"):
        instance.sandbox.state(instance.name, "no_such")


def test_the_control_api_lists_its_routes_and_is_outside_every_instance(
    sandbox: SandboxProcess, instance: RestClient
) -> None:
    assert "PUT /_sandbox/instances/<name>" in requests.get(f"{sandbox.base_url}/_sandbox", timeout=10).json()
    assert instance.call("GET", "_sandbox/requests").status_code == 302
    assert requests.get(f"{sandbox.base_url}/no-such-instance/api", timeout=10).status_code == 404
    listed = requests.get(f"{sandbox.base_url}/_sandbox/instances", timeout=10).json()
    assert instance.name in listed["instances"]
    shown = requests.get(f"{sandbox.base_url}/_sandbox/instances/{instance.name}", timeout=10).json()
    assert (shown["url"], shown["knobs"]["secret_mode"]) == (instance.url, "ciphertext")


def test_an_instance_can_have_its_own_port(make: Make) -> None:
    instance = make(own_port=True)
    assert instance.url.count("/") == 2
    row = instance.row("sys_user", "user_name=employee", sysparm_fields="manager")
    assert row["manager"]["link"].startswith(f"{instance.url}/api/now/table/sys_user/")
    assert instance.sandbox.requests(instance.name)["total"] == 1
    instance.sandbox.turn(instance.name, own_port=False)
    with pytest.raises(requests.ConnectionError):
        instance.call("GET", "api/now/table/sys_user")


def test_faults_of_the_run_hit_every_instance_until_cleared(make: Make) -> None:
    instance = make()
    instance.sandbox.set_faults({"kind": "502", "path": "/stats.do"})
    try:
        assert instance.call("GET", "stats.do").status_code == 502
        assert instance.call("GET", "api/now/table/sys_user").status_code == 200
    finally:
        instance.sandbox.set_faults()
    assert instance.call("GET", "stats.do").status_code == 200
