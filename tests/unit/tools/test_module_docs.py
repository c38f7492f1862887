# SPDX-License-Identifier: GPL-3.0-or-later
"""RETURN blocks refer to the guide for what all modules share, and repeat nothing of Ansible."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.module_docs import GUIDE, MODULES, problems_of

MSG = "msg:\n  description: What was done.\n  returned: always\n  type: str\n  sample: in sync\n"
DRIFT = f"drift:\n  description: As R(all modules,{GUIDE}).\n  returned: success\n  type: list\n  elements: dict\n"


def module(returns: str, title: str = "Manage a role") -> str:
    return f'DOCUMENTATION = r"""\nshort_description: {title}\n"""\nRETURN = r"""\n{returns}"""\n'


def test_short_returns_are_accepted() -> None:
    assert list(problems_of("snow_role", module(MSG + DRIFT))) == []


@pytest.mark.parametrize("key", ["changed", "diff", "warnings"])
def test_common_return_values_are_refused(key: str) -> None:
    returns = MSG + f"{key}:\n  description: Common.\n  returned: always\n  type: raw\n"
    assert [problem for problem in problems_of("snow_role", module(returns)) if key in problem]


@pytest.mark.parametrize("returns", [DRIFT, MSG.replace("  sample: in sync\n", "")])
def test_msg_is_required_with_a_sample(returns: str) -> None:
    assert list(problems_of("snow_role", module(returns))) == ["RETURN does not document msg with a sample"]


def test_shared_keys_link_to_the_guide() -> None:
    (problem,) = problems_of("snow_role", module(MSG + DRIFT.replace(GUIDE, "another_guide")))
    assert problem == f"RETURN documents drift without a link to {GUIDE}"


def test_keys_that_are_methods_of_dictionaries_are_refused() -> None:
    inner = "rows:\n  type: list\n  contains:\n    update:\n      type: str\n"
    (problem,) = problems_of("snow_role", module(MSG + inner))
    assert problem.startswith("RETURN documents update, ")


def test_shared_keys_take_four_lines() -> None:
    (problem,) = problems_of("snow_role", module(MSG + DRIFT + "  sample: []\n"))
    assert "drift in 5 lines" in problem


@pytest.mark.parametrize(
    ("name", "title", "accepted"),
    [
        ("snow_role", "Manage a role", True),
        ("snow_role", "Bring a role to its desired state", False),
        ("snow_role_info", "List roles", True),
        ("snow_role_info", "Manage roles", False),
        ("snow_oauth_check", "Verify a client", True),
    ],
)
def test_titles_begin_with_the_verb(name: str, title: str, accepted: bool) -> None:
    assert (list(problems_of(name, module(MSG, title))) == []) is accepted


@pytest.mark.parametrize("path", sorted(MODULES.glob("*.py")), ids=lambda path: path.stem)
def test_every_module_follows(path: Path) -> None:
    assert list(problems_of(path.stem, path.read_text(encoding="utf-8"))) == []
