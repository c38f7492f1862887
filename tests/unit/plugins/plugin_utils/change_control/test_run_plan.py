# SPDX-License-Identifier: GPL-3.0-or-later
"""The canonical form of a plan, its digest, and what moved between two plans."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.change_control.run_plan import (
    MAX_TEXT,
    InvalidPlan,
    RunPlan,
    is_remainder,
    is_shortened,
    lines_of,
    moved,
)

FLEET = {"acme-dev": "https://acme-dev.service-now.com", "acme-prod": "https://acme-prod.service-now.com"}
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=12)
NAMES = WORDS.map(str.strip).filter(bool).filter(lambda name: ": " not in name and not name.endswith(":"))
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.lists(st.text(max_size=5), max_size=3)
)
DRIFT = st.lists(
    st.tuples(
        st.sampled_from(sorted(FLEET)),
        st.fixed_dictionaries({"object": NAMES, "field": NAMES, "before": VALUES, "after": VALUES}),
    ),
    max_size=12,
    unique_by=lambda each: (each[0], each[1]["object"], each[1]["field"]),
)


def entry(field: str = "roles", before: Any = None, after: Any = "x", name: str = "user svc") -> dict[str, Any]:
    return {"object": name, "field": field, "before": before, "after": after}


def plan(*drift: tuple[str, dict[str, Any]], playbook: str = "onboard", fleet: Any = None) -> RunPlan:
    return RunPlan.of(playbook, FLEET if fleet is None else fleet, drift)


@given(DRIFT, st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_order(drift: Any, chance: random.Random) -> None:
    mixed = list(drift)
    chance.shuffle(mixed)
    assert plan(*mixed).digest == plan(*drift).digest


@given(DRIFT)
def test_a_plan_survives_its_file_and_has_the_same_digest(drift: Any) -> None:
    wanted = plan(*drift)
    found, state = RunPlan.from_document(wanted.document("applying"))
    assert (found.digest, found.lines(), state) == (wanted.digest, wanted.lines(), "applying")


@given(DRIFT)
def test_the_readable_form_has_every_change(drift: Any) -> None:
    wanted = plan(*drift)
    assert lines_of(wanted.text(10**6)) == wanted.lines()


@given(DRIFT, VALUES)
def test_another_value_is_another_plan(drift: Any, value: Any) -> None:
    for host, each in drift[:1]:
        changed = plan((host, {**each, "after": value}), *drift[1:])
        same = json.dumps(value) == json.dumps(each["after"]) or "*" * 8 in str([value, each["after"]])
        assert same or changed.digest != plan(*drift).digest


def test_secrets_are_new_each_time_and_equal_in_the_plan() -> None:
    masked = [
        entry("password", "******** (value on the platform)", "******** (desired value)"),
        entry("key", None, "********"),
    ]
    found = plan(*(("acme-dev", each) for each in masked))
    assert [(row["before"], row["after"]) for row in found.rows] == [
        (None, "(new secret)"),
        ("(secret)", "(new secret)"),
    ]
    assert "*" not in found.document("planned")


def test_ids_that_a_platform_gives_are_known_after_apply() -> None:
    found = plan(
        ("acme-dev", entry("client_id", None, "f95")), ("acme-dev", entry("client_id", "0a", "1b", "connector"))
    )
    assert [(row["before"], row["after"]) for row in found.rows] == [("0a", "(known after apply)")]


@pytest.mark.parametrize("other", [plan(playbook="offboard"), plan(fleet={"acme-dev": "https://other.example"})])
def test_playbook_and_fleet_belong_to_the_digest(other: RunPlan) -> None:
    assert other.digest != plan().digest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is damaged: it is not JSON"),
        ('{"format": 1, "fleet"', "is damaged: it is not JSON"),
        ("[1]", "is not a plan of this collection"),
        ('{"format": 2}', "has format 2, but this version of the collection reads format 1"),
        ('{"format": 1, "fleet": {}}', "is damaged: changes or fleet are missing"),
        (plan(("acme-dev", entry())).document("planned").replace('"x"', '"admin"'), "was edited or is damaged"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidPlan, match=words):
        RunPlan.from_document(text)


def test_hosts_with_the_same_changes_are_listed_together() -> None:
    found = plan(
        *((host, entry("active", False, True)) for host in FLEET), ("acme-dev", entry("active", "a", "b", "role r"))
    )
    assert plan(*((host, entry("active", False, True)) for host in FLEET)).text() == (
        "acme-dev, acme-prod:\n- user svc\n  active: false -> true"
    )
    assert found.size == "3 changes on 2 hosts"


def test_a_long_plan_says_what_it_leaves_out() -> None:
    found = plan(*(("acme-dev", entry(f"field {number}", 1, 2)) for number in range(1000)))
    assert len(found.text()) <= MAX_TEXT
    assert is_shortened(found.text())
    assert not is_shortened(plan(("acme-dev", entry())).text())


def test_what_moved_is_named() -> None:
    before = plan(("acme-dev", entry("roles", [], ["itil"])), ("acme-dev", entry("active", False, True))).lines()
    after = plan(("acme-dev", entry("roles", [], ["admin"])), ("acme-prod", entry("active", False, True))).lines()
    assert moved(before, after) == (
        "added: acme-prod: user svc (active): false -> true; removed: acme-dev: user svc (active): false -> true; "
        'changed: acme-dev: user svc (roles): [] -> ["admin"], approved was [] -> ["itil"]'
    )
    many = plan(*(("acme-dev", entry(f"field {number}")) for number in range(13))).lines()
    assert moved({}, many).endswith("; and 3 more")


def test_what_an_interrupted_run_leaves_is_the_rest_of_its_plan() -> None:
    approved = plan(("acme-dev", entry("roles", None, ["itil"])), ("acme-dev", entry("active", None, True))).lines()
    assert is_remainder(approved, plan(("acme-dev", entry("roles", [], ["itil"]))).lines())
    assert not is_remainder(approved, plan(("acme-dev", entry("roles", [], ["admin"]))).lines())
    assert not is_remainder(approved, plan(("acme-prod", entry("active", None, True))).lines())
