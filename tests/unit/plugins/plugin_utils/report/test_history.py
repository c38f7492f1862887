# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed since the last report, the trend, and both as Markdown."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.history import (
    MAX_TREND,
    shown_trend,
    with_history,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.markdown import MAX_SIZE, to_markdown
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.store import DAMAGED, write

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=timezone.utc)
PLAY = {
    "check_mode": True,
    "slices": 1,
    "playbooks": ["drift.yml"],
    "plays": ["Compare"],
    "started_at": "2026-03-02T08:29:00+00:00",
    "run_id": None,
}


def host(*deviations: tuple[str, str], in_sync: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """Return a host of a report with deviations (name and field of a user) and users in sync."""
    drift = [
        {
            "object": f"user {name}",
            "kind": "user",
            "name": name,
            "field": field,
            "before": "1",
            "after": "2",
            "repaired": False,
        }
        for name, field in deviations
    ]
    names = {name for name, _field in deviations}
    objects = [
        {"object": f"user {name}", "kind": "user", "name": name, "status": "drift", "deviations": 1, "repaired": 0}
        for name in sorted(names)
    ]
    objects += [
        {"object": f"user {name}", "kind": "user", "name": name, "status": "ok", "deviations": 0, "repaired": 0}
        for name in in_sync
    ]
    known = {
        "status": "drift" if drift else "in_sync",
        "message": "",
        "unproven": [],
        "manual_steps": [],
        "failures": [],
        "tokens": [],
    }
    return {**known, "problems": [], "posture": None, "repaired": 0, "objects": objects, "drift": drift, **more}


def report(hosts: dict[str, Any], day: int = 0, **play: Any) -> dict[str, Any]:
    totals = {"hosts": len(hosts), "in_sync": 0, "deviations": sum(len(each["drift"]) for each in hosts.values())}
    zero = dict.fromkeys(
        (
            "drift",
            "unproven",
            "failed",
            "unreachable",
            "manual_steps",
            "repaired",
            "deviating",
            "problems",
            "unproven_objects",
            "hidden_results",
        ),
        0,
    )
    when = (NOW + timedelta(days=day)).isoformat(timespec="seconds")
    return {
        "schema": 2,
        "generated_at": when,
        "play": {**PLAY, **play},
        "hosts": hosts,
        "totals": {**zero, **totals, "instances": {**zero, **totals}, "tenant": None, "posture": None},
    }


def shown(rows: list[dict[str, Any]]) -> list[str]:
    return [f"{row['host']}: {row['object']} ({row['field']})" for row in rows]


def test_findings_are_new_or_gone_and_what_was_not_compared_is_neither() -> None:
    before = report({
        "a": host(("one", "roles"), ("two", "roles"), ("three", "active")),
        "left": host(("one", "roles")),
    })  # fmt: skip
    now = with_history(
        report({"a": host(("four", "roles"), ("two", "roles"), in_sync=("one",)), "added": host(("x", "y"))}, 1), before
    )
    since = now["since"]
    assert shown(since["new"]) == ["a: user four (roles)"]
    assert shown(since["gone"]) == ["a: user one (roles)"], "three was not compared"
    assert (since["hosts_added"], since["hosts_missing"]) == (["added"], ["left"])
    assert since["generated_at"] == before["generated_at"]


@pytest.mark.parametrize(
    ("more", "gone"),
    [
        ({"modules": ["snow_drift_info"]}, ["a: user one (roles)"]),
        ({"modules": ["snow_oauth_check"]}, []),
        ({"modules": ["mda_connectors", "snow_drift_info"]}, ["a: user one (roles)"]),
        ({"modules": ["snow_drift_info"], "unproven": [{"object": "user one", "kind": "user", "name": "one"}]}, []),
    ],
    ids=["compared", "not compared", "compared with more", "unproven"],
)
def test_a_module_that_compares_the_whole_instance_does_not_list_what_is_in_sync(
    more: dict[str, Any], gone: list[str]
) -> None:
    before = report({"a": host(("one", "roles"), modules=["snow_drift_info"])})
    assert shown(with_history(report({"a": host(**more)}), before)["since"]["gone"]) == gone


def test_a_manual_step_is_gone_once_the_host_was_compared_without_it() -> None:
    step = {"id": "acl", "title": "Create a rule", "where": "here", "values": {"Name": "x"}, "secret_values": []}
    before = report({"a": host(manual_steps=[step], modules=["snow_drift_info"])})
    again = host(modules=["snow_drift_info"])
    assert shown(with_history(report({"a": again}), before)["since"]["gone"]) == ["a: manual step Create a rule ()"]
    failed = host(failures=[{"status": "failed", "message": "x"}], modules=["snow_drift_info"])
    assert not with_history(report({"a": failed}), before)["since"]["gone"]
    elsewhere = host(modules=["mda_connectors"])
    assert not with_history(report({"a": elsewhere}), before)["since"]["gone"], (
        "a run with --tags mda does not look for it"
    )


def test_runs_of_other_playbooks_are_not_compared_but_carried() -> None:
    first = with_history(report({"a": host(("one", "roles"))}), None)
    other = with_history(report({"a": host()}, 1, playbooks=["harden.yml"]), first)
    assert other["since"] is None
    third = with_history(report({"a": host()}, 2), other)
    assert third["since"] is None
    assert [row["deviations"] for row in shown_trend(third)] == [1, 0]


def test_a_trend_has_a_year_of_weeks() -> None:
    document = with_history(report({}), None)
    for day in range(1, 60):
        document = with_history(report({}, day), document)
    assert len(document["trend"]) == MAX_TREND
    assert len(json.dumps(document["earlier"])) < 200, "it does not nest"


@pytest.mark.parametrize(
    "earlier",
    [
        None,
        [],
        {"play": 1},
        {"play": {}},
        {"play": {"playbooks": ["drift.yml"]}, "hosts": {"a": 1}, "totals": 3, "trend": 7},
    ],
)
def test_an_earlier_report_may_be_anything(earlier: Any) -> None:
    document = with_history(report({"a": host()}), earlier)
    assert document["since"] is None or not document["since"]["gone"]


def test_slices_have_the_history_of_the_whole(tmp_path: Path) -> None:
    before = report({"a": host(("one", "roles")), "b": host(("one", "roles"))})
    parts = [
        report({"a": host(in_sync=("one",))}, 1, run_id="7", hidden_results=0),
        report({"b": host(("two", "x"))}, 1, run_id="7", hidden_results=0),
    ]
    whole = report({**parts[0]["hosts"], **parts[1]["hosts"]}, 1, run_id="7", hidden_results=0)
    found = []
    for number, runs in enumerate((parts, [whole])):
        folder = tmp_path / str(number)
        write(folder, copy.deepcopy(before), ["json"], NOW)
        for run in runs:
            _path, document = write(folder, copy.deepcopy(run), ["json"], NOW)
        found.append(document)
    assert found[0]["since"] == found[1]["since"]
    assert found[0]["trend"] == found[1]["trend"]
    assert found[0]["since"]["hosts_missing"] == []


def test_a_damaged_report_is_kept_and_named(tmp_path: Path) -> None:
    # The copy of the first stays when a second one is damaged, too.
    for text, kept in zip(("{ half a repo", "{ half another"), DAMAGED, strict=False):
        (tmp_path / "drift.json").write_text(text)
        _path, document = write(tmp_path, report({"a": host()}), ["json", "markdown"], NOW)
        (note,) = document["play"]["notes"]
        assert f"kept as {kept}," in note and "\n" not in note
        assert (tmp_path / kept).read_text() == text
        assert json.loads((tmp_path / "drift.json").read_text())["hosts"].keys() == {"a"}
    assert (tmp_path / DAMAGED[0]).read_text() == "{ half a repo"


def test_markdown_groups_findings_and_escapes_what_platforms_return() -> None:
    hosts = {f"acme-{number}": host(("svc|x", "roles")) for number in range(4)}
    entry = {
        "object": "user u",
        "kind": "user",
        "name": "u",
        "field": "",
        "reason": "refused <img src=x> [link](javascript:x) @team",
    }
    step = {
        "id": "s",
        "title": "Create `rule`",
        "reason": "",
        "where": "System > ACL",
        "values": {"Name": "a|b"},
        "secret_values": ["Password"],
    }
    failure = {"status": "failed", "task": "", "message": "line one\nline two"}
    hosts["acme-9"] = host(unproven=[entry], manual_steps=[step], failures=[failure])
    page = to_markdown(with_history(report(hosts, 1), with_history(report({"acme-0": host()}), None))).decode()
    assert r"| user svc\|x | roles | 1 | 2 | acme-0, acme-1 and 2 more |" in page
    assert r"refused \<img src=x\> \[link\](javascript:x) \@team" in page
    assert "| line one line two | acme-9 |" in page
    assert r"- [ ] Create \`rule\` (acme-9)" in page
    assert "  - Where: System \\> ACL\n  - Name: a\\|b\n  - Password: (secret)" in page
    assert (
        "## Since 2026-03-02 08:30 UTC\n\n1 new finding, 0 no longer found\n- new: user svc\\|x \\(roles\\)"
        in page.replace("(roles)", "\\(roles\\)")
    )
    assert "## Trend" in page


def test_the_page_shows_changes_and_trend(tmp_path: Path) -> None:
    write(tmp_path, report({f"acme-{number}": host(("one", "roles")) for number in range(4)}), ["json"], NOW)
    hosts = {f"acme-{number}": host(("<two>", "roles"), in_sync=("one",)) for number in range(4)}
    path, _document = write(tmp_path, report(hosts, 7), ["json", "html"], NOW)
    page = path.read_text()
    assert "4 new findings, 4 no longer found" in page
    assert "user &lt;two&gt; <code>roles</code></th><td>new</td><td>acme-0, acme-1 and 2 more</td>" in page
    assert "2026-03-02</th>" in page and "2026-03-09</th>" in page


def test_markdown_fits_into_a_comment() -> None:
    hosts = {
        f"acme-{number}": host(*((f"user-{number}-{index}", "roles") for index in range(100))) for number in range(50)
    }
    page = to_markdown(report(hosts)).decode()
    assert len(page) < MAX_SIZE + 100
    assert "drift.json" in page
