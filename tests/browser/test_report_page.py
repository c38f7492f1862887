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
    details = page.locator("details.instance", has_text="acme-dev")
    expect(details.get_by_text("custom_table_access,itil")).to_be_visible()
    expect(page.get_by_role("heading", name="Let the role custom_table_access read incident")).to_be_visible()
    expect(page.get_by_role("heading", name="the developer instance is hibernating")).to_be_visible()
    expect(page.locator("details.instance", has_text="acme-prod")).not_to_have_attribute("open", "")


def test_the_filter_narrows_the_table_and_the_details(show: Show) -> None:
    page = show(fleets.large(300))
    box = page.get_by_label("Filter")
    rows = page.locator("table.heat tbody tr:visible")
    expect(rows).to_have_count(50)
    box.fill("acme-12")
    expect(rows).to_have_count(10)
    expect(page.locator("details.instance:visible")).to_have_count(10)
    expect(page.locator("#filter-count")).to_contain_text("10 of 300 instances")
    box.fill("drift Session_Timeout")
    expect(rows).to_have_count(300 // 7)
    expect(page.locator("#drift tbody tr:visible")).to_have_count(1)
    box.fill("no such thing")
    expect(page.get_by_text("No instance matches the filter.")).to_be_visible()
    expect(page.get_by_text("Nothing to do matches the filter.")).to_be_visible()
    expect(page.locator("#todo h3:visible")).to_have_count(0)
    box.fill("")
    expect(rows).to_have_count(50)
    expect(page.locator("#filter-count")).to_have_text("")
    page.get_by_role("button", name="Show 250 more instances").click()
    expect(rows).to_have_count(300)
    expect(box).to_be_focused()


def test_the_filter_finds_an_instance_that_a_row_only_counts(show: Show) -> None:
    page = show(fleets.large(300))
    row = page.locator("#drift tbody tr", has_text="access_token_lifespan")
    expect(row).not_to_contain_text("acme-300")
    page.get_by_label("Filter").fill("acme-300 lifespan")
    expect(row).to_be_visible()
    row.get_by_role("button", name="and 53 more").click()
    expect(row).to_contain_text("acme-300")
    page.get_by_label("Filter").fill("acme-301 lifespan")
    expect(row).to_be_hidden()


def test_what_is_announced_is_how_much_the_filter_left(show: Show) -> None:
    page = show(fleets.weekly())
    page.get_by_label("Filter").fill("critical")
    count = page.locator("#filter-count")
    expect(count).to_contain_text("1 of 5 settings")
    expect(count).to_have_attribute("aria-live", "polite")


def test_columns_sort_by_keyboard_and_say_so(show: Show) -> None:
    page = show(fleets.weekly())
    table = page.locator("#settings table").first
    points = table.get_by_role("columnheader", name="Points")
    points.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(points).to_have_attribute("aria-sort", "ascending")
    assert table.locator("tbody td[data-label=Points]").all_inner_texts() == ["0", "0", "4", "5", "6"]
    page.keyboard.press("Space")
    expect(points).to_have_attribute("aria-sort", "descending")
    assert table.locator("tbody td[data-label=Points]").all_inner_texts()[0] == "6"
    expect(page.locator("#said")).to_have_text("Sorted by Points, descending")
    severity = table.get_by_role("columnheader", name="Severity")
    severity.get_by_role("button").click()
    assert table.locator(".severity").all_inner_texts() == ["critical", "high", "high", "high", "medium"]
    expect(points).not_to_have_attribute("aria-sort", "descending")


def test_sorting_the_instances_sorts_their_details(show: Show) -> None:
    page = show(fleets.small())
    page.locator("table.heat").get_by_role("button", name="Instance").click()
    names = ["acme-dev", "acme-lab", "acme-old", "acme-prod", "acme-test"]
    assert page.locator("table.heat tbody th").all_inner_texts() == names
    assert page.locator("#instances .details h3").all_inner_texts() == names
    page.locator("table.heat").get_by_role("button", name="First token").click()
    assert page.locator("table.heat tbody th").all_inner_texts()[:3] == ["acme-dev", "acme-test", "acme-prod"]


def test_values_are_copied_one_by_one(show: Show) -> None:
    page = show(fleets.weekly(), permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy Client ID of acme-prod").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text("Client ID of acme-prod copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"{fleets.hash_of('acme-prod'):032x}"
    page.get_by_role("button", name="Copy snow_hardening_allow_plugins: true").click()
    expect(page.locator("#said")).to_contain_text("copied")
    assert page.evaluate("navigator.clipboard.readText()") == "snow_hardening_allow_plugins: true"


def test_without_the_clipboard_a_value_is_selected(show: Show) -> None:
    page = show(fleets.weekly())
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }")
    page.get_by_role("button", name="Copy Mode").click()
    expect(page.locator("#said")).to_contain_text("Mode is selected")
    assert page.evaluate("getSelection().toString()") == "Connect using OAuth token (recommended)"


def test_secrets_have_no_button(show: Show) -> None:
    page = show(fleets.weekly())
    step = page.locator("li.todo", has_text="Connect each instance")
    expect(step.get_by_text("secret, not printed")).to_have_count(2)
    names = [button.get_attribute("aria-label") for button in step.locator("button.copy").all()]
    assert len(names) == 1 + 2 * 3 and not any("assword" in str(name) or "secret" in str(name) for name in names)


def test_the_tenant_is_apart(show: Show) -> None:
    page = show(fleets.weekly())
    expect(page.locator("#tenant").get_by_role("heading", name="acme-tenant")).to_be_visible()
    expect(page.locator("table.heat")).not_to_contain_text("acme-tenant")
    expect(page.locator("#tokens tbody tr").first).to_contain_text("ended 2 days ago")
    expect(page.locator("#exceptions tbody tr").first).to_contain_text("ended, counts as drift again")


def test_a_large_fleet_puts_details_together_when_they_are_opened(show: Show) -> None:
    page = show(fleets.thousand())
    page.get_by_label("Filter").fill("acme-0992")
    expect(page.locator("table.heat tbody tr:visible")).to_have_count(1)
    page.locator("table.heat tbody tr:visible a").click()
    details = page.locator("details[open].instance")
    expect(details.get_by_role("heading", name="Deviations")).to_be_visible()
    expect(details.locator("table.drift tbody tr").first).to_contain_text("open")
    expect(details.get_by_role("link", name="Connect each instance to Defender for Cloud Apps")).to_be_visible()
    expect(details.get_by_text("refresh token").first).to_be_visible()
    details.get_by_role("link", name="Connect each instance to Defender for Cloud Apps").click()
    step = page.locator("li.todo", has_text="Connect each instance")
    expect(step).to_be_in_viewport()
    step.locator("summary").click()
    expect(step.get_by_role("button", name="Copy Client ID of acme-0002", exact=True)).to_be_visible()


# Counts, in `window.touched`, the entries that are shown or hidden, and in `window.announced` how often their number is announced.
COUNT_WORK = """() => {
  [window.touched, window.announced] = [0, 0];
  new MutationObserver((all) => { window.touched += all.length; })
    .observe(document.querySelector("main"), { attributes: true, attributeFilter: ["hidden"], subtree: true });
  new MutationObserver(() => { window.announced += 1; }).observe(document.getElementById("filter-count"), { childList: true });
}"""
# Types some texts faster than the browser draws, and waits until it has drawn.
TYPE = """async (texts) => {
  const box = document.getElementById("filter");
  [window.touched, window.announced] = [0, 0];
  for (const text of texts) {
    box.value = text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return window.touched;
}"""
LISTS = "#drift tbody tr:visible", "#tokens tbody tr:visible", "table.heat tbody tr:visible", "details.instance:visible"


def test_a_filter_on_a_large_fleet_touches_few_rows(show: Show) -> None:
    page = show(fleets.thousand())
    page.evaluate(COUNT_WORK)
    # Each list has at most 50 rows to hide and 50 to show; an instance is a row of the table and its details.
    most = 5 * 2 * 50
    for texts in (["a", "ac", "acm", "acme-0992"], [""], ["nothing like it"], [""], ["object_07"], ["drift"], [""]):
        assert page.evaluate(TYPE, texts) <= most, texts
        assert page.evaluate("window.announced") <= 1, "typing was not gathered"
        for rows in LISTS:
            assert page.locator(rows).count() <= 51, rows
    page.locator("table.heat").get_by_role("button", name="Instance").click()
    assert page.evaluate("window.touched") <= most
    expect(page.locator("table.heat tbody tr:visible").first).to_contain_text("acme-0001")


def test_the_rest_of_a_long_list_is_shown_on_request(show: Show) -> None:
    page = show(fleets.thousand())
    rows = page.locator("#drift tbody tr")
    shown = page.locator("#drift tbody tr:visible")
    expect(shown).to_have_count(50)
    page.get_by_role("button", name=f"Show {rows.count() - 50} more deviations").press("Enter")
    expect(shown).to_have_count(rows.count())
    expect(page.locator("#drift button.plain", has_text="more deviations")).to_have_count(1)
    expect(page.locator("#drift button.plain:visible", has_text="more deviations")).to_have_count(0)
    expect(page.get_by_label("Filter")).to_be_focused()
    page.get_by_role("button", name="Show 950 more instances").click()
    expect(page.locator("table.heat tbody tr:visible")).to_have_count(1000)


def test_a_sorted_list_shows_its_first_rows(show: Show) -> None:
    page = show(fleets.thousand())
    page.locator("table.heat").get_by_role("button", name="Instance").click()
    names = page.locator("table.heat tbody tr:visible th").all_inner_texts()
    assert names == [f"acme-{number:04}" for number in range(1, 51)]
    assert page.locator("#instances details.instance:not([hidden]) h3").all_text_contents() == names


def test_paper_has_every_row_that_the_filter_leaves(show: Show) -> None:
    page = show(fleets.large(300))
    shown = page.locator("table.heat tbody tr:visible")
    page.get_by_label("Filter").fill("acme-1")
    expect(shown).to_have_count(50)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(shown).to_have_count(100)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(shown).to_have_count(50)


def test_a_link_to_a_step_shows_it_although_the_filter_hides_it(show: Show) -> None:
    page = show(fleets.thousand())
    page.get_by_label("Filter").fill("acme-0992 object_08")
    expect(page.locator("table.heat tbody tr:visible")).to_have_count(1)
    page.locator("table.heat tbody tr:visible a").click()
    step = page.locator("li.todo", has_text="Connect each instance")
    page.locator("details[open].instance").get_by_role("link", name="Connect each instance").click()
    expect(step).to_be_in_viewport()


def test_print_has_every_step_and_no_controls(show: Show) -> None:
    page = show(fleets.weekly(), color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    expect(page.locator("button.copy:visible")).to_have_count(0)
    expect(page.locator(".filter")).to_be_hidden()
    expect(page.get_by_text("https://acme-prod.service-now.com").first).to_be_visible()
    light = page.evaluate("getComputedStyle(document.querySelector('.todo')).backgroundColor")
    assert light == "rgb(255, 255, 255)", "paper is white, also if the screen is dark"


def test_the_page_can_be_used_by_keyboard_alone(show: Show) -> None:
    page = show(fleets.weekly())
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to what is to do")).to_be_focused()
    reached = set()
    for _press in range(80):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent.trim()"
            )
        )
    assert {"Copy Name", "Copy Client ID of acme-test", "Points", "Days left", "acme-tenant", "As recommended"} <= {
        name.split("\n")[0]
        if not name.startswith(("acme-tenant", "As recommended"))
        else name.split("drift")[0].split(" 1")[0].strip()
        for name in reached
    }


