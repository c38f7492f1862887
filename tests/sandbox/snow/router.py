# SPDX-License-Identifier: GPL-3.0-or-later
"""Routing of requests to endpoints; sign-in, limits, headers.

See docs/facts/servicenow_platform.md#paths-and-verbs, docs/facts/servicenow_platform.md#response-headers.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

from ..web import Call, Reply, html_reply
from . import (
    aggregate_api,
    attachment_api,
    batch,
    change_api,
    cicd,
    elevation,
    import_set_api,
    ip_access,
    oauth,
    public_pages,
    table_api,
    update_set_api,
    user_api,
)
from .acls import AccessCheck
from .callers import Caller
from .errors import API_ACL, NO_RESOURCE, UNSCOPED, Refused, too_large
from .instance import Instance
from .signin import NotSignedIn, session_cookies, sign_in

Parts = list[str]
_MAX_MEGABYTES = 25
_SYS_ID = re.compile(r"^[0-9a-f]{32}$")
_VERSION = re.compile(r"^v\d+$")
_COMMON = {
    "Server": "ServiceNow",
    "X-Is-Logged-In": "true",
    "Pragma": "no-store",
    "Cache-Control": "no-cache,no-store,must-revalidate,max-age=-1",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
}
PAGES: dict[str, Callable[[Instance, Call], Reply]] = {
    "/oauth_token.do": oauth.token,
    "/oauth_revoke_token.do": oauth.revoke,
    "/oauth_revoke.do": oauth.revoke,
    "/oauth_auth.do": oauth.authorize,
    "/.well-known/openid-configuration": oauth.openid_configuration,
    "/api/now/oauth/jwks": oauth.jwks,
    "/stats.do": public_pages.stats,
    "/xmlstats.do": public_pages.xml_stats,
    "/login.do": public_pages.login,
}


def answer(instance: Instance, call: Call) -> Reply:
    """Answer one request to an instance."""
    override = call.headers.get("X-HTTP-Method-Override")
    if override:
        call.method = override.upper()
    if len(call.path) + len(call.query_text) > instance.knobs.max_url_length:
        return html_reply(414, "<html><body><h1>414 Request-URI Too Long</h1></body></html>")
    refusal = ip_access.refusal(instance, call)
    if refusal is not None:
        return refusal
    page = PAGES.get(call.path)
    try:
        if page is not None:
            return page(instance, call)
        if not call.path.startswith("/api/"):
            return elevation.page(instance, call) or public_pages.other_page(instance, call)
        return _api(instance, call)
    except Refused as refused:
        return refused.reply()
    except NotSignedIn as refused:
        return refused.reply()


def _api(instance: Instance, call: Call) -> Reply:
    megabytes = instance.property("glide.rest.max_content_length")
    limit = min(int(megabytes) if megabytes.isdecimal() else 10, _MAX_MEGABYTES) * 1024 * 1024
    if len(call.body) > limit:
        raise too_large(len(call.body), limit)
    caller = elevation.with_elevated_role(instance, sign_in(instance, call), call)
    try:
        reply = dispatch(instance, caller, call)
    except Refused as refused:
        reply = refused.reply()
    reply.headers.extend(_COMMON)
    reply.headers["X-Transaction-ID"] = secrets.token_hex(6)
    for cookie in session_cookies(instance, call, caller.user_id):
        reply.headers.add("Set-Cookie", cookie)
    return reply


def dispatch(instance: Instance, caller: Caller, call: Call) -> Reply:
    """Answer an API request of a signed-in caller, including inner requests of batches; raises Refused."""
    if caller.is_unscoped:
        raise Refused(403, *UNSCOPED)
    _check_accept(call)
    _, _, namespace, *parts = call.path.split("/")
    version = parts.pop(0) if parts and _VERSION.match(parts[0]) else ""
    if not parts:
        raise Refused(400, NO_RESOURCE)
    if not AccessCheck(instance, caller).may_call(f"{namespace}/{parts[0]}"):
        raise Refused(403, *API_ACL)
    if "sysparm_tiny" in call.query_text:
        _expand_tiny(instance, call)
    name, rest = parts[0], [part for part in parts[1:] if part]
    if (namespace, name) == ("now", "table"):
        return table_api.table_call(instance, caller, call, rest, is_v1=version == "v1")
    if (namespace, name) == ("now", "batch"):
        return batch.batch(instance, caller, call, dispatch)
    handler = HANDLERS.get((namespace, name))
    if handler is None:
        raise Refused(400, NO_RESOURCE, call.path)
    return handler(instance, caller, call, rest)


def _check_accept(call: Call) -> None:
    accepted = call.headers.get("Accept", "")
    if accepted and not any(kind in accepted for kind in ("json", "*/*", "application/*")):
        raise Refused(406, "Not Acceptable", f"{accepted} is not supported.")


def _expand_tiny(instance: Instance, call: Call) -> None:
    row = instance.database.first("sys_tiny_url", "tiny_url", call.query.get("sysparm_tiny", ""))
    if row is not None:
        call.use_query(urlsplit(row.get("url", "")).query)


def route_of(path: str) -> str:
    """A path without identifiers, for the request counts."""
    parts = path.split("/")
    return "/".join("{sys_id}" if _SYS_ID.match(part) else part for part in parts)


HANDLERS: dict[tuple[str, str], Callable[[Instance, Caller, Call, Parts], Reply]] = {
    ("now", "stats"): aggregate_api.stats,
    ("now", "attachment"): attachment_api.attachment,
    ("now", "import"): import_set_api.import_rows,
    ("now", "tinyurl"): user_api.tiny_url,
    ("now", "ui"): elevation.ui_api,
    ("global", "user_role_inheritance"): user_api.role_inheritance,
    ("sn_chg_rest", "change"): change_api.change_call,
    ("sn_cicd", "plugin"): cicd.plugin,
    ("sn_cicd", "app_repo"): cicd.app_repo,
    ("sn_cicd", "progress"): cicd.progress,
    ("sn_cicd", "update_set"): update_set_api.update_set,
}
