# SPDX-License-Identifier: GPL-3.0-or-later
"""Activations from start to end (docs/facts/servicenow_platform.md#cicd-api)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import Refused, UnclearOutcome
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.plan import PERFORM
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow import InstanceStore
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.activation import DEFAULT_WAIT, Activation
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import DROPPED, Loopback, Received, Reply, answer, failure
from tests.unit.plugins.module_utils.snow.fake_table_api import Tables

PROGRESS = "/api/sn_cicd/progress/9f86d081884c7d659a2feaa0c55ad015"
LABELS = {"0": "Pending", "1": "Running", "2": "Successful", "3": "Failed", "4": "Canceled"}


def progress(status: str, percent: int = 0, **more: Any) -> Reply:
    links = {"progress": {"id": PROGRESS.rsplit("/", 1)[-1], "url": f"https://acme-dev.service-now.com{PROGRESS}"}}
    result = {"links": links, "status": status, "status_label": LABELS[status], "status_message": "", "error": ""}
    return answer({"result": {**result, "status_detail": "", "percent_complete": percent, **more}})


def activation(**waiting: Any) -> Activation:
    write = Activation(PERFORM, "v_plugin", "plugin com.x")
    write.path, write.waiting = "/api/sn_cicd/plugin/com.x/activate", replace(DEFAULT_WAIT, **waiting)
    return write


def plays(server: Loopback, *replies: Reply, **tables: list[dict[str, str]]) -> None:
    """Answer CI/CD requests with `replies`, the last one again and again."""
    script = list(replies)
    tables.setdefault("sys_user", [{"sys_id": "u0", "user_name": "svc_ansible"}])
    tables.setdefault("sys_user_has_role", [])
    Tables(server, other=lambda _request: script.pop(0) if len(script) > 1 else script[0], **tables)


@pytest.fixture
def shown(context: TaskContext) -> list[str]:
    """The progress lines that a user sees."""
    lines: list[str] = []
    context.show = lines.append
    return lines


def test_an_activation_is_followed_to_its_end(
    server: Loopback, store: InstanceStore, shown: list[str], clock: Clock, context: TaskContext
) -> None:
    plays(server, progress("0"), progress("1", 40), progress("1", 40), progress("1", 98), progress("2", 100))
    write = activation()
    store.perform(write)
    assert server.lines == [f"POST {write.path}"] + [f"GET {PROGRESS}"] * 4
    assert server.received[0].body == b"", "no body (docs/facts/servicenow_platform.md#cicd-api)"
    assert write.done == {"com.x"}
    assert context.calls.write == 1
    assert list(dict.fromkeys(line.split(" after ")[0] for line in shown)) == [
        f"{store.name}: plugin com.x: {what}" for what in ("Pending 0 %", "Running 40 %", "Running 98 %", "Successful")
    ], "a line for every change"
    assert max(clock.naps) <= 5, "and one every few seconds"


def test_polls_get_rarer(server: Loopback, store: InstanceStore, clock: Clock) -> None:
    replies, polls = [*[progress("1", 50)] * 13, progress("2", 100)], []

    def reply(_request: Received) -> Reply:
        polls.append(sum(clock.naps))
        return replies[len(polls) - 1]

    Tables(server, other=reply)
    store.perform(activation(interval=10))
    pauses = [round(after - before) for before, after in pairwise(polls)]
    assert pauses == sorted(pauses)
    assert pauses[0] == 10
    assert 10 < pauses[-1] <= 60


def test_without_waiting_it_is_only_started(server: Loopback, store: InstanceStore, clock: Clock) -> None:
    plays(server, progress("0"))
    store.perform(activation(wanted=False))
    assert len(server.received) == 1
    assert clock.naps == []


def test_parameters_are_in_the_query_string(server: Loopback, store: InstanceStore) -> None:
    plays(server, progress("2", 100))
    write = activation()
    write.path, write.query = "/api/sn_cicd/app_repo/install", {"scope": "x_app", "version": "1.2"}
    store.perform(write)
    assert server.received[0].query == {"scope": "x_app", "version": "1.2"}


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("wait_timeout", r", which is wait_timeout\. Run again later to check the result, or with a longer one$"),
        ("", r"\. Run again later to check the result$"),
    ],
)
def test_waiting_has_an_end(server: Loopback, store: InstanceStore, clock: Clock, option: str, words: str) -> None:
    """Without an option for it, as where a plugin is activated on the way, none is named."""
    plays(server, progress("1", 98))
    with pytest.raises(Refused, match=f"is still running after 60 s{words}") as caught:
        store.perform(activation(timeout=60, interval=10, option=option))
    assert caught.value.status == "failed"
    assert sum(clock.naps) <= 60


@pytest.mark.parametrize("status", ["3", "4"])
def test_a_failed_activation_is_reported_with_the_message_of_the_platform(
    server: Loopback, store: InstanceStore, status: str
) -> None:
    plays(server, progress("0"), progress(status, 30, error="Something broke"))
    write = activation()
    with pytest.raises(Refused, match=f"plugin com.x ended with {LABELS[status]}: Something broke") as caught:
        store.perform(write)
    assert (caught.value.status, caught.value.step) == ("failed", None)
    assert write.done == set()


@pytest.mark.parametrize(
    ("words", "status", "where"),
    [
        ("This plugin must be requested through support", "request_only", "Activate Plugin"),
        ("The instance is not entitled to the application", "not_entitled", "ServiceNow Store"),
        ("No license for com.x", "not_entitled", "ServiceNow Store"),
    ],
)
@pytest.mark.parametrize("when", ["at once", "as an error", "later"])
def test_what_has_no_api_is_a_manual_step(
    server: Loopback, store: InstanceStore, words: str, status: str, where: str, when: str
) -> None:
    replies = {
        "at once": [progress("3", error=words)],
        "as an error": [failure(400, words)],
        "later": [progress("0"), progress("3", error=words)],
    }
    plays(server, *replies[when])
    with pytest.raises(Refused, match=words) as caught:
        store.perform(activation())
    step = caught.value.step
    assert caught.value.status == status
    assert step is not None
    assert where in step.where
    assert step.values["Plugin or application"] == "com.x"
    assert step.values["Instance"] == server.url


def test_functionality_that_is_inactive_takes_a_request(server: Loopback, store: InstanceStore) -> None:
    plays(server, failure(405))
    with pytest.raises(Refused) as caught:
        store.perform(activation())
    assert caught.value.status == "request_only"


@pytest.mark.parametrize("reply", [failure(404, "Plugin not found"), progress("3", error="com.x was not found")])
def test_a_plugin_that_does_not_exist_is_called_so(server: Loopback, store: InstanceStore, reply: Reply) -> None:
    plays(server, reply)
    with pytest.raises(Refused, match="The instance does not have it; check the id") as caught:
        store.perform(activation())
    assert (caught.value.status, caught.value.step) == ("failed", None)


@pytest.mark.parametrize("words", ["Requested URI does not represent any resource", "Functionality is inactive"])
def test_a_missing_api_is_not_reported_as_a_refused_plugin(server: Loopback, store: InstanceStore, words: str) -> None:
    plays(server, failure(405 if "inactive" in words else 400, words))
    with pytest.raises(Refused, match="The CI/CD API of the instance is not available") as caught:
        store.perform(activation())
    assert (caught.value.status, caught.value.step) == ("failed", None)


def test_a_refused_activation_names_the_role(server: Loopback, store: InstanceStore) -> None:
    plays(server, failure(403, "User Not Authorized"))
    with pytest.raises(Refused, match=r"writing v_plugin requires one of sn_cicd\.sys_ci_automation, admin"):
        store.perform(activation())


def test_a_start_without_a_clear_answer_is_not_sent_again(server: Loopback, store: InstanceStore) -> None:
    plays(server, DROPPED, progress("2"))
    with pytest.raises(
        UnclearOutcome, match="whether the activation of plugin com.x was started is unclear.*Run again"
    ):
        store.perform(activation())
    assert len(server.received) == 1


def test_a_faulty_poll_is_repeated(server: Loopback, store: InstanceStore) -> None:
    plays(server, progress("0"), failure(503), DROPPED, progress("2", 100))
    store.perform(activation())
    assert len(server.received) == 4


@pytest.mark.parametrize("denied", [401, 403])
def test_where_progress_is_denied_the_tracker_is_read(
    server: Loopback, store: InstanceStore, denied: int, shown: list[str]
) -> None:
    # sys_execution_tracker holds the same data (docs/facts/servicenow_platform.md#cicd-api).
    states = iter(["1", "1", "2"])
    percent = iter(["10", "60", "100"])
    tracker = {"sys_id": PROGRESS.rsplit("/", 1)[-1], "state": "0", "percent_complete": "0", "message": ""}

    def other(request: Received) -> Reply:
        if request.method == "POST":
            return progress("0")
        tracker.update(state=next(states), percent_complete=next(percent))
        return failure(denied, "User Not Authorized")

    Tables(server, other=other, sys_execution_tracker=[tracker], sys_user=[], sys_user_has_role=[])
    store.perform(activation())
    assert server.lines.count("GET /api/now/table/sys_execution_tracker") == 3
    assert "60 %" in " ".join(shown)


def test_an_unknown_progress_is_reported(server: Loopback, store: InstanceStore) -> None:
    plays(server, progress("0"), failure(403, "User Not Authorized"), sys_execution_tracker=[])
    with pytest.raises(Refused, match="403"):
        store.perform(activation())
