# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a page: what it shows, and that no value becomes markup. tests/browser opens it in a browser."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from hypothesis import given

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.page import to_html
from tests.unit.plugins.plugin_utils.report import fleets
from tests.unit.plugins.plugin_utils.report.fleets import LIFESPAN, deviation, elevation, hostile, large, small
from tests.unit.plugins.plugin_utils.report.strategies import document_of, documents
from tests.unit.plugins.plugin_utils.report.test_collect import report


class Seen(HTMLParser):
    """The elements, attributes and texts of a page, and whether every element is closed."""

    VOID = frozenset({"meta", "link", "input"})

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(content.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.text += " "
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["script"], ["style"]):
            self.text += data


def words_of(document: dict[str, Any]) -> str:
    return " ".join(Seen(to_html(document)).text.split())


def assert_harmless(seen: Seen) -> None:
    assert (seen.tags.count("script"), seen.tags.count("style"), seen.tags.count("link")) == (1, 1, 1)
    assert not seen.open
    assert not {"img", "iframe", "object", "form", "base"} & set(seen.tags)
    for _tag, name, value in seen.attributes:
        assert not name.startswith("on") and name not in ("src", "style")
        assert name != "href" or value == "data:," or re.fullmatch(r"#[a-z0-9-]+", value)


def test_the_page_shows_the_drift_and_the_remedy() -> None:
    words = words_of(small())
    assert "2 of 5 instances deviate from the desired state, 1 failed, 1 could not be reached." in words
    assert "OAuth application CloudAppSecurity access_token_lifespan 1800 3600 open" in words
    assert "client_secret secret, not shown secret, not shown" in words
    assert "Let the role custom_table_access read incident manual step Instance acme-dev Access control rules" in words
    assert "Requires role custom_table_access" in words
    assert "Remedy Sign in with OAuth" in words
    assert "the developer instance is hibernating" in words
    assert "ends in 3 days 2026-03-05 10:30:00" in words


def test_the_worst_instances_come_first() -> None:
    names = re.findall(r"<h3>(acme-\w+)</h3>", to_html(small()).decode())
    assert names == ["acme-lab", "acme-old", "acme-dev", "acme-test", "acme-prod"]


def test_what_many_instances_share_is_reported_once() -> None:
    page = to_html(large()).decode()
    names = [f"acme-{number:03}" for number in range(5, 301, 5)]
    assert page.count("access_token_lifespan") == 2, "in the table, and in the row that all details share"
    rows = [row for row in re.findall(r"<tr role=.*?</tr>", page, re.S) if "access_token_lifespan" in row]
    assert len(rows) == 1 and f'data-value="{len(names)}"' in rows[0]


def test_secret_labels_of_a_manual_step_are_named_without_a_value() -> None:
    step = {
        **elevation("incident"),
        "values": {"Client Secret": "planted"},
        "secret_values": ["Client Secret", "Password"],
    }
    words = words_of(document_of([report({"manual_steps": [step]})]))
    assert "Client Secret secret, not printed Password secret, not printed" in words
    assert "planted" not in words


def test_a_fleet_in_sync_is_reported_in_one_sentence() -> None:
    clean = [report({"drift": []}, host=host) for host in ("acme-dev", "acme-test")]
    assert "All 2 instances are in sync." in words_of(document_of(clean))
    assert "The instance is in sync." in words_of(document_of(clean[:1]))
    assert "No instance reported anything." in words_of(document_of([]))


def test_repaired_drift_is_marked() -> None:
    words = words_of(document_of([report({"changed": True, "drift": [LIFESPAN]}, check_mode=False)]))
    assert "apply, differences were written" in words
    assert "1800 3600 repaired" in words


def test_hidden_results_are_mentioned() -> None:
    words = words_of(document_of([report({"drift": []}), report({"censored": "x"})]))
    assert "1 result hidden by no_log is not part of this report." in words


def test_no_secret_mask_is_shown_as_if_it_were_a_value() -> None:
    drift = [deviation("user a", "password", "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", None)]
    assert "password secret, not shown not set" in words_of(document_of([report({"drift": drift})]))


def test_long_lists_and_values_are_cut_on_the_page_only() -> None:
    drift = [deviation(f"property p{number:03}", "value", "x" * 3000, None) for number in range(150)]
    document = document_of([report({"drift": drift})])
    words = words_of(document)
    assert "50 more in drift.json." in words
    assert "x" * 2001 not in words and "(shortened)" in words
    assert len(document["hosts"]["acme-dev"]["drift"]) == 150


def test_a_thousand_instances_with_sixty_objects_make_a_page_of_moderate_size() -> None:
    assert len(to_html(fleets.thousand())) < 1_500_000


def test_a_fleet_in_which_everything_deviates_differently_shows_less_of_long_lists() -> None:
    content = to_html(fleets.nothing_in_common())
    assert len(content) < 1_500_000
    assert b"more in <code>drift.json</code>" in content
    assert b"acme-1000" in content, "every instance is in the table"


def test_values_stay_text() -> None:
    seen = Seen(to_html(hostile()))
    assert_harmless(seen)
    assert "window.broken = 1" in seen.text


@given(documents)
def test_no_value_becomes_markup(document: Any) -> None:
    assert_harmless(Seen(to_html(document)))


def test_the_page_shows_what_is_unproven_apart_from_drift() -> None:
    words = words_of(fleets.unproven())
    assert "1 of 3 instances deviates from the desired state, 1 is unproven. Tenant: unproven." in words
    assert fleets.CLOSED in words
    assert "the inventory has no group defender" in words
