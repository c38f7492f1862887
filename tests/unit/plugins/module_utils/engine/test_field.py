# SPDX-License-Identifier: GPL-3.0-or-later
"""Values in their wire form (all values are strings, docs/facts/servicenow_platform.md#records-on-the-wire)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.field import (
    BOOLEAN,
    INTEGER,
    LIST,
    TEXT,
    Field,
    kind_of,
    normal,
    typed,
    wire_text,
)

kinds = st.sampled_from([TEXT, INTEGER, BOOLEAN, LIST])
texts = st.one_of(st.text(), st.sampled_from(["--5", "-", "²", "٣", "1,800", "+5", "-0", " 7 ", "9" * 5000, "0x1f"]))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (True, "true"), (False, "false"), (0, "0"), (3600, "3600"), (1.5, "1.5"), ("x", "x"), ("", ""),
        (["a", " b "], "a,b"), ((), ""), ([True, 1], "true,1"),
    ],
)  # fmt: skip
def test_the_wire_form_of_a_value(value: Any, text: str) -> None:
    assert wire_text(value) == text


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (BOOLEAN, True, "true"), (BOOLEAN, True, "1"), (BOOLEAN, True, "Yes"), (BOOLEAN, False, ""), (BOOLEAN, False, "0"),
        (INTEGER, 3600, "3600"), (INTEGER, 3600, "3,600"), (INTEGER, 3600, " 3600 "), (INTEGER, 7, "007"), (INTEGER, 0, "-0"),
        (LIST, ["a", "b"], "a, b"), (LIST, ["a", "b"], "a,,b,"), (LIST, [], ""), (TEXT, "x", "x"), (TEXT, None, ""),
    ],
)  # fmt: skip
def test_values_that_mean_the_same_are_equal(kind: str, one: Any, other: Any) -> None:
    assert normal(kind, one) == normal(kind, other)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (BOOLEAN, True, "false"), (BOOLEAN, True, "maybe"), (INTEGER, 3600, "360"), (INTEGER, 3600, ""), (INTEGER, 1, "1.5"),
        (LIST, ["a", "b"], "b,a"), (TEXT, "x", "X"), (TEXT, "x", " x"), (TEXT, "", " "),
    ],
)  # fmt: skip
def test_values_that_do_not_are_not(kind: str, one: Any, other: Any) -> None:
    assert normal(kind, one) != normal(kind, other)


@given(kinds, texts)
@example(INTEGER, "--5")
@example(INTEGER, "²")
@example(INTEGER, "9" * 5000)
def test_any_text_has_a_form_and_the_form_is_stable(kind: str, text: str) -> None:
    once = normal(kind, text)
    assert normal(kind, once) == once
    typed(Field("x", kind=kind), text)


@given(st.integers(-(2**63), 2**63))
def test_an_integer_survives(number: int) -> None:
    assert typed(Field("x", kind=INTEGER), normal(INTEGER, str(number))) == number


@pytest.mark.parametrize(
    ("value", "kind"),
    [(True, BOOLEAN), (1, INTEGER), ([1], LIST), (("a",), LIST), ("1", TEXT), (1.5, TEXT), (None, TEXT)],
)
def test_a_free_form_value_is_compared_as_what_it_is(value: Any, kind: str) -> None:
    assert kind_of(value) == kind


def test_choices_are_reported_in_the_users_words() -> None:
    field = Field("scope_restriction", "status", choices={"broad": "unrestricted", "restricted": "restricted"})
    assert field.column == "status"
    assert field.to_wire("broad") == "unrestricted"
    assert field.from_wire("unrestricted") == "broad"
    # Never fail on an unknown value (docs/facts/servicenow_platform.md#grant-columns).
    assert field.from_wire("useraccount") == "useraccount"
