# SPDX-License-Identifier: GPL-3.0-or-later
"""What was read, checked again here (docs/facts/servicenow_platform.md#encoded-queries)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.snapshot import (
    PlannedId,
    Query,
    QueryResult,
    Snapshot,
    merged,
)


def users(*names: str, column: str = "user_name") -> Snapshot:
    """Return a snapshot in which a question for users was answered with users of these names."""
    rows = tuple({"id": f"u{n}", column: name} for n, name in enumerate(names))
    return Snapshot.of([Query("sys_user", column, ("a",), ("id", column))], [QueryResult(rows)])


def test_a_response_with_everything_is_reduced_to_the_request() -> None:
    snapshot = users("a", "b", "A", "a ")
    assert [row["id"] for row in snapshot.rows("sys_user", "user_name", "a")] == ["u0"]
    assert [row["id"] for row in snapshot.case_variants("sys_user", "user_name", "a")] == ["u2"]
    assert len(snapshot.all_rows("sys_user", "user_name")) == 4


def test_further_conditions_are_checked_too() -> None:
    snapshot = users("a")
    assert snapshot.rows("sys_user", "user_name", "a", {"active": "true"}) == []
    assert len(snapshot.rows("sys_user", "user_name", "a", {"id": "u0"})) == 1


def test_a_column_that_is_missing_matches_nothing() -> None:
    assert users("a", column="name").rows("sys_user", "user_name", "a") == []


def test_a_row_that_came_twice_is_one_row_with_all_columns() -> None:
    reads = [
        Query("t", "name", ("a",), ("id", "name", "x"), where=(("k", "1"),)),
        Query("t", "name", ("a",), ("id", "name", "y")),
    ]
    answers = [
        QueryResult(({"id": "1", "name": "a", "x": "X"},)),
        QueryResult(({"id": "1", "name": "a", "y": "Y"},)),
    ]
    assert Snapshot.of(reads, answers).rows("t", "name", "a") == [{"id": "1", "name": "a", "x": "X", "y": "Y"}]


def test_rows_without_an_id_are_not_taken_for_one() -> None:
    snapshot = Snapshot.of([Query("t", "name", ("a",), ("name",))], [QueryResult(({"name": "a"}, {"name": "a"}))])
    assert len(snapshot.rows("t", "name", "a")) == 2


def test_rows_hold_values_of_any_type() -> None:
    rows = tuple({"id": n, "name": "a", "properties": value} for n, value in enumerate(({"x": [1]}, {"x": [2]}, None)))
    snapshot = Snapshot.of(
        [Query("t", "properties", (), ("id",)), Query("t", "name", (), ("id",))], [QueryResult(rows)] * 2
    )
    assert [row["id"] for row in snapshot.rows("t", "name", "a", {"properties": {"x": [2]}})] == [1]
    assert [row["id"] for row in snapshot.rows("t", "properties", None)] == [2]


def test_rows_have_their_id_in_the_column_of_the_store() -> None:
    snapshot = Snapshot.of([Query("t", "name", (), ())], [QueryResult(({"key": "k", "id": "i", "name": "a"},))], "key")
    assert snapshot.resolve_id("t", "name", "a") == "k"


def test_a_name_is_an_id_a_promise_or_nothing() -> None:
    snapshot = users("a")
    snapshot.planned = {PlannedId("sys_user", "user_name", "new")}
    assert snapshot.resolve_id("sys_user", "user_name", "a") == "u0"
    assert snapshot.resolve_id("sys_user", "user_name", "new") == PlannedId("sys_user", "user_name", "new")
    assert snapshot.resolve_id("sys_user", "user_name", "other") is None
    assert snapshot.referred == {"u0"}


def test_an_ambiguous_name_is_not_guessed() -> None:
    with pytest.raises(InvalidInput, match=r"2 sys_user records have the user_name 'a' \(u0, u1\)"):
        users("a", "a").resolve_id("sys_user", "user_name", "a")


def test_a_refusal_is_remembered() -> None:
    snapshot = Snapshot.of(
        [Query("t", "name", ("a",), ()), Query("t", "x", ("a",), ())], [QueryResult(refused="no"), QueryResult()]
    )
    assert snapshot.refused("t", "name") == "no"
    assert snapshot.refused("t", "x") == ""


names = st.sampled_from(["a", "b", "c"])
reads = st.lists(
    st.builds(
        Query, names, names, st.lists(names, max_size=2).map(tuple), st.lists(names, max_size=2).map(tuple),
        st.sampled_from([(), (("x", "1"),)]), st.booleans(), st.sampled_from([0, 1]),
    ),
    max_size=8,
)  # fmt: skip


@given(reads)
def test_merged_reads_request_everything_once(asked: list[Query]) -> None:
    together = merged(asked)

    def kind(read: Query) -> tuple[object, ...]:
        return (read.collection, read.column, read.where, read.optional, read.limit)

    assert len({kind(read) for read in together}) == len(together) == len({kind(read) for read in asked})
    for read in asked:
        (one,) = (other for other in together if kind(other) == kind(read))
        assert set(read.values) <= set(one.values)
        assert set(read.columns) <= set(one.columns)
    assert sum(len(set(read.values)) for read in together) <= sum(len(read.values) for read in asked)
