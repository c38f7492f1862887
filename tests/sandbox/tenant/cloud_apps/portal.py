# SPDX-License-Identifier: GPL-3.0-or-later
"""The portal: HTML pages, and their API proxy with session and XSRF token.

See docs/facts/defender_for_cloud_apps.md#portal-routes.
"""

from __future__ import annotations

import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from ...web import Call, Reply, html_reply
from ..errors import portal_error
from ..exposure_management import connector_wizard as data_connector_wizard
from ..routes import Table
from ..state import PORTAL_USER, Row, Tenant
from . import api_host, connector_wizard
from .instance_client import InstanceClient

SESSION, XSRF = "sccauth", "XSRF-TOKEN"
_PAGES = Path(__file__).parent / "pages"
_SCRIPT = "text/javascript; charset=utf-8"
_ASSETS = {
    **dict.fromkeys(("shared.js", "portal.js", "data_connectors.js"), _SCRIPT),
    "portal.css": "text/css; charset=utf-8",
}
_HOME = "/portal/cloudapps/settings"
_TABLE = api_host.ALL_ROUTES + connector_wizard.TABLE
_PROXIES = {
    "/portal/apiproxy/mcas/cas/api": _TABLE,
    "/portal/apiproxy/mcas/api": _TABLE,
    "/portal/apiproxy/exposure": data_connector_wizard.TABLE,
}
_PAGE_FILES = {"cloudapps/settings": "settings.html", "exposure-data-connectors": "data_connectors.html"}


def route_of(path: str) -> str | None:
    """The pattern of a path, for the request counts."""
    for prefix, table in _PROXIES.items():
        if path.startswith(prefix + "/"):
            name = table.name(path[len(prefix) :])
            return prefix + name if name else None
    return path.rstrip("/") if path.count("/") <= 3 else None


