# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the Resource Manager (docs/facts/defender_for_cloud.md#resource-manager-errors)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...web import json_reply
from ..errors import Refused


def arm_error(
    status: int,
    code: str,
    message: str,
    *,
    target: str = "",
    details: list[dict[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Refused:
    """An error in the vendor's format; target and details are optional."""
    optional = {"target": target, "details": details}
    error = {"code": code, "message": message, **{name: value for name, value in optional.items() if value}}
    return Refused(json_reply(status, {"error": error}, headers))


def bad_request(message: str, *, code: str = "BadRequest", target: str = "") -> Refused:
    """An invalid body or parameter."""
    return arm_error(400, code, message, target=target)


def not_found(message: str, code: str = "NotFound") -> Refused:
    """A resource that does not exist."""
    return arm_error(404, code, message)


def forbidden(principal: str, action: str, over: str) -> Refused:
    """The error for an action that the roles of the caller do not include."""
    text = (
        f"The client '{principal}' with object id '{principal}' does not have authorization to perform action "
        f"'{action}' over scope '{over}' or the scope is invalid. If access was recently granted, please refresh "
        "your credentials."
    )
    return arm_error(403, "AuthorizationFailed", text)