def test_what_is_unproven_has_a_sign_a_colour_and_a_reason_of_its_own(show: Show) -> None:
    page = show(fleets.unproven())
    expect(page.locator(".verdict")).to_have_text(
        "1 of 3 instances deviates from the desired state, 1 is unproven. Tenant: unproven."
    )
    expect(page.locator(".tile.unproven")).to_have_text("1 unproven")
    cell = page.locator("table.heat td.unproven").first
    expect(cell).to_contain_text("1 unproven")
    colours = [
        page.locator(f"table.heat .badge.{status}").first.evaluate("e => getComputedStyle(e).backgroundColor")
        for status in ("unproven", "drift", "in_sync")
    ]
    assert len(set(colours)) == 3
    page.get_by_label("Filter").fill("unproven com.snc.x")
    expect(page.locator("table.heat tbody tr:visible")).to_have_count(2)
    expect(page.locator("#todo").get_by_text(fleets.CLOSED)).to_be_visible()
    assert page.evaluate(FAINT_TEXTS) == []


def test_a_link_in_the_map_unfolds_the_instance(show: Show) -> None:
    page = show(fleets.large(300))
    page.get_by_role("link", name="acme-005").click()
    details = page.locator("details.instance[open]")
    expect(details).to_have_count(1)
    expect(details.get_by_text("access_token_lifespan")).to_be_in_viewport()


