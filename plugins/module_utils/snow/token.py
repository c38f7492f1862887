# SPDX-License-Identifier: GPL-3.0-or-later
"""A token for later tasks, and its revocation."""

from __future__ import annotations

from ..ansible_module import Params, TaskContext
from ..engine.result import Result, information
from ..transport.errors import BadConnectionOption
from .auth import WIRE_GRANT, grant_of, lifetime, request_token, token_form
from .client import open_session, short_name

REVOKE_PATH = "/oauth_revoke_token.do"


def token_for_later(params: Params, context: TaskContext) -> Result:
    """Return `access_token` and `expires_in` (seconds). This token is not redacted."""
    grant = grant_of(params)
    if grant not in WIRE_GRANT:
        raise BadConnectionOption(f"snow_grant_type {grant} has no token; use one of {', '.join(sorted(WIRE_GRANT))}")
    session = open_session(params, context)
    token = request_token(session, token_form(grant, params))
    context.redactor.forget(token.text)
    seconds = int(lifetime(token.details.get("expires_in")))
    msg = f"{short_name(session.base_url)}: access token valid for {seconds} s"
    return information(msg=msg, access_token=token.text, expires_in=seconds)


def revoke_token(params: Params, context: TaskContext) -> Result:
    """Revoke `snow_access_token`; the platform does not report whether it was still valid.

    See docs/facts/servicenow_platform.md#token-revocation-and-keys.
    """
    token = params.get("snow_access_token")
    if not token:
        raise BadConnectionOption("state absent revokes a token: set snow_access_token")
    session = open_session(params, context)
    if not context.check_mode:
        # The vendor documents the token in the address; it is invalid once the request has arrived.
        session.request("POST", REVOKE_PATH, query={"token": token}, signed=False, repeatable=True)
    verb = "would revoke" if context.check_mode else "revoked"
    return Result(changed=True, msg=f"{short_name(session.base_url)}: {verb} the access token", managed=False)
