# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors of the transport, with messages for the user.

    TransportError                  a call returned no usable response
    ├── BadConnectionOption         an option is missing or unusable; nothing was sent
    ├── WriteInCheckMode            a defect of this collection; nothing was sent
    ├── ConnectError                the request never arrived; safe to repeat
    │   ├── UntrustedCertificate    repeating does not help
    │   └── UnknownHost             repeating hardly ever helps
    ├── AmbiguousResponse           the request may or may not have been processed; a write is not repeated blindly
    │   └── EndlessResponse         longer or slower than the limits allow; repeating does not help
    ├── UnexpectedPage              an HTML page or a redirect instead of data
    ├── RequestFailed               the platform could not process the request now: throttled, or an error of its own
    ├── SignInFailed                the credentials were refused; repeating can lock an account
    └── HttpError                   the platform returned an error status

Callers that can continue catch `TransportError`; a client turns `HttpError` into a refusal with a remedy of its platform.
No message contains a request body, a header or a query string, since those may hold secrets.
"""

from __future__ import annotations


class TransportError(Exception):
    """A call returned no usable response. `str(error)` is a message for the user."""


class BadConnectionOption(TransportError):
    """A connection option is missing or unusable; nothing was sent."""


class WriteInCheckMode(TransportError):
    """A request that could change something was about to be sent in check mode. Always a defect of this collection."""


class ConnectError(TransportError):
    """The request never arrived: name, route, proxy or TLS. Safe to repeat."""


class UntrustedCertificate(ConnectError):
    """No trusted authority signed the server's certificate: repeating does not help."""


class UnknownHost(ConnectError):
    """The name of the host, or of the proxy, does not exist: repeating hardly ever helps."""


class AmbiguousResponse(TransportError):
    """The request may or may not have been processed: timeout, dropped connection, 5xx, truncated response."""


class UnexpectedPage(TransportError):
    """The response is a page instead of data: the host is down, in maintenance, or requires an interactive sign-in."""


class SignInFailed(TransportError):
    """The platform refused the credentials. Repeating with the same ones can lock an account."""


class RequestFailed(TransportError):
    """The platform could not process the request now: throttled (429), an error of its own (5xx), or an unexpected status."""


class EndlessResponse(AmbiguousResponse):
    """The response exceeds the limit of size or time: repeating the request does not help."""


# Failures of the platform or of the way to it, which say nothing about whether the request is allowed.
FAILURES = (AmbiguousResponse, ConnectError, RequestFailed, UnexpectedPage)
# The statuses by which a platform means "no". Every other error status is a failure of the platform.
REFUSAL_STATUSES = frozenset({400, 401, 403, 404, 409, 422})


class HttpError(TransportError):
    """The platform returned an error status.

    `status` is the HTTP status, `words` the platform's message, `request_id` its reference for support. `from_platform`: the
    response has the form of an API's own error, not that of a proxy or gateway before it.
    """

    def __init__(
        self,
        method: str,
        path: str,
        status: int,
        words: str,
        request_id: str = "",
        hint: str = "",
        *,
        from_platform: bool = True,
    ) -> None:
        self.method, self.path, self.status, self.words, self.request_id = method, path, status, words, request_id
        self.from_platform = from_platform
        self.is_refusal = status in REFUSAL_STATUSES
        text = f"{method} {path} -> {status}"
        if words:
            text += f" {words}"
        if request_id:
            text += f" (transaction {request_id})"
        if hint:
            text += f". {hint}"
        super().__init__(text)

    def with_hint(self, hint: str) -> HttpError:
        """Return this error with `hint` added to its message."""
        return HttpError(
            self.method, self.path, self.status, self.words, self.request_id, hint, from_platform=self.from_platform
        )


def with_hint(error: Exception, hint: str) -> Exception:
    """Return `error` with `hint` added to its message."""
    if not hint:
        return error
    if isinstance(error, HttpError):
        return error.with_hint(hint)
    return type(error)(f"{error}. {hint}")
