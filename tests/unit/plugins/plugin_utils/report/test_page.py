# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a page: what it says, and that no value becomes markup. tests/browser looks at it in a browser."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from hypothesis import given, settings

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report import page
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.page import to_html
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


def test_the_page_says_what_deviates_and_what_to_do() -> None:
    words = words_of(small())
    assert "2 of 5 instances deviate from the desired state, 1 failed, 1 could not be reached." in words
    assert "OAuth application CloudAppSecurity access_token_lifespan 1800 3600 open" in words
    assert "client_secret secret, not shown secret, not shown" in words
    assert "Let the role custom_table_access read incident Access control rules" in words
    assert "Requires role custom_table_access" in words
    assert "Remedy Sign in with OAuth" in words
    assert "the developer instance is hibernating" in words
    assert "3 days 2026-03-05 10:30:00" in words


def test_the_worst_instances_come_first() -> None:
    names = re.findall(r"<h3>(acme-\w+)</h3>", to_html(small()).decode())
    assert names == ["acme-lab", "acme-old", "acme-dev", "acme-test", "acme-prod"]


def test_what_many_instances_share_is_told_once() -> None:
    words = words_of(large())
    assert "Most common deviations" in words
    assert "OAuth application CloudAppSecurity access_token_lifespan 60" in words
    assert "Most common deviations" not in words_of(small())


def test_secret_labels_of_a_manual_step_are_named_without_a_value() -> None:
    step = {
        **elevation("incident"),
        "values": {"Client Secret": "planted"},
        "secret_values": ["Client Secret", "Password"],
    }
    words = words_of(document_of([report({"manual_steps": [step]})]))
    assert "Client Secret secret, not printed Password secret, not printed" in words
    assert "planted" not in words


def test_a_clean_fleet_is_told_in_one_sentence() -> None:
    clean = [report({"drift": []}, host=host) for host in ("acme-dev", "acme-test")]
    assert "All 2 instances are in sync." in words_of(document_of(clean))
    assert "The instance is in sync." in words_of(document_of(clean[:1]))
    assert "No instance reported anything." in words_of(document_of([]))


def test_repaired_deviations_are_marked() -> None:
    words = words_of(document_of([report({"changed": True, "drift": [LIFESPAN]}, check_mode=False)]))
    assert "apply, differences were written" in words
    assert "1800 3600 repaired" in words


def test_hidden_results_are_mentioned() -> None:
    words = words_of(document_of([report({"drift": []}), report({"censored": "x"})]))
    assert "1 result hidden by no_log is not part of this report." in words


def test_no_secret_mask_is_shown_as_if_it_were_a_value() -> None:
    drift = [deviation("user a", "password", "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", None)]
    assert "password secret, not shown not set" in words_of(document_of([report({"drift": drift})]))


def test_long_lists_and_values_are_cut_on_the_page_only(monkeypatch: Any) -> None:
    monkeypatch.setattr(page, "DEVIATIONS_ON_PAGE", 30)
    drift = [deviation(f"property p{number:02}", "value", "x" * 3000, None) for number in range(50)]
    document = document_of([report({"drift": drift})])
    words = words_of(document)
    assert "20 more in drift.json." in words
    assert "x" * 2001 not in words and "(shortened)" in words
    assert len(document["hosts"]["acme-dev"]["drift"]) == 50


def test_hundreds_of_instances_make_a_page_of_moderate_size() -> None:
    assert len(to_html(large(500))) < 1_500_000


def test_values_stay_text() -> None:
    seen = Seen(to_html(hostile()))
    assert_harmless(seen)
    assert "window.broken = 1" in seen.text


@settings(deadline=None, max_examples=100)
@given(documents)
def test_no_value_becomes_markup(document: Any) -> None:
    assert_harmless(Seen(to_html(document)))
