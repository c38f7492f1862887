# SPDX-License-Identifier: GPL-3.0-or-later
"""How many requests a run costs: one batch for a whole instance, however many objects are desired."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks, task

BATCH = "POST /api/now/v1/batch"
TOKEN = "POST /oauth_token.do"
WHOLE: dict[str, Any] = {
    "roles": [{"name": "defender_reader", "contains": ["cmdb_read"]}],
    "users": [{"user_name": "svc_defender", "roles": ["defender_reader"]}],
    "oauth_applications": [{"name": "Defender", "access_token_lifespan": 3600, "oauth_user": "svc_defender"}],
    "table_acls": [{"role": "defender_reader", "tables": ["incident", "sys_user"]}],
    "properties": {"acme.flag": True, "acme.number": 5},
    "plugins": [{"id": "com.glide.rest"}],
    "records": [{"table": "sys_user_group", "match": {"name": "Cloud Security"}, "values": {"description": "Ours"}}],
}


def test_an_instance_that_is_in_sync_costs_one_batch(playbook: Playbooks, instance: Instance) -> None:
    create, again = task("snow_instance", "create", **WHOLE), task("snow_instance", "again", **WHOLE)
    run = playbook([create, again, {**again, "name": "check", "check_mode": True}], instance).went_well()
    for name in ("again", "check"):
        assert run[name].requests == {BATCH: 1}
        assert run[name]["api_calls"] == {"read": 1, "write": 0}


def test_a_token_costs_one_more(playbook: Playbooks, instance: Instance) -> None:
    client = {"snow_client_id": "ansible-client", "snow_client_secret": "client-secret-1"}
    instance.add("oauth_entity", name="Ansible", client_id="ansible-client", client_secret="client-secret-1")
    again = task("snow_instance", "again", **WHOLE, **client)
    run = playbook([task("snow_instance", "create", **WHOLE), again], instance).went_well()
    assert run["again"].requests == {BATCH: 1, TOKEN: 1}


def test_each_secret_costs_at_most_two_more(playbook: Playbooks, instance: Instance) -> None:
    password: dict[str, Any] = {"users": [{"user_name": "svc_a", "password": "first-Pass-1"}]}
    secret: dict[str, Any] = {"oauth_applications": [{"name": "A", "client_secret": "first-secret-1"}]}
    both = {**password, **secret}
    desired = {"password": password, "secret": secret, "both": both}
    run = playbook(
        [
            task("snow_instance", "create", **both),
            *(task("snow_instance", name, **what) for name, what in desired.items()),
        ],
        instance,
    ).went_well()
    # A single read needs no batch.
    assert sum(run["password"].requests.values()) == 2
    assert sum(run["secret"].requests.values()) == 3
    assert sum(run["both"].requests.values()) == 4


@pytest.mark.parametrize("count", [3, 300])
def test_the_number_of_desired_objects_does_not_matter(
    playbook: Playbooks, new_instance: NewInstance, count: int
) -> None:
    instance = new_instance(
        properties={f"acme.number.{number}": str(number) for number in range(count)},
        users={
            f"svc_{number}": {"last_name": "", "web_service_access_only": "true", "roles": ["rest_service"]}
            for number in range(count)
        },
    )
    users = [{"user_name": f"svc_{number}", "roles": ["rest_service"]} for number in range(count)]
    properties = {f"acme.number.{number}": number for number in range(count)}
    run = playbook([task("snow_instance", "whole", users=users, properties=properties)], instance).went_well()
    assert not run.last.changed
    assert run.last.requests == {BATCH: 1}
    assert len(run.last["results"]) == 2 * count


def test_changes_cost_one_request_each_and_one_more_read(playbook: Playbooks, instance: Instance) -> None:
    names = [f"acme.number.{number}" for number in range(20)]
    run = playbook([task("snow_properties", properties=dict.fromkeys(names, 1))], instance).went_well()
    assert run.last.writes == {"POST /api/now/table/sys_properties": 20}
    assert run.last["api_calls"]["read"] <= 6
