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
from urllib.parse import unquote, urljoin, urlsplit

from .base_url import origin_of
from .error_messages import explain
from .errors import (
    AmbiguousResponse,
    ConnectError,
    EndlessResponse,
    HttpError,
    UnexpectedPage,
    WriteInCheckMode,
    with_hint,
)
from .http_session import http_session
from .reading import Deadline, read_body
from .redact import Redactor
from .responses import PageHint, RawResponse, Response, read_response
from .retry import RETRIED_STATUSES, RetryBudget, come_back, requested_pause, retries_after
from .settings import Settings

with suppress(ImportError):  # `http_session` reports it
    from requests.exceptions import RequestException

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CONNECT_TIMEOUT = 15.0
MAX_REDIRECTS = 3
# What a request gets in any case, however much time its task has lost.
MIN_SECONDS = 0.05


@dataclass
class CallCount:
    """The number of HTTP requests that were sent, by their kind; `accepted` are the writes that were, or may have been, carried out.

    `lost_seconds` were spent on requests without an answer to use.
    """

    read: int = 0
    write: int = 0
    accepted: int = 0
    lost_seconds: float = 0.0

    def note_failure(self, problem: Exception, lost_seconds: float) -> None:
        """Note how much time was lost up to the end of a failed request; a refusal is an answer."""
        if not getattr(problem, "is_refusal", False):
            self.lost_seconds = lost_seconds


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
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        signed: bool = True,
        only_reads: bool = False,
        repeatable: bool | None = None,
        accept_errors: bool = False,
        may_be_empty: bool = False,
        as_text: bool = False,
    ) -> Response:
        """Send one request and return its decoded response.

        `path` is relative to the base URL. `body` is sent as JSON, `content` as it is, `form` URL-encoded. `only_reads`: a POST that changes
        nothing and is sent in check mode, too. `repeatable`: a write that is safe to send twice (default: every method but
        POST). With `accept_errors` a response with an error status is returned, not raised. `may_be_empty`: the response to
        a GET may have no body. `as_text`: the response to a GET is a text of any content.

        Raises the errors of `transport.errors`.
        """
        writes = method not in READING_METHODS and not only_reads
        if writes and self.caller.check_mode:
            raise WriteInCheckMode(f"{method} {path} was about to be sent in check mode. Please report this defect")
        may_repeat = repeatable if repeatable is not None else (not writes or method != "POST")
        retry_budget = RetryBudget(self.settings.retries, self.settings.retry_deadline)
        data = json.dumps(body).encode() if body is not None else content
        lost, started = self.caller.calls.lost_seconds, time.monotonic()
        renewed = False
        while True:
            problem: Exception
            delay: float | None = None
            sent = self._headers(data is not None, headers or {}, signed)
            allowed = self._allowed(f"{method} {path}", retry_budget, lost)
            try:
                response = self._send(
                    method, path, query, data, form, sent, writes, allowed, may_be_empty=may_be_empty, as_text=as_text
                )
            except (ConnectError, AmbiguousResponse) as error:
                self.caller.calls.accepted += writes and isinstance(error, AmbiguousResponse)
                problem = error
                again = may_repeat or isinstance(error, ConnectError)
                retry_budget.retries = retries_after(error, retry_budget.retries)
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
                delay = requested_pause(response.headers)
            asked, delay = delay, retry_budget.next_delay(delay) if again else None
            if delay is None:
                self.caller.calls.note_failure(problem, lost + time.monotonic() - started)
                raise with_hint(problem, come_back(asked, self.settings.retry_deadline) if again else "")
            self._pause(delay, problem, retry_budget)

    def _headers(self, has_body: bool, headers: Mapping[str, str], signed: bool) -> dict[str, str]:
        """Return the headers of a request, and if it is to be signed, those of the sign-in."""
        sent = {"Accept": "application/json", **({"Content-Type": "application/json"} if has_body else {}), **headers}
        if signed and self.signer:
            sent.update(self.signer.headers())
        return sent

    def _allowed(self, what: str, retry_budget: RetryBudget, lost: float) -> float:
        """Return the seconds that an attempt may take: `timeout`, and what is left of `retry_deadline` after `lost` seconds."""
        allowed = self.settings.timeout + retry_budget.remaining() - lost
        if allowed < MIN_SECONDS:
            raise EndlessResponse(
                f"{what} at {self.base_url} was not sent: this task has waited {lost:.3g} s in vain, longer than timeout and retry_deadline"
            )
        return allowed

    def _pause(self, seconds: float, problem: Exception, budget: RetryBudget) -> None:
        """Warn about the failed attempt, and wait for the next one."""
        of = f"attempt {budget.attempt} of {budget.retries + 1}"
        self.caller.warn(f"{self.base_url}: {of} failed, next one in {seconds:.1f} s. {problem}")
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
        seconds: float,
        *,
        may_be_empty: bool = False,
        as_text: bool = False,
    ) -> Response:
        url = f"{self.base_url}/{path.lstrip('/')}"
        # A path from a platform's response can contain a query, which no message repeats.
        path = path.partition("?")[0]
        started = time.monotonic()
        for _hop in range(MAX_REDIRECTS + 1):
            left = max(MIN_SECONDS, started + seconds - time.monotonic())
            raw = self._exchange(method, url, path, query, form if data is None else data, headers, writes, left)
            target = raw.headers.get("location", "") if raw.status in (301, 302, 303, 307, 308) else ""
            if not target or method not in READING_METHODS or not self._same_host(url, target):
                break
            url, query = urljoin(url, target), None
        if as_text and raw.status == 200:
            return Response(method, path, raw.status, raw.headers, raw.body.decode("utf-8", "replace"))
        try:
            return read_response(method, path, raw, may_be_empty=may_be_empty, hints=self.page_hints)
        except (UnexpectedPage, AmbiguousResponse) as error:
            if isinstance(error, UnexpectedPage):
                self.caller.calls.lost_seconds += time.monotonic() - started
            # A response can repeat the request.
            raise type(error)(self.caller.redactor.scrub_text(str(error))) from None

    def _same_host(self, url: str, target: str) -> bool:
        there = urljoin(url, target)
        # A redirect to a page of the same host is a sign-in page, not a moved API.
        return origin_of(url) == origin_of(there) and "/api/" in urlsplit(there).path

    def _exchange(
        self,
        method: str,
        url: str,
        path: str,
        query: Any,
        data: Any,
        headers: dict[str, str],
        writes: bool,
        seconds: float,
    ) -> RawResponse:
        """Send once and read the whole response, within `seconds`; raise a `TransportError` for a failure."""
        if writes:
            self.caller.calls.write += 1
        else:
            self.caller.calls.read += 1
        timeout = (min(self.settings.timeout, CONNECT_TIMEOUT), self.settings.timeout)
        where = f"{method} {path} at {self.base_url}"
        deadline = Deadline(seconds)
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
                f"{where}: the response was not complete after {deadline.seconds:.1f} s (timeout and what was left of retry_deadline)"
            )
        if problem:
            raise type(problem)(self.caller.redactor.scrub_text(str(problem)))
        return RawResponse(response.status_code, {k.lower(): v for k, v in response.headers.items()}, body)


__all__ = ["CallCount", "Caller", "HttpError", "Response", "Session", "Settings", "Signer"]
