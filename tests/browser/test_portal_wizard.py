# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's portal in a real browser: an operator connects an instance, and what the browser sent is kept as HAR.

`.cache/captures` then holds a HAR per capture and `typed.json`, which lists what the operator entered, by connector option, and
where the sandbox was. With UPDATE_CAPTURES=1 they also replace those in `tests/sandbox/tenant/cloud_apps/captures`.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.sandbox.process import PROJECT, SandboxProcess
from tests.sandbox.tenant.cloud_apps import captures
from tests.sandbox.tenant.cloud_apps.captures import DATA_CONNECTOR, DATA_CONNECTOR_BASIC, MANAGEMENT, WIZARD

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CAPTURES = PROJECT / ".cache" / "captures"
SECRET = 'typed "client" secret/+='


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess("--instances", "3") as process:
        yield process


@pytest.fixture
def tenant(sandbox: SandboxProcess) -> dict[str, Any]:
    return sandbox.new_tenant(connect_seconds=0.2, data_delay=0.0)


def sign_in(page: Page, tenant: dict[str, Any]) -> Page:
    """Open the portal and sign in."""
    page.goto(tenant["portal_url"])
    expect(page).to_have_title("Sign in to your account")
    page.get_by_label("User name").fill(tenant["portal_user"])
    page.get_by_label("Password").fill(tenant["portal_password"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="App connectors")).to_be_visible()
    return page


@pytest.fixture
def portal(browser: Browser, tenant: dict[str, Any]) -> Iterator[Page]:
    """The portal, signed in; its scripts must not have failed at the end."""
    complaints: list[str] = []
    context = browser.new_context()
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield sign_in(page, tenant)
    context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def captured(browser: Browser, sandbox: SandboxProcess) -> dict[str, dict[str, str]]:
    """Make both captures; gives what was typed in each."""
    tenant = sandbox.new_tenant(connect_seconds=0.2, data_delay=0.0)
    CAPTURES.mkdir(parents=True, exist_ok=True)
    typed = {
        WIZARD: prepared(sandbox, "acme-dev"),
        MANAGEMENT: prepared(sandbox, "acme-prod"),
        DATA_CONNECTOR: reader_of_cmdb(sandbox, "acme-cmdb"),
        DATA_CONNECTOR_BASIC: reader_of_cmdb(sandbox, "acme-basic", basic=True),
    }
    work_of = {MANAGEMENT: manage, DATA_CONNECTOR: manage_cmdb, DATA_CONNECTOR_BASIC: manage_cmdb}
    for name in typed:
        work = work_of.get(name, connect)
        context = browser.new_context(record_har_path=CAPTURES / f"{name}.har", record_har_content="embed")
        work(sign_in(context.new_page(), tenant), typed[name])
        context.close()
    place = {"base_url": sandbox.base_url, "portal_url": tenant["portal_url"]}
    text = json.dumps({**place, "values": typed}, indent=1) + "\n"
    (CAPTURES / "typed.json").write_text(text, encoding="utf-8")
    if os.environ.get("UPDATE_CAPTURES"):
        shutil.copytree(CAPTURES, captures.FOLDER, dirs_exist_ok=True)
    return typed


def prepared(sandbox: SandboxProcess, name: str) -> dict[str, str]:
    """A fresh instance with an application, and what an operator enters to connect it."""
    access = sandbox.new_instance(name)
    application = {"name": "CloudAppSecurity", "client_id": f"{name}-client-id", "client_secret": SECRET}
    sandbox.tamper(name, "oauth_entity", application, insert=True)
    return {
        "name": name,
        "instance_url": access.url,
        "username": access.username,
        "password": access.password,
        "client_id": application["client_id"],
        "client_secret": SECRET,
    }


def reader_of_cmdb(sandbox: SandboxProcess, name: str, *, basic: bool = False) -> dict[str, str]:
    """A fresh instance whose CMDB has one device, and what an operator enters to have it read."""
    access = sandbox.new_instance(name)
    sandbox.tamper(name, "cmdb_ci", {"name": "srv-1"}, insert=True)
    if basic:
        return {"instance_url": access.url, "username": access.username, "password": access.password}
    (user,) = [row["sys_id"] for row in sandbox.state(name, "sys_user") if row["user_name"] == access.username]
    application = {"name": "Exposure Management", "client_id": f"{name}-client-id", "client_secret": SECRET}
    sandbox.tamper(name, "oauth_entity", {**application, "user": user}, insert=True)
    allowed = {"name": "glide.oauth.inbound.client.credential.grant_type.enabled", "value": "true"}
    sandbox.tamper(name, "sys_properties", allowed, insert=True)
    return {"instance_url": access.url, "client_id": application["client_id"], "client_secret": SECRET}


