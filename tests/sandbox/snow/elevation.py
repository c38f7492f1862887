# SPDX-License-Identifier: GPL-3.0-or-later
"""Elevating a role for a session: undocumented, so only a knob enables it.

The token that such a session needs is part of every page; the response of the endpoint is made up.

See docs/facts/servicenow_hardening.md#who-may-write-a-setting.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from ..web import Call, Reply, html_reply, json_reply
from .callers import Caller
from .errors import API_ACL, Refused
from .instance import Instance
from .signin import NotSignedIn, session_id
from .table_api import read_body
from .user_api import current_user

ELEVATED = "security_admin"
_PAGE = "<html><head><script>window.NOW = {{}}; window.g_ck = '{token}';</script></head><body></body></html>"


def ui_api(instance: Instance, caller: Caller, call: Call, parts: list[str]) -> Reply:
    """Answer `/api/now/ui/...`."""
    if parts == ["impersonate", "role"] and instance.knobs.elevation:
        return _impersonate_role(instance, caller, call)
    return current_user(instance, caller, call, parts)


def _impersonate_role(instance: Instance, caller: Caller, call: Call) -> Reply:
    identifier = _session_of(instance, call, caller.user_id)
    if not identifier or call.headers.get("X-UserToken") != _token(identifier) or _is_closed(instance):
        raise NotSignedIn()
    if call.method == "POST":
        wanted = str(read_body(call).get("roles", ""))
        if wanted != ELEVATED or ELEVATED not in caller.assigned:
            raise Refused(403, *API_ACL)
        instance.elevated_sessions.add(identifier)
    elif call.method != "GET":
        raise Refused(405, "Method not Supported")
    with_elevated_role = [ELEVATED] if identifier in instance.elevated_sessions else []
    return json_reply(200, {"result": {"roles": sorted(caller.assigned & {ELEVATED}), "elevated": with_elevated_role}})


def with_elevated_role(instance: Instance, caller: Caller, call: Call) -> Caller:
    """The caller with the role that its session has elevated."""
    if not instance.elevated_sessions or ELEVATED not in caller.assigned:
        return caller
    if _session_of(instance, call, caller.user_id) not in instance.elevated_sessions:
        return caller
    return replace(caller, roles=caller.roles | {ELEVATED})


def page(instance: Instance, call: Call) -> Reply | None:
    """A page with the token of a signed-in session; None without a session."""
    identifier = session_id(call)
    _, end = instance.sessions.get(identifier, ("", 0.0))
    if not instance.knobs.elevation or _is_closed(instance) or end <= instance.now():
        return None
    return html_reply(200, _PAGE.format(token=_token(identifier)))


def _is_closed(instance: Instance) -> bool:
    # All sessions here come from API calls, whose cookies this property keeps from the web interface (7).
    return instance.is_on("com.glide.processors.aprocessor.donot_reuse_api_session")


def _session_of(instance: Instance, call: Call, user_id: str) -> str:
    identifier = session_id(call)
    user, end = instance.sessions.get(identifier, ("", 0.0))
    return identifier if user == user_id and end > instance.now() else ""


def _token(identifier: str) -> str:
    return sha256(f"g_ck:{identifier}".encode()).hexdigest()
