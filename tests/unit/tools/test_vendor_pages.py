# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on what the vendors' pages ask for: each statement has a command that is printed, a step, or a reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
GUIDES = ROOT / "docs/docsite/rst"
ROW = re.compile(r"^  \* - (.+)\n    - (command|step|not done)\n    - (.+)$", re.M)
ROWS = ROW.findall((GUIDES / "guide_vendor_pages.rst").read_text())
# Statements of the pages that are about ServiceNow.
STATEMENTS = 55
PRINTED = re.compile(r"^ *(?:\$ )?ansible-playbook secops\.servicenow_defender\.(\w+) ", re.M)


def printed_playbooks() -> set[str]:
    """Return the playbooks that README and guides print, whose commands are run by test_printed_commands."""
    return {
        name for path in (ROOT / "README.md", *GUIDES.glob("guide_*.rst")) for name in PRINTED.findall(path.read_text())
    }


def test_every_statement_has_an_answer() -> None:
    assert len(ROWS) == STATEMENTS
    assert len({statement for statement, _by, _how in ROWS}) == STATEMENTS


@pytest.mark.parametrize(("statement", "by", "how"), ROWS, ids=[row[0][:40] for row in ROWS])
def test_an_answer_names_what_exists(statement: str, by: str, how: str) -> None:
    variables = (GUIDES / "guide_variables.rst").read_text()
    names = re.findall(r"``([a-z_]+)(?=`|:)", how)
    modules = {path.stem for path in (ROOT / "plugins/modules").glob("*.py")}
    playbooks = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    if by == "command":
        assert set(names) & (modules | playbooks), f"{statement}: no playbook and no module"
    assert set(names) & playbooks <= printed_playbooks()
    for name in names:
        if name.startswith(("mda_", "mdc_", "snow_", "graph_", "servicenow_defender_")):
            assert name in modules or f"``{name}``" in variables, name
