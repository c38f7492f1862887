# SPDX-License-Identifier: GPL-3.0-or-later
"""The sentence about a report that no callback writes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible import constants

from ansible_collections.secops.servicenow_defender.plugins.callback import drift
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.summary.report_note import (
    CALLBACK,
    DIRECTORY,
    ENVIRONMENT,
    SECTION,
    report_note,
)


@pytest.fixture(autouse=True)
def nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The callback is not enabled, and nothing asks for a report."""
    monkeypatch.setattr(constants, "CALLBACKS_ENABLED", ["ansible.posix.profile_tasks"])
    monkeypatch.setattr(constants, "CONFIG_FILE", None)
    for name in ENVIRONMENT.values():
        monkeypatch.delenv(name, raising=False)


def test_a_directory_without_the_callback_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert report_note() == []
    (line,) = report_note("report")
    assert line.startswith(
        "no report in report: the callback that writes it is not enabled. Set ANSIBLE_CALLBACKS_ENABLED="
    )
    monkeypatch.setenv(ENVIRONMENT[DIRECTORY], "elsewhere")
    assert report_note()[0].startswith("no report in elsewhere: ")
    monkeypatch.setattr(constants, "CALLBACKS_ENABLED", [f" {CALLBACK}"])
    assert report_note("report") == []


def test_each_option_of_the_callback_asks_for_a_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    options = yaml.safe_load(drift.DOCUMENTATION)["options"]
    assert {option: each["env"][0]["name"] for option, each in options.items()} == ENVIRONMENT
    assert {each["ini"][0]["section"] for each in options.values()} == {SECTION}
    for option, name in ENVIRONMENT.items():
        with monkeypatch.context() as patch:
            patch.setenv(name, "7")
            assert len(report_note()) == 1
        config = tmp_path / "ansible.cfg"
        config.write_text(f"[defaults]\nforks = 5\n\n[{SECTION}]\n{option} = 7\n")
        with monkeypatch.context() as patch:
            patch.setattr(constants, "CONFIG_FILE", str(config))
            assert len(report_note()) == 1


@pytest.mark.parametrize("content", [b"[defaults]\n", b"no section\n", b"\xff\xfe", None])
def test_an_ansible_cfg_without_it_asks_for_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    config = tmp_path / "ansible.cfg"
    if content is not None:
        config.write_bytes(content)
    monkeypatch.setattr(constants, "CONFIG_FILE", str(config))
    assert report_note() == []
