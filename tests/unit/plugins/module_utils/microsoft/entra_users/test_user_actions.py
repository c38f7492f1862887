# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions on users: who is hit, who is spared, who is refused.

See docs/facts/defender_for_cloud_apps.md#governance-actions, docs/facts/microsoft_graph.md#user-actions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    InvalidInput,
    Refused,
)
from ansible_collections.secops.servicenow_defender.plugins.modules import entra_user_actions
from tests.unit.plugins.module_utils.loopback import DROPPED, Loopback, Reply, answer
from tests.unit.plugins.module_utils.microsoft.entra_users.fake_users import DOMAIN, Directory, token

Task = Callable[..., tuple[dict[str, Any], list[str]]]
MESSAGE = {"notify_sender": f"soc@{DOMAIN}", "notify_subject": "Your account", "notify_message": "Call us."}


@pytest.fixture
def directory(server: Loopback) -> Directory:
    """Three users, a mailbox that sends, and an administrator."""
    found = Directory(server)
    for name in ("ann", "bob", "cyd", "soc"):
        found.add(name)
    found.add("root", "Global Administrator")
    return found


@pytest.fixture
def task(server: Loopback) -> Task:
    """Run the module with users written as `name: action` pairs."""

    def run(*users: tuple[str, str], check_mode: bool = False, **given: Any) -> tuple[dict[str, Any], list[str]]:
        entries = [{"id": name if "@" in name else f"{name}@{DOMAIN}", "action": action} for name, action in users]
        options = {
            "azure_graph_url": server.url,
            "azure_access_token": token(oid="id-application"),
            "retries": 0,
            "users": entries,
            **given,
        }
        checked = ArgumentSpecValidator(entra_user_actions.SPEC.argument_spec).validate(options)
        assert not checked.error_messages
        context = TaskContext(check_mode=check_mode)
        result = entra_user_actions.run(checked.validated_parameters, context).as_dict(with_diff=True)
        return result, context.warnings

    return run


def statuses(result: dict[str, Any]) -> list[str]:
    return [outcome["status"] for outcome in result["results"]]


def error(code: str, status: int) -> Reply:
    return answer({"error": {"code": code, "message": "no"}}, status)


# -- doing ------------------------------------------------------------------------------------------------------------


def test_check_mode_names_who_would_be_hit_and_how(directory: Directory, task: Task) -> None:
    users = [("ann", "suspend"), ("bob", "require_sign_in"), ("cyd", "notify")]
    predicted, _ = task(*users, check_mode=True, **MESSAGE)
    assert not directory.done
    done, _ = task(*users, **MESSAGE)
    assert directory.done == [("enable", "ann"), ("revokeSignInSessions", "bob"), ("sendMail", "soc")]
    assert {**predicted, "msg": done["msg"]} == done
    assert done["results"][0] == {
        "object": f"user ann@{DOMAIN}: suspend",
        "id": "id-ann",
        "user_principal_name": f"ann@{DOMAIN}",
        "display_name": "Ann",
        "action": "suspend",
        "status": "changed",
    }
    assert [(entry["field"], entry["before"], entry["after"]) for entry in done["drift"]] == [
        ("account_enabled", True, False),
        ("sessions_valid_from", "2026-01-01T00:00:00Z", "the time of the run"),
        ("message", None, "Your account"),
    ]


def test_all_users_are_read_in_one_request(server: Loopback, directory: Directory, task: Task) -> None:
    task(("ann", "suspend"), ("bob", "suspend"), ("cyd", "suspend"), check_mode=True)
    assert server.lines == ["POST /v1.0/$batch"]


def test_a_suspension_that_is_there_is_left(directory: Directory, task: Task) -> None:
    directory.add("ann", accountEnabled=False)
    result, _ = task(("ann", "suspend"), ("bob", "unsuspend"))
    assert (statuses(result), result["changed"], directory.done) == (["ok", "ok"], False, [])


@pytest.mark.parametrize(
    ("since", "status"),
    [("2026-01-01T01:00:00+01:00", "ok"), ("2026-01-01T00:00:01Z", "changed"), (None, "changed")],
)
def test_sessions_that_were_revoked_since_a_moment_are_left(
    directory: Directory, task: Task, since: str, status: str
) -> None:
    result, _ = task(("ann", "require_sign_in"), since=since)
    assert statuses(result) == [status]


def test_a_message_is_sent_as_text_from_the_sender(directory: Directory, task: Task) -> None:
    task(("ann", "notify"), **MESSAGE)
    (mail,) = directory.mails
    assert (mail["sender"], mail["subject"]) == ("soc", "Your account")
    assert mail["body"] == {"contentType": "Text", "content": "Call us."}
    assert mail["toRecipients"] == [{"emailAddress": {"address": f"ann@{DOMAIN}"}}]


def test_a_guest_is_found_by_a_name_with_a_hash(directory: Directory, task: Task) -> None:
    guest = f"pat_partner.example#EXT#@{DOMAIN}"
    directory.add("pat", userPrincipalName=guest, userType="Guest")
    result, warnings = task((guest, "require_sign_in"))
    assert statuses(result) == ["changed"]
    assert "is a guest: revoking sessions has no effect on guests" in warnings[0]


def test_a_user_without_mail_is_a_manual_step(directory: Directory, task: Task) -> None:
    directory.add("ann", mail=None)
    result, _ = task(("ann", "notify"), **MESSAGE)
    assert statuses(result) == ["manual"]
    assert result["manual_steps"][0]["values"]["Message"] == "Call us."
    assert not directory.mails


# -- sparing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [f"ROOT@{DOMAIN}", "id-root"])
def test_a_protected_user_is_never_touched_and_the_others_are(directory: Directory, task: Task, name: str) -> None:
    result, _ = task(("root", "suspend"), ("ann", "suspend"), protected=[name])
    assert statuses(result) == ["protected", "changed"]
    assert directory.done == [("enable", "ann")]


