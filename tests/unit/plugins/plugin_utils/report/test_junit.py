# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JUnit XML."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from hypothesis import given

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.junit import to_junit
from tests.unit.plugins.plugin_utils.report import fleets
from tests.unit.plugins.plugin_utils.report.fleets import LIFESPAN, deviation, hostile, small
from tests.unit.plugins.plugin_utils.report.strategies import document_of, documents
from tests.unit.plugins.plugin_utils.report.test_collect import report


def suites_of(document: dict[str, Any]) -> dict[str | None, ElementTree.Element]:
    return {suite.get("name"): suite for suite in ElementTree.fromstring(to_junit(document))}


def test_a_suite_is_an_instance_and_a_failure_is_drift() -> None:
    suite = suites_of(small())["acme-dev"]
    failures = {case.get("name"): case.find("failure") for case in suite.iter("testcase")}
    application = failures["oauth_application CloudAppSecurity"]
    assert application is not None
    assert application.get("message") == "oauth_application CloudAppSecurity: 2 deviations"
    assert application.text == "access_token_lifespan: 1800 -> 3600\nclient_secret: ******** -> ********"
    assert failures["role custom_table_access"] is None


def test_a_manual_step_is_a_failure_with_what_to_enter() -> None:
    case = suites_of(small())["acme-dev"].find(
        "testcase[@name='manual step: Let the role custom_table_access read incident']"
    )
    assert case is not None
    assert "Requires role: custom_table_access" in str(case.findtext("failure"))


def test_a_host_that_dropped_out_is_an_error() -> None:
    suites = suites_of(small())
    error = suites["acme-lab"].find("testcase/error")
    assert error is not None and "hibernating" in str(error.get("message"))
    assert suites["acme-old"].find("testcase/error[@type='unreachable']") is not None


def test_problems_are_listed_next_to_the_cases() -> None:
    assert "Remedy" not in str(suites_of(small())["acme-test"].findtext("system-out"))
    assert "Sign in with OAuth" in str(suites_of(small())["acme-test"].findtext("system-out"))


def test_repaired_drift_passes_and_is_mentioned() -> None:
    repaired = report({"changed": True, "drift": [LIFESPAN]}, check_mode=False)
    case = suites_of(document_of([repaired]))["acme-dev"].find("testcase[@name='oauth_application CloudAppSecurity']")
    assert case is not None and case.find("failure") is None
    assert case.findtext("system-out") == "access_token_lifespan: 1800 -> 3600 (repaired)"


def test_the_counts_of_suites_and_of_the_whole_agree_with_the_cases() -> None:
    whole = ElementTree.fromstring(to_junit(small()))
    for element in (whole, *whole):
        assert element.get("tests") == str(len(list(element.iter("testcase"))))
        assert element.get("failures") == str(len(list(element.iter("failure"))))
        assert element.get("errors") == str(len(list(element.iter("error"))))
    assert (whole.get("failures"), whole.get("errors")) == ("5", "2")


def test_control_characters_are_replaced_and_line_breaks_kept() -> None:
    document = document_of([report({"drift": [deviation("user a", "x", "\x00\x1b[31m\ufffe", "one\ntwo")]})])
    text = suites_of(document)["acme-dev"].findtext("testcase/failure")
    assert text == "x: \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER} -> one\ntwo"


def test_markup_in_values_stays_text() -> None:
    tags = {element.tag for element in ElementTree.fromstring(to_junit(hostile())).iter()}
    assert tags == {"testsuites", "testsuite", "testcase", "failure", "error", "system-out"}


@given(documents)
def test_any_report_is_well_formed_xml(document: Any) -> None:
    whole = ElementTree.fromstring(to_junit(document))
    assert len(whole) == len(document["hosts"])


def test_an_object_that_is_unproven_is_an_error_of_that_type() -> None:
    suites = suites_of(fleets.unproven())
    (error,) = suites["acme-dev"].iter("error")
    assert (error.get("type"), error.get("message")) == ("unproven", "plugin com.snc.x is unproven")
    assert error.text == f"state: unproven, {fleets.CLOSED}"
    assert [each.get("type") for each in suites["defender"].iter("error")] == ["unproven"]
    assert suites["acme-prod"].get("errors") == "0"
