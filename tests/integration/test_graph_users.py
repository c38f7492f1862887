# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions on users, and the playbook respond."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.graph import GraphTenant, assert_predicted_then_done_then_in_sync, graph_writes
from tests.integration.lifecycle import predicted_and_done
from tests.integration.playbooks import SHELLS, Playbooks, Task, task
from tests.sandbox.process import SandboxProcess

IGNORED = {"ignore_errors": True}
MESSAGE = {"sender": "secadmin@acme.onmicrosoft.com", "subject": "Your account", "message": "Call us."}
NOTIFY = {f"notify_{name}": value for name, value in MESSAGE.items()}
LONG_AGO = "2026-01-02T00:00:00Z"


def act(name: str, *users: tuple[str, str], **options: Any) -> Task:
    """Return a task that acts on users; pairs of a name and an action."""
    entries = [{"id": user, "action": action} for user, action in users]
    return task("entra_user_actions", name, users=entries, **options)


def upn(nickname: str) -> str:
    return f"{nickname}@acme.onmicrosoft.com"


def by_user(results: list[dict[str, Any]]) -> dict[str, str]:
    return {outcome["display_name"]: outcome["status"] for outcome in results}


@pytest.mark.parametrize("shell", SHELLS)
def test_users_are_suspended_signed_out_and_enabled_again(
    playbook: Playbooks, sandbox: SandboxProcess, shell: str
) -> None:
    tenant = GraphTenant(sandbox)
    employee, agent = tenant.user("employee"), tenant.user("itil_agent")
    steps = [
        act("suspend", (employee["id"], "suspend"), (upn("itil.agent"), "suspend")),
        act("sign out", (employee["id"], "require_sign_in"), since=LONG_AGO),
        act("lift", (employee["id"], "unsuspend")),
    ]
    run = tenant.run(playbook, [each for step in steps for each in predicted_and_done(step)], shell=shell).went_well()
    for step in steps:
        assert_predicted_then_done_then_in_sync(run, step["name"])
    assert run["suspend: real"]["results"][0] == {
        "object": f"user {upn('employee')}: suspend",
        "id": employee["id"],
        "user_principal_name": upn("employee"),
        "display_name": "Plain Employee",
        "action": "suspend",
        "status": "changed",
    }
    # A token, and users with their roles in one batch; then two to read each user back, and the batch again.
    assert run["suspend: check"]["api_calls"]["read"] <= 2
    assert tenant.user("employee")["accountEnabled"] is True
    assert tenant.rows("users", id=agent["id"])[0]["accountEnabled"] is False


@pytest.mark.parametrize("shell", SHELLS)
def test_users_are_notified_by_mail(playbook: Playbooks, sandbox: SandboxProcess, shell: str) -> None:
    tenant = GraphTenant(sandbox)
    step = act("notify", (upn("employee"), "notify"), (upn("itil.agent"), "notify"), **NOTIFY)
    run = tenant.run(playbook, predicted_and_done(step)[:2], shell=shell).went_well()
    predicted, real = run["notify: check"], run["notify: real"]
    assert predicted["results"] == real["results"]
    assert not graph_writes(predicted)
    mails = tenant.rows("mails")
    assert [(mail["to"], mail["subject"], mail["body"]) for mail in mails] == [
        (["employee@example.com"], "Your account", "Call us."),
        (["itil.agent@example.com"], "Your account", "Call us."),
    ]


@pytest.mark.parametrize("name", ["admin", "cloud.admin", "user.manager"])
def test_no_user_is_affected_when_one_is_an_administrator(
    playbook: Playbooks, sandbox: SandboxProcess, name: str
) -> None:
    """Roles that come through a group count, too."""
    tenant = GraphTenant(sandbox, application_is_privileged=True)
    users = [(upn("employee"), "suspend"), (upn(name), "suspend")]
    refused = [act("refused", *users, more=IGNORED), act("predicted", *users, more={**IGNORED, "check_mode": True})]
    run = tenant.run(playbook, [*refused, act("spared", *users, protected=[upn(name).upper()])]).went_well()
    for case in ("refused", "predicted"):
        assert f"user {upn(name)}: suspend: has the directory role" in run[case].message
        assert "No action was carried out" in run[case].message
        assert [outcome["status"] for outcome in run[case]["results"]] == ["skipped", "refused"]
        assert not graph_writes(run[case])
    assert [outcome["status"] for outcome in run["spared"]["results"]] == ["changed", "protected"]
    assert tenant.rows("users", userPrincipalName=upn(name))[0]["accountEnabled"] is True


def test_an_application_that_may_not_read_roles_still_sees_administrators(
    playbook: Playbooks, sandbox: SandboxProcess
) -> None:
    permissions = ["User.Read.All", "User.EnableDisableAccount.All"]
    tenant = GraphTenant(sandbox, graph_permissions=permissions)
    run = tenant.run(playbook, [act("refused", (upn("admin"), "suspend"), more=IGNORED)])
    assert "has the directory role" in run["refused"].message


