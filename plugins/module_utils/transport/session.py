# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends requests over a keep-alive session, with retries, timeouts and the check-mode guard.

Knows no platform: a `Signer` signs in, and `PageHint`s of the client explain pages.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from .error_messages import explain
from .errors import (
    AmbiguousResponse,
    BadConnectionOption,
    ConnectError,
    EndlessResponse,
    HttpError,
    UnexpectedPage,
    UntrustedCertificate,
    WriteInCheckMode,
    with_hint,
)
from .http_session import http_session
from .reading import Deadline, read_body
from .redact import Redactor
from .responses import PageHint, RawResponse, Response, read_response
from .retry import RETRIED_STATUSES, RetryBudget, come_back, retry_after_seconds
from .settings import Settings

with suppress(ImportError):  # `http_session` reports it
    from requests.exceptions import RequestException

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CONNECT_TIMEOUT = 15.0
MAX_REDIRECTS = 3
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass
class CallCount:
    """The number of HTTP requests that were sent, by their kind; `accepted` are the writes that were, or may have been, carried out."""

    read: int = 0
    write: int = 0
    accepted: int = 0


class Caller(Protocol):
    """The run that a session sends requests for."""

    check_mode: bool
    redactor: Redactor
    calls: CallCount

    def warn(self, message: str) -> None:
        """Show `message` to the user."""


class Signer(Protocol):
    """Adds the sign-in to a request."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers with the credentials."""

    def renew(self) -> bool:
        """Get new credentials after a 401; return False if there are none."""


def checked_base_url(option: str, url: str | None) -> str:
    """Return `url` without trailing slashes, or raise `BadConnectionOption` naming `option`.

    Refused: no scheme or host, user info, a query, and plain http to anything but this machine
    (credentials would cross the network in the clear).
    """
    if not url:
        raise BadConnectionOption(
            f"{option} is required: the address of the instance, such as https://acme-prod.service-now.com"
        )
    if "@" in url.split("?", 1)[0]:
        raise BadConnectionOption(f"{option} must not contain credentials; set them as separate options")
    parts = _parts_of(url.strip())
    if parts is None:
        raise BadConnectionOption(f"{option} must be an absolute URL that starts with https://, not {url!r}")
    if parts.query or parts.fragment:
        raise BadConnectionOption(f"{option} must end before any ? or #")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise BadConnectionOption(
            f"{option} is plain http ({url}); credentials are sent over https only, or over http to this machine. Use https://{parts.netloc}{parts.path}"
        )
    return url.strip().rstrip("/")