def test_a_link_to_an_instance_can_be_handed_on(show: Show) -> None:
    page = show(fleets.large(300), "#instance-9")
    expect(page.locator("details.instance[open]")).to_have_count(1)


def test_everything_can_be_read_without_javascript(show: Show) -> None:
    page = show(fleets.small(), java_script_enabled=False)
    expect(page.locator(".filter")).to_be_hidden()
    expect(page.locator("#drift").get_by_text("custom_table_access,itil")).to_be_visible()
    prod = page.locator("details.instance").last
    prod.locator("summary").click()
    expect(prod.get_by_text("svc_defender")).to_be_visible()
    expect(page.locator("button:visible")).to_have_count(0)


def test_values_that_look_like_markup_do_nothing(show: Show) -> None:
    page = show(fleets.hostile())
    assert page.evaluate("window.broken") is None
    assert page.locator("img").count() == 0
    expect(page.locator("table.stack").get_by_text("window.broken").first).to_be_visible()


@pytest.mark.parametrize("width", [360, 390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_has_contrast_in_both_schemes(show: Show, tmp_path: Path, scheme: Any, width: int) -> None:
    page = show(fleets.weekly(), color_scheme=scheme, viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(FAINT_TEXTS) == []
    picture = tmp_path / f"report-{scheme}-{width}.png"
    page.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 10_000


def test_the_outline_is_sound_for_assistive_technology(show: Show) -> None:
    page = show(fleets.weekly())
    for landmark in ("banner", "navigation", "main", "contentinfo", "search"):
        assert page.get_by_role(landmark).count() == 1, landmark
    assert page.locator("button:not([type=button])").count() == 0
    assert (
        page.locator(
            "table:not([aria-label]):not([aria-labelledby]):not(:has(caption)):not(.drift):not(.posture)"
        ).count()
        == 0
    )
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
