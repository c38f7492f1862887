# SPDX-License-Identifier: GPL-3.0-or-later
"""Requested items, security incidents, their files and configuration items: as far as an instance has them."""

from __future__ import annotations

from typing import Any

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import run_lifecycle
from tests.integration.playbooks import Playbooks, task
from tests.integration.test_tickets import ITIL, itil, notes_of

SIR = {"com.snc.security_incident": True}
MACHINE = "/subscriptions/1/resourceGroups/prod/providers/Microsoft.Compute/virtualMachines/vm1"


def made(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "correlation_id": f"group-{kind}", "short_description": "Update openssl", **more}


def listed(*names: str) -> dict[str, str]:
    return {"name": "findings.csv", "content": "\r\n".join(names)}


def test_every_type_has_its_file_and_its_end(playbook: Playbooks, new_instance: NewInstance) -> None:
    kinds = ("incident", "sc_req_item", "sn_si_incident", "change_request")
    first = [made(kind, attachment=listed("vm1", "vm2"), work_note="Found") for kind in kinds]
    first[3]["change_type"] = "emergency"
    more = [{**made(kind, attachment=listed("vm1")), "work_note": "vm2 has healed"} for kind in kinds]
    end = [
        {"type": kind, "correlation_id": f"group-{kind}", "state": "resolved", "close_notes": "All have healed"}
        for kind in kinds[:3]
    ]
    run, instance = run_lifecycle(
        playbook,
        new_instance,
        task("snow_tickets", "create", tickets=first),
        task("snow_tickets", "change", tickets=more),
        task("snow_tickets", "resolve", tickets=end),
        plugins=SIR,
    )
    states = {kind: instance.row(kind, correlation_id=f"group-{kind}")["state"] for kind in kinds}
    assert states == {"incident": "6", "sc_req_item": "3", "sn_si_incident": "3", "change_request": "-5"}
    assert instance.row("change_request", correlation_id="group-change_request")["type"] == "emergency"
    for kind in kinds:
        row = instance.row(kind, correlation_id=f"group-{kind}")
        (file,) = instance.rows("sys_attachment", table_sys_id=row["sys_id"])
        assert (file["table_name"], file["file_name"], file["size_bytes"]) == (kind, "findings.csv", "3")
        assert "Found" in notes_of(instance, row)
    assert instance.row("sn_si_incident", correlation_id="group-sn_si_incident")["close_code"]
    assert {row["action"] for row in run["create: real"]["results"]} == {"created"}
    assert {row["action"] for row in run["change: real"]["results"]} == {"updated"}
    assert {row["action"] for row in run["resolve: real"]["results"]} == {"resolved"}


def test_the_configuration_item_is_found_by_the_resource(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(users=ITIL)
    item = instance.add("cmdb_ci_vm_instance", name="vm1", object_id=MACHINE.lower())
    for name in ("twin-1", "twin-2"):
        instance.add("cmdb_ci_vm_instance", name=name, object_id=f"{MACHINE}-twin")
    wanted = [
        {"correlation_id": key, "short_description": key, "cloud_resource": f"{MACHINE}{suffix}"}
        for key, suffix in (("one", ""), ("two", "-twin"), ("none", "-unknown"))
    ]
    run = playbook([task("snow_tickets", "make", tickets=wanted)], itil(instance)).went_well()
    assert instance.row("incident", correlation_id="one")["cmdb_ci"] == item
    assert not instance.row("incident", correlation_id="two").get("cmdb_ci")
    assert not instance.row("incident", correlation_id="none").get("cmdb_ci")
    warned = "incident two: 2 configuration items have the object id of the resource, so none was set: twin-1"
    assert warned in " ".join(run.output.split())


def test_a_state_that_the_instance_does_not_have_is_named_and_the_rest_is_done(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance: Instance = new_instance(tickets={"choices": {"sc_req_item.state": {"1": "Open", "20": "Done"}}})
    wanted = [made("sc_req_item"), made("incident")]
    end = [{**each, "state": "resolved"} for each in wanted]
    tasks = [task("snow_tickets", "make", tickets=wanted), task("snow_tickets", "end", tickets=end)]
    run = playbook(tasks, {instance.name: instance.connection}).went_well()
    assert instance.row("incident", correlation_id="group-incident")["state"] == "6"
    assert instance.row("sc_req_item", correlation_id="group-sc_req_item")["state"] == "1"
    (item, _incident) = run["end"]["results"]
    assert item["status"] == "refused"
    assert (
        "this instance has no state 3 for a requested item, so it was not resolved; its states are 1 (Open), 20 (Done)"
        in item["reason"]
    )


def test_tickets_are_listed_with_their_files(playbook: Playbooks, new_instance: NewInstance) -> None:
    """Also one by one, without the Batch API; a table whose tickets are hidden is named."""
    instance = new_instance(users=ITIL, plugins=SIR)
    hidden = {"short_description": "x", "correlation_display": "Microsoft Defender for Cloud", "correlation_id": "s"}
    instance.add("sn_si_incident", **hidden)
    wanted = [made("incident", attachment=listed("vm1", "vm2")), made("problem"), made("incident", correlation_id="b")]
    asked = {"attachment": "findings.csv", "types": ["incident", "problem", "sn_si_incident"]}
    tasks = [task("snow_tickets", "make", tickets=wanted), task("snow_ticket_info", "read", **asked)]
    run = playbook(tasks, itil(instance)).went_well()
    instance.turn(batch={"disabled": True})
    alone = playbook([task("snow_ticket_info", "read", **asked)], itil(instance)).went_well()
    for found in (run["read"], alone["read"]):
        assert found["unread"] == ["sn_si_incident"]
        (problem,) = found["problems"]
        assert problem["message"] == "the account may not read sn_si_incident: 1 tickets there are hidden from it"
        files = {row["correlation_id"]: (row["attachment"] or {}).get("content") for row in found["tickets"]}
        assert files == {"group-incident": "vm1\r\nvm2", "group-problem": None, "b": None}
        assert {row["type"] for row in found["tickets"]} == {"incident", "problem"}
