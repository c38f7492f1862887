# SPDX-License-Identifier: GPL-3.0-or-later
"""The report page in a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.page import to_html
from tests.unit.plugins.plugin_utils.report import fleets

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        launched.close()


Show = Callable[..., Page]


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Show]:
    """Return a function that opens a report; at the end the page must have kept quiet and to itself."""
    complaints: list[str] = []
    requests: list[str] = []
    contexts: list[BrowserContext] = []

    def open_page(document: dict[str, Any], fragment: str = "", **context: Any) -> Page:
        file = tmp_path / "drift.html"
        file.write_bytes(to_html(document))
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context}))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(file.as_uri() + fragment)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert all(
        url.startswith(("file:", "data:")) and url.split("#")[0].endswith(("drift.html", "data:,")) for url in requests
    )


def test_the_page_shows_the_fleet_and_what_to_do(show: Show) -> None:
    page = show(fleets.small())
    expect(page).to_have_title("Drift report: 2 of 5 instances")
    expect(page.locator(".verdict")).to_have_text(
        "2 of 5 instances deviate from the desired state, 1 failed, 1 could not be reached."
    )
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="acme-dev"))
    expect(row.first).to_contain_text("2 deviations")
    expect(row.first).to_contain_text("3 days")
    details = page.locator("details", has_text="acme-dev").first
    expect(details.get_by_text("custom_table_access,itil")).to_be_visible()
    expect(details.get_by_role("heading", name="Let the role custom_table_access read incident")).to_be_visible()
    expect(page.get_by_text("the developer instance is hibernating")).to_be_visible()
    expect(page.locator("details", has_text="acme-prod").last).not_to_have_attribute("open", "")


def test_the_filter_narrows_the_map_and_the_details(show: Show) -> None:
    page = show(fleets.large(300))
    box = page.get_by_label("Filter")
    rows = page.locator("table.heat tbody tr:visible")
    expect(rows).to_have_count(300)
    box.fill("acme-12")
    expect(rows).to_have_count(10)
    expect(page.locator("details:visible")).to_have_count(10)
    expect(page.locator("#filter-count")).to_have_text("10 of 300 instances")
    box.fill("drift Session_Timeout")
    expect(rows).to_have_count(300 // 7)
    box.fill("no such thing")
    expect(page.get_by_text("No instance matches the filter.")).to_be_visible()
    box.fill("")
    expect(rows).to_have_count(300)
    expect(page.locator("#filter-count")).to_have_text("")


def test_a_link_in_the_map_unfolds_the_instance(show: Show) -> None:
    page = show(fleets.large(300))
    page.get_by_role("link", name="acme-005").click()
    details = page.locator("details[open]")
    expect(details).to_have_count(1)
    expect(details.get_by_text("access_token_lifespan")).to_be_in_viewport()


def test_a_link_to_an_instance_can_be_handed_on(show: Show) -> None:
    page = show(fleets.large(300), "#instance-9")
    expect(page.locator("details[open]")).to_have_count(1)


def test_everything_can_be_read_without_javascript(show: Show) -> None:
    page = show(fleets.small(), java_script_enabled=False)
    expect(page.locator(".filter")).to_be_hidden()
    expect(page.get_by_text("custom_table_access,itil")).to_be_visible()
    prod = page.locator("details").last
    prod.locator("summary").click()
    expect(prod.get_by_text("svc_defender")).to_be_visible()


def test_values_that_look_like_markup_do_nothing(show: Show) -> None:
    page = show(fleets.hostile())
    assert page.evaluate("window.broken") is None
    assert page.locator("img").count() == 0
    expect(page.locator("table.drift").get_by_text("window.broken").first).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_has_contrast_in_both_schemes(show: Show, tmp_path: Path, scheme: Any, width: int) -> None:
    page = show(fleets.small(), color_scheme=scheme, viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(FAINT_TEXTS) == []
    picture = tmp_path / f"report-{scheme}-{width}.png"
    page.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 10_000


def test_the_outline_is_sound_for_assistive_technology(show: Show) -> None:
    page = show(fleets.small())
    assert page.locator("h1").count() == 1
    levels = page.evaluate("Array.from(document.querySelectorAll('h1,h2,h3,h4,h5'), (h) => Number(h.tagName[1]))")
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    identifiers = page.evaluate("Array.from(document.querySelectorAll('[id]'), (e) => e.id)")
    assert len(identifiers) == len(set(identifiers))
    assert page.locator("th:not([scope])").count() == 0


# Texts with less contrast to what lies behind them than WCAG 2.2 asks for (4.5 to 1), with their ratio.
FAINT_TEXTS = """() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = numbers(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *:not(script)")) {
    const own = Array.from(element.childNodes).some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.checkVisibility()) continue;
    const [a, b] = [light(numbers(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push(element.tagName + "." + element.className + " " + ratio.toFixed(2));
  }
  return faint;
}"""
