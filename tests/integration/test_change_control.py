# SPDX-License-Identifier: GPL-3.0-or-later
"""Change control: the first run opens a change request, a later one applies exactly its plan and closes it."""

from __future__ import annotations

import subprocess
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.defender import Defender
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks, Run, read_results
from tests.integration.tenant import HOST
from tests.integration.test_offboard import CONFIRMED, left_on
from tests.integration.test_onboard import APPLICATIONS, USERS
from tests.integration.test_overlap import PATIENCE
from tests.integration.test_tickets import ITIL, itil
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(1)

SCHEDULED, IMPLEMENT, CLOSED, CANCELED = "-2", "-1", "3", "4"


def at(**offset: float) -> str:
    return (datetime.now(timezone.utc) + timedelta(**offset)).strftime("%Y-%m-%d %H:%M:%S")


class Controlled(Defender):
    """A tenant and an instance that are written under change control; the change requests are on another instance."""

    def __init__(
        self, playbook: Playbooks, sandbox: SandboxProcess, instance: Instance, itsm: Instance, **more: Any
    ) -> None:
        itsm.add("sys_user_group", name="Cloud Security")
        variables = {
            "servicenow_defender_change": True,
            "servicenow_defender_change_instance": itsm.name,
            "servicenow_defender_change_fields": {"assignment_group": "Cloud Security", "risk": "4"},
            **more,
        }
        super().__init__(playbook, sandbox, instance, itsm, subscriptions=1, variables=variables)
        self.instance, self.itsm = instance, itsm
        itsm.connection = itil(itsm)[itsm.name]

    def __call__(self, what: str, *words: str, **options: Any) -> Run:
        """Run a playbook on the instance and the tenant."""
        return super().__call__(what, "--limit", f"{self.instance.name},{HOST}", *words, **options)

    @property
    def change(self) -> dict[str, str]:
        """The newest change request."""
        found = self.itsm.rows("change_request", correlation_display="secops.servicenow_defender: planned")
        found += self.itsm.rows("change_request", correlation_display="secops.servicenow_defender: applying")
        found += self.itsm.rows("change_request", correlation_display="secops.servicenow_defender: applied")
        return max(found, key=lambda row: row["number"])

    def decide(self, **columns: str) -> None:
        """Change the newest change request as an approver would."""
        self.itsm.change("change_request", {"number": self.change["number"]}, **columns)

    def approve(self) -> None:
        """Approve the newest change request, in a window that has begun."""
        self.decide(state=SCHEDULED, approval="approved", start_date=at(hours=-1), end_date=at(hours=1))

    def written_besides(self) -> dict[str, int]:
        """Return the writes other than those of change requests."""
        return {route: count for route, count in self.written().items() if "change" not in route}


@pytest.fixture
def controlled(playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance) -> Controlled:
    return Controlled(playbook, sandbox, new_instance(), new_instance(users=ITIL))


@pytest.mark.always
def test_a_change_is_opened_waits_is_applied_and_closed(controlled: Controlled) -> None:
    shown = controlled("onboard", check=True).went_well()
    assert "a change request would be opened: " in shown.summary
    assert '  roles: ["itil"]' in shown.summary
    assert not controlled.itsm.rows("change_request", state="-5")

    opened = controlled("onboard").went_well()
    change = controlled.change
    assert f"change {change['number']} is opened: " in opened.summary
    assert not controlled.written_besides()
    assert f"{controlled.instance.name}:\n- oauth_application" in change["implementation_plan"]
    assert '  password: "(new secret)"' in change["implementation_plan"]
    assert "rotate gives new ones" in change["backout_plan"]
    assert "playbook verify" in change["test_plan"]
    assert change["risk_impact_analysis"]

    waiting = controlled("onboard").went_well()
    assert (
        f"change {change['number']} waits: it is not approved (state New, approval not requested; " in waiting.summary
    )
    controlled.decide(state=SCHEDULED, approval="approved", start_date=at(hours=1), end_date=at(hours=2))
    waiting = controlled("onboard").went_well()
    assert f"change {change['number']} waits: it is approved, and its window has not begun (window " in waiting.summary
    assert not controlled.written_besides()

    controlled.approve()
    done = controlled("onboard").went_well()
    assert f"change {change['number']} was applied and closed" in done.summary
    assert done.summary.startswith("1 instance: 1 corrected")
    assert controlled.instance.row("sys_user", user_name=USERS["mdc"])
    closed = controlled.change
    assert (closed["state"], closed["close_code"]) == (CLOSED, "successful")
    note = controlled.itsm.row("sys_journal_field", element_id=closed["sys_id"], element="work_notes")
    assert note["value"].startswith("The plan was applied by secops.servicenow_defender.\n1 instance: 1 corrected")

    controlled.forget_requests()
    again = controlled("onboard").went_well()
    assert "nothing to change, so no change request was opened" in again.summary
    assert not controlled.written()
    assert sum(numbers["changed"] for numbers in again.recap.values()) == 0


