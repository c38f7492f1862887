# SPDX-License-Identifier: GPL-3.0-or-later
"""What the weekly page is made of: the to-do sheet, settings, accepted deviations, tokens and secrets, the tenant apart."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report import groups, hardening
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.collect import Fleet
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.document import make, merge, summary
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.manual_steps import (
    lines,
    manual_steps,
    stem,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.markdown import to_markdown
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.page import to_html
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.sheet import to_do
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.tables import Listing, ranges
from tests.unit.plugins.plugin_utils.report import fleets
from tests.unit.plugins.plugin_utils.report.fleets import (
    COMPLIANT,
    DRIFT_INFO,
    IDLE,
    KIOSKS,
    NOW,
    PLAY,
    deviation,
    elevation,
    portal_step,
)
from tests.unit.plugins.plugin_utils.report.strategies import document_of
from tests.unit.plugins.plugin_utils.report.test_collect import report


@pytest.fixture
def hosts() -> Any:
    return fleets.weekly()["hosts"]


def test_the_sheet_has_each_step_once_with_its_instances(hosts: Any) -> None:
    found = {group["id"]: group["rows"] for group in to_do(hosts)}
    assert list(found) == ["problem", "manual", "unproven"]
    assert [(row["title"], row["hosts"]) for row in found["manual"]] == [
        ("Let the role custom_table_access read incident", ["acme-dev", "acme-prod", "acme-test"]),
        ("Connect each instance to Defender for Cloud Apps", ["acme-prod", "acme-test"]),
        ("Let the role custom_table_access read sys_user", ["acme-dev"]),
    ]
    (row,) = found["unproven"]
    assert (row["title"], row["reason"], row["hosts"]) == ("plugin com.snc.x", fleets.CLOSED, ["acme-dev", "acme-test"])


def test_values_that_differ_are_listed_by_instance_and_secrets_are_not(hosts: Any) -> None:
    (step,) = (step for step in manual_steps(hosts) if step["each"])
    assert step["values"] == {"Mode": "Connect using OAuth token (recommended)"}
    assert [each["host"] for each in step["each"]] == ["acme-prod", "acme-test"]
    assert step["each"][0]["values"]["Instance URL"] == "https://acme-prod.service-now.com"
    assert step["secret_values"] == ["Password", "Client secret"]


def test_a_step_of_one_instance_keeps_its_words() -> None:
    (step,) = manual_steps(document_of([report({"manual_steps": [portal_step("acme-dev")]})])["hosts"])
    assert step["title"] == "Connect acme-dev to Defender for Cloud Apps"
    assert (step["each"], step["values"]["Connection name"]) == ([], "acme-dev")


def test_the_value_of_a_secret_label_is_in_no_list() -> None:
    step = {**elevation("incident"), "values": {"Password": "planted"}, "secret_values": ["Password"]}
    (found,) = manual_steps(document_of([report({"manual_steps": [step]})])["hosts"])
    assert (found["values"], found["each"]) == ({}, [])


@pytest.mark.parametrize(
    ("content", "host", "expected"),
    [
        ("Connect acme to it", "acme", "Connect _ to it"),
        ("Connect acme-prod to it", "acme", "Connect acme-prod to it"),
        ("https://acme.service-now.com", "acme", "https://_.service-now.com"),
        ("acme: x", "acme", "_: x"),
        ("x", "", "x"),
    ],
)
def test_only_the_whole_name_of_a_host_is_replaced(content: str, host: str, expected: str) -> None:
    assert stem(content, host, "_") == expected


def test_the_entries_of_a_list_are_lines_of_their_own() -> None:
    assert lines(["a", 1]) == ["a", "1"]
    assert [lines(value) for value in ("a", None, [], [["a"]], {"a": 1})] == [
        ["a"],
        [None],
        [[]],
        [[["a"]]],
        [{"a": 1}],
    ]


def test_messages_that_differ_only_in_the_instance_are_one() -> None:
    found = [
        report(
            {"problems": [{"id": "x", "severity": "error", "message": f"{host}: no", "remedy": f"Fix {host}"}]},
            host=host,
        )
        for host in ("acme-dev", "acme-test")
    ]
    (row,) = groups.problems(document_of(found)["hosts"])
    assert (row["message"], row["remedy"]) == ("the instance: no", "Fix the instance")
    (row,) = groups.problems(document_of(found[:1])["hosts"])
    assert row["message"] == "acme-dev: no"


def test_settings_have_severity_points_reason_and_the_variable_that_has_them_written(hosts: Any) -> None:
    rows = {row["id"]: row for row in hardening.settings(hosts)}
    assert list(rows)[0] == "auth.mfa_enabled", "the most severe first"
    first = rows["auth.mfa_enabled"]
    assert (first["severity"], first["points"], first["state"]) == ("critical", 6, "withheld")
    assert first["variable"] == "snow_hardening_accept_side_effects: [auth.mfa_enabled]"
    assert first["reason"].startswith("side effects: ")
    assert rows["auth.sso_plugin"]["variable"] == "snow_hardening_allow_plugins: true"
    assert (rows["session.idle_timeout"]["differs"], rows["session.idle_timeout"]["variable"]) == (True, "")


def test_settings_in_sync_have_severity_and_points_of_the_catalogue(hosts: Any) -> None:
    rows = {row["id"]: row for row in hardening.settings_in_sync(hosts)}
    assert rows["logging.audit_roles"]["hosts"] == ["acme-dev", "acme-prod", "acme-test"]
    document = document_of(
        [report({"results": [{**COMPLIANT, "object": "setting session.idle_timeout", "id": "session.idle_timeout"}]})]
    )
    (row,) = hardening.settings_in_sync(document["hosts"])
    assert row["title"] and row["severity"] != "unrated" and row["points"] > 0
    assert "session.guest_idle" not in rows, "an accepted deviation is not in sync"


def test_a_setting_that_a_run_has_written_is_not_listed() -> None:
    written = report({"changed": True, "results": [IDLE]}, check_mode=False)
    assert document_of([report({"results": [IDLE]})])["hosts"]["acme-dev"]["settings"]
    assert document_of([report({"results": [IDLE]}), written])["hosts"]["acme-dev"]["settings"] == []


def test_settings_are_in_one_table_only(hosts: Any) -> None:
    assert {row["object"] for row in groups.deviations(hosts)} == {
        "plan CloudPosture", "oauth_application CloudAppSecurity", "property glide.ui.session_timeout",
    }  # fmt: skip


def test_an_exception_that_has_ended_comes_first_and_is_drift(hosts: Any) -> None:
    rows = hardening.exceptions(hosts, NOW)
    shown = [(row["object"], row["owner"], row["until"], row["state"], row["days_left"]) for row in rows]
    assert shown == [
        ("setting auth.password_policy", "identity team", "2026-02-28", "ended", 0),
        ("setting session.guest_idle", "workplace team", "2026-06-30", "accepted", 120),
    ]
    drift = {entry["object"] for entry in hosts["acme-test"]["drift"]}
    assert "setting auth.password_policy" in drift
    assert "setting session.guest_idle" not in {entry["object"] for entry in hosts["acme-prod"]["drift"]}


def test_an_exception_of_a_setting_in_sync_is_not_needed() -> None:
    row = {**COMPLIANT, "title": "x", "exception": {"reason": "y", "owner": "", "until": "", "ended": False}}
    (found,) = hardening.exceptions(document_of([report({"results": [row]})])["hosts"], NOW)
    assert (found["state"], found["days_left"]) == ("not needed", None)


def test_exemptions_of_defender_for_cloud_are_accepted_deviations() -> None:
    row = {"object": "exemption a on b", "status": "ok", "category": "waiver", "expires_at": "2026-12-31T00:00:00Z"}
    (found,) = hardening.exceptions(document_of([report({"results": [row]})])["hosts"], NOW)
    assert (found["reason"], found["until"], found["state"]) == ("waiver", "2026-12-31T00:00:00Z", "accepted")


def test_days_left_are_never_negative(hosts: Any) -> None:
    rows = groups.tokens(hosts)
    assert [(row["kind"], row["of"], row["days_left"], row["ended_days_ago"]) for row in rows] == [
        ("client secret", "entra_application", 0, 2),
        ("refresh token", "oauth_application", 6, None),
        ("refresh token", "connector", 88, None),
    ]


def test_the_tenant_is_no_instance() -> None:
    document = fleets.weekly()
    totals = document["totals"]
    assert (totals["hosts"], totals["instances"]["hosts"], totals["tenant"]) == (4, 3, "drift")
    assert summary(document) == "3 of 3 instances deviate (10 deviations, 6 manual steps); tenant: drift"
    page = to_html(document).decode()
    assert "3 of 3 instances" in page and "of 4" not in page


def test_without_an_inventory_the_modules_show_which_host_is_the_tenant() -> None:
    plan = {"drift": [deviation("plan CloudPosture", "tier", "Free", "Standard")]}
    found = [report({"drift": []}), report(plan, host="other", action="secops.servicenow_defender.mdc_plan")]
    assert {name: host["tenant"] for name, host in document_of(found)["hosts"].items()} == {
        "acme-dev": False,
        "other": True,
    }
    fleet = Fleet(tenants=frozenset({"elsewhere"}))
    for each in found:
        fleet.add(each)
    assert not any(host["tenant"] for host in make(fleet, PLAY, NOW)["hosts"].values())


def test_what_a_comparison_finds_in_sync_is_in_the_report() -> None:
    rows = [{"object": "user svc", "status": "ok"}, {"object": "role r", "status": "unknown"}, KIOSKS]
    host = document_of([report({"results": rows, "user": {"user_name": "someone"}}, action=DRIFT_INFO)])["hosts"][
        "acme-dev"
    ]
    assert [(row["object"], row["status"]) for row in host["objects"]] == [
        ("role r", "unproven"), ("setting session.guest_idle", "ok"), ("user svc", "ok"),
    ]  # fmt: skip


def test_slices_keep_settings_exceptions_and_the_tenant() -> None:
    once, twice = fleets.weekly(), merge(fleets.weekly(), fleets.weekly(), NOW)
    for name, host in once["hosts"].items():
        for part in ("settings", "exceptions", "tokens", "manual_steps", "tenant"):
            assert twice["hosts"][name][part] == host[part], part


def test_hosts_are_named_or_numbered() -> None:
    names = [f"acme-{number}" for number in range(1, 21)]
    listing = Listing(names, len(names))
    assert listing.of(names[:2]) == {"names": names[:2], "more": "", "count": 0, "all": False}
    assert listing.of(names) == {"names": ["all 20 instances"], "more": "1-20", "count": 20, "all": True}
    some = listing.of([*names[:8], names[10], names[11], names[19]])
    assert (some["names"], some["more"], some["count"]) == (names[:7], "8 11-12 20", 4)
    assert [ranges(numbers) for numbers in ([], [3], [0, 1, 2, 5])] == ["", "3", "0-2 5"]


def test_markdown_has_the_sections_of_the_page() -> None:
    content = to_markdown(fleets.weekly()).decode()
    headings = [line[3:] for line in content.splitlines() if line.startswith("## ")]
    assert headings == [
        "Problems", "Manual steps", "Unproven", "Drift", "Hardening settings", "Accepted deviations",
        "Tokens and secrets that end within 30 days",
    ]  # fmt: skip
    assert "- [ ] Connect each instance to Defender for Cloud Apps (acme-prod, acme-test)" in content
    assert r"snow\_hardening\_accept\_side\_effects: \[auth.mfa\_enabled\]" in content
    assert "| identity team | 2026-02-28 | ended, counts as drift again | acme-test |" in content
    assert "88 days" not in content
