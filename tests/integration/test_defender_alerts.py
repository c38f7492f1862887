# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts of Defender for Cloud and incidents of Defender XDR: read, filtered, merged, and written."""

from __future__ import annotations

from typing import Any

from tests.integration.findings import Findings
from tests.integration.lifecycle import predicted_and_done
from tests.integration.playbooks import SHELLS, Done, Playbooks, Run, Task, task
from tests.sandbox.process import SandboxProcess
from tests.sandbox.tenant.arm.state import GROUP_NAME as GROUP

IGNORED = {"ignore_errors": True}
NOBODYS = "/subscriptions/00000000-0000-4000-8000-000000000000"
VERBS = ("/resolve", "/dismiss", "/activate", "/inProgress")


def writes(done: Done) -> int:
    """Return how many of a task's requests changed alerts or incidents."""
    changing = ("PATCH /graph", "POST /graph/v1.0/security/incidents/")
    return sum(count for route, count in done.requests.items() if route.startswith(changing) or route.endswith(VERBS))


def assert_predicted(run: Run, name: str) -> Done:
    """Check that check mode predicts a step, that it is done, and that it is in sync afterwards; return the real one."""
    predicted, real, again = (run[f"{name}: {time}"] for time in ("check", "real", "again"))
    assert (predicted.changed, real.changed, again.changed) == (True, True, False), name
    assert writes(predicted) == writes(again) == 0
    assert real["api_calls"]["write"] == writes(real) > 0
    for key in ("results", "drift", "diff"):
        assert predicted[key] == real[key], f"{name} does not predict {key}"
    assert again["drift"] == []
    return real


def change(module: str, name: str, *entries: dict[str, Any], **options: Any) -> Task:
    return task(module, name, **{"alerts" if module == "mdc_alerts" else "incidents": list(entries)}, **options)


# -- alerts -----------------------------------------------------------------------------------------------------------


def test_alerts_are_listed_filtered_and_moved_alike_in_both_shells(
    playbook: Playbooks, sandbox: SandboxProcess
) -> None:
    results = []
    for shell in SHELLS:
        tenant = Findings(sandbox, subscriptions=2, arm_page=1)
        first, second = tenant.rows("cloud_alerts")[:2]
        steps = [
            change(
                "mdc_alerts", "move", {"id": first["_id"], "status": "in_progress"},
                {"id": second["_id"].upper(), "status": "dismissed"},
            ),
            change("mdc_alerts", "move on", {"id": first["_id"], "status": "resolved"}),
            # Blanks around an id, as a list in YAML can bring them, do not make it another one.
            change("mdc_alerts", "back", {"id": f" {second['_id']}\n", "status": "active"}),
        ]  # fmt: skip
        looks = [
            task("mdc_alert_info", "all", scopes=[*tenant.scopes, NOBODYS], status=[]),
            task("mdc_alert_info", "high", scopes=tenant.scopes, severities=["high"]),
            task("mdc_alert_info", "group", scope=first["scope"]),
            task("mdc_alert_info", "later", since="2026-02-01"),
            task("mdc_alert_info", "tree", scope=f"/providers/Microsoft.Management/managementGroups/{GROUP}"),
        ]
        run = tenant.run(
            playbook, [*looks, *(each for step in steps for each in predicted_and_done(step))], shell=shell
        )
        run.went_well()
        for step in steps:
            assert_predicted(run, step["name"])
        results.append([{**done.result, "api_calls": 0, "problems": 0, "unproven": 0} for done in run.done])
        found = run["all"]["alerts"]
        assert len({row["key"] for row in found}) == len(found) == 4
        assert all(row["resource_id"].endswith(row["resource_name"]) and row["remediation"] for row in found)
        assert [problem["id"] for problem in run["all"]["problems"]] == [f"scope_refused:{NOBODYS.rpartition('/')[2]}"]
        assert {row["severity"] for row in run["high"]["alerts"]} == {"High"}
        assert [row["id"] for row in run["group"]["alerts"]][:1] == [first["_id"]]
        assert run["later"]["alerts"] == []
        assert (len(run["tree"]["alerts"]), run["tree"]["scopes_read"]) == (4, tenant.scopes)
        states = {row["_id"]: row["properties"]["status"] for row in tenant.rows("cloud_alerts")}
        assert (states[first["_id"]], states[second["_id"]]) == ("Resolved", "Active")
    assert results[0] == results[1]


