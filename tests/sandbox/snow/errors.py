# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform's error answers, word for word.

See docs/facts/servicenow_platform.md#token-errors, docs/facts/servicenow_platform.md#errors.
"""

from __future__ import annotations

from ..web import Reply, json_reply

ACL = "ACL Exception {} Failed due to security constraints"
QUERY_DENIED = (
    "Insufficient rights to query records",
    "Field(s) present in the query do not have permission to be read",
)
NO_RECORD = ("No Record found", "Record doesn't exist or ACL restricts the record retrieval")
NO_RESOURCE = "Requested URI does not represent any resource"
API_ACL = ("User Not Authorized", "Failed API level ACL Validation")
UNSCOPED = ("User Not Authorized", "Access to unscoped api is not allowed")


class Refused(Exception):
    """A request that the platform answers with an error."""

    def __init__(self, status: int, message: str, detail: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.detail = detail

    def reply(self) -> Reply:
        """The response in the platform's general error format."""
        return error_reply(self.status, self.message, self.detail)


def error_reply(status: int, message: str, detail: str | None = None) -> Reply:
    """Build a response in the general error format."""
    return json_reply(status, {"error": {"message": message, "detail": detail}, "status": "failure"})


def acl_refusal(verb: str) -> Refused:
    """Refuse a write by access control; `verb` is Insert, Update or Delete."""
    return Refused(403, "Operation Failed", ACL.format(verb))


def too_large(size: int, limit: int) -> Refused:
    """Refuse a body that is too large."""
    detail = f"Rejected large REST payload with content-length = {size} bytes. Max allowed: {limit} bytes."
    return Refused(400, "Exception while reading request", detail)


def unreadable(detail: str = "The payload is not valid JSON.") -> Refused:
    """Refuse a body that cannot be parsed."""
    return Refused(400, "Exception while reading request", detail)


def rule_abort(table: str, rule: str, sys_id: str) -> Refused:
    """Refuse a write by a business rule."""
    detail = (
        f"Operation against file '{table}' was aborted by Business Rule '{rule}^{sys_id}'. Business Rule Stack:{rule}"
    )
    return Refused(403, "Operation Failed", detail)


def cross_scope(table: str, operation: str) -> Refused:
    """Refuse a write from another application scope; the wording is LIKELY.

    See docs/facts/configuration_compliance.md#framework-tables.
    """
    verb = {"insert": "Create", "update": "Write", "delete": "Delete"}[operation]
    detail = (
        f"{verb} operation against '{table}' from scope 'rhino.global' has been refused due to the table's "
        "cross-scope access policy"
    )
    return Refused(403, "Operation Failed", detail)


def not_authenticated() -> Reply:
    """The response to missing or wrong credentials."""
    reply = error_reply(401, "User Not Authenticated", "Required to provide Auth information")
    reply.headers["WWW-Authenticate"] = 'BASIC realm="Service-now"'
    return reply
