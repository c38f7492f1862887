# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies: what became of them, and switching them on or off (docs/facts/defender_for_cloud_apps.md#policies)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps import policy_lifecycle
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps.policy_catalogue import (
    PAGE,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps.policy_lifecycle import (
    ending,
    has_ended,
    lifecycle_of,
    page_report,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import AmbiguousResponse
from ansible_collections.secops.servicenow_defender.plugins.modules import mda_policies
from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, answer

Task = Callable[..., tuple[dict[str, Any], list[str]]]
TERMINATED = "Activity performed by terminated user"


class Policies:
    """Plays the routes of policies (docs/facts/defender_for_cloud_apps.md#policy-routes)."""

    def __init__(self, server: Loopback, *names: str) -> None:
        self.rows = [{"_id": f"id-{n}", "name": name, "enabled": False} for n, name in enumerate(names)]
        self.authorizations: list[str] = []
        server.answers_by(self._answer)

    def _answer(self, request: Received) -> Reply:
        if request.path == "/cas/api/v1/policies/":
            return answer({"data": self.rows, "hasNext": False})
        if request.path == "/cas/api/v1/policy/activity/":
            name = json.loads(request.body)["name"]
            self.rows.append({"_id": f"id-{len(self.rows)}", "name": name, "enabled": True})
            return answer({"_id": self.rows[-1]["_id"]})
        row_id, verb = request.path.strip("/").split("/")[-2:]
        self.authorizations.append(request.headers.get("authorization", ""))
        next(row for row in self.rows if row["_id"] == row_id)["enabled"] = verb == "enable"
        return answer({})


@pytest.fixture
def task(server: Loopback) -> Task:
    def run(*policies: dict[str, Any], check_mode: bool = False, **options: Any) -> tuple[dict[str, Any], list[str]]:
        given = {"mda_url": server.url, "mda_api_token": "legacy-t0ken-text", "policies": list(policies), **options}
        checked = ArgumentSpecValidator(mda_policies.SPEC.argument_spec).validate(given)
        assert not checked.error_messages
        context = TaskContext(check_mode=check_mode)
        return mda_policies.run(checked.validated_parameters, context).as_dict(with_diff=True), context.warnings

    return run


def test_without_a_contract_drift_is_a_manual_step(server: Loopback, task: Task) -> None:
    Policies(server, TERMINATED)
    result, _warnings = task({"name": TERMINATED.upper()})
    assert (result["changed"], result["results"][0]["status"]) == (False, "drift")
    assert result["manual_steps"][0]["title"] == f"Enable the policy {TERMINATED}"


def test_the_shipped_contract_is_accepted_by_name_and_signed_for(server: Loopback, task: Task) -> None:
    played = Policies(server, TERMINATED)
    assert task({"name": TERMINATED}, contract="portal_policy_routes")[0]["changed"] is True
    assert server.lines[1] == "POST /cas/api/v1/policies/id-0/enable/"
    assert played.authorizations == ["Token legacy-t0ken-text"]
    assert task({"name": TERMINATED}, contract="portal_policy_routes")[0]["changed"] is False


@pytest.mark.parametrize("key", ["_id", "name"])
def test_a_list_with_policies_that_are_not_recognized_changes_nothing(server: Loopback, task: Task, key: str) -> None:
    played = Policies(server, TERMINATED)
    played.rows[0][f"{key}Value"] = played.rows[0].pop(key)
    with pytest.raises(AmbiguousResponse, match=f"entry 1 of 1 of its list has no {key}"):
        task({"name": TERMINATED}, contract="portal_policy_routes")
    assert server.lines == ["POST /cas/api/v1/policies/"]


def test_a_policy_that_does_not_show_whether_it_is_enabled_is_unproven(server: Loopback, task: Task) -> None:
    played = Policies(server, TERMINATED)
    played.rows[0]["on"] = played.rows[0].pop("enabled")
    result, _warnings = task({"name": TERMINATED}, contract="portal_policy_routes")
    assert (result["changed"], result["drift"], result["manual_steps"]) == (False, [], [])
    assert "does not show whether it is enabled" in result["unproven"][0]["reason"]
    assert server.lines == ["POST /cas/api/v1/policies/"]


def test_check_mode_switches_nothing(server: Loopback, task: Task) -> None:
    Policies(server, TERMINATED)
    assert task({"name": TERMINATED}, contract="portal_policy_routes", check_mode=True)[0]["changed"] is True
    assert server.lines == ["POST /cas/api/v1/policies/"]


def test_another_name_of_a_contract_is_refused(server: Loopback, task: Task) -> None:
    with pytest.raises(InvalidInput, match="must be a mapping, or portal_policy_routes"):
        task({"name": TERMINATED}, contract="other")


def test_switching_on_what_microsoft_replaced_is_warned_of(server: Loopback, task: Task) -> None:
    Policies(server, "Ransomware detection")
    _result, warnings = task({"name": "Ransomware detection"})
    assert "Microsoft replaced 'Ransomware detection' with" in " ".join(warnings)


def test_a_policy_that_is_not_there_is_off(server: Loopback, task: Task) -> None:
    Policies(server)
    result, _warnings = task({"name": "Old", "state": "disabled"}, {"name": TERMINATED})
    assert [row["status"] for row in result["results"]] == ["ok", "missing"]


@pytest.mark.parametrize(
    ("shown", "named"),
    [
        ("Unusual multiple file download activities (by user)", "Unusual multiple file download activities"),
        ("Ransomware activity", "Ransomware detection"),
    ],
)
def test_a_built_in_policy_is_found_by_the_name_of_the_page(
    server: Loopback, task: Task, shown: str, named: str
) -> None:
    """What is enabled under a longer name is not off."""
    tenant = Policies(server, shown)
    tenant.rows[0]["enabled"] = True
    (row,) = task({"name": named, "state": "disabled"})[0]["results"]
    assert (row["name"], row["status"]) == (shown, "drift")
    (row,) = task({"name": named})[0]["results"]
    assert (row["name"], row["status"]) == (shown, "ok")


def test_two_policies_of_one_name_are_distinguished_by_id(server: Loopback, task: Task) -> None:
    Policies(server, TERMINATED, TERMINATED)
    with pytest.raises(InvalidInput, match=r"\(id-0, id-1\); set id to select one"):
        task({"name": TERMINATED})
    assert task({"id": "id-1"}, check_mode=True)[0]["results"][0]["id"] == "id-1"


@pytest.mark.parametrize(
    ("name", "kind", "standing", "date"),
    [
        (TERMINATED, "ANOMALY_DETECTION", "current", ""),
        ("Impossible travel", "ANOMALY_DETECTION", "behavior", ""),
        ("Unusual multiple file download activities (by user)", "ANOMALY_DETECTION", "behavior", ""),
        ("Activity from anonymous IP addresses", "ANOMALY_DETECTION", "replaced", ""),
        ("Anything of ours", "FILE", "retires", "2027-01-06"),
        ("Anything of ours", "AUDIT", "current", ""),
        ("Detect a file shared with an unauthorized domain", "", "retires", "2027-01-06"),
        ("Detect a file shared with personal email addresses", "", "retires", "2027-01-06"),
        ("Detect files with PII/PCI/PHI", "", "retires", "2027-01-06"),
        ("detect files with PCI (built-in)", "", "retires", "2027-01-06"),
        ("Logon from a risky IP address", "AUDIT", "current", ""),
    ],
)
def test_what_became_of_a_policy_is_known(name: str, kind: str, standing: str, date: str) -> None:
    lifecycle = lifecycle_of(name, kind)
    assert (lifecycle.standing, lifecycle.date) == (standing, date)


def test_enabling_a_file_policy_names_its_end_even_where_it_is_missing(server: Loopback, task: Task) -> None:
    Policies(server)
    result, warnings = task({"name": "Detect files with PII/PCI/PHI"})
    (row,) = result["results"]
    assert (row["status"], row["standing"], row["date"], row["successors"]) == ("missing", "retires", "2027-01-06", [])
    assert "retire on 2027-01-06, and Microsoft states no replacement for files in ServiceNow" in " ".join(warnings)


PAGE_NAMES = (
    "Activity from anonymous IP addresses", "Activity from infrequent country", "Activity from suspicious IP addresses",
    "Impossible travel", "Activity performed by terminated user", "Multiple failed login attempts", "Ransomware detection",
    "Unusual multiple file download activities", "Logon from a risky IP address", "Mass download by a single user",
    "Detect a file shared with an unauthorized domain", "Detect a file shared with personal email addresses",
    "Detect files with PII/PCI/PHI",
)  # fmt: skip


def test_the_page_is_known_whole_with_grade_and_source() -> None:
    """The 13 names in the order of Microsoft's page of 2026-06-16."""
    assert [each.name for each in PAGE] == list(PAGE_NAMES)
    assert Counter(each.kind for each in PAGE) == {"built_in": 8, "activity_template": 2, "file_template": 3}
    assert Counter(each.standing for each in PAGE) == {"replaced": 3, "behavior": 4, "current": 3, "retires": 3}
    assert all(each.grade == "confirmed" and each.source.startswith("https://learn.microsoft.com/") for each in PAGE)
    titles = [title.casefold() for each in PAGE for title in (each.name, *each.aliases)]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize(("today", "ended"), [(date(2027, 1, 5), False), (date(2027, 1, 6), True)])
def test_file_policies_end_on_a_day(today: date, ended: bool) -> None:
    assert has_ended(lifecycle_of("anything", "FILE"), today) is ended
    assert not has_ended(lifecycle_of("Impossible travel"), today)


def test_a_report_has_the_policies_that_each_line_of_the_page_means() -> None:
    row = {"type": "FILE", "severity": "", "enabled": True}
    rows = [
        {**row, "id": "1", "name": "Log on from a risky IP address", "type": "AUDIT"},
        {**row, "id": "2", "name": "Files of the board"},
        {**row, "id": "3", "name": "PII detected", "enabled": False},
    ]
    found = {line["name"]: [each["id"] for each in line["policies"]] for line in page_report(rows)}
    assert (found["Logon from a risky IP address"], found["Detect files with PII/PCI/PHI"]) == (["1"], ["3"])
    assert sum(map(len, found.values())) == 2
    assert [(each["name"], each["date"], each["successors"]) for each in ending(rows)] == [
        ("Files of the board", "2027-01-06", []),
        ("PII detected", "2027-01-06", []),
    ]


def test_each_missing_policy_of_the_page_has_an_exact_step(server: Loopback, task: Task) -> None:
    Policies(server)
    result, _warnings = task(*({"name": name} for name in PAGE_NAMES))
    steps = {step["id"].partition(":")[2]: step for step in result["manual_steps"]}
    kinds = {each.name: "find" if each.kind == "built_in" else "create" for each in PAGE}
    assert list(steps) == [f"{kinds[name]}:{name}" for name in PAGE_NAMES]
    mass = steps["create:Mass download by a single user"]
    assert mass["where"].endswith("Cloud apps > Policies > Policy templates > + in the row of the template > Create")
    name = "Mass download by a single user"
    assert mass["values"] == {"Template": name, "Policy name": name, "App": "ServiceNow"}
    assert "2027-01-06" in steps["create:Detect files with PII/PCI/PHI"]["reason"]
    assert {row["status"] for row in result["results"]} == {"missing"}


def test_a_missing_policy_that_is_not_on_the_page_is_said_to_be_unknown(server: Loopback, task: Task) -> None:
    Policies(server)
    result, _warnings = task({"name": "Mass downloads by a single user"})
    assert "did you mean 'Mass download by a single user'?" in result["results"][0]["reason"]
    assert result["manual_steps"] == []


def test_after_their_end_file_policies_have_no_step(
    server: Loopback, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2027, 1, 6, tzinfo=tz)

    monkeypatch.setattr(policy_lifecycle, "datetime", Later)
    Policies(server)
    result, warnings = task({"name": "Detect files with PII/PCI/PHI"})
    assert result["manual_steps"] == []
    assert "have ended" in result["results"][0]["reason"]
    assert any("these retired on 2027-01-06" in warning for warning in warnings)


def test_a_contract_creates_only_its_own_policy(server: Loopback, task: Task) -> None:
    policies = Policies(server)
    request = {"method": "POST", "url": f"{server.url}/cas/api/v1/policy/activity/", "body": {"name": "${name}"}}
    create = {**request, "expect": {"fields": {"id": "_id"}}}
    contract = {"contract": 1, "name": "mass", "target": "mda_policy", "operations": {"create": create}}
    mass, risky = (
        {"name": "Mass download by a single user", "contract": contract},
        {"name": "Logon from a risky IP address"},
    )
    result, _warnings = task(mass, risky, contract=contract)
    assert [row["status"] for row in result["results"]] == ["changed", "missing"]
    assert [row["name"] for row in policies.rows] == ["Mass download by a single user"]
    assert [step["id"] for step in result["manual_steps"]] == ["policy:create:Logon from a risky IP address"]
    again, _warnings = task(mass)
    assert (again["changed"], again["drift"]) == (False, [])


def test_which_policies_end_is_not_known_if_the_list_is_refused(server: Loopback, task: Task) -> None:
    server.answers_by(lambda _request: answer({"detail": "no"}, status=403))
    result, _warnings = task({"name": TERMINATED})
    assert (result["ending"], result["unproven"][0]["object"]) == (None, f"policy {TERMINATED}")
