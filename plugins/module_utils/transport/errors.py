# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between this collection and a platform, in words for its user.

No message here ever carries a request body, a header or a query string: those may hold secrets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class TransportError(Exception):
    """A call did not give a usable answer. `str(error)` is fit for a user."""


class BadConnectionOption(TransportError):
    """A connection option is missing or cannot be used; nothing was sent."""


class WriteInCheckMode(TransportError):
    """A request that could change something was about to be sent in check mode. Always a defect of this collection."""


class ConnectError(TransportError):
    """The request never arrived: name, route, proxy or TLS. Safe to send again."""


class UntrustedCertificate(ConnectError):
    """The server's certificate is not vouched for: sending again does not help."""


class AmbiguousResponse(TransportError):
    """The request may or may not have been carried out: time-out, dropped connection, 5xx, cut answer."""


class UnexpectedPage(TransportError):
    """A page came back where data was due: the host is asleep, in maintenance, or wants an interactive sign-in."""


class SignInFailed(TransportError):
    """The platform refused the credentials. Trying again with the same ones can lock an account."""


class HttpError(TransportError):
    """The platform answered with an error of its own.

    `status` is the HTTP status, `words` the platform's message, `request_id` its reference for support.
    """

    def __init__(self, method: str, path: str, status: int, words: str, request_id: str = "", hint: str = "") -> None:
        self.method, self.path, self.status, self.words, self.request_id = method, path, status, words, request_id
        text = f"{method} {path} -> {status}"
        if words:
            text += f" {words}"
        if request_id:
            text += f" (transaction {request_id})"
        if hint:
            text += f". {hint}"
        super().__init__(text)


def platform_words(data: Any) -> str:
    """Return the vendor's own error text from a decoded answer, or "" when there is none.

    Known shapes: ServiceNow `{"error": {"message", "detail"}}`, OAuth `{"error", "error_description"}`,
    Azure and Graph `{"error": {"code", "message", "details": [{"message"}]}}`, CI/CD `{"result": {"error"}}`.
    """
    if not isinstance(data, Mapping):
        return ""
    error = data.get("error")
    if isinstance(error, Mapping):
        details = error.get("details")
        inner = (
            [each.get("message") for each in details if isinstance(each, Mapping)] if isinstance(details, list) else []
        )
        parts = [error.get("code"), error.get("message"), error.get("detail"), *inner]
    elif error:
        parts = [error, data.get("error_description")]
    else:
        result = data.get("result")
        parts = [result.get("error"), result.get("status_message")] if isinstance(result, Mapping) else []
    return ": ".join(dict.fromkeys(str(part).strip() for part in parts if part))
