# SPDX-License-Identifier: GPL-3.0-or-later
"""A token to hand over to later tasks, and its end."""

from __future__ import annotations

from ..ansible_module import Params, TaskContext
from ..engine.result import Result, information
from ..transport.errors import BadConnectionOption
from .auth import WIRE_GRANT, grant_of, lifetime, request_token, token_form
from .client import open_session

REVOKE_PATH = "/oauth_revoke_token.do"


def token_for_later(params: Params, context: TaskContext) -> Result:
    """Return `access_token` and `expires_in` (seconds). The token is the one thing that is not blotted out."""
    grant = grant_of(params)
    if grant not in WIRE_GRANT:
        raise BadConnectionOption(f"snow_grant_type {grant} has no token; use one of {', '.join(sorted(WIRE_GRANT))}")
    token = request_token(open_session(params, context), token_form(grant, params))
    context.redactor.forget(token.text)
    return information(access_token=token.text, expires_in=int(lifetime(token.details.get("expires_in"))))


def revoke_token(params: Params, context: TaskContext) -> Result:
    """Revoke `snow_access_token`; the platform does not tell whether it was still alive.

    See docs/facts/servicenow_platform.md#token-revocation-and-keys.
    """
    token = params.get("snow_access_token")
    if not token:
        raise BadConnectionOption("state absent revokes a token: name it with snow_access_token")
    session = open_session(params, context)
    if not context.check_mode:
        # The vendor documents the token in the address; it is worth nothing once the request has arrived.
        session.request("POST", REVOKE_PATH, query={"token": token}, signed=False, repeatable=True)
    return Result(changed=True, managed=False)
