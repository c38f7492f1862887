# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects a result covers."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.objects import identify, kind_of_module
from tests.unit.plugins.plugin_utils.report.fleets import STATE, deviation
from tests.unit.plugins.plugin_utils.report.test_collect import host_of, report

COLLECTION = "secops.servicenow_defender."


@pytest.mark.parametrize(
    ("module", "kind"),
    [
        ("snow_properties", "property"),
        ("snow_table_acls", "table_acl"),
        ("snow_update_set", "update_set"),
        ("snow_user", "user"),
        ("snow_instance", "record"),
        ("mda_ip_ranges", "ip_range"),
        ("mda_policies", "policy"),
        ("mdc_governance_rule", "governance_rule"),
        ("snow_oauth_application_info", "oauth_application"),
    ],
)
def test_a_module_returns_what_it_manages(module: str, kind: str) -> None:
    assert kind_of_module(COLLECTION + module) == kind


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("user svc_defender", ("user", "svc_defender")),
        ("oauth_application Cloud App Security", ("oauth_application", "Cloud App Security")),
        ("glide.ui.session_timeout", ("property", "glide.ui.session_timeout")),
        ("user", ("property", "user")),
        ("some other words", ("property", "some other words")),
    ],
)
def test_a_label_names_kind_and_name(label: str, expected: tuple[str, str]) -> None:
    assert identify(label, COLLECTION + "snow_properties") == expected


def objects_of(result: dict[str, Any], module: str = "snow_instance") -> dict[str, str]:
    return {row["object"]: row["status"] for row in host_of(report(result, action=COLLECTION + module))["objects"]}


def test_listed_objects_are_in_sync_unless_they_drift() -> None:
    listed = ["role a", {"object": "user b"}, {"object": "user c", "status": "failed"}]
    drift = [deviation("user b", "email", "", "b@example.com"), deviation("user c", "email", "", "c@example.com")]
    assert objects_of({"objects": listed, "drift": drift}) == {"role a": "ok", "user b": "drift", "user c": "failed"}


def test_rows_of_a_bulk_module_are_objects_with_their_drift() -> None:
    rows = [
        {"object": "property glide.a", "name": "glide.a", "status": "ok"},
        {"object": "property glide.b", "name": "glide.b", "status": "changed"},
        {"object": "property glide.c", "name": "glide.c", "status": "needs_elevation"},
        {"name": "glide.d", "status": "refused"},
    ]
    found = objects_of(
        {"results": rows, "drift": [deviation("property glide.b", "value", "1", "2")]}, "snow_properties"
    )
    assert found == {
        "property glide.a": "ok",
        "property glide.b": "drift",
        "property glide.c": "drift",
        "property glide.d": "failed",
    }


def test_one_object_is_known_by_its_noun() -> None:
    assert objects_of({"user": {"user_name": "svc_defender", "sys_id": "1"}}, "snow_user") == {
        "user svc_defender": "ok"
    }


def test_what_an_info_module_lists_is_not_managed() -> None:
    assert objects_of({"results": [{"name": "a"}], "user": {"user_name": "x"}}, "snow_instance_info") == {}


def test_the_last_word_on_an_object_holds() -> None:
    missing = report({"results": [{"table": "incident", "status": "missing"}]}, action=COLLECTION + "snow_table_acls")
    granted = report({"results": [{"table": "incident", "status": "granted"}]}, action=COLLECTION + "snow_table_acls")
    assert [row["status"] for row in host_of(missing, granted)["objects"]] == ["ok"]


def test_an_object_counts_its_open_and_repaired_drift() -> None:
    open_drift = report(
        {"changed": True, "drift": [deviation("user b", "email", "", "b"), deviation("user b", "roles", "", "c")]}
    )
    repaired = report(
        {"changed": True, "drift": [deviation("user b", "active", "0", "1")]}, check_mode=False, action=STATE
    )
    (row,) = host_of(open_drift, repaired)["objects"]
    assert (row["status"], row["deviations"], row["repaired"]) == ("drift", 2, 1)


def test_a_row_of_any_table_is_a_record() -> None:
    rows = [
        {"object": "u_consumer mda", "status": "ok", "kind": "a column"},
        {"object": "user svc_defender", "status": "ok"},
    ]
    assert objects_of({"results": rows}) == {"record u_consumer mda": "ok", "user svc_defender": "ok"}
