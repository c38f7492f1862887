# SPDX-License-Identifier: GPL-3.0-or-later
"""A list that does not advance, does not end or does not fit into memory is incomplete, and said so early."""

from __future__ import annotations

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport import paged_list
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import AmbiguousResponse
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.paged_list import (
    PagedList,
    checked_rows,
    recognized_rows,
    records_in,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.settings import Settings
from tests.unit.plugins.module_utils.conftest import Clock


@pytest.fixture
def pages(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> PagedList:
    monkeypatch.setattr(paged_list, "time", clock)
    return PagedList("GET /x", Settings(timeout=60, retry_deadline=120))


def test_pages_that_bring_something_new_are_taken(pages: PagedList) -> None:
    for number in range(500):
        pages.add([{"id": number}])
        pages.go_on(f"link {number}")
    pages.add([])


def test_a_page_that_comes_again_did_not_advance(pages: PagedList) -> None:
    pages.add([{"id": 1}, {"id": 2}])
    pages.go_on("a")
    pages.add([{"id": 3}])
    pages.go_on("b")
    with pytest.raises(
        AmbiguousResponse, match="GET /x: the list is incomplete: after 2 pages .* a page a second time"
    ):
        pages.add([{"id": 1}, {"id": 2}])


def test_a_link_that_comes_again_leads_in_a_circle(pages: PagedList) -> None:
    pages.go_on("a")
    with pytest.raises(AmbiguousResponse, match="incomplete.*the link of a page a second time"):
        pages.go_on("a")


def test_empty_pages_without_end_are_no_list(pages: PagedList) -> None:
    with pytest.raises(AmbiguousResponse, match="incomplete: 101 pages in a row have no rows"):
        for number in range(200):
            pages.add([])
            pages.go_on(str(number))


def test_a_list_ends_within_the_time_of_a_task(pages: PagedList, clock: Clock) -> None:
    with pytest.raises(AmbiguousResponse, match=r"within 180 s \(retry_deadline and timeout\) and 6 pages"):
        for number in range(10):
            pages.add([number])
            pages.go_on(str(number))
            clock.passes(40)


@pytest.mark.parametrize("row", [{"text": "x" * 100_000}, {"many": list(range(100_000))}])
def test_rows_that_do_not_fit_into_memory_are_not_collected(pages: PagedList, row: dict[str, object]) -> None:
    def read(kept: PagedList) -> None:
        for number in range(300):
            kept.add([{**row, "id": number}])

    with pytest.raises(AmbiguousResponse, match="does not fit into memory. Read less at once"):
        read(pages)
    read(PagedList("GET /x", Settings(), is_kept=False))


def test_more_pages_than_any_list_has_are_not_read(pages: PagedList) -> None:
    with pytest.raises(AmbiguousResponse, match="does not end within 10000 pages"):
        for number in range(20_000):
            pages.go_on(str(number))


@pytest.mark.parametrize("answer", [None, "a", 7, {}, {"data": None}, {"data": {"0": {}}}])
def test_what_holds_no_list_is_not_an_empty_list(answer: object) -> None:
    with pytest.raises(AmbiguousResponse, match="^GET /x: the response contains no list$"):
        records_in(answer, "GET /x")


@pytest.mark.parametrize("odd", [None, "acme-prod", 7, True, ["a"]])
def test_an_entry_that_is_no_object_is_not_left_out(odd: object) -> None:
    with pytest.raises(AmbiguousResponse, match="^GET /x: .* entry 2 of 3 of its list is no object$"):
        records_in({"data": [{"id": 1}, odd, {"id": 3}]}, "GET /x")
    assert checked_rows([{"id": 1}], "GET /x") == [{"id": 1}]


def test_an_entry_without_a_key_that_identifies_it_is_not_recognized() -> None:
    rows = [{"_id": "1", "name": "a"}, {"id": 0, "name": "b"}]
    assert recognized_rows(rows, "GET /x", ("_id", "id"), ("name",)) == rows
    with pytest.raises(AmbiguousResponse, match="^GET /x: .* entry 2 of 2 of its list has no _id or id$"):
        recognized_rows([rows[0], {"key": "2", "name": "b"}], "GET /x", ("_id", "id"), ("name",))
