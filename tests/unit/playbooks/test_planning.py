# SPDX-License-Identifier: GPL-3.0-or-later
"""The plays and roles that plan before they apply: none of them writes while it plans."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
WORK = sorted((ROOT / "playbooks" / "work").glob("*.yml"))
PLANNING = "servicenow_defender_planning | default(ansible_check_mode)"


@pytest.mark.parametrize("path", WORK, ids=lambda path: path.stem)
def test_every_play_of_the_work_plans_in_check_mode(path: Path) -> None:
    # What is imported from another folder only sets facts.
    for play in (each for each in yaml.safe_load(path.read_text(encoding="utf-8")) if "hosts" in each):
        assert play["check_mode"] == f"{{{{ {PLANNING} }}}}", play["name"]
        assert play["diff"] == "{{ servicenow_defender_planning | default(ansible_diff_mode) }}", play["name"]
        assert "planning=servicenow_defender_planning | default(false)" in play["hosts"], play["name"]


def test_no_role_asks_for_check_mode_without_planning() -> None:
    for path in (*WORK, *sorted((ROOT / "roles").rglob("*.yml"))):
        text = path.read_text(encoding="utf-8")
        assert text.count("ansible_check_mode") == text.count(PLANNING), path
