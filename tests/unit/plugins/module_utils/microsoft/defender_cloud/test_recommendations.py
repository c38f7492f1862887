# SPDX-License-Identifier: GPL-3.0-or-later
"""Recommendations: pages, what they are joined with, which are chosen.

See docs/facts/defender_for_cloud.md#assessments, docs/facts/defender_for_cloud.md#assessment-metadata.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput, Refused
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.defender_cloud.assessments import (
    assessment_key,
    is_past,
    recommendation,
    resource_type,
    split_id,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.defender_cloud.recommendation_filter import (
    Selection,
)
from ansible_collections.secops.servicenow_defender.plugins.modules import mdc_recommendation_info
from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, answer
from tests.unit.plugins.module_utils.microsoft.defender_cloud.assessment_rows import (
    CONNECTOR,
    OPEN_PORT,
    OTHER_SUB,
    SUB,
    VULNERABLE,
    assessment,
    machine,
    metadata,
    ran,
)

Task = Callable[..., dict[str, Any]]
BUILT_IN = "/providers/Microsoft.Security/assessmentMetadata"
FEW = "12/2020"


class Lists:
    """Plays the lists of Resource Manager, in pages of two; `refused` scopes are refused."""

    def __init__(self, server: Loopback) -> None:
        self.server = server
        self.rows: dict[str, list[dict[str, Any]]] = {BUILT_IN: [metadata(), metadata(OPEN_PORT, "Medium")]}
        self.refused: dict[str, Reply] = {}
        server.answers_by(self._answer)

    def found(self, scope: str, *rows: dict[str, Any]) -> Lists:
        self.rows[f"{scope}/providers/Microsoft.Security/assessments"] = list(rows)
        return self

    def _answer(self, request: Received) -> Reply:
        for scope, reply in self.refused.items():
            if request.path.startswith(scope):
                return reply
        start = int(request.query.get("$skipToken", 0))
        rows = self.rows.get(request.path, [])
        link = f"{self.server.url}{request.path}?api-version=2025-05-04&$skipToken={start + 2}"
        more = {"nextLink": link} if len(rows) > start + 2 else {}
        return answer({"value": rows[start : start + 2], **more})


@pytest.fixture
def task(server: Loopback) -> Task:
    def run(**options: Any) -> dict[str, Any]:
        given = {} if "scopes" in options else {"azure_subscription_id": SUB.rsplit("/", 1)[1]}
        return ran(mdc_recommendation_info, server, **given, **options)

    return run


def names(result: dict[str, Any]) -> list[str]:
    return [row["resource_name"] for row in result["recommendations"]]


# -- one row ----------------------------------------------------------------------------------------------------------


def test_a_key_is_the_same_however_the_id_is_written() -> None:
    one = assessment(machine("vm1"))["id"]
    assert assessment_key(one) == assessment_key(one.upper().strip("/")) == assessment_key(f" {one}/")
    assert assessment_key(one) != assessment_key(assessment(machine("vm2"))["id"])
    # What tickets carry must not change with a release.
    assert assessment_key("/subscriptions/1/providers/Microsoft.Security/assessments/2") == (
        "mdc-b41c11430de303f8534b9bd11a3bdecb5410db70"
    )


@given(st.text())
def test_a_key_always_fits_into_a_ticket(text: str) -> None:
    assert re.fullmatch(r"mdc-[0-9a-f]{40}", assessment_key(text))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_answer_makes_a_row(value: Any) -> None:
    row = recommendation(
        {"id": machine("vm1"), "properties": {"status": value, "resourceDetails": value, "links": value}}, {}
    )
    assert isinstance(row["status"], str)


def test_a_row_holds_everything_about_a_finding() -> None:
    found = assessment(
        machine("vm1"),
        links={"azurePortalUri": "portal.azure.com/#blade/1"},
        risk={"level": "Critical"},
        status={
            "code": "Unhealthy",
            "cause": "OffByPolicy",
            "description": "It is off",
            "statusChangeDate": "2026-02-03T00:00:00Z",
        },
    )
    known = metadata(remediationDescription="Switch it on", categories=["Compute"])["properties"]
    row = recommendation(found, known)
    assert {
        name: row[name]
        for name in ("severity", "cause", "description", "changed_at", "risk_level", "remediation", "categories")
    } == {
        "severity": "High",
        "cause": "OffByPolicy",
        "description": "It is off",
        "changed_at": "2026-02-03T00:00:00Z",
        "risk_level": "Critical",
        "remediation": "Switch it on",
        "categories": ["Compute"],
    }
    assert (row["resource_name"], row["resource_type"], row["source"]) == (
        "vm1",
        "Microsoft.Compute/virtualMachines",
        "azure",
    )
    assert row["portal_url"] == "https://portal.azure.com/#blade/1"
    assert row["subscription_id"] == SUB.rsplit("/", 1)[1]


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        (SUB, "Microsoft.Resources/subscriptions"),
        (f"{SUB}/resourceGroups/prod", "Microsoft.Resources/subscriptions/resourceGroups"),
        (f"{SUB}/resourceGroups/g/providers/Microsoft.Sql/servers/s/databases/d", "Microsoft.Sql/servers/databases"),
        ("", ""),
    ],
)
def test_a_type_is_read_from_an_id(resource: str, kind: str) -> None:
    assert resource_type(resource) == kind


def test_an_id_that_is_none_has_no_parts() -> None:
    assert split_id(f"{machine('vm1').strip('/')}/PROVIDERS/microsoft.security/Assessments/{VULNERABLE}") == (
        machine("vm1"),
        VULNERABLE,
    )
    assert split_id(machine("vm1")) == ("", "")


@pytest.mark.parametrize(("month", "past"), [("12/2020", True), ("12/2999", False), ("", False), ("soon", False)])
def test_a_kind_ends_with_its_month(month: str, past: bool) -> None:
    assert is_past(month) is past


# -- lists ------------------------------------------------------------------------------------------------------------


def test_every_page_of_every_scope_is_read_and_joined_once(server: Loopback, task: Task) -> None:
    Lists(server).found(SUB, *(assessment(machine(f"vm{n}")) for n in range(3))).found(
        OTHER_SUB, assessment(machine("vm9", OTHER_SUB), OPEN_PORT)
    )
    result = task(scopes=[SUB, OTHER_SUB, f"{SUB.upper()}/"])
    assert names(result) == ["vm0", "vm1", "vm2", "vm9"]
    assert [row["severity"] for row in result["recommendations"]] == ["High"] * 3 + ["Medium"]
    assert (result["scopes_read"], result["problems"], result["changed"]) == ([SUB, OTHER_SUB], [], False)
    assert server.lines.count(f"GET {BUILT_IN}") == 1
    assert len(server.lines) == 4


def test_a_custom_kind_is_searched_in_its_subscription_only(server: Loopback, task: Task) -> None:
    lists = (
        Lists(server)
        .found(SUB, assessment(machine("vm1"), "own"))
        .found(OTHER_SUB, assessment(machine("vm2", OTHER_SUB)))
    )
    lists.rows[f"{SUB}{BUILT_IN}"] = [metadata("own", "Low", plannedDeprecationDate=FEW)]
    (own, _other) = task(scopes=[SUB, OTHER_SUB])["recommendations"]
    assert (own["severity"], own["is_deprecated"]) == ("Low", True)
    assert f"GET {OTHER_SUB}{BUILT_IN}" not in server.lines


def test_case_makes_no_difference_in_names(server: Loopback, task: Task) -> None:
    low = assessment(machine("vm1"), status="UNHEALTHY", metadata=metadata(severity="HIGH")["properties"])
    other = assessment(machine("VM1"), OPEN_PORT, metadata=metadata(severity="high")["properties"])
    Lists(server).found(SUB, low, other)
    rows = task(severities=["High"])["recommendations"]
    assert [(row["status"], row["severity"], row["resource_id"]) for row in rows] == [
        ("Unhealthy", "High", machine("vm1"))
    ] * 2


def test_metadata_in_the_response_are_not_requested_again(server: Loopback, task: Task) -> None:
    Lists(server).found(SUB, assessment(machine("vm1"), metadata=metadata(severity="Critical")["properties"]))
    assert task()["recommendations"][0]["severity"] == "Critical"
    assert len(server.lines) == 1


def test_the_tenants_list_may_be_refused(server: Loopback, task: Task) -> None:
    lists = Lists(server).found(SUB, assessment(machine("vm1")))
    lists.rows[f"{SUB}{BUILT_IN}"] = [metadata(severity="Low")]
    lists.refused[BUILT_IN] = answer({"error": {"code": "AuthorizationFailed", "message": "no"}}, 403)
    assert task()["recommendations"][0]["severity"] == "Low"


def test_status_severity_and_filter_choose(server: Loopback, task: Task) -> None:
    Lists(server).found(
        SUB,
        assessment(machine("vm1")),
        assessment(machine("vm2"), OPEN_PORT),
        assessment(machine("vm3"), status="Healthy"),
        assessment(machine("vm4"), "unknown"),
    )
    assert names(task()) == ["vm1", "vm2", "vm4"]
    assert names(task(status=[])) == ["vm1", "vm2", "vm3", "vm4"]
    severe = task(severities=["High"])
    assert names(severe) == ["vm1"]
    assert severe["warnings"] == [
        "1 recommendations have no metadata and thus no severity; option severities excludes them"
    ]
    assert names(task(filter="severity == 'Medium' || contains(resource_id, 'vm1')")) == ["vm1", "vm2"]
    whole = task(filter="resource_name == 'vm2'", include_unselected=True)["recommendations"]
    assert [(row["resource_name"], row["selected"]) for row in whole] == [
        ("vm1", False),
        ("vm2", True),
        ("vm3", False),
        ("vm4", False),
    ]


def test_no_page_is_read_beyond_the_limit(server: Loopback, task: Task) -> None:
    Lists(server).found(SUB, *(assessment(machine(f"vm{n}")) for n in range(9)))
    result = task(limit=3)
    assert names(result) == ["vm0", "vm1", "vm2"]
    assert result["scopes_read"] == [], "the rest does not count as gone"
    assert sum("assessments" in line for line in server.lines) == 2


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("severity ==", "filter is not a valid JMESPath expression"),
        ("[?severity == 'High']", "applied to one recommendation at a time"),
        ("contains(`1`, 'x')", "filter cannot be applied to /subscriptions/"),
        ("nosuch(name)", "filter cannot be applied to|no expression"),
    ],
)
def test_an_invalid_filter_is_refused(server: Loopback, task: Task, expression: str, words: str) -> None:
    Lists(server).found(SUB, assessment(machine("vm1")))
    with pytest.raises(InvalidInput, match=words):
        task(filter=expression)


@given(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.text(),
        st.lists(st.integers()),
        st.dictionaries(st.text(), st.integers()),
    )
)
def test_a_filter_is_true_as_in_jmespath(value: Any) -> None:
    chosen = Selection([], [], "value").selects({"id": "1", "value": value, "severity": "", "status": ""})
    assert chosen is (value == 0 and value is not False or bool(value))


def test_a_refused_scope_does_not_hide_the_others(server: Loopback, task: Task) -> None:
    lists = Lists(server).found(SUB, assessment(machine("vm1")))
    lists.refused[OTHER_SUB] = answer({"error": {"code": "SubscriptionNotFound", "message": "not found"}}, 404)
    result = task(scopes=[OTHER_SUB, SUB])
    assert names(result) == ["vm1"]
    assert result["scopes_read"] == [SUB]
    (problem,) = result["problems"]
    assert problem["id"] == f"scope_refused:{OTHER_SUB.rsplit('/', 1)[1]}"
    assert "Check the subscription's id" in problem["message"]
    with pytest.raises(Refused, match="SubscriptionNotFound"):
        task(scopes=[OTHER_SUB])


def test_a_management_group_returns_which_subscriptions_were_read(server: Loopback, task: Task) -> None:
    group = "/providers/Microsoft.Management/managementGroups/acme"
    Lists(server).found(
        group, assessment(machine("vm1")), assessment(machine("vm2")), assessment(machine("vm3", OTHER_SUB))
    )
    assert task(scopes=[group])["scopes_read"] == [group, SUB, OTHER_SUB]


def test_a_management_group_also_returns_subscriptions_without_recommendations(server: Loopback, task: Task) -> None:
    group = "/providers/Microsoft.Management/managementGroups/acme"
    inner = {"id": f"{group}-inner", "children": [{"id": SUB.upper()}, {"id": OTHER_SUB}]}
    lists = Lists(server).found(group, assessment(machine("vm1")))
    plain = lists._answer

    def with_tree(request: Received) -> Reply:
        return answer({"properties": {"children": [inner]}}) if request.path == group else plain(request)

    server.answers_by(with_tree)
    assert task(scopes=[group], include_unselected=True)["scopes_read"] == [group, SUB, OTHER_SUB]
    denied = answer({"error": {"code": "AuthorizationFailed", "message": "no"}}, 403)
    server.answers_by(lambda request: denied if request.path == group else plain(request))
    result = task(scopes=[group], include_unselected=True)
    assert result["scopes_read"] == [group, SUB]
    (problem,) = result["problems"]
    assert (problem["id"], problem["severity"]) == ("scope_children:acme", "warning")
    assert "AuthorizationFailed" in problem["message"]


def test_findings_of_other_clouds_name_their_connector(server: Loopback, task: Task) -> None:
    bucket = assessment(f"{CONNECTOR}/securityentitydata/bucket1", source="Aws")
    Lists(server).found(SUB, bucket, assessment(machine("vm1"))).found(CONNECTOR, bucket)
    (problem,) = task()["problems"]
    assert problem["id"] == "integration_scope"
    assert CONNECTOR in problem["remedy"]
    assert task(scopes=[CONNECTOR])["problems"] == []


def test_long_lists_show_progress(server: Loopback, clock: Any) -> None:
    lists = Lists(server).found(SUB, *(assessment(machine(f"vm{n}")) for n in range(6)))
    shown: list[str] = []
    plain = lists._answer

    def slow(request: Received) -> Reply:
        clock.passes(3)
        return plain(request)

    server.answers_by(slow)
    ran(mdc_recommendation_info, server, scopes=[SUB], show=shown)
    assert shown[-1].startswith("Defender for Cloud: 6 recommendations of subscription")
    assert len(shown) == 2


def test_resource_graph_chooses_on_the_server(server: Loopback, task: Task) -> None:
    one = assessment(machine("vm1"), metadata=metadata()["properties"])
    one["properties"]["resourceDetails"] = {"Source": "Azure", "Id": machine("vm1")}
    elsewhere = assessment(machine("vm2", "/subscriptions/another"))
    server.answers(answer({"data": [{**one, "id": one["id"].lower()}, elsewhere]}))
    result = task(scopes=[SUB, OTHER_SUB], severities=["High", "Critical"], source="resource_graph")
    (row,) = result["recommendations"]
    assert (row["key"], row["severity"], row["source"]) == (assessment_key(one["id"]), "High", "azure")
    assert result["scopes_read"] == []
    (request,) = server.received
    assert request.json["query"] == (
        "securityresources | where type =~ 'microsoft.security/assessments' | where tostring(properties.status.code) in~ ('Unhealthy') | "
        "where tostring(properties.metadata.severity) in~ ('Critical', 'High') | project id, name, properties"
    )
    assert request.json["subscriptions"] == [scope.rsplit("/", 1)[1] for scope in (SUB, OTHER_SUB)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"include_unselected": True}, "include_unselected requires source: assessments"),
        ({"scopes": ["/providers/Microsoft.Management/managementGroups/a"]}, "not management group a"),
    ],
)
def test_what_resource_graph_cannot_do_is_reported(
    server: Loopback, task: Task, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        task(source="resource_graph", **options)
    assert server.received == []


def test_a_subscription_without_foundational_cspm_is_named(task: Task, server: Loopback) -> None:
    lists = Lists(server).found(OTHER_SUB, assessment(machine("one", OTHER_SUB), VULNERABLE))
    plan = "/providers/Microsoft.Security/pricings/FoundationalCspm"
    for tier, problems in (("Free", [f"foundational_off:{SUB.rpartition('/')[2]}"]), ("Standard", [])):

        def reply(request: Received, tier: str = tier) -> Reply:
            if request.path == f"{SUB}{plan}":
                return answer({"properties": {"pricingTier": tier}})
            return lists._answer(request)

        server.answers_by(reply)
        result = task(scopes=[SUB, OTHER_SUB])
        assert [problem["id"] for problem in result["problems"]] == problems
        assert len(result["recommendations"]) == 1
