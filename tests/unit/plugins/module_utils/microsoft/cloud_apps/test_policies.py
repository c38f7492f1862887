# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies: what became of them, and switching them on or off (docs/facts/defender_for_cloud_apps.md#policies)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps.policy_lifecycle import (
    lifecycle_of,
)
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


def test_without_a_contract_a_deviation_is_left_to_a_person(server: Loopback, task: Task) -> None:
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
    assert "Microsoft replaced 'Ransomware detection' with" in warnings[0]


def test_a_policy_that_is_not_there_is_off(server: Loopback, task: Task) -> None:
    Policies(server)
    result, _warnings = task({"name": "Old", "state": "disabled"}, {"name": TERMINATED})
    assert [row["status"] for row in result["results"]] == ["ok", "missing"]


def test_two_policies_of_one_name_are_told_apart_by_id(server: Loopback, task: Task) -> None:
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
    assert "retire on 2027-01-06, and Microsoft states no replacement for files in ServiceNow" in warnings[0]