def answer(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """Answer a call to the portal."""
    for prefix, table in _PROXIES.items():
        if call.path.startswith(prefix + "/"):
            return _proxied(tenant, call, client, table, call.path[len(prefix) :])
    return _page(tenant, call, call.path.removeprefix("/portal").strip("/"))


# --- sessions


def open_session(tenant: Tenant) -> tuple[str, Row]:
    """Sign the portal's user in; returns the session cookie and the stored session."""
    cookie = secrets.token_urlsafe(48)
    tenant.sessions[cookie] = {"until": tenant.now() + tenant.knobs.portal_session_seconds, "xsrf": []}
    fresh_xsrf(tenant, tenant.sessions[cookie])
    return cookie, tenant.sessions[cookie]


def fresh_xsrf(tenant: Tenant, session: Row) -> str:
    """Issue another XSRF token; earlier ones are valid until they expire."""
    value = f"{secrets.token_urlsafe(24)}:{secrets.token_urlsafe(32)}=="
    session["xsrf"].append([value, tenant.now() + tenant.knobs.xsrf_seconds])
    del session["xsrf"][:-5]
    return value


def cookie_header(cookie: str, session: Row) -> str:
    """The Cookie header of a signed-in browser."""
    return f"{SESSION}={cookie}; {XSRF}={quote(session['xsrf'][-1][0], safe='')}"


def _session(tenant: Tenant, call: Call) -> Row | None:
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(call.headers.get("Cookie", ""))
    except CookieError:
        return None
    session = tenant.sessions.get(cookies[SESSION].value) if SESSION in cookies else None
    is_over = session is None or session["until"] <= tenant.now() or tenant.knobs.portal_session == "expired"
    return None if is_over else session


def _xsrf_is_right(tenant: Tenant, call: Call, session: Row) -> bool:
    given = call.headers.get("X-XSRF-TOKEN", "").encode()
    return any(hmac.compare_digest(given, value.encode()) and until > tenant.now() for value, until in session["xsrf"])


def _set_cookies(call: Call, reply: Reply, session: Row, cookie: str = "") -> Reply:
    path = f"{urlsplit(call.base).path}/portal"
    secure = "; Secure" if call.base.startswith("https") else ""
    if cookie:
        reply.headers.add("Set-Cookie", f"{SESSION}={cookie}; Path={path}; HttpOnly; SameSite=Lax{secure}")
    value = quote(session["xsrf"][-1][0], safe="")
    reply.headers.add("Set-Cookie", f"{XSRF}={value}; Path={path}; SameSite=Lax{secure}")
    return reply


# --- the proxy


def _proxied(tenant: Tenant, call: Call, client: InstanceClient, table: Table, path: str) -> Reply:
    session = _session(tenant, call)
    if session is None:
        raise portal_error(401, "Unauthorized", "The session has expired. Sign in again.")
    if any(call.headers.get(name, tenant.tenant_id) != tenant.tenant_id for name in ("x-tid", "tenant-id")):
        raise portal_error(403, "Forbidden", "The session is of another tenant.")
    if not _xsrf_is_right(tenant, call, session):
        raise portal_error(403, "Forbidden", "The XSRF token is missing or has expired.")
    if tenant.knobs.portal_routes == "refused":
        # An account without the Cloud Apps role received these two responses (4.1).
        if "/dashboard/" in path:
            raise portal_error(500, "InternalServerError", "An error has occurred.")
        raise portal_error(403, "Forbidden", "The account has no role in Defender for Cloud Apps.")
    found = table.find(call.method, path)
    if isinstance(found, int):
        raise portal_error(found, "NotFound" if found == 404 else "MethodNotAllowed", f"{call.method} {path}")
    route, arguments = found
    reply = route.handler(tenant, call, client, **arguments)
    if session["xsrf"][-1][1] - tenant.now() < tenant.knobs.xsrf_seconds / 2:
        fresh_xsrf(tenant, session)
        _set_cookies(call, reply, session)
    return reply


# --- pages


def _page(tenant: Tenant, call: Call, name: str) -> Reply:
    if name.startswith("assets/") and name.removeprefix("assets/") in _ASSETS:
        file = name.removeprefix("assets/")
        reply = Reply(200, (_PAGES / file).read_bytes())
        reply.headers["Content-Type"] = _ASSETS[file]
        return reply
    if name == "signin":
        return _sign_in(tenant, call)
    session = _session(tenant, call)
    if session is None:
        return html_reply(302, "", {"Location": f"{call.base}/portal/signin"})
    if name == "signout":
        session["until"] = 0.0
        return html_reply(302, "", {"Location": f"{call.base}/portal/signin"})
    if name in _PAGE_FILES:
        fresh_xsrf(tenant, session)
        return _set_cookies(call, html_reply(200, _render(_PAGE_FILES[name], tenant, call)), session)
    if name in ("", "cloudapps"):
        return html_reply(302, "", {"Location": f"{call.base}{_HOME}"})
    return html_reply(404, "<!DOCTYPE html><title>Not found</title><h1>There is no such page</h1>")


def _sign_in(tenant: Tenant, call: Call) -> Reply:
    if call.method != "POST":
        return html_reply(200, _render("signin.html", tenant, call))
    form = dict(parse_qsl(call.body.decode("utf-8", "replace")))
    is_right = hmac.compare_digest(form.get("password", "").encode(), tenant.portal_password.encode())
    if form.get("user", "").lower() != PORTAL_USER or not is_right:
        return html_reply(401, _render("signin.html", tenant, call, "The user name or the password is not right."))
    cookie, session = open_session(tenant)
    return _set_cookies(call, html_reply(302, "", {"Location": f"{call.base}{_HOME}"}), session, cookie)


def _render(name: str, tenant: Tenant, call: Call, complaint: str = "") -> str:
    page = (_PAGES / name).read_text(encoding="utf-8")
    values = {"root": f"{urlsplit(call.base).path}/portal", "tenant": tenant.tenant_id, "user": PORTAL_USER}
    for key, value in {**values, "complaint": complaint}.items():
        page = page.replace(f"{{{{{key}}}}}", value)
    return page


def xsrf_of(header: str) -> str:
    """The value for the X-XSRF-TOKEN header that belongs to a Cookie header."""
    return unquote(header.rpartition(f"{XSRF}=")[2])