def _parts_of(url: str) -> SplitResult | None:
    """Return the parts of an http or https URL, None for any other text."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


@dataclass
class Session:
    """Sends requests to one base URL and returns decoded responses. `page_hints` are the known pages of the platform."""

    base_url: str
    settings: Settings
    caller: Caller
    signer: Signer | None = None
    page_hints: Sequence[PageHint] = ()
    _http: Any = field(init=False, default=None)

    def __post_init__(self) -> None:
        if not self.settings.validate_certs and self.base_url.startswith("https"):
            self.caller.warn(
                f"validate_certs is false: anyone on the network path can read and change the traffic to {self.base_url}"
            )
            # urllib3 would repeat this warning for every request.
            warnings.filterwarnings("ignore", message="Unverified HTTPS request")
        self._http = http_session(self.settings, self.base_url)
        for proxy in self._http.proxies.values():
            password = urlsplit(proxy).password or ""
            for form in (password, unquote(password)):
                self.caller.redactor.add(form)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        signed: bool = True,
        only_reads: bool = False,
        repeatable: bool | None = None,
        accept_errors: bool = False,
        may_be_empty: bool = False,
    ) -> Response:
        """Send one request and return its decoded response.

        `path` is relative to the base URL. `body` is sent as JSON, `form` URL-encoded. `only_reads`: a POST that changes
        nothing and is sent in check mode, too. `repeatable`: a write that is safe to send twice (default: every method but
        POST). With `accept_errors` a response with an error status is returned, not raised. `may_be_empty`: the response to
        a GET may have no body.

        Raises the errors of `transport.errors`.
        """
        writes = method not in READING_METHODS and not only_reads
        if writes and self.caller.check_mode:
            raise WriteInCheckMode(f"{method} {path} was about to be sent in check mode. Please report this defect")
        may_repeat = repeatable if repeatable is not None else (not writes or method != "POST")
        retry_budget = RetryBudget(self.settings.retries, self.settings.retry_deadline)
        data = json.dumps(body).encode() if body is not None else None
        renewed = False
        while True:
            problem: Exception
            delay: float | None = None
            sent = {"Accept": "application/json", **({"Content-Type": "application/json"} if data is not None else {})}
            sent.update(headers or {})
            if signed and self.signer:
                sent.update(self.signer.headers())
            try:
                response = self._send(method, path, query, data, form, sent, writes, may_be_empty=may_be_empty)
            except (ConnectError, AmbiguousResponse) as error:
                self.caller.calls.accepted += writes and isinstance(error, AmbiguousResponse)
                problem = error
                again = (may_repeat or isinstance(error, ConnectError)) and not isinstance(
                    error, (UntrustedCertificate, EndlessResponse)
                )
            else:
                self.caller.calls.accepted += writes and (response.status < 400 or response.status >= 500)
                if response.status == 401 and signed and self.signer and not renewed and self.signer.renew():
                    renewed = True
                    continue
                if response.status < 400 or (accept_errors and response.status not in RETRIED_STATUSES):
                    return response
                problem = response.error(self.caller.redactor.scrub_text)
                # 429 is unambiguous: the platform did not process the request.
                again = response.status in RETRIED_STATUSES and (may_repeat or response.status == 429)
                if response.status >= 500 and not may_repeat:
                    problem = AmbiguousResponse(str(problem))
                delay = retry_after_seconds(response.headers.get("retry-after"))
            asked, delay = delay, retry_budget.next_delay(delay) if again else None
            if delay is None:
                raise with_hint(problem, come_back(asked, self.settings.retry_deadline) if again else "")
            self._pause(delay, problem, retry_budget.attempt)

    def _pause(self, seconds: float, problem: Exception, attempt: int) -> None:
        """Warn about the failed attempt, and wait for the next one."""
        self.caller.warn(
            f"{self.base_url}: attempt {attempt} of {self.settings.retries + 1} failed, next one in {seconds:.1f} s. {problem}"
        )
        time.sleep(seconds)

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        data: bytes | None,
        form: Mapping[str, str] | None,
        headers: dict[str, str],
        writes: bool,
        *,
        may_be_empty: bool = False,
    ) -> Response:
        url = f"{self.base_url}/{path.lstrip('/')}"
        # A path from a platform's response can contain a query, which no message repeats.
        path = path.partition("?")[0]
        for _hop in range(MAX_REDIRECTS + 1):
            raw = self._exchange(method, url, path, query, data if data is not None else form, headers, writes)
            target = raw.headers.get("location", "") if raw.status in (301, 302, 303, 307, 308) else ""
            if not target or method not in READING_METHODS or not self._same_host(url, target):
                break
            url, query = urljoin(url, target), None
        try:
            return read_response(method, path, raw, may_be_empty=may_be_empty, hints=self.page_hints)
        except (UnexpectedPage, AmbiguousResponse) as error:
            # A response can repeat the request.
            raise type(error)(self.caller.redactor.scrub_text(str(error))) from None

    def _same_host(self, url: str, target: str) -> bool:
        here, there = urlsplit(url), urlsplit(urljoin(url, target))
        # A redirect to a page of the same host is a sign-in page, not a moved API.
        return (here.scheme, here.netloc) == (there.scheme, there.netloc) and "/api/" in there.path

    def _exchange(
        self, method: str, url: str, path: str, query: Any, data: Any, headers: dict[str, str], writes: bool
    ) -> RawResponse:
        """Send once and read the whole response; raise a `TransportError` for a failure."""
        if writes:
            self.caller.calls.write += 1
        else:
            self.caller.calls.read += 1
        timeout = (min(self.settings.timeout, CONNECT_TIMEOUT), self.settings.timeout)
        where = f"{method} {path} at {self.base_url}"
        deadline = Deadline(self.settings.timeout + self.settings.retry_deadline)
        problem: Exception | None = None
        try:
            with deadline.running():
                response = self._http.request(
                    method,
                    url,
                    params=query,
                    data=data,
                    headers=headers,
                    timeout=timeout,
                    allow_redirects=False,
                    stream=True,
                )
                with response:
                    body = read_body(response, where)
        except (RequestException, ValueError, OSError) as error:
            problem = explain(error, where, self.settings, timeout[0])
        if deadline.passed:
            raise EndlessResponse(
                f"{where}: the response was not complete after {deadline.seconds:g} s (timeout and retry_deadline together)"
            )
        if problem:
            raise type(problem)(self.caller.redactor.scrub_text(str(problem)))
        return RawResponse(response.status_code, {k.lower(): v for k, v in response.headers.items()}, body)


__all__ = [
    "Response",
    "CallCount",
    "Caller",
    "HttpError",
    "Session",
    "Settings",
    "Signer",
    "checked_base_url",
]
