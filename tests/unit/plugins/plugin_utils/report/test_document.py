# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a document: its schema, its totals, and how slices become one."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.document import (
    is_slice_of,
    merge,
    summary,
)
from tests.unit.plugins.plugin_utils.report import fleets
from tests.unit.plugins.plugin_utils.report.fleets import LIFESPAN, NOW, elevation, large, small
from tests.unit.plugins.plugin_utils.report.strategies import document_of, documents
from tests.unit.plugins.plugin_utils.report.test_collect import report


def test_the_document_has_the_published_schema() -> None:
    document = small()
    assert list(document) == ["schema", "generated_at", "play", "hosts", "totals"]
    assert (document["schema"], document["generated_at"]) == (2, "2026-03-02T08:30:00+00:00")
    assert list(document["hosts"]) == ["acme-dev", "acme-lab", "acme-old", "acme-prod", "acme-test"]
    for host in document["hosts"].values():
        assert {"status", "objects", "drift", "manual_steps", "problems"} <= host.keys()
    assert {"object", "field", "before", "after"} <= document["hosts"]["acme-dev"]["drift"][0].keys()
    assert document["play"]["check_mode"] is True


def test_totals_add_up() -> None:
    totals = small()["totals"]
    assert [totals[status] for status in ("in_sync", "drift", "unproven", "failed", "unreachable")] == [1, 2, 0, 1, 1]
    assert (totals["hosts"], totals["deviating"], totals["deviations"], totals["manual_steps"]) == (5, 2, 4, 2)


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ([("a", [LIFESPAN], [])], "1 of 1 instance deviates (1 deviation)"),
        (
            [("a", [LIFESPAN], [elevation("incident")]), ("b", [], [])],
            "1 of 2 instances deviates (1 deviation, 1 manual step)",
        ),
        ([("a", [LIFESPAN], []), ("b", [LIFESPAN], []), ("c", [], [])], "2 of 3 instances deviate (2 deviations)"),
        ([("a", [], []), ("b", [], [])], "0 of 2 instances deviate"),
    ],
)
def test_the_closing_words(results: list[tuple[str, list[Any], list[Any]]], words: str) -> None:
    found = [report({"drift": drift, "manual_steps": steps}, host=host) for host, drift, steps in results]
    assert summary(document_of(found)) == words


def test_the_closing_words_name_what_dropped_out_and_what_was_repaired() -> None:
    assert summary(small()) == "2 of 5 instances deviate (4 deviations, 2 manual steps), 1 failed, 1 unreachable"
    repaired = report({"changed": True, "drift": [LIFESPAN]}, check_mode=False)
    assert summary(document_of([repaired])) == "0 of 1 instance deviate (1 repaired)"


def test_slices_of_different_hosts_make_the_report_of_the_whole_run() -> None:
    found = [report({"drift": [LIFESPAN] if number % 2 else []}, host=f"acme-{number}") for number in range(6)]
    whole = document_of(found, "7")
    merged = merge(document_of(found[:2], "7"), document_of(found[2:], "7"), NOW)
    assert (merged["hosts"], merged["totals"]) == (whole["hosts"], whole["totals"])
    assert merged["play"]["slices"] == 2


def test_of_two_slices_that_saw_the_same_host_the_worse_verdict_holds() -> None:
    found = report({"changed": True, "drift": [LIFESPAN]})
    repaired = report({"changed": True, "drift": [LIFESPAN]}, check_mode=False)
    failed = report({"msg": "asleep"}, outcome="failed")
    merged = merge(document_of([found, failed]), document_of([repaired]), NOW)["hosts"]["acme-dev"]
    assert (merged["status"], merged["message"]) == ("failed", "asleep")
    assert [entry["repaired"] for entry in merged["drift"]] == [False]


@given(documents, documents, documents)
def test_the_order_of_slices_does_not_matter(first: Any, second: Any, third: Any) -> None:
    merged = [merge(merge(a, b, NOW), c, NOW) for a, b, c in permutations((first, second, third))]
    assert all((other["hosts"], other["totals"]) == (merged[0]["hosts"], merged[0]["totals"]) for other in merged)


@pytest.mark.parametrize("document", [None, [], {}, {"schema": 2}, {"schema": 2, "play": {"run_id": "7"}, "hosts": []}])
def test_only_a_report_of_the_same_run_is_a_slice(document: Any) -> None:
    assert not is_slice_of(document, "7")
    assert not is_slice_of(large(), "7")
    assert is_slice_of(large(), "nightly-61")


def test_what_is_unproven_is_never_in_sync_and_drift_wins_over_it() -> None:
    document = fleets.unproven()
    assert {name: host["status"] for name, host in document["hosts"].items()} == {
        "acme-dev": "unproven", "acme-prod": "in_sync", "acme-test": "drift", "defender": "unproven",
    }  # fmt: skip
    (entry,) = document["hosts"]["acme-dev"]["unproven"]
    assert (entry["object"], entry["field"], entry["reason"]) == ("plugin com.snc.x", "state", fleets.CLOSED)
    (plugin,) = (row for row in document["hosts"]["acme-dev"]["objects"] if row["kind"] == "plugin")
    assert plugin["status"] == "unproven"
    totals = document["totals"]
    assert (totals["unproven"], totals["unproven_objects"], totals["deviating"]) == (2, 3, 1)
    assert summary(document) == "1 of 3 instances deviates (1 deviation), 1 unproven; tenant: unproven"
    # The play's mode is that of the modules, not of the note.
    assert document["play"]["check_mode"] is True


def test_slices_keep_what_is_unproven_and_the_worse_status() -> None:
    both = merge(fleets.unproven(), fleets.unproven(), fleets.NOW)
    assert both["totals"]["unproven_objects"] == 3
    assert both["hosts"]["acme-dev"]["status"] == "unproven"
