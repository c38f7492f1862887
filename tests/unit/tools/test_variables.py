# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on variables has every variable of roles and playbooks, with its default."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import variables
from tools.variables import DOCUMENTED, MARKER, Role, problems, to_rst, written

SPEC = """
argument_specs:
  main:
    short_description: Check an instance
    options:
      snow_check_tables:
        description: [Tables to read., Default by C(snow_check_service).]
        type: list
        default: [sys_user]
      snow_check_service:
        description: Service, see M(secops.servicenow_defender.snow_role).
        type: str
"""
HEAD = "Variables\n\n.. list-table::\n\n  * - ``drift_fail``\n    - Whether drift fails.\n    - false\n\n" + MARKER


@pytest.fixture
def role(tmp_path: Path) -> Role:
    folder = tmp_path / "snow_check"
    for part in ("meta", "defaults"):
        (folder / part).mkdir(parents=True)
    (folder / "meta" / "argument_specs.yml").write_text(SPEC, encoding="utf-8")
    (folder / "defaults" / "main.yml").write_text('snow_check_service: ""\n', encoding="utf-8")
    return Role(folder)


def test_tables_have_meaning_and_default(role: Role) -> None:
    guide = written(HEAD, [role])
    assert (
        "  * - ``snow_check_tables``\n    - Tables to read. Default by ``snow_check_service``.\n    - ``[sys_user]``\n"
        in guide
    )
    assert "    - Service, see :ansplugin:`secops.servicenow_defender.snow_role#module`.\n    - empty\n" in guide
    assert problems(guide, [role], "when: drift_fail | default(false)") == []


def test_an_outdated_guide_is_reported(role: Role) -> None:
    assert problems(HEAD, [role], "") == [f"{variables.GUIDE} is out of date; run python -m tools.variables"]


def test_a_default_without_description_is_reported(role: Role) -> None:
    role.defaults["snow_check_new"] = 1
    (problem,) = problems(written(HEAD, [role]), [role], "")
    assert problem == "roles/snow_check/defaults/main.yml: snow_check_new has no description in meta/argument_specs.yml"


def test_a_comment_describes_a_default_too(role: Role) -> None:
    role.defaults["snow_check_status"] = "{{ x }}"
    role.comments["snow_check_status"] = "Status after the role has run."
    guide = written(HEAD, [role])
    assert "  * - ``snow_check_status``\n    - Status after the role has run.\n    - computed\n" in guide
    assert problems(guide, [role], "") == []


def test_a_variable_of_a_playbook_is_reported(role: Role) -> None:
    (problem,) = problems(
        written(HEAD, [role]), [role], "serial: \"{{ servicenow_defender_serial | default('100%') }}\""
    )
    assert "servicenow_defender_serial, a variable of the playbooks, is missing" in problem


def test_a_variable_that_a_playbook_sets_is_none_of_the_users(role: Role) -> None:
    playbook = "  set_fact:\n    drift_found: 1\n  when: drift_found is defined and drift__internal is defined"
    assert problems(written(HEAD, [role]), [role], playbook) == []


def test_markup_becomes_restructured_text() -> None:
    text = to_rst("I(Label) of O(snow_x), V([a, (b\\)]) or U(https://example.com/)")
    assert text.startswith("*Label* of ``snow_x``, ") and text.endswith("or https://example.com/")


def test_the_guide_agrees_with_roles_and_playbooks() -> None:
    guide = (variables.ROOT / variables.GUIDE).read_text(encoding="utf-8")
    assert problems(guide, variables.roles(), variables.playbook_text()) == []
    defaults = {name for role in variables.roles() for name in role.defaults}
    assert defaults <= set(DOCUMENTED.findall(guide))
