# SPDX-License-Identifier: GPL-3.0-or-later
"""A network and instances that misbehave: temporary faults are waited for, others are reported, nothing is duplicated."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import comparable_rows
from tests.integration.playbooks import Playbooks, task

WHOLE: dict[str, Any] = {
    "roles": [{"name": "defender_all", "contains": ["defender_reader"]}, {"name": "defender_reader"}],
    "users": [{"user_name": "svc_defender", "password": "first-Pass-1", "roles": ["defender_all"]}],
    "oauth_applications": [{"name": "Defender", "client_secret": "secret-one-1", "oauth_user": "svc_defender"}],
    "properties": {"acme.flag": True},
    "records": [{"table": "sys_user_group", "match": {"name": "Cloud Security"}, "values": {"description": "Ours"}}],
}
CREATED = (
    "sys_user_role",
    "sys_user_role_contains",
    "sys_user",
    "sys_user_has_role",
    "oauth_entity",
    "sys_properties",
    "sys_user_group",
)
PATCHED = ("sys_user", "oauth_entity")
LOST = ("500-after-commit", "reset-after-commit", "truncated-early", "500", "reset", "429")


# A secret that is written twice is encrypted again, which counts as a change.
COUNTED = frozenset({"sys_mod_count"})


def fault(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "seconds": 0, **more}


def route(method: str, table: str) -> str:
    return f"{method} /api/now/table/{table}{'/{sys_id}' if method == 'PATCH' else ''}"


def test_a_lost_answer_to_each_write_duplicates_nothing(playbook: Playbooks, new_instance: NewInstance) -> None:
    undisturbed = new_instance()
    written = [*(("POST", table) for table in CREATED), *(("PATCH", table) for table in PATCHED)]
    paths = [(method, f"/api/now/table/{table}{'/*' if method == 'PATCH' else ''}") for method, table in written]
    disturbed = {
        kind: new_instance(faults=[fault(kind, method=method, path=path, count=1) for method, path in paths])
        for kind in LOST
    }
    create, again = (task("snow_instance", name, **WHOLE) for name in ("create", "again"))
    hosts = [undisturbed, *disturbed.values()]
    run = playbook([create, again], hosts, "-f", "4", retries=3).went_well()
    wanted = comparable_rows(undisturbed, COUNTED)
    for kind, instance in disturbed.items():
        assert comparable_rows(instance, COUNTED) == wanted, kind
        assert {route(*each) for each in written} <= set(instance.requests()), "every fault has occurred"
        assert not run.on(instance.name, "again").changed, kind
        assert run.on(instance.name, "create")["results"], kind


def test_a_deletion_whose_answer_got_lost_is_a_deletion(playbook: Playbooks, new_instance: NewInstance) -> None:
    kinds = ("500-after-commit", "reset-after-commit", "500", "reset")
    instances = [new_instance(faults=[fault(kind, method="DELETE", count=1)]) for kind in kinds]
    for instance in instances:
        instance.add("sys_user_role", name="reader")
    run = playbook([task("snow_role", name="reader", state="absent")], instances, retries=2).went_well()
    for instance in instances:
        assert run.on(instance.name, "snow_role").changed
        assert not instance.rows("sys_user_role", name="reader")


PASSING = (
    "429", "429-bare", "500", "502", "503", "truncated", "truncated-early", "transaction-cancelled", "reset",
)  # fmt: skip


def test_what_passes_is_waited_for_with_a_warning(playbook: Playbooks, new_instance: NewInstance) -> None:
    instances = {kind: new_instance(faults=[fault(kind, count=1)]) for kind in PASSING}
    inner = {kind: new_instance(faults=[fault(kind, count=1, inner=True)]) for kind in ("429", "500", "truncated")}
    look = task("snow_instance_info")
    run = playbook([look], [*instances.values(), *inner.values()], retries=2).went_well()
    for kind, instance in instances.items():
        found = run.on(instance.name, "snow_instance_info")
        assert found["instance"]["caller"]["user_name"] == "svc_ansible", kind
        (warning,) = found["warnings"]
        assert "attempt 1 of 3 failed, next one in" in warning
        assert instance.name in warning
    for kind, instance in inner.items():
        found = run.on(instance.name, "snow_instance_info")
        assert found["instance"]["caller"]["user_name"] == "svc_ansible", kind
        assert sum(found.requests.values()) == 2, "only what the batch left open is requested again"


LASTING = {
    "429": ("Rate limit exceeded", "run again later or with fewer forks"),
    "500": ("500", "Internal Server Error"),
    "502": ("502",),
    "503": ("503",),
    "truncated": ("the response was truncated after",),
    "truncated-early": ("dropped before the response was complete",),
    "transaction-cancelled": ("maximum execution time exceeded",),
    "reset": ("dropped before the response was complete",),
    "hibernating": ("the developer instance is hibernating", "Wake it at developer.servicenow.com"),
    "wake-redirect": ("the developer instance is hibernating", "Wake it at developer.servicenow.com"),
    "login-page": ("an interactive sign-in page", "API paths are not redirected to it"),
    "login-redirect": ("redirected to", "not followed"),
    "slow": ("timed out after 0.2 s. Increase timeout",),
}


def test_what_does_not_pass_is_reported_in_plain_words(playbook: Playbooks, new_instance: NewInstance) -> None:
    instances = {kind: new_instance(faults=[fault(kind)]) for kind in LASTING if kind != "slow"}
    instances["slow"] = new_instance(faults=[{"kind": "slow", "seconds": 1}])
    create = task("snow_role", name="reader", timeout=0.2)
    run = playbook([create], list(instances.values()), retries=1)
    for kind, instance in instances.items():
        failed = run.on(instance.name, "snow_role")
        assert failed.failed, kind
        for words in (*LASTING[kind], instance.name):
            assert words in failed.message, (kind, failed.message)
        assert "Traceback" not in failed.message
        assert not failed["changed"]
        assert sum(failed.requests.values()) <= 4, kind


def test_waiting_ends_at_the_deadline(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(faults=[{"kind": "429", "seconds": 600}])
    run = playbook([task("snow_instance_info", retries=5, retry_deadline=30)], instance)
    assert run.last.failed
    assert "Rate limit of 1000 requests per hour" in run.last.message
    assert sum(run.last.requests.values()) == 1, "Retry-After lies beyond the deadline, so waiting is no use"


@pytest.mark.parametrize(
    "batch",
    [{"disabled": True}, {"unserviced": 2}, {"unserviced": 0}, {"inner_errors": {"/api/now/table/sys_user": 503}}],
    ids=["refused", "unserviced", "nothing_serviced", "inner_errors"],
)
def test_without_the_batch_api_reads_go_out_alone(
    playbook: Playbooks, new_instance: NewInstance, batch: dict[str, Any]
) -> None:
    instance, plain = new_instance(batch=batch), new_instance()
    run = playbook(
        [task("snow_instance", "create", **WHOLE), task("snow_instance", "again", **WHOLE)], [instance, plain]
    )
    run.went_well()
    assert not run.on(instance.name, "again").changed
    assert run.on(instance.name, "again").requests.get("GET /api/now/table/sys_user", 0) >= 1
    assert comparable_rows(instance) == comparable_rows(plain)


def test_a_batch_that_is_too_large_for_the_instance_is_requested_again(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = new_instance(batch={"max_output": 2000})
    run = playbook([task("snow_instance_info")], instance).went_well()
    assert run.last["instance"]["release"]["family"] == "zurich"


def test_a_content_type_that_is_wrong_does_not_hide_good_data(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(faults=[fault("wrong-content-type")])
    assert playbook([task("snow_instance_info")], instance).went_well().last["instance"]["release"]["known"]


def test_an_instance_at_a_path_and_one_at_a_port_of_its_own_are_alike(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    by_port = new_instance(own_port=True)
    assert by_port.name not in by_port.access.url
    run = playbook([task("snow_role", "create", name="reader"), task("snow_role", "again", name="reader")], by_port)
    assert run.went_well()["create"].changed
    assert not run["again"].changed


def count(instance: Instance, table: str, **columns: str) -> int:
    return len(instance.rows(table, **columns))


def test_a_create_without_a_response_is_reported_as_unclear(playbook: Playbooks, new_instance: NewInstance) -> None:
    lost = fault("500-after-commit", method="POST", path="/api/now/table/sys_user_role")
    unseen = fault("500", method="GET", path="/api/now/table/sys_user_role")
    instance = new_instance(faults=[lost])
    run = playbook([task("snow_role", name="reader")], instance).went_well()
    assert run.last.changed, "it is found by its name"
    instance = new_instance()
    instance.turn(faults=[lost, {**unseen, "rate": 1.0, "count": None}])
    failed = playbook([task("snow_role", name="reader")], instance).last
    assert failed.failed
    instance.turn(faults=[])
    run = playbook([task("snow_role", "again", name="reader")], instance).went_well()
    assert count(instance, "sys_user_role", name="reader") == 1
