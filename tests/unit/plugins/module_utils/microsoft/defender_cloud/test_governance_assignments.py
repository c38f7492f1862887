# SPDX-License-Identifier: GPL-3.0-or-later
"""Governance assignments: found whoever made them, written with nothing lost.

See docs/facts/defender_for_cloud.md#governance-assignments.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    InvalidInput,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.timestamps import (
    format_utc,
    parse,
    same_instant,
)
from ansible_collections.secops.servicenow_defender.plugins.modules import mdc_assignments
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import DROPPED, Loopback, Received, Reply, answer
from tests.unit.plugins.module_utils.microsoft.defender_cloud.assessment_rows import (
    CONNECTOR,
    OPEN_PORT,
    OTHER_SUB,
    SUB,
    VULNERABLE,
    machine,
    ran,
)

Task = Callable[..., dict[str, Any]]
ASSESSMENTS = "/providers/Microsoft.Security/assessments"
LINK = "https://acme.example/INC0010023"
NOT_FOUND = answer({"error": {"code": "ResourceNotFound", "message": "no such assessment"}}, 404)


class Governance:
    """Plays assessments and their assignments; ids are compared without regard to case.

    `faults` come in place of the answers to the next writes; with `narrow`, a list shows what has its very scope only.
    """

    def __init__(self, server: Loopback) -> None:
        self.server = server
        self.assessments: set[str] = set()
        self.kept: dict[str, dict[str, Any]] = {}
        self.faults: list[Reply | None] = []
        self.refused: dict[str, Reply] = {}
        self.narrow = False
        self.tier, self.actions = "Standard", ["*"]
        self.page = 3
        server.answers_by(self._answer)

    def has(self, *resources: str, name: str = VULNERABLE) -> Governance:
        self.assessments |= {f"{resource}{ASSESSMENTS}/{name}".lower() for resource in resources}
        return self

    def assign(self, resource: str, key: str, name: str = VULNERABLE, **properties: Any) -> str:
        row_id = f"{resource}{ASSESSMENTS}/{name}/governanceAssignments/{key}"
        self.kept[row_id.lower()] = {
            "id": row_id,
            "name": key,
            "properties": {"remediationDueDate": "2026-12-31T00:00:00.0000000Z", **properties},
        }
        return row_id

    @property
    def only(self) -> dict[str, Any]:
        ((_id, row),) = self.kept.items()
        properties: dict[str, Any] = row["properties"]
        return properties

    @property
    def writes(self) -> list[str]:
        return [line for line in self.server.lines if not line.startswith("GET ")]

    def _answer(self, request: Received) -> Reply:
        path = request.path.lower()
        if path.endswith("/pricings/cloudposture"):
            return answer({"id": path, "properties": {"pricingTier": self.tier}})
        if path.endswith("/permissions"):
            return answer({"value": [{"actions": self.actions, "notActions": []}]})
        assert request.query["api-version"] in ("2022-01-01-preview", "2025-05-04")
        for start, reply in self.refused.items():
            if path.startswith(start.lower()):
                return reply
        if request.method != "GET":
            return self._write(request, path)
        if path.endswith(ASSESSMENTS.lower()):
            return self._list([{"id": name} for name in sorted(self.assessments)], request)
        scope, _, rest = path.partition(f"{ASSESSMENTS.lower()}/")
        if "/governanceassignments/" in path:
            return answer(self.kept[path]) if path in self.kept else NOT_FOUND
        if not path.endswith("/governanceassignments"):
            return answer({"id": path}) if path in self.assessments else NOT_FOUND
        shown = [row for name, row in self.kept.items() if self._shows(scope, rest.split("/")[0], name)]
        return self._list(shown, request)

    def _shows(self, scope: str, name: str, row_id: str) -> bool:
        resource, _, rest = row_id.partition(f"{ASSESSMENTS.lower()}/")
        inside = resource == scope or (not self.narrow and resource.startswith(f"{scope}/"))
        return inside and rest.startswith(f"{name}/")

    def _list(self, rows: list[dict[str, Any]], request: Received) -> Reply:
        start = int(request.query.get("$skipToken", 0))
        link = (
            f"{self.server.url}{request.path}?api-version={request.query['api-version']}&$skipToken={start + self.page}"
        )
        more = {"nextLink": link} if len(rows) > start + self.page else {}
        return answer({"value": rows[start : start + self.page], **more})

    def _write(self, request: Received, path: str) -> Reply:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and fault is not DROPPED:
            return fault
        if request.method == "DELETE":
            return answer(None, 200 if self.kept.pop(path, None) else 204)
        if path.rpartition("/governanceassignments/")[0] not in self.assessments:
            return NOT_FOUND
        assert set(request.json) == {"properties"}
        assert request.json["properties"]["remediationDueDate"]
        is_new = path not in self.kept
        self.kept[path] = {"id": request.path, "name": path.rsplit("/", 1)[1], "properties": request.json["properties"]}
        return fault or answer(self.kept[path], 201 if is_new else 200)


@pytest.fixture
def governance(server: Loopback) -> Governance:
    return Governance(server)


@pytest.fixture
def task(server: Loopback, governance: Governance) -> Task:
    def run(*entries: dict[str, Any], **options: Any) -> dict[str, Any]:
        return ran(mdc_assignments, server, assignments=list(entries), **options)

    return run


def entry(resource: str = machine("vm1"), name: str = VULNERABLE, **given: Any) -> dict[str, Any]:
    return {"recommendation": name, "resource_id": resource, **given}


TICKET = {"ticket_number": "INC0010023", "ticket_link": LINK, "ticket_status": "open"}


# -- life -------------------------------------------------------------------------------------------------------------


def test_an_assignment_is_created_changed_and_removed_and_is_then_in_sync(governance: Governance, task: Task) -> None:
    governance.has(machine("vm1"))
    steps: list[dict[str, Any]] = [
        {
            **TICKET,
            "owner": "a@example.com",
            "due_date": "2026-12-31",
            "eta": "2026-12-01",
            "eta_justification": "Later",
        },
        {"ticket_status": "closed", "due_date": "2027-01-31T12:00:00+01:00", "grace_period": True},
        {"state": "absent"},
    ]
    for step in steps:
        predicted = task(entry(**step), check_mode=True)
        before = len(governance.writes)
        assert not before or predicted["changed"]
        real = task(entry(**step))
        assert len(governance.writes) == before + 1
        for part in ("changed", "drift", "diff"):
            assert predicted[part] == real[part], part
        again = task(entry(**step))
        assert (again["changed"], again["drift"], len(governance.writes)) == (False, [], before + 1)
        if step.get("state") != "absent":
            assert again["results"][0]["id"].startswith(
                f"{machine('vm1')}{ASSESSMENTS}/{VULNERABLE}/governanceAssignments/"
            )
    assert not governance.kept
    assert again["results"][0]["status"] == "absent"


def test_what_is_sent_is_what_azure_keeps(governance: Governance, task: Task) -> None:
    governance.has(machine("vm1"))
    task(
        entry(**TICKET, owner="a@example.com", due_date="2026-12-31", eta="2026-12-01 08:30", eta_justification="Later")
    )
    assert governance.only == {
        "owner": "a@example.com",
        "remediationDueDate": "2026-12-31T00:00:00Z",
        "remediationEta": {"eta": "2026-12-01T08:30:00Z", "justification": "Later"},
        "additionalData": {"ticketNumber": 10023, "ticketLink": LINK, "ticketStatus": "open"},
    }


def test_one_of_another_user_is_changed_and_keeps_what_is_not_desired(governance: Governance, task: Task) -> None:
    governance.has(machine("vm1"))
    row_id = governance.assign(
        machine("vm1").replace("vm1", "VM1"),
        "made-by-a-rule",
        owner="Owner@Example.com",
        governanceEmailNotification={"emailNotificationDayOfWeek": "Monday"},
        somethingNew={"a": 1},
        additionalData={"ticketStatus": "new", "portalKey": "x"},
    )
    result = task(entry(name=VULNERABLE.upper(), ticket_status="open", owner="owner@example.com"))
    assert [part["field"] for part in result["drift"]] == ["ticket_status"]
    assert result["results"][0]["id"] == row_id
    assert governance.only == {
        "remediationDueDate": "2026-12-31T00:00:00.0000000Z",
        "owner": "Owner@Example.com",
        "governanceEmailNotification": {"emailNotificationDayOfWeek": "Monday"},
        "somethingNew": {"a": 1},
        "additionalData": {"ticketStatus": "open", "portalKey": "x"},
    }


def test_an_empty_text_takes_a_value_away(governance: Governance, task: Task) -> None:
    governance.has(machine("vm1"))
    eta = {"eta": "2026-12-01T00:00:00Z", "justification": "Later"}
    governance.assign(
        machine("vm1"), "x", owner="a@b.c", remediationEta=eta, additionalData={"ticketNumber": 1, "ticketLink": LINK}
    )
    gone = {"owner": "", "eta": "", "eta_justification": "", "ticket_number": "", "ticket_link": ""}
    assert task(entry(**gone))["changed"]
    assert governance.only == {"remediationDueDate": "2026-12-31T00:00:00.0000000Z", "additionalData": {}}
    assert not task(entry(**gone))["changed"]


def test_a_due_date_that_is_not_set_is_written_once(governance: Governance, task: Task, clock: Clock) -> None:
    governance.has(machine("vm1"))
    task(entry(), default_due_days=14)
    due = parse(governance.only["remediationDueDate"])
    assert timedelta(days=13) <= due - datetime.now(timezone.utc) <= timedelta(days=14)
    assert not task(entry(), default_due_days=30)["changed"]


def test_with_create_false_only_what_is_there_is_changed(governance: Governance, task: Task) -> None:
    governance.has(machine("vm1"), machine("vm2"))
    governance.assign(machine("vm1"), "x")
    result = task(*(entry(machine(name), create=False, ticket_status="closed") for name in ("vm1", "vm2")))
    assert [outcome["status"] for outcome in result["results"]] == ["changed", "absent"]
    assert len(governance.kept) == 1


# -- many -------------------------------------------------------------------------------------------------------------


def test_reads_do_not_grow_with_the_number_of_assignments(server: Loopback, governance: Governance, task: Task) -> None:
    governance.page = 1000
    names = [f"vm{n}" for n in range(60)]
    pairs = [
        (machine(name, sub), kind) for name in names for sub in (SUB, OTHER_SUB) for kind in (VULNERABLE, OPEN_PORT)
    ]
    for resource, kind in pairs:
        governance.has(resource, name=kind)
    entries = [entry(resource, kind, **TICKET) for resource, kind in pairs]
    first = task(*entries)
    assert len(governance.kept) == 240
    assert [outcome["resource_id"] for outcome in first["results"]] == [resource for resource, _kind in pairs]
    server.received.clear()
    assert not task(*entries)["changed"]
    assert len(server.received) == 4


def test_findings_of_a_connector_are_listed_there(server: Loopback, governance: Governance, task: Task) -> None:
    bucket = f"{CONNECTOR}/securityentitydata/bucket1"
    governance.has(bucket)
    task(entry(bucket, **TICKET))
    assert server.lines[0] == f"GET {CONNECTOR}{ASSESSMENTS}/{VULNERABLE}/governanceAssignments"
    assert len(governance.kept) == 1


def test_a_list_that_does_not_show_resources_leads_to_no_second_assignment(governance: Governance, task: Task) -> None:
    governance.narrow = True
    governance.has(machine("vm1"))
    governance.assign(machine("vm1"), "made-by-a-rule")
    assert task(entry(**TICKET))["changed"]
    assert len(governance.kept) == 1
    governance.has(machine("vm2"))
    assert task(entry(machine("vm2"), **TICKET))["changed"], "what was made is found where it was made"
    assert len(governance.kept) == 2


def test_long_writing_shows_progress(governance: Governance, server: Loopback, clock: Clock) -> None:
    names = [f"vm{n}" for n in range(20)]
    governance.has(*map(machine, names))
    plain = governance._answer

    def slow(request: Received) -> Reply:
        clock.passes(0.5)
        return plain(request)

    server.answers_by(slow)
    shown: list[str] = []
    ran(mdc_assignments, server, show=shown, assignments=[entry(machine(name)) for name in names])
    assert any(line.startswith("Defender for Cloud: ") and line.endswith("of 20 assignments written") for line in shown)
    assert len(shown) >= 4


def test_throttling_is_waited_out_and_reported_once(
    governance: Governance, task: Task, server: Loopback, clock: Clock
) -> None:
    names = [f"vm{n}" for n in range(5)]
    governance.has(*map(machine, names))
    busy = answer({"error": {"code": "SubscriptionRequestsThrottled", "message": "later"}}, 429, retry_after="17")
    governance.faults = [busy, None, busy, None, busy]
    shown: list[str] = []
    result = ran(mdc_assignments, server, show=shown, assignments=[entry(machine(name)) for name in names])
    assert len(governance.kept) == 5
    assert len(result["warnings"]) == 1
    assert "throttled this task" in result["warnings"][0]
    assert sum(clock.naps) > 50
    assert max(clock.naps) <= 5
    assert sum("is throttling, next call in" in line for line in shown) >= 9


# -- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("faults", [[answer({}, 503)], [DROPPED], [DROPPED, DROPPED]])
def test_a_lost_answer_leads_to_no_second_assignment(governance: Governance, task: Task, faults: list[Reply]) -> None:
    governance.has(machine("vm1"))
    governance.faults = [*faults]
    assert task(entry(**TICKET))["results"][0]["status"] == "changed"
    assert len(governance.kept) == 1


def test_an_expired_recommendation_is_refused_and_the_others_continue(governance: Governance, task: Task) -> None:
    governance.has(machine("vm1"))
    entries = [entry(machine("gone"), **TICKET), entry(**TICKET)]
    predicted = task(*entries, check_mode=True)
    result = task(*entries)
    for run in (predicted, result):
        gone, fine = run["results"]
        assert (gone["status"], fine["status"], run["changed"]) == ("refused", "changed", True)
        assert "the recommendation has expired" in gone["reason"]
        assert run["warnings"] == [gone["reason"]]
    again = task(*entries)
    assert not again["changed"]
    assert len(governance.writes) == 1
    with pytest.raises(EngineError, match="the recommendation has expired") as failure:
        task(entries[0])
    assert failure.value.output["results"][0]["status"] == "refused"


def test_one_that_expires_meanwhile_is_refused_too(governance: Governance, task: Task) -> None:
    governance.has(machine("vm1"), machine("vm2"))
    governance.faults = [NOT_FOUND]
    result = task(entry(), entry(machine("vm2")))
    assert [outcome["status"] for outcome in result["results"]] == ["refused", "changed"]
    assert "the recommendation has expired" in result["results"][0]["reason"]


def test_refusals_of_many_are_reported_in_few_words(governance: Governance, task: Task) -> None:
    denied = answer({"error": {"code": "AuthorizationFailed", "message": "may not write"}}, 403)
    theirs = [entry(machine(f"vm{n}", OTHER_SUB)) for n in range(30)]
    governance.has(machine("vm1"), *(one["resource_id"] for one in theirs))
    governance.faults = [None, *[denied] * 30]
    result = task(entry(), *theirs)
    assert [outcome["status"] for outcome in result["results"]] == ["changed", *["refused"] * 30]
    (warning,) = result["warnings"]
    assert warning.startswith("30 were refused; see results. The first: could not create assignment")
    assert "may not write" in warning
    governance.faults = [denied] * 30
    with pytest.raises(EngineError) as failure:
        task(*theirs)
    assert str(failure.value).startswith("30 were refused")
    assert len(str(failure.value)) < 1000


def test_a_subscription_that_cannot_be_read_is_refused_for_itself(governance: Governance, task: Task) -> None:
    governance.has(machine("vm1"))
    governance.refused[OTHER_SUB] = answer({"error": {"code": "SubscriptionNotFound", "message": "gone"}}, 404)
    result = task(entry(), entry(machine("vm2", OTHER_SUB)))
    assert [outcome["status"] for outcome in result["results"]] == ["changed", "refused"]
    assert "Check the subscription's id" in result["results"][1]["reason"]


def test_two_for_one_finding_are_ours_or_unowned(governance: Governance, task: Task) -> None:
    governance.has(machine("vm1"), machine("vm2"))
    task(entry(**TICKET))
    governance.assign(machine("vm1"), "other", additionalData={"ticketStatus": "theirs"})
    assert task(entry(ticket_status="closed"))["changed"]
    assert {row["properties"]["additionalData"]["ticketStatus"] for row in governance.kept.values()} == {
        "closed",
        "theirs",
    }
    one, two = (governance.assign(machine("vm2"), key) for key in ("b", "c"))
    result = task(entry(), entry(machine("vm2"), ticket_status="open"))
    assert result["results"][1]["status"] == "refused"
    assert f"there are 2 assignments, {one} and {two}" in result["results"][1]["reason"]


def test_a_number_that_azure_cannot_hold_is_left_out_and_nothing_else(governance: Governance, task: Task) -> None:
    governance.has(machine("vm1"), machine("vm2"))
    governance.assign(machine("vm1"), "x", additionalData={"ticketNumber": 7})
    entries = [
        entry(**{**TICKET, "ticket_number": "INC2147483648"}),
        entry(machine("vm2"), **{**TICKET, "ticket_number": "INC2147483647"}),
    ]
    result = task(*entries)
    large, fits = result["results"]
    assert (large["status"], large["ticket_number"], large["ticket_link"]) == ("changed", None, LINK)
    assert "ticket number INC2147483648 is greater than 2147483647" in large["reason"]
    assert result["warnings"] == [f"Defender for Cloud: {large['reason']}"]
    assert (fits["ticket_number"], "reason" in fits) == (2147483647, False)
    again = task(*entries)
    assert not again["changed"]
    assert again["results"][0]["reason"] == large["reason"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"recommendation": "a b"}, "recommendation must be the name of an assessment"),
        ({"resource_id": "vm1"}, "resource_id must be /subscriptions/<id>"),
        ({"resource_id": f"{machine('vm1')}{ASSESSMENTS}/x"}, "must be the id of the resource alone"),
        ({"resource_id": "/providers/Microsoft.Management/managementGroups/acme"}, "is a management group"),
        ({"due_date": "tomorrow"}, "due_date 'tomorrow' is neither a date such as"),
        ({"due_date": "2026-13-01"}, "due_date"),
        ({"due_date": ""}, "due_date must not be empty"),
        ({"eta": "2026-12-01"}, "eta and eta_justification require each other"),
        ({"eta_justification": "Later"}, "eta and eta_justification require each other"),
        ({"ticket_number": "INC0010023"}, "ticket_number INC0010023 requires ticket_link"),
        ({"ticket_number": "99999999999"}, "ticket_number 99999999999 requires ticket_link"),
    ],
)
def test_invalid_input_is_refused_before_anything_is_sent(
    server: Loopback, task: Task, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        task({**entry(), **given})
    assert server.received == []


def test_one_finding_twice_is_refused(server: Loopback, task: Task) -> None:
    with pytest.raises(InvalidInput, match="lists assignment .* twice"):
        task(entry(), entry(machine("vm1").upper()))
    assert server.received == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("INC0010023", 10023),
        ("10023", 10023),
        ("CHG-2026-000123", 123),
        ("INC0000000000000000000000007", 7),
        ("none", None),
    ],
)
def test_the_last_digits_are_the_number(governance: Governance, task: Task, text: str, number: int | None) -> None:
    governance.has(machine("vm1"))
    assert task(entry(ticket_number=text, ticket_link=LINK))["results"][0]["ticket_number"] == number


# -- moments ----------------------------------------------------------------------------------------------------------


@given(st.datetimes(min_value=datetime(1000, 1, 2), max_value=datetime(9998, 1, 1)))
def test_a_moment_is_the_same_however_it_is_written(value: datetime) -> None:
    text = format_utc(value.replace(tzinfo=timezone.utc))
    assert parse(text) == value.replace(tzinfo=timezone.utc)
    assert same_instant(text, text.replace("T", " ").removesuffix("Z"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2026-12-31", "2026-12-31T00:00:00.0000000Z", True),
        ("2026-12-31T12:00:00+02:00", "2026-12-31T10:00:00Z", True),
        ("2026-12-31T12:00-0230", "2026-12-31T14:30:00Z", True),
        ("2026-12-31", "2026-12-30", False),
        ("soon", "soon", True),
        ("2026-12-31", "", False),
    ],
)
def test_dates_are_compared_as_moments(one: str, other: str, same: bool) -> None:
    assert same_instant(one, other) is same


@given(st.text())
def test_an_invalid_date_is_reported(text: str) -> None:
    try:
        parse(text)
    except (ValueError, OverflowError):
        return
    assert json.dumps(text)[1:5].isdigit()


# -- what check mode predicts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tier", "actions", "words"),
    [
        ("Free", ["*"], "Defender CSPM .CloudPosture. is off on subscription"),
        ("Standard", ["Microsoft.Security/*/read"], "the identity may not write assignments"),
    ],
)
def test_check_mode_fails_where_the_platform_would_refuse(
    task: Task, governance: Governance, tier: str, actions: list[str], words: str
) -> None:
    governance.has(machine("vm1"), machine("vm2"))
    governance.tier, governance.actions = tier, actions
    wanted = [
        {"recommendation": VULNERABLE, "resource_id": machine(name), "ticket_link": LINK} for name in ("vm1", "vm2")
    ]
    with pytest.raises(EngineError, match=words):
        task(*wanted, check_mode=True)
    read = sum(line.lower().endswith("/pricings/cloudposture") for line in governance.server.lines)
    assert read == 1, "once for each subscription"
    assert governance.writes == []


def test_what_is_in_sync_costs_no_further_request(task: Task, governance: Governance) -> None:
    governance.has(machine("vm1"))
    entry = {"recommendation": VULNERABLE, "resource_id": machine("vm1"), "ticket_link": LINK}
    task(entry)
    governance.tier = "Free"
    assert task(entry, check_mode=True)["changed"] is False
    assert not any("pricings" in line for line in governance.server.lines)