def test_who_cannot_be_affected_permanently_is_reported(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = GraphTenant(sandbox)
    guest = tenant.user("partner")
    users = [
        (upn("service.owner"), "suspend"),
        (guest["userPrincipalName"], "require_sign_in"),
        (upn("former"), "suspend"),
        ("missing@acme.onmicrosoft.com", "suspend"),
    ]
    done = tenant.run(playbook, [act("act", *users)]).went_well().last
    assert [outcome["status"] for outcome in done["results"]] == ["manual", "changed", "ok", "absent"]
    assert [step["id"] for step in done["manual_steps"]] == [f"user:suspend:{upn('service.owner')}"]
    warnings = " ".join(done["warnings"])
    for words in ("synced from on premises", "is a guest", "has no user missing@acme"):
        assert words in warnings
    sandbox.turn_tenant(synced_users="refused")
    again = tenant.run(playbook, [act("act", users[0])]).went_well().last
    assert "on-premises mastered" in again["manual_steps"][0]["reason"]


def test_bad_input_is_refused_before_anything_is_done(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = GraphTenant(sandbox)
    one = (upn("employee"), "suspend")
    cases = {
        "limit": (act("limit", one, (upn("itil.agent"), "suspend"), max_users=1), "max_users allows 1"),
        "both": (act("both", one, (upn("employee"), "unsuspend")), "has both suspend and unsuspend"),
        "message": (act("message", one, (upn("employee"), "notify")), "the action notify requires notify_sender"),
        "sender": (
            act("sender", one, (upn("employee"), "notify"), **{**NOTIFY, "notify_sender": "no@acme.example"}),
            "notify_sender: the tenant has no user",
        ),
    }
    run = tenant.run(playbook, [{**step, **IGNORED} for step, _words in cases.values()])
    for name, (_step, words) in cases.items():
        assert run[name].failed
        assert words in run[name].message
        assert not graph_writes(run[name])
    assert not tenant.rows("mails")
    assert tenant.user("employee")["accountEnabled"] is True


def test_missing_rights_are_named(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = GraphTenant(sandbox, graph_permissions=["User.Read.All"])
    cases = {
        "User.EnableDisableAccount.All": act("suspend", (upn("employee"), "suspend"), more=IGNORED),
        "User.RevokeSessions.All": act("sign out", (upn("employee"), "require_sign_in"), more=IGNORED),
        "Mail.Send": act("notify", (upn("employee"), "notify"), **NOTIFY, more=IGNORED),
    }
    run = tenant.run(playbook, list(cases.values()))
    for permission, step in cases.items():
        assert (
            f"The call requires the permission {permission} of Microsoft Graph. Grant it" in run[step["name"]].message
        )


def test_throttled_calls_are_sent_again(real_playbook: Playbooks, sandbox: SandboxProcess) -> None:
    """Users and roles are twelve calls of a batch, of which nine are admitted at a time; the limit counts real seconds."""
    tenant = GraphTenant(sandbox, graph_calls=9, graph_window=1.0)
    names = ("employee", "itil.agent", "group.member", "former", "service.owner")
    users = [(upn(name), "notify") for name in names]
    look = act("look", *users, **NOTIFY, more={"check_mode": True})
    run = tenant.run(real_playbook, [look], retries=3).went_well()
    assert [outcome["status"] for outcome in run.last["results"]] == ["changed"] * 5
    assert "calls of a batch failed, next attempt in" in run.last["warnings"][0]


# -- respond ----------------------------------------------------------------------------------------------------------


def test_respond_acts_on_the_users_that_a_query_finds(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = GraphTenant(sandbox, suspects=["employee", "former", "admin"])
    query = 'CloudAppEvents | where ActionType == "Failed log on" | summarize Count=count() by AccountObjectId'
    desired = {
        "respond_query": query,
        "respond_timespan": "P1D",
        "respond_action": ["suspend", "notify"],
        "respond_protected": [upn("admin")],
        **{f"respond_{name}": value for name, value in NOTIFY.items()},
    }
    predicted = tenant.respond(playbook, check=True, **desired).went_well()
    assert not tenant.rows("mails")
    assert tenant.user("employee")["accountEnabled"] is True
    lines = predicted.summary.splitlines()
    assert f"suspend would be done for {upn('employee')}" in lines
    assert f"suspend was in effect for {upn('former')}" in lines
    assert f"suspend not done (protected) for {upn('admin')}" in lines
    real = tenant.respond(playbook, **desired).went_well()
    assert real["Apply the actions"]["results"] == predicted["Apply the actions"]["results"]
    assert f"suspend done for {upn('employee')}" in real.summary.splitlines()
    assert tenant.user("employee")["accountEnabled"] is False
    assert sorted(mail["to"][0] for mail in tenant.rows("mails")) == ["employee@example.com", "former@example.com"]
    assert tenant.user("admin")["accountEnabled"] is True


def test_respond_acts_on_the_given_users(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = GraphTenant(sandbox)
    run = tenant.respond(playbook, respond_users=[upn("employee"), upn("employee").upper()]).went_well()
    (outcome,) = run["Apply the actions"]["results"]
    assert (outcome["action"], outcome["status"]) == ("require_sign_in", "changed")
    assert tenant.user("employee")["_revoked"]


def test_respond_refuses_invalid_input(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = GraphTenant(sandbox, suspects=["employee", "itil_agent"])
    query = 'CloudAppEvents | where ActionType == "Failed log on" | project AccountObjectId'
    cases = [
        ({}, "either respond_users"),
        ({"respond_users": ["a"], "respond_query": query}, "either respond_users"),
        (
            {"respond_query": query, "respond_user_column": "Upn"},
            "the rows have no column 'Upn'; they have: AccountObjectId",
        ),
        ({"respond_query": query, "respond_max_users": 1}, "users lists 2 users, but max_users allows 1"),
        ({"respond_users": [upn("employee")], "respond_action": "delete"}, "value of action must be one of"),
    ]
    for variables, words in cases:
        run = tenant.respond(playbook, **variables)
        assert run.status != 0
        assert words in " ".join(run.output.split())
    assert not any("/users/" in route and route.startswith(("POST", "PATCH")) for route in tenant.requests())


def test_respond_finds_no_user_and_does_nothing(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = GraphTenant(sandbox)
    run = tenant.respond(playbook, respond_query='CloudAppEvents | where ActionType == "Failed log on"').went_well()
    assert run["Apply the actions"]["results"] == []
    assert not run["Apply the actions"].changed
