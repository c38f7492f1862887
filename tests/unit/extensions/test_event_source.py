# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source for ansible-rulebook: which reports it sends, and what it refuses."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
from pathlib import Path
from typing import Any

import pytest

PLUGIN = Path(__file__).parents[3] / "extensions" / "eda" / "plugins" / "event_source" / "drift.py"
SPECIFICATION = importlib.util.spec_from_file_location("drift_event_source", PLUGIN)
assert SPECIFICATION and SPECIFICATION.loader
source: Any = importlib.util.module_from_spec(SPECIFICATION)
SPECIFICATION.loader.exec_module(source)

IN_SYNC = {"status": "in_sync", "drift": [], "manual_steps": [], "unproven": [], "problems": []}
OPEN = {"object": "user svc", "field": "roles", "before": "a", "after": "b", "repaired": False}
DRIFTED = {**IN_SYNC, "status": "drift", "drift": [OPEN, {**OPEN, "field": "email", "repaired": True}]}
MANUAL = {**IN_SYNC, "status": "drift", "manual_steps": [{"id": "connect"}]}
UNPROVEN = {**IN_SYNC, "status": "unproven", "unproven": [{"object": "connector a"}], "message": "HTTP 403"}


def write(
    path: Path, hosts: dict[str, Any], *, check_mode: bool = True, schema: int = 2, playbooks: Any = ("drift.yml",)
) -> None:
    document = {
        "schema": schema,
        "generated_at": "2026-11-29T10:00:00+00:00",
        "play": {"check_mode": check_mode, "playbooks": list(playbooks)},
        "hosts": hosts,
    }
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(document), encoding="utf-8")
    temporary.replace(path)


async def collect(args: dict[str, Any], *steps: Any) -> list[dict[str, Any]]:
    """Run the source, do each step once it had time to check the file, and return the events."""
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    task = asyncio.create_task(source.main(queue, {"interval": 0.01, **args}))
    for step in steps:
        await asyncio.sleep(0.05)
        step()
    await asyncio.sleep(0.05)
    task.cancel()
    return [queue.get_nowait() for _ in range(queue.qsize())]


def events(args: dict[str, Any], *steps: Any) -> list[dict[str, Any]]:
    return asyncio.run(collect(args, *steps))


def test_each_new_report_with_something_open_is_one_event(tmp_path: Path) -> None:
    report = tmp_path / "drift.json"
    write(report, {"acme-dev": DRIFTED, "acme-test": IN_SYNC, "acme-prod": UNPROVEN, "tenant": MANUAL})
    first, second = events({"report": str(report)}, lambda: write(report, {"acme-dev": DRIFTED}))
    assert (first["drift"]["connection"], first["drift"]["connection_count"]) == (["acme-dev"], 1)
    assert (first["drift"]["hardening"], first["drift"]["hardening_count"]) == ([], 0)
    assert first["drift"]["by_status"] == {"drift": ["acme-dev", "tenant"], "unproven": ["acme-prod"]}
    assert first["drift"]["hosts"]["acme-dev"]["drift"] == [OPEN], "what is repaired is not open"
    assert first["drift"]["hosts"]["acme-prod"]["message"] == "HTTP 403"
    assert list(second["drift"]["hosts"]) == ["acme-dev"]


@pytest.mark.parametrize(
    ("playbooks", "count"),
    [
        (["tickets.yml"], 0),
        (["alerts.yml", "rotate.yml"], 0),
        (["alerts.yml", "drift.yml"], 1),
        (["site.yml"], 1),
        ([], 1),
    ],
)
def test_what_playbooks_would_do_in_check_mode_is_no_drift(tmp_path: Path, playbooks: list[str], count: int) -> None:
    """A ticket that alerts would make is nothing that onboard corrects."""
    report = tmp_path / "drift.json"
    ticket = {**DRIFTED, "drift": [{**OPEN, "object": "incident alert-1", "kind": "incident"}]}
    write(report, {"tenant": ticket}, playbooks=playbooks)
    assert len(events({"report": str(report)})) == count


def test_settings_are_counted_apart_as_another_playbook_corrects_them(tmp_path: Path) -> None:
    report = tmp_path / "drift.json"
    setting = {**DRIFTED, "drift": [{**OPEN, "kind": "setting"}]}
    write(report, {"acme-dev": setting, "acme-test": MANUAL, "acme-prod": DRIFTED})
    (event,) = events({"report": str(report)})
    assert (event["drift"]["hardening"], event["drift"]["connection"]) == (["acme-dev"], ["acme-prod"])


def test_a_fleet_in_sync_and_the_report_of_a_repair_are_no_events(tmp_path: Path) -> None:
    report = tmp_path / "drift.json"
    write(report, {"acme-dev": IN_SYNC})
    assert not events({"report": str(report)}, lambda: write(report, {"acme-dev": DRIFTED}, check_mode=False))


def test_an_existing_report_may_be_left_out_and_a_missing_one_is_waited_for(tmp_path: Path) -> None:
    report = tmp_path / "drift.json"
    assert len(events({"report": str(report)}, lambda: write(report, {"acme-dev": DRIFTED}))) == 1
    assert not events({"report": str(report), "existing": False})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "Expecting property name"),
        ('{"schema": 3}', "its schema is 3, not one of 1, 2"),
        ("[]", "has no attribute 'get'"),
    ],
    ids=["half", "later", "list"],
)
def test_a_report_that_cannot_be_read_is_logged_and_the_next_one_sent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str, reason: str
) -> None:
    report = tmp_path / "drift.json"
    report.write_text(content)
    with caplog.at_level(logging.ERROR):
        assert len(events({"report": str(report)}, lambda: write(report, {"acme-dev": DRIFTED}))) == 1
    (message,) = {record.getMessage() for record in caplog.records}
    assert message.startswith(f"drift: the report {report} cannot be read (")
    assert reason in message


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "drift: set report to the path of drift.json"),
        (
            {"report": "a", "intervall": 1},
            "drift: intervall is not an option; the options are existing, interval, report",
        ),
        ({"report": "a", "interval": 0}, "drift: interval must be a number of seconds greater than 0, not 0"),
        ({"report": "a", "interval": "soon"}, "not soon"),
        ({"report": "a", "existing": "yes"}, "drift: existing must be true or false, not yes"),
    ],
)
def test_wrong_arguments_are_refused(args: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        asyncio.run(source.main(asyncio.Queue(), args))
