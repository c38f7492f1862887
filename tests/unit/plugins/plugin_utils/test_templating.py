# SPDX-License-Identifier: GPL-3.0-or-later
"""What lookups return is what templates make of it, and those for another host have its variables, on each line of ansible-core."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.templating import (
    evaluator,
    kept_as_text,
    with_variables,
)

from .test_connections import trusted


@pytest.mark.parametrize("value", ['{"id":"42"}', "[1]", "a", "", ["x"], {"a": 1}])
def test_a_text_that_is_json_remains_a_text(value: Any) -> None:
    (found,) = kept_as_text([value])
    templar = Templar(DataLoader(), variables={"found": found, "other": trusted("{{ found }}")})
    assert templar.template(trusted("{{ other }}")) == value


@pytest.mark.parametrize(
    "expression", ["lookup('vars', 'own')", "query('vars', 'own') | first", "q('vars', 'own') | first", "own"]
)
def test_a_template_for_another_host_has_its_variables(expression: str) -> None:
    templar = Templar(DataLoader(), variables={"own": "of acme-dev"})
    template = trusted("{{ " + expression + " }}")
    other = with_variables(templar, {"own": "of acme-test", "nested": template})
    assert other.template(trusted("{{ nested }}")) == "of acme-test"
    assert evaluator(templar, {})(trusted(expression), {"own": "of acme-test"}) == "of acme-test"
    assert templar.template(template) == "of acme-dev", "the templar of the task keeps its own"