def test_an_interrupted_run_is_continued_and_its_change_closed(controlled: Controlled) -> None:
    controlled("onboard").went_well()
    controlled.approve()
    moved = controlled("onboard", variables={"snow_connection_access_token_lifespan": 1800})
    assert moved.status == 2
    assert not controlled.written_besides()
    name = f"oauth_application {APPLICATIONS['mdc']}"
    assert (
        f"has another plan than what would be written now. Moved: changed: {controlled.instance.name}: {name} "
        in moved.summary
    )
    assert "(access_token_lifespan): 1800, approved was 3600" in moved.summary
    controlled("onboard").went_well()
    number = controlled.change["number"]
    interrupted = {"correlation_display": "secops.servicenow_defender: applying", "state": IMPLEMENT, "active": "true"}

    # As if it had been killed after its last write.
    controlled.decide(**interrupted)
    controlled.forget_requests()
    closed = controlled("onboard").went_well()
    assert f"change {number} was applied by an earlier run, and is closed" in closed.summary
    assert not controlled.written_besides()
    assert controlled.change["state"] == CLOSED

    # As if it had been killed earlier.
    controlled.decide(**interrupted)
    controlled.instance.remove("oauth_entity", name=APPLICATIONS["mdc"])
    rest = controlled("onboard").went_well()
    assert f"change {number} was applied and closed" in rest.summary
    assert controlled.instance.row("oauth_entity", name=APPLICATIONS["mdc"])
    assert controlled.change["state"] == CLOSED


def test_a_change_that_expired_or_was_edited_or_canceled_writes_nothing(controlled: Controlled) -> None:
    controlled("onboard").went_well()
    controlled.approve()
    number, plan = controlled.change["number"], controlled.change["implementation_plan"]
    spoiled: list[tuple[dict[str, str], str]] = [
        ({"end_date": at(minutes=-1)}, "has expired"),
        ({"implementation_plan": plan.replace('["itil"]', '["admin"]')}, "was edited"),
        ({"state": CANCELED, "active": "false"}, "was canceled"),
    ]
    approved = {"end_date": at(hours=1), "implementation_plan": plan, "state": SCHEDULED, "active": "true"}
    for columns, words in spoiled:
        controlled.decide(**{**approved, **columns})
        controlled.forget_requests()
        refused = controlled("onboard")
        assert refused.status == 2
        assert f"change {number} {words}" in refused.summary
        assert "Nothing was written" in refused.summary
        assert not controlled.written()
    controlled.decide(**approved)
    assert f"change {number} was applied and closed" in controlled("onboard").went_well().summary
    assert controlled.instance.roles_of(USERS["mdc"], "false") == ["itil"]


# By what is disturbed, the write and the kinds of faults: each once.
OPENING = ("POST", "/api/sn_chg_rest/*", ("500-after-commit", "reset-after-commit", "500", "429-forever", "login-page"))
NOTING = (
    "PATCH",
    "/api/now/table/change_request/*",
    ("500-after-commit", "reset-after-commit", "late-commit", "429-forever", "login-page"),
)