LABELS = {"client_id": "Client ID", "client_secret": "Client secret", "username": "User name", "password": "Password"}


def fill_cmdb(page: Page, typed: dict[str, str]) -> None:
    """Go through the open form of a data connector, and see the CMDB read."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Instance", exact=True).fill(typed["instance_url"].partition("://")[2])
    dialog.get_by_label("Basic authentication" if "password" in typed else "OAuth 2.0 (client credentials)").check()
    for option in typed.keys() & LABELS.keys():
        dialog.get_by_label(LABELS[option], exact=True).fill(typed[option])
    page.get_by_role("button", name="Submit").click()
    expect(outcome_of(page)).to_have_text("Connected")
    page.get_by_role("button", name="Close").click()


def manage_cmdb(page: Page, typed: dict[str, str]) -> None:
    """Connect an instance to Exposure Management, enter its details again, disconnect it."""
    page.goto(page.url.replace("/cloudapps/settings", "/exposure-data-connectors"))
    expect(page.get_by_role("heading", name="Data connectors")).to_be_visible()
    page.get_by_role("button", name="Connect", exact=True).click()
    fill_cmdb(page, typed)
    row = page.get_by_role("row").filter(has_text=typed["instance_url"].partition("://")[2])
    row.get_by_role("button", name="Edit").click()
    fill_cmdb(page, typed)
    row.get_by_role("button", name="Disconnect").click()
    expect(row).to_have_count(0)


def fill(page: Page, typed: dict[str, str], *, mode: str = "Connect using OAuth token (recommended)") -> None:
    """Go through the open wizard to its end."""
    dialog, step = page.get_by_role("dialog"), page.get_by_role("button", name="Next")
    dialog.get_by_label("Connection name").fill(typed["name"])
    step.click()
    dialog.get_by_label(mode).check()
    step.click()
    dialog.get_by_label("ServiceNow user ID").fill(typed["username"])
    dialog.get_by_label("Password", exact=True).fill(typed["password"])
    dialog.get_by_label("Instance URL").fill(typed["instance_url"])
    if "OAuth" in mode:
        step.click()
        dialog.get_by_label("Client ID").fill(typed["client_id"])
        dialog.get_by_label("Client secret").fill(typed["client_secret"])
    page.get_by_role("button", name="Submit").click()


def connect(page: Page, typed: dict[str, str]) -> None:
    """Connect an instance and see it connected."""
    submit(page, typed)
    expect(outcome_of(page)).to_have_text("Connected")


def submit(page: Page, typed: dict[str, str], **how: str) -> None:
    """Open the wizard, fill it in and send it off."""
    page.get_by_role("button", name="Connect an app").click()
    page.get_by_role("button", name="ServiceNow", exact=True).click()
    fill(page, typed, **how)


def row_of(page: Page, name: str) -> Any:
    return page.get_by_role("row").filter(has=page.get_by_role("button", name=name, exact=True))


def outcome_of(page: Page) -> Any:
    return page.get_by_role("dialog").get_by_role("status")


def manage(page: Page, typed: dict[str, str]) -> None:
    """Connect, turn off the recommendations, disable, connect again, delete."""
    connect(page, typed)
    page.get_by_role("button", name="Done").click()
    row = row_of(page, typed["name"])
    row.get_by_role("button", name=typed["name"], exact=True).click()
    page.get_by_label("Turn on Secure Score recommendations").uncheck()
    page.get_by_role("button", name="Close").click()
    row.get_by_role("button", name="Disable App connector").click()
    expect(row).to_contain_text("Disabled")
    expect(row.get_by_role("button", name="Disable App connector")).to_have_count(0)
    row.get_by_role("button", name="Edit settings").click()
    fill(page, typed)
    expect(outcome_of(page)).to_have_text("Connected")
    page.get_by_role("button", name="Done").click()
    row.get_by_role("button", name="Delete App connector").click()
    expect(row).to_have_count(0)


def written(har: dict[str, Any]) -> list[dict[str, Any]]:
    """The requests of a capture that changed something at the proxy."""
    requests: list[dict[str, Any]] = [entry["request"] for entry in har["log"]["entries"]]
    writes = ("POST", "PUT", "DELETE")
    return [
        request
        for request in requests
        if "/connector_onboarding/" in request["url"]
        or ("/dataConnectors" in request["url"] and request["method"] in writes)
    ]


def shape(value: Any) -> Any:
    """The keys of a JSON value, all the way down."""
    return {name: shape(part) for name, part in value.items()} if isinstance(value, dict) else type(value).__name__


def shapes(har: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """Method, path without ids, and the keys of the body of each writing request."""
    return [
        (
            request["method"],
            re.sub(r"[0-9a-f-]{24,36}", "{id}", urlsplit(request["url"]).path),
            shape(json.loads(request["postData"]["text"])) if "postData" in request else None,
        )
        for request in written(har)
    ]


def recorded(name: str) -> dict[str, Any]:
    har: dict[str, Any] = json.loads((CAPTURES / f"{name}.har").read_text(encoding="utf-8"))
    return har


def test_an_operator_connects_an_instance(sandbox: SandboxProcess, captured: dict[str, dict[str, str]]) -> None:
    (connector,) = sandbox.tenant_state("connectors")
    assert (connector["name"], connector["state"]) == ("acme-dev", "connected")
    assert connector["instance_url"] == captured[WIZARD]["instance_url"]


def test_a_capture_holds_what_was_typed(captured: dict[str, dict[str, str]]) -> None:
    typed = captured[WIZARD]
    submitted, confirmed = written(recorded(WIZARD))
    assert quote(typed["instance_url"], safe="") in submitted["url"]
    text = submitted["postData"]["text"]
    for name in ("name", "instance_url", "username", "client_id", "client_secret"):
        assert json.dumps(typed[name]) in text, name
    assert typed["password"] not in text
    assert base64.b64encode(typed["password"].encode()).decode() in text
    assert confirmed["url"].endswith("/confirmation/")
    assert {"cookie", "x-xsrf-token", "x-tid"} <= {header["name"].lower() for header in submitted["headers"]}


@pytest.mark.parametrize("name", [WIZARD, MANAGEMENT, DATA_CONNECTOR, DATA_CONNECTOR_BASIC])
def test_the_captures_kept_for_tests_without_a_browser_are_up_to_date(captured: object, name: str) -> None:
    kept, typed = captures.capture(name, "http://127.0.0.1:1")
    assert shapes(kept) == shapes(recorded(name))
    assert typed["instance_url"].startswith("http://127.0.0.1:1/")
    place = typed["instance_url"].partition("://")[2]
    assert any(text in json.dumps(written(kept)[0]) for text in (quote(typed["instance_url"], safe=""), place))


def test_a_wrong_secret_shows_the_documented_error_and_is_corrected(sandbox: SandboxProcess, portal: Page) -> None:
    typed = prepared(sandbox, "acme-test")
    submit(portal, {**typed, "client_secret": "wrong"})
    outcome = outcome_of(portal)
    expect(outcome).to_contain_text("HttpRequestFailure: Server returned: 403 Forbidden")
    portal.get_by_role("button", name="Done").click()
    expect(row_of(portal, "acme-test")).to_contain_text("Error: RuntimeException")
    row_of(portal, "acme-test").get_by_role("button", name="Edit settings").click()
    fill(portal, typed)
    expect(outcome).to_have_text("Connected")


def test_the_legacy_mode_requests_no_application(sandbox: SandboxProcess, portal: Page) -> None:
    typed = prepared(sandbox, "acme-test")
    submit(portal, typed, mode="Connect using username and password only")
    expect(outcome_of(portal)).to_have_text("Connected")
    assert sandbox.tenant_state("connectors")[0]["mode"] == "password"


def test_the_wizard_requests_what_is_missing(sandbox: SandboxProcess, portal: Page) -> None:
    submit(portal, {**prepared(sandbox, "acme-test"), "client_id": " "})
    expect(portal.get_by_role("dialog").get_by_role("alert")).to_have_text("Enter: Client ID")
    assert sandbox.tenant_state("connectors") == []


def test_an_expired_session_leads_back_to_the_sign_in(sandbox: SandboxProcess, portal: Page) -> None:
    sandbox.turn_tenant(portal_session="expired")
    portal.reload()
    expect(portal).to_have_title("Sign in to your account")