def test_a_missing_user_is_reported_as_absent(directory: Directory, task: Task) -> None:
    result, warnings = task(("missing", "suspend"), ("ann", "suspend"))
    assert statuses(result) == ["absent", "changed"]
    assert f"the tenant has no user missing@{DOMAIN}" in warnings[0]


def test_nothing_is_done_to_anybody_when_one_is_an_administrator(directory: Directory, task: Task) -> None:
    for check_mode in (True, False):
        with pytest.raises(InvalidInput, match="has the directory role Global Administrator") as refused:
            task(("ann", "suspend"), ("root", "suspend"), check_mode=check_mode)
        assert statuses(refused.value.output) == ["skipped", "refused"]
    assert not directory.done


def test_a_role_without_a_name_is_a_role(directory: Directory, task: Task) -> None:
    """An application that may not read roles sees their type and id alone."""
    directory.roles["ann"] = [None]  # type: ignore[list-item]
    with pytest.raises(InvalidInput, match="has the directory role r"):
        task(("ann", "suspend"))


def test_no_one_acts_on_himself(directory: Directory, task: Task) -> None:
    with pytest.raises(InvalidInput, match="is the account that this task signs in with"):
        task(("ann", "suspend"), azure_access_token=token(oid="ID-ANN"))
    assert not directory.done


def test_more_users_than_allowed_are_refused_before_anything_is_read(
    server: Loopback, directory: Directory, task: Task
) -> None:
    with pytest.raises(InvalidInput, match="users lists 2 users, but max_users allows 1"):
        task(("ann", "suspend"), ("bob", "suspend"), max_users=1)
    assert not server.received
    task(("ann", "suspend"), ("ann", "require_sign_in"), max_users=1)


@pytest.mark.parametrize(
    ("users", "given", "words"),
    [
        ([("ann", "suspend"), ("ANN", "suspend")], {}, "suspend is listed twice"),
        ([("ann", "suspend"), ("ann", "unsuspend")], {}, "has both suspend and unsuspend"),
        ([("ann", "notify")], {"notify_sender": "soc"}, "notify requires notify_subject, notify_message"),
        ([("ann", "notify")], {**MESSAGE, "notify_sender": "no@acme.example"}, "notify_sender: the tenant has no user"),
        ([("ann", "require_sign_in")], {"since": "yesterday"}, "since: 'yesterday' is neither a date"),
        ([], {"users": [{"id": " ", "action": "suspend"}]}, "users: an id is empty"),
    ],
)
def test_invalid_input_is_refused(
    directory: Directory, task: Task, users: list[tuple[str, str]], given: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        task(*users, **given)
    assert not directory.done


def test_one_user_by_two_names_is_one_user(directory: Directory, task: Task) -> None:
    users = [{"id": name, "action": "suspend"} for name in (f"ann@{DOMAIN}", "id-ann")]
    with pytest.raises(InvalidInput, match="suspend is listed twice for id-ann"):
        task(users=users)


# -- responses of Graph -----------------------------------------------------------------------------------------------


def test_what_directory_sync_would_revert_is_a_manual_step(directory: Directory, task: Task) -> None:
    directory.add("ann", onPremisesSyncEnabled=True)
    result, warnings = task(("ann", "suspend"), ("bob", "suspend"))
    assert statuses(result) == ["manual", "changed"]
    assert result["manual_steps"][0]["title"] == f"Suspend ann@{DOMAIN} in the directory on premises"
    assert any("directory sync can revert this" in warning for warning in warnings)


def test_a_suspension_that_holds_on_a_synced_user_is_a_change(directory: Directory, task: Task) -> None:
    directory.add("ann", onPremisesSyncEnabled=True)
    directory.forgets_synced = False
    result, warnings = task(("ann", "suspend"))
    assert (statuses(result), result["manual_steps"]) == (["changed"], [])
    assert "directory sync can revert this" in warnings[0]


def test_a_refusal_of_one_user_does_not_spare_the_others(directory: Directory, task: Task) -> None:
    directory.refusals["ann", "enable"] = error("Authorization_RequestDenied", 403)
    result, warnings = task(("ann", "suspend"), ("bob", "suspend"))
    assert statuses(result) == ["refused", "changed"]
    assert "permission User.EnableDisableAccount.All of Microsoft Graph. Grant it under Entra" in warnings[0]


def test_a_refusal_of_all_fails(directory: Directory, task: Task) -> None:
    directory.refusals["ann", "revokeSignInSessions"] = error("Authorization_RequestDenied", 403)
    with pytest.raises(EngineError, match=r"could not carry out .*permission User\.RevokeSessions\.All"):
        task(("ann", "require_sign_in"))


def test_a_message_whose_answer_was_lost_is_not_sent_again(server: Loopback, directory: Directory, task: Task) -> None:
    directory.refusals["soc", "sendMail"] = DROPPED
    with pytest.raises(EngineError, match="whether the message was sent is unclear.*Sent Items of soc@"):
        task(("ann", "notify"), ("bob", "suspend"), **MESSAGE, retries=3)
    assert sum(line.endswith("sendMail") for line in server.lines) == 1
    assert directory.done == [("enable", "bob")]


def test_roles_that_cannot_be_read_stop_everything(server: Loopback, task: Task) -> None:
    denied = {"id": "0", "status": 403, "body": {"error": {"code": "Authorization_RequestDenied", "message": "no"}}}
    server.answers(answer({"responses": [denied, {**denied, "id": "1"}]}))
    with pytest.raises(Refused, match=r"refused to show the user ann.*permission User\.Read\.All"):
        task(("ann", "suspend"))
