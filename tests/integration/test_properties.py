# SPDX-License-Identifier: GPL-3.0-or-later
"""snow_properties: many system properties at once."""

from __future__ import annotations

from typing import Any

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import run_lifecycle
from tests.integration.playbooks import Playbooks, task

MODULE = "snow_properties"
TIMEOUT = "glide.session_timeout.integration_as_a_service"
ELEVATED = "glide.authenticate.basic_auth.restriction.enforce"


def statuses(result: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["status"] for entry in result["results"]}


def test_properties_are_created_and_changed(playbook: Playbooks, new_instance: NewInstance) -> None:
    desired = {"value": "two, three^four", "type": "string", "description": "Ours"}
    run, instance = run_lifecycle(
        playbook,
        new_instance,
        task(MODULE, "create", properties={"acme.flag": True, "acme.number": 12, "acme.text": desired}),
        task(MODULE, "change", properties={"acme.flag": False, TIMEOUT: 45, "acme.text": "two, three^four"}),
        task(MODULE, "empty", properties={"acme.text": ""}),
    )
    assert statuses(run["create: real"].result) == dict.fromkeys(("acme.flag", "acme.number", "acme.text"), "changed")
    assert statuses(run["create: again"].result) == dict.fromkeys(("acme.flag", "acme.number", "acme.text"), "ok")
    assert statuses(run["change: real"].result) == {"acme.flag": "changed", TIMEOUT: "changed", "acme.text": "ok"}
    assert {"object": f"property {TIMEOUT}", "field": "value", "before": "30", "after": "45"} in run["change: real"][
        "drift"
    ]
    flag = instance.row("sys_properties", name="acme.flag")
    assert (flag["value"], flag["type"]) == ("false", "boolean")
    assert instance.row("sys_properties", name="acme.number")["type"] == "integer"
    text = instance.row("sys_properties", name="acme.text")
    assert (text.get("value", ""), text["description"]) == ("", "Ours")
    assert instance.row("sys_properties", name=TIMEOUT)["value"] == "45"


def test_a_value_is_compared_by_its_type(playbook: Playbooks, instance: Instance) -> None:
    desired = {TIMEOUT: "30", "glide.rest.api.auth.scope.check.enable": "True"}
    run = playbook([task(MODULE, properties=desired)], instance).went_well()
    assert not run.last.changed


def test_a_property_that_needs_elevation_becomes_a_manual_step(playbook: Playbooks, instance: Instance) -> None:
    elevated = task(MODULE, properties={ELEVATED: True, "acme.flag": True})
    run = playbook([{**elevated, "name": "first"}, {**elevated, "name": "again"}], instance).went_well()
    assert statuses(run["first"].result) == {ELEVATED: "needs_elevation", "acme.flag": "changed"}
    assert run["first"].writes == {"POST /api/now/table/sys_properties": 1}
    (step,) = run["again"]["manual_steps"]
    assert step["id"] == f"property:{ELEVATED}"
    assert "security_admin" in step["where"]
    assert step["values"] == {"Name": ELEVATED, "Value": "true"}
    assert not run["again"].changed
    assert [entry["object"] for entry in run["again"]["drift"]] == [f"property {ELEVATED}"]


def test_what_may_not_be_created_is_missing(playbook: Playbooks, instance: Instance) -> None:
    run = playbook([task(MODULE, properties={"acme.flag": True}, create_missing=False)], instance).went_well()
    assert statuses(run.last.result) == {"acme.flag": "missing"}
    assert not run.last.changed
    assert run.last["drift"]
    assert not instance.rows("sys_properties", name="acme.flag")


def test_the_writes_of_one_run_are_limited(playbook: Playbooks, instance: Instance) -> None:
    desired = {f"acme.number.{number}": number for number in range(5)}
    limited = task(MODULE, properties=desired, max_writes=2)
    run = playbook(
        [
            {**limited, "name": "check", "check_mode": True},
            *({**limited, "name": f"run {count}"} for count in (1, 2, 3, 4)),
        ],
        instance,
    ).went_well()
    assert list(statuses(run["check"].result).values()) == ["changed", "changed", "refused", "refused", "refused"]
    written = [sum(run[f"run {count}"].writes.values()) for count in (1, 2, 3, 4)]
    assert written == [2, 2, 1, 0]
    (warning,) = run["run 1"]["warnings"]
    assert warning.endswith(f"{instance.name}: 3 properties still deviate after 2 writes (max_writes); run again")
    assert len(run["run 1"]["drift"]) == 5
    assert not run["run 4"].changed


def test_one_refused_property_does_not_stop_the_others(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(users={"prop_user": {"password": "prop-Pass-1", "roles": ["oauth_admin", "itil"]}})
    instance.change("sys_properties", {"name": TIMEOUT}, write_roles="oauth_admin")
    account = {**instance.connection, "snow_username": "prop_user", "snow_password": "prop-Pass-1"}
    both = {TIMEOUT: 45, "glide.sys.default.tz": "GMT"}
    run = playbook([task(MODULE, properties=both)], {instance.name: account}).went_well()
    assert statuses(run.last.result) == {TIMEOUT: "changed", "glide.sys.default.tz": "refused"}
    assert any("glide.sys.default.tz" in warning and "403" in warning for warning in run.last["warnings"])
    alone = playbook([task(MODULE, properties={"glide.sys.default.tz": "GMT"})], {instance.name: account}).last
    assert alone.failed
    assert not alone.changed
    assert "refused to change property glide.sys.default.tz" in alone.message


def test_an_encrypted_property_is_left_to_snow_record(playbook: Playbooks, instance: Instance) -> None:
    instance.add("sys_properties", name="acme.secret", type="password2", value="x")
    secret = {"acme.other": {"value": "hidden-value-1", "type": "password2"}}
    run = playbook(
        [
            task(MODULE, "there", properties={"acme.secret": "y"}),
            task(MODULE, "desired", properties=secret, more={"ignore_errors": True}),
        ],
        instance,
    ).went_well()
    assert statuses(run["there"].result) == {"acme.secret": "refused"}
    assert not run["there"].writes
    assert "use snow_record with write_only" in run["desired"].message
    assert "hidden-value-1" not in run.output + str(run["desired"].result)
