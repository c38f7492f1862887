# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of one machine that take turns."""

from __future__ import annotations

import multiprocessing
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils import file_lock
from ansible_collections.secops.servicenow_defender.plugins.module_utils.file_lock import file_for, folder, locked
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import BadConnectionOption

URL = "https://acme-prod.service-now.com"


def hold(file: Path, held: Any, release: Any) -> None:
    with locked(file, "the record"):
        held.set()
        release.wait(30)


def test_one_process_waits_for_the_other_and_reports_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_lock, "PROGRESS_INTERVAL", 0.2)
    file = file_for(URL, "turn", tmp_path)
    forked = multiprocessing.get_context("fork")
    held, release, reported = forked.Event(), forked.Event(), []
    other = forked.Process(target=hold, args=(file, held, release))
    other.start()
    assert held.wait(30)

    def report(seconds: float) -> None:
        reported.append(seconds)
        release.set()

    with locked(file, "the record", report):
        assert reported, "waiting is reported"
    other.join()


def test_a_killed_process_blocks_no_other(tmp_path: Path) -> None:
    file = file_for(URL, "turn", tmp_path)
    forked = multiprocessing.get_context("fork")
    held, release = forked.Event(), forked.Event()
    other = forked.Process(target=hold, args=(file, held, release))
    other.start()
    assert held.wait(30)
    other.kill()
    other.join()
    with locked(file, "the record", lambda _seconds: None):
        pass


def test_all_homes_of_a_user_share_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folders = set()
    for home in "ab":
        monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / home))
        folders.add(folder())
    (shared,) = folders
    assert shared.parent == tmp_path
    assert stat.S_IMODE(shared.stat().st_mode) == 0o700


@pytest.mark.parametrize("trap", ["open to others", "a link"])
def test_a_folder_that_others_prepared_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: str) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("ANSIBLE_LOCAL_TEMP", str(tmp_path / "ansible"))
    prepared = tmp_path / f"servicenow_defender-{os.getuid()}"
    if trap == "a link":
        (tmp_path / "elsewhere").mkdir()
        prepared.symlink_to(tmp_path / "elsewhere")
    else:
        prepared.mkdir()
        prepared.chmod(0o777)
    assert folder() == tmp_path / "ansible"


def test_the_file_is_private_and_empty(tmp_path: Path) -> None:
    file = file_for(URL, "turn", tmp_path)
    with locked(file, "the record"):
        assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert "acme" not in file.name
    assert file.read_text() == ""
    assert file_for(URL.upper(), "turn", tmp_path) == file


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    file = file_for(URL, "turn", tmp_path)
    file.symlink_to(tmp_path / "elsewhere")
    with (
        pytest.raises(BadConnectionOption, match="the record of turns .* cannot be written"),
        locked(file, "the record of turns"),
    ):
        pass
    assert not (tmp_path / "elsewhere").exists()