def test_an_alert_that_is_refused_keeps_no_other_from_being_moved(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = Findings(sandbox, subscriptions=2)
    mine, theirs = (
        next(row for row in tenant.rows("cloud_alerts") if row["_id"].startswith(scope)) for scope in tenant.scopes
    )
    sandbox.turn_tenant(azure_roles={tenant.scopes[1]: "Security Reader"})
    entries = [
        {"id": mine["_id"], "status": "resolved"},
        {"id": theirs["_id"], "status": "resolved"},
        {"id": f"{mine['_id']}0", "status": "resolved"},
        {"id": "2518", "status": "resolved"},
    ]
    tasks = [
        {**change("mdc_alerts", "predicted", *entries), "check_mode": True},
        change("mdc_alerts", "real", *entries),
        change("mdc_alerts", "none", *entries[1:], more=IGNORED),
        change("mdc_alerts", "twice", entries[0], {**entries[0], "id": mine["_id"].lower()}, more=IGNORED),
        task("mdc_alert_info", "word", severities=["severe"], more=IGNORED),
        task("mdc_alert_info", "time", since="yesterday", more=IGNORED),
    ]
    run = tenant.run(playbook, tasks)
    for name in ("predicted", "real"):
        assert [row["status"] for row in run[name]["results"]] == ["changed", "refused", "refused", "refused"]
        reasons = [row.get("reason", "") for row in run[name]["results"]]
        assert "Security Admin" in reasons[1]
        assert "no such alert any more" in reasons[2] and "not the id of an alert" in reasons[3]
    assert (run["real"].changed, run["none"].failed) == (True, True)
    assert "twice" in run["twice"].message
    assert "'severe' is no severity" in run["word"].message and "since" in run["time"].message


# -- incidents --------------------------------------------------------------------------------------------------------


def test_incidents_are_listed_with_what_they_were_merged_into(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = Findings(sandbox, graph_page=2)
    # Merged twice, merged in a circle, and merged into one that is gone.
    for incident, target in (("28282", "28284"), ("28285", "28285"), ("28286", "1")):
        if incident == "28286":
            row = {**tenant.rows("incidents")[0], "_id": incident, "id": incident}
            sandbox.tamper_tenant("incidents", row, insert=True)
        sandbox.tamper_tenant(
            "incidents", {"status": "redirected", "redirectIncidentId": target}, match={"id": incident}
        )
    looks = [
        task("graph_incident_info", "all"),
        task("graph_incident_info", "some", filter="severity eq 'high' or status eq 'resolved'", since="2026-01-01"),
        task("graph_incident_info", "named", ids=["28282", "7"], alerts=True),
        task("graph_incident_info", "later", since="2026-04-01T00:00:00Z"),
    ]
    runs = [tenant.run(playbook, looks, shell=shell).went_well() for shell in SHELLS]
    for here, there in zip(*(run.done for run in runs), strict=True):
        assert {**here.result, "api_calls": 0} == {**there.result, "api_calls": 0}
    run = runs[0]
    ends = {row["id"]: row["merged_into"] for row in run["all"]["incidents"]}
    assert ends == {"28282": "28283", "28283": "", "28284": "28283", "28285": "", "28286": ""}
    assert sorted(problem["id"] for problem in run["all"]["problems"]) == ["merge_unknown:28285", "merge_unknown:28286"]
    assert [row["id"] for row in run["some"]["incidents"]] == ["28283"]
    named = {row["id"]: row for row in run["named"]["incidents"]}
    assert sorted(named) == ["28282", "28283", "28284"], "an incident brings along what it was merged into"
    assert [alert["title"] for alert in named["28283"]["alerts"]][:1] == ["Impossible travel activity"]
    assert [problem["id"] for problem in run["named"]["problems"]] == ["incident_missing:7"]
    assert run["later"]["incidents"] == []


def test_incidents_are_changed_and_a_merged_one_stands_for_its_end(
    playbook: Playbooks, sandbox: SandboxProcess
) -> None:
    results = []
    for shell in SHELLS:
        tenant = Findings(sandbox)
        steps = [
            change(
                "graph_incidents", "take",
                {"id": "28284", "status": "in_progress", "assigned_to": "jane@acme.example", "comment": "Seen"},
                {"id": "28282", "classification": "falsePositive", "determination": "not_malicious", "tags": ["b", "a"]},
            ),
            change("graph_incidents", "end", {"id": "28283", "status": "resolved", "assigned_to": "", "comment": "Done"}),
        ]  # fmt: skip
        run = tenant.run(playbook, [each for step in steps for each in predicted_and_done(step)], shell=shell)
        run.went_well()
        for step in steps[1:]:
            assert_predicted(run, step["name"])
        taken = run["take: real"]
        assert (run["take: check"].changed, taken.changed, run["take: again"].changed) == (True, True, False)
        assert taken["results"][0]["incident"] == "28283"
        assert [entry["field"] for entry in taken["drift"][2:]] == ["classification", "determination", "tags"]
        results.append([{**done.result, "api_calls": 0} for done in run.done])
        rows = {row["id"]: row for row in tenant.rows("incidents")}
        assert (rows["28284"]["status"], rows["28283"]["status"]) == ("redirected", "resolved")
        assert [each["comment"] for each in rows["28283"]["comments"]] == ["Seen", "Done"]
        assert (rows["28283"]["assignedTo"], rows["28282"]["customTags"]) == (None, ["b", "a"])
        assert rows["28282"]["classification"] == "falsePositive"
    assert results[0] == results[1]


def test_an_incident_that_makes_no_sense_keeps_no_other_from_being_changed(
    playbook: Playbooks, sandbox: SandboxProcess
) -> None:
    tenant = Findings(sandbox)
    good = {"id": "28282", "status": "resolved"}
    entries = [
        good,
        {"id": "7", "status": "resolved"},
        {"id": "28285", "classification": "harmless"},
        {"id": "28283", "status": "resolved"},
        {"id": "28284", "status": "active"},
    ]
    tasks = [
        change("graph_incidents", "mixed", *entries),
        change("graph_incidents", "none", *entries[1:3], more=IGNORED),
        change("graph_incidents", "twice", good, good, more=IGNORED),
    ]
    run = tenant.run(playbook, tasks)
    assert [row["status"] for row in run["mixed"]["results"]] == ["changed", "refused", "refused", "changed", "refused"]
    reasons = [row.get("reason", "") for row in run["mixed"]["results"]]
    assert reasons[1] == "Defender incident 7: the tenant has no such incident"
    assert "'harmless' is no classification; they are unknown, false_positive" in reasons[2]
    assert "28284 and" not in reasons[4] and "their entries differ in status" in reasons[4]
    assert run["none"].failed and "twice" in run["twice"].message
    sandbox.turn_tenant(graph_permissions=["SecurityIncident.Read.All"])
    run = tenant.run(
        playbook, [change("graph_incidents", "no right", {"id": "28282", "status": "active"}, more=IGNORED)]
    )
    assert "requires the permission SecurityIncident.ReadWrite.All" in run.last.message
    sandbox.turn_tenant(graph_permissions=[])
    run = tenant.run(playbook, [task("graph_incident_info", more=IGNORED)])
    assert "requires the permission SecurityIncident.Read.All" in run.last.message
