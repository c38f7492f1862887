# SPDX-License-Identifier: GPL-3.0-or-later
"""Encoded queries find exactly the selected rows, with any values; pages follow each other.

See docs/facts/servicenow_platform.md#paging, docs/facts/servicenow_platform.md#encoded-queries,
docs/facts/servicenow_platform.md#limits.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.snapshot import Query
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.query import (
    PAGE,
    TableQuery,
    any_of,
    encoded,
    table_queries,
    text_in_parts,
)
from tests.unit.plugins.module_utils.snow.encoded_query import parse

SPECIAL = (
    "^",
    "^^",
    ",",
    "a,b",
    "^ORb=1",
    "^NQb=1",
    "^ORDERBYb",
    "ORDERBYb",
    "=",
    "a^",
    "",
    " ",
    "IN",
    "%",
    "Zoë",
    "javascripT",
    "\n",
)
columns = st.sampled_from(["name", "user.user_name", "u_x1"])
values = st.one_of(st.sampled_from(SPECIAL), st.text(max_size=8)).filter(lambda v: "javascript" not in v.lower())
conditions = st.dictionaries(columns, st.one_of(values, st.lists(values, min_size=1, max_size=4)))


def asked(selection: dict[str, Any], row: dict[str, str]) -> bool:
    """Return whether `row` is what the conditions select."""
    return all(
        row.get(name, "") in (value if isinstance(value, list) else [value]) for name, value in selection.items()
    )


@given(conditions, st.data())
@example({"name": ["a,b", "c"], "u_x1": "^"}, None)
def test_a_query_finds_exactly_the_matching_rows(selection: dict[str, Any], data: Any) -> None:
    query = parse(encoded(selection))
    # Rows that are close to the selection: each column has a value of it, or another one.
    for _row in range(5 if data else 0):
        row = {
            name: data.draw(st.one_of(st.sampled_from(value if isinstance(value, list) else [value]), values))
            for name, value in selection.items()
        }
        assert query.matches(row) == asked(selection, row)
    assert len(query.conditions) == len(selection)


@given(st.lists(values, min_size=1, max_size=6), columns, st.dictionaries(columns, values.filter(bool)))
def test_a_read_requests_any_of_its_values_and_all_of_its_conditions(
    wanted: list[str], column: str, where: dict[str, str]
) -> None:
    where.pop(column, None)
    read = Query("sys_user", column, tuple(wanted), ("sys_id",), where=tuple(where.items()))
    (query,) = table_queries(read)
    parsed = parse(query.query)
    for value in (*wanted, "something else"):
        assert parsed.matches({column: value, **where}) == (value in wanted)
        for name in where:
            assert not parsed.matches({column: value, **where, name: where[name] + "x"})


@pytest.mark.parametrize(
    ("value", "wire"), [(True, "true"), (False, "false"), (100, "100"), ("é", "é"), (None, ""), ("", "")]
)
def test_values_are_requested_in_their_wire_form(value: object, wire: str) -> None:
    assert parse(encoded({"active": value})).matches({"active": wire})
    assert not parse(encoded({"active": value})).matches({"active": "other"})


def test_an_empty_selection_reads_everything() -> None:
    assert encoded({}) == ""


@pytest.mark.parametrize("selection", [{"name": []}, {"name": [], "active": True}, {"active": True, "name": ()}])
def test_any_of_nothing_is_not_everything(selection: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="name: .* empty list"):
        encoded(selection)


@pytest.mark.parametrize(
    "value", ["javascript:gs.getUserID()", "JavaScript:x", " javascript:x", "\tjavascript:x", ["a", "javascript:x"]]
)
def test_what_the_server_would_run_is_never_sent(value: Any) -> None:
    with pytest.raises(InvalidInput, match="^name: a value that starts with javascript: would be run"):
        encoded({"name": value})
    read = Query("sys_user", "name", tuple(value) if isinstance(value, list) else (value,), ())
    with pytest.raises(InvalidInput):
        list(table_queries(read))


def test_what_the_server_would_run_is_no_further_condition_either() -> None:
    with pytest.raises(InvalidInput):
        list(table_queries(Query("sys_user", "user_name", ("a",), (), where=(("name", "javascript:x"),))))


def test_a_comma_never_gets_into_a_list() -> None:
    assert any_of("name", ("a", "b")) == "nameINa,b"
    assert any_of("name", ("a,b", "c")) == "name=a,b^ORname=c"


# -- the request ----------------------------------------------------------------------------------------------------------


@given(values, values)
def test_a_url_carries_the_query_unharmed(table: str, value: str) -> None:
    query = TableQuery(table or "x", encoded({"name": value}), ("sys_id", "name"))
    parts = urlsplit(query.url)
    assert not parts.fragment
    assert parts.path.count("/") == 4
    sent = {name: found[0] for name, found in parse_qs(parts.query, keep_blank_values=True).items()}
    assert sent == query.parameters
    assert parse(sent["sysparm_query"]).matches({"name": value})


def test_a_request_is_for_plain_references_and_only_the_wanted_columns() -> None:
    sent = TableQuery("oauth_entity", "name=a", ("sys_id", "user.user_name"), limit=5).parameters
    assert sent["sysparm_exclude_reference_link"] == "true"
    assert sent["sysparm_fields"] == "sys_id,user.user_name"
    assert sent["sysparm_limit"] == "5"
    assert "sysparm_offset" not in sent


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", ["sys_id"]),
        ("active=true", ["sys_id"]),
        ("name=ORDERBYx", ["sys_id"]),
        (encoded({"name": "a^ORDERBYx"}), ["sys_id"]),
        ("active=true^ORDERBYnumber", ["number", "sys_id"]),
        ("ORDERBYDESCnumber", ["DESCnumber", "sys_id"]),
    ],
)
def test_rows_are_always_in_an_order_that_pages_can_rely_on(query: str, order: list[str]) -> None:
    # Rows may repeat or vanish between pages otherwise (docs/facts/servicenow_platform.md#paging).
    assert parse(TableQuery("sys_user", query).parameters["sysparm_query"]).order == order


@given(st.integers(0, 5000), st.integers(0, 5000), st.booleans())
def test_pages_follow_each_other_without_gap_or_overlap(rows: int, limit: int, counted: bool) -> None:
    query: TableQuery | None = TableQuery("sys_user", limit=limit)
    got: list[int] = []
    requests = 0
    while query:
        requests += 1
        assert int(query.parameters["sysparm_limit"]) <= PAGE
        page = list(range(rows))[query.offset : query.offset + query.page_size]
        got += page
        query = query.next_page(rows if counted else None, len(page))
    assert got == list(range(min(rows, limit) if limit else rows))
    assert requests <= len(got) // PAGE + (1 if counted else 2)


def test_without_a_count_only_an_empty_page_is_the_last() -> None:
    # A proxy strips X-Total-Count, and the server returns no more than 100 rows at a time.
    query: TableQuery | None = TableQuery("sys_user")
    got: list[int] = []
    while query:
        page = list(range(350))[query.offset : query.offset + 100]
        got += page
        query = query.next_page(None, len(page))
    assert got == list(range(350))


def test_a_page_that_access_rules_shortened_is_not_the_last() -> None:
    # The limit and the total count apply before access rules hide rows (docs/facts/servicenow_platform.md#paging).
    first = TableQuery("sys_user")
    second = first.next_page(total=2 * PAGE, received=3)
    assert second is not None
    assert second.offset == PAGE
    assert second.next_page(total=2 * PAGE, received=0) is None


# -- long lists -----------------------------------------------------------------------------------------------------------


long_values = st.lists(
    st.one_of(st.text("abc_.", min_size=1, max_size=60), st.text("é,^&", min_size=1, max_size=60)),
    unique=True,
    max_size=120,
)


@given(long_values, st.sampled_from(["name", "sys_security_acl.name"]))
def test_a_long_list_is_requested_in_several_urls_of_a_length_that_gateways_accept(
    wanted: list[str], column: str
) -> None:
    read = Query("sys_properties", column, tuple(wanted), ("sys_id", "name", "value"), optional=True)
    queries = list(table_queries(read))
    found = [term for query in queries for alternatives in parse(query.query).conditions for term in alternatives]
    asked_for = [part for term in found for part in (term.value.split(",") if term.operator == "IN" else [term.value])]
    assert asked_for == wanted
    assert all(query.optional and query.fields == read.columns for query in queries)
    for query in queries:
        # Above 2,048 characters clients send the query differently (docs/facts/servicenow_platform.md#limits).
        alone = (
            sum(len(alternatives) for alternatives in parse(query.query).conditions) == 1 and "IN" not in query.query
        )
        assert len(query.url) <= 2048 or alone


def test_three_hundred_properties_take_a_handful_of_urls() -> None:
    names = tuple(f"glide.security.some.rather.long.property.name.{n}" for n in range(308))
    assert len(list(table_queries(Query("sys_properties", "name", names, ("sys_id", "name", "value"))))) <= 12


def test_a_read_without_values_requests_any_rows() -> None:
    (query,) = table_queries(Query("oauth_entity", "", (), ("sys_id",), optional=True, limit=1))
    assert (query.query, query.limit) == ("", 1)


LONG = ",".join(f"{number:032x}" for number in range(200))


def test_a_long_list_in_an_encoded_query_is_sent_in_parts() -> None:
    parts = list(text_in_parts(f"active=true^sys_idIN{LONG}^state=1^ORstate=2"))
    assert len(parts) > 1 and all(len(part) < 1600 for part in parts)
    assert all(part.startswith("active=true^sys_idIN") and part.endswith("^state=1^ORstate=2") for part in parts)
    assert ",".join(part.split("^")[1].removeprefix("sys_idIN") for part in parts) == LONG


@pytest.mark.parametrize(
    "query",
    [
        f"numberNOT IN{LONG}",
        f"sys_idIN{LONG}^ORactive=true",
        f"active=true^ORsys_idIN{LONG}",
        f"sys_idIN{LONG}^NQactive=true",
        f"sys_idIN{LONG}^ORDERBYname",
        f"sys_idIN{LONG}^name=a^^b",
        f"description={LONG}",
        "sys_idINa,b",
    ],
)
def test_a_query_whose_parts_would_find_other_rows_stays_whole(query: str) -> None:
    assert list(text_in_parts(query)) == [query]
