# SPDX-License-Identifier: GPL-3.0-or-later
"""The report in its directory."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report import store
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.store import ReportError, locked, write
from tests.unit.plugins.plugin_utils.report.fleets import LIFESPAN, NOW, small
from tests.unit.plugins.plugin_utils.report.strategies import document_of
from tests.unit.plugins.plugin_utils.report.test_collect import report

ALL = ("json", "junit", "html")


def slice_of(host: str, run_id: str | None = "7") -> dict[str, Any]:
    return document_of([report({"drift": [LIFESPAN]}, host=host)], run_id)


def write_slice(directory: Path, number: int) -> None:
    write(directory, slice_of(f"acme-{number}"), ALL, NOW)


def hosts_in(directory: Path) -> list[str]:
    return list(json.loads((directory / "drift.json").read_bytes())["hosts"])


def test_all_files_are_written_for_their_owner_only(tmp_path: Path) -> None:
    path, _document = write(tmp_path / "new" / "reports", small(), ALL, NOW)
    assert path == tmp_path / "new" / "reports" / "drift.html"
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert files == dict.fromkeys([".drift.lock", "drift.html", "drift.json", "drift.xml"], 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("formats", "best", "files"),
    [(["junit"], "drift.xml", {"drift.xml"}), (["junit", "json"], "drift.json", {"drift.xml", "drift.json"})],
)
def test_only_the_wanted_files_are_written(tmp_path: Path, formats: list[str], best: str, files: set[str]) -> None:
    path, _document = write(tmp_path, small(), formats, NOW)
    assert path.name == best
    assert {file.name for file in tmp_path.glob("drift*")} == files


def test_without_a_run_id_each_run_replaces_the_report(tmp_path: Path) -> None:
    write(tmp_path, slice_of("acme-dev", None), ALL, NOW)
    write(tmp_path, slice_of("acme-test", None), ALL, NOW)
    assert hosts_in(tmp_path) == ["acme-test"]


def test_a_slice_joins_the_report_of_its_own_run_only(tmp_path: Path) -> None:
    write(tmp_path, slice_of("acme-old", "6"), ["html"], NOW)
    write(tmp_path, slice_of("acme-dev"), ["html"], NOW)
    _path, document = write(tmp_path, slice_of("acme-test"), ["html"], NOW)
    assert hosts_in(tmp_path) == list(document["hosts"]) == ["acme-dev", "acme-test"]
    assert "2 slices" in (tmp_path / "drift.html").read_text()


def test_a_slice_that_is_late_does_not_replace_the_report_of_a_later_run(tmp_path: Path) -> None:
    write(tmp_path, slice_of("acme-dev", "6"), ALL, NOW)
    write(tmp_path, slice_of("acme-dev", "7"), ALL, NOW)
    before = (tmp_path / "drift.json").read_bytes()
    for host in ("acme-test", "acme-prod"):
        path, document = write(tmp_path, slice_of(host, "6"), ALL, NOW)
    (note,) = document["play"]["notes"]
    assert note == f"the report in {tmp_path} is of the later run 7; the slice of run 6 is in drift.run-6.json"
    assert path == tmp_path / "drift.run-6.json"
    assert list(json.loads(path.read_bytes())["hosts"]) == ["acme-prod", "acme-test"]
    assert (tmp_path / "drift.json").read_bytes() == before
    # Names of runs may come again, such as those of weekdays.
    write(tmp_path, slice_of("acme-dev", "6"), ALL, NOW + timedelta(days=2))
    assert hosts_in(tmp_path) == ["acme-dev"]
    assert json.loads((tmp_path / "drift.json").read_bytes())["play"]["run_id"] == "6"


def test_slices_with_different_names_are_kept(tmp_path: Path) -> None:
    write(tmp_path, slice_of("acme-dev", "a/1"), ALL, NOW)
    _path, document = write(tmp_path, slice_of("acme-test", "a/2"), ALL, NOW)
    (note,) = document["play"]["notes"]
    assert note.startswith("the report of run a/1 has other hosts than that of run a/2, which replaces it")
    assert note.endswith("Slices of one job need the same run_id")
    assert list(json.loads((tmp_path / "drift.run-a_1.json").read_bytes())["hosts"]) == ["acme-dev"]
    assert hosts_in(tmp_path) == ["acme-test"]
    _path, document = write(tmp_path, slice_of("acme-test", "a/3"), ALL, NOW)
    assert "notes" not in document["play"]


@pytest.mark.parametrize("lying", ["", "{", "[]", '{"schema": 2, "play": {"run_id": "7"}, "hosts": {"a": 1}}'])
def test_a_file_that_is_no_report_is_replaced(tmp_path: Path, lying: str) -> None:
    (tmp_path / "drift.json").write_text(lying)
    write(tmp_path, slice_of("acme-dev"), ALL, NOW)
    assert hosts_in(tmp_path) == ["acme-dev"]


def test_slices_that_end_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    # flock distinguishes open files, not processes: threads compete for the lock as slices do.
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write_slice, [tmp_path] * 12, range(12)))
    assert sorted(hosts_in(tmp_path)) == sorted(f"acme-{number}" for number in range(12))
    assert not list(tmp_path.glob(".drift.*.*"))


def test_a_failure_is_one_line_and_leaves_the_old_report_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, slice_of("acme-dev", None), ALL, NOW)

    def no_space(*_paths: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.os, "replace", no_space)
    with pytest.raises(ReportError, match=r"^the drift report could not be written to .*: No space left on device$"):
        write(tmp_path, slice_of("acme-test", None), ALL, NOW)
    assert hosts_in(tmp_path) == ["acme-dev"]
    assert not list(tmp_path.glob(".drift.*.*"))


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="file"):
        write(tmp_path / "file" / "reports", small(), ALL, NOW)


def test_a_lock_that_is_never_released_is_not_waited_for_forever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "LOCK_TIMEOUT", 0.1)
    with locked(tmp_path / ".drift.lock"), pytest.raises(ReportError, match="another run has held"):
        write(tmp_path, small(), ALL, NOW)