@pytest.mark.walk(2)
@pytest.mark.parametrize(
    ("method", "path", "kind", "count"),
    [
        (method, path, kind, count)
        for (method, path, kinds), counts in ((OPENING, (1, 9)), (NOTING, (1, 2, 9)))
        for kind in kinds
        for count in counts
    ],
)
def test_a_fault_at_the_change_request_leaves_one_and_closes_it(
    controlled: Controlled, method: str, path: str, kind: str, count: int
) -> None:
    """Of the requests that open it, that note that its plan is applied, and that close it, the first ones fail."""
    fault = {"kind": kind, "count": count, "method": method, "path": path, "seconds": 1}
    if method == "PATCH":
        controlled("onboard").went_well()
        controlled.approve()
    controlled.itsm.turn(faults=[fault])
    disturbed = controlled("onboard")
    controlled.itsm.turn(faults=[])
    time.sleep(1 if kind == "late-commit" else 0)
    assert disturbed.status in (0, 2)
    assert "Traceback" not in disturbed.output
    if method == "POST":
        assert not controlled.written_besides()
        assert ("is opened" in disturbed.summary) == (disturbed.status == 0)
        controlled("onboard").went_well()
        controlled.approve()
    elif disturbed.status == 2:
        assert "Nothing was applied" in disturbed.summary or "could not be noted there" in disturbed.summary
    if controlled.change["state"] != CLOSED:
        controlled("onboard").went_well()
    (row,) = [row for row in controlled.itsm.rows("change_request") if row.get("correlation_id")]
    assert (row["state"], row["close_code"]) == (CLOSED, "successful")
    assert controlled.instance.rows("sys_user", user_name=USERS["mdc"])
    again = controlled("onboard").went_well()
    assert "nothing to change, so no change request was opened" in again.summary


def test_a_change_request_that_arrives_late_is_named_and_the_first_one_counts(controlled: Controlled) -> None:
    late = {"kind": "late-commit", "count": 1, "method": "POST", "path": "/api/sn_chg_rest/*", "seconds": 3}
    controlled.itsm.turn(faults=[late])
    opened = controlled("onboard").went_well()
    controlled.itsm.turn(faults=[])
    time.sleep(3)
    first, second = sorted(row["number"] for row in controlled.itsm.rows("change_request") if row.get("correlation_id"))
    assert f"change {first} is opened" in opened.summary
    waiting = controlled("onboard").went_well().summary
    assert f"change {first} waits: it is not approved" in waiting
    assert f"{second} has the same plan: cancel it" in waiting
    window = {"start_date": at(hours=-1), "end_date": at(hours=1)}
    controlled.itsm.change("change_request", {"number": first}, state=SCHEDULED, approval="approved", **window)
    assert f"change {first} waits: {second} has the same plan" in controlled("onboard").went_well().summary
    assert not controlled.written_besides()
    controlled.itsm.change("change_request", {"number": second}, state=CANCELED, active="false")
    assert f"change {first} was applied and closed" in controlled("onboard").went_well().summary


def test_a_standard_change_that_was_rejected_is_renewed_and_offboards(controlled: Controlled) -> None:
    controlled("onboard", variables={"servicenow_defender_change": False}).went_well()
    controlled.variables |= {"servicenow_defender_change_template": "Rotate a certificate", **CONFIRMED}
    both = overlapping(controlled, "offboard")
    assert [run.status for run in both] == [0, 0]
    (first,) = controlled.itsm.rows("change_request", type="standard")
    assert f'- user {USERS["mdc"]}\n  state: "present" -> "absent"' in first["change_plan"]
    assert first["backout_plan"] == "Install the old one"
    controlled.decide(approval="rejected")
    controlled.forget_requests()
    refused = controlled("offboard")
    assert refused.status == 2
    assert f"change {first['number']} was rejected. Nothing was written. Correct it, or set" in refused.summary
    assert not controlled.written()
    controlled("offboard", variables={"servicenow_defender_change_renew": True}).went_well()
    assert controlled.change["number"] != first["number"]
    controlled.approve()
    controlled("offboard").went_well()
    assert not left_on(controlled.instance)
    assert controlled.change["state"] == CLOSED


def overlapping(controlled: Controlled, what: str) -> list[Run]:
    """Run a playbook twice at the same time."""
    runs = []
    for _number in range(2):
        command, environment, results = controlled.command(what)
        command += ["--limit", f"{controlled.instance.name},{HOST}"]
        nothing = subprocess.DEVNULL
        process = subprocess.Popen(
            command, cwd=controlled.playbook.folder, env=environment, stdin=nothing, stdout=nothing, stderr=nothing
        )
        runs.append((process, results))
    return [Run(process.wait(PATIENCE), "", read_results(results)) for process, results in runs]
