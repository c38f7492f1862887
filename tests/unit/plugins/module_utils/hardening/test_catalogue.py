# SPDX-License-Identifier: GPL-3.0-or-later
"""The hardening catalogue as data: its form, and that it equals the fact sheet."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening import locations
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.catalogue import (
    BY_ID,
    CATALOGUE,
    secure_score_points,
)
from tests.unit.vendor_files import hardening_facts

ROOT = Path(__file__).parents[5]
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "hardening.schema.json").read_text())
FACTS = hardening_facts()


def test_every_row_has_the_documented_form() -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    wrong = {s.id: error.message for s in CATALOGUE for error in validator.iter_errors(s.as_dict())}
    assert wrong == {}


def test_the_documented_form_allows_nothing_else() -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    row = BY_ID["session.idle_timeout"].as_dict()
    for change in ({"recommended": "60"}, {"comparator": "ne"}, {"id": "No id"}, {"more": 1}, {"fallback": True}):
        assert not validator.is_valid({**row, **change}), change


def test_no_setting_is_there_twice() -> None:
    assert len(CATALOGUE) == len(BY_ID) == 308
    assert [name for name, count in Counter(s.name for s in CATALOGUE).items() if count > 1] == []


def test_the_controls_of_secure_score_are_all_there() -> None:
    controls = Counter(s.secure_score_control for s in CATALOGUE if s.secure_score_control)
    assert set(controls) == set(secure_score_points.POINTS)
    assert (len(controls), sum(controls.values()), sum(secure_score_points.POINTS.values())) == (22, 23, 114)
    assert set(secure_score_points.MICROSOFT) <= set(BY_ID)


def test_default_mode_is_denied_against_the_text_of_microsoft() -> None:
    assert BY_ID["acl.default_mode"].recommended == "deny"


def test_locations_and_applications_belong_to_settings() -> None:
    assert {id for id in locations.NAMED if BY_ID[id].kind != "other"} == set()
    assert set(locations.DOMAIN_SEPARATION) <= set(BY_ID)
    applications = {s.application for s in CATALOGUE if s.application} - {"any scoped", "mid_server"}
    assert all(locations.scopes_of(application) for application in applications)


@pytest.mark.skipif(FACTS is None, reason="the fact sheet is not part of the repository: set HARDENING_FACTS")
def test_the_catalogue_equals_the_fact_sheet() -> None:
    assert FACTS is not None
    facts = {row["id"]: row for row in yaml.safe_load(FACTS.read_text())}
    assert set(facts) == set(BY_ID)
    for id, row in facts.items():
        ours = BY_ID[id].as_dict()
        for key in (
            "kind", "name", "type", "comparator", "recommended", "shipped_default", "fallback", "category", "severity", "cvss",
            "irreversible", "customer_editable", "elevation", "group",
        ):  # fmt: skip
            assert ours[key] == row[key], (id, key)
        assert ours["secure_score_control"] == row.get("secure_score_control", ""), id
        assert (ours["status"] == "current") == (row["status"] == "current"), id
        # A side effect of the fact sheet is never left out; its sentences are not copied.
        assert not row.get("breaks") or ours["side_effects"], id
        for theirs in (row["description"], row.get("breaks", ""), row.get("note", "")):
            assert not theirs or theirs.rstrip(".") not in (ours["title"], ours["side_effects"], ours["note"]), id
