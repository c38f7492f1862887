# SPDX-License-Identifier: GPL-3.0-or-later
"""One keep-alive session per process and host, with retries, time-outs and the check-mode guard.

The only importer of `requests`. Knows no platform: how to sign in is the business of a `Signer`.
"""

from __future__ import annotations

import json
import os
import time
import traceback
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from .error_messages import explained
from .errors import (
    AmbiguousResponse,
    BadConnectionOption,
    ConnectError,
    HttpError,
    UnexpectedPage,
    UntrustedCertificate,
    WriteInCheckMode,
)
from .redact import Redactor
from .responses import RawResponse, Response, read_response
from .retry import RETRIED_STATUSES, RetryBudget, retry_after_seconds
from .settings import Settings

try:
    import requests
    import requests.adapters
    import requests.utils

    REQUESTS_IMPORT_ERROR = None
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CONNECT_TIMEOUT = 15.0
SAME_HOST_REDIRECTS = 3
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass
class CallCount:
    """How many HTTP requests were sent, by what they may do."""

    read: int = 0
    write: int = 0


class Caller(Protocol):
    """What the transport needs to know of the run it works for."""

    check_mode: bool
    redactor: Redactor
    calls: CallCount

    def warn(self, message: str) -> None:
        """Show `message` to the user."""


class Signer(Protocol):
    """Adds the sign-in to a request."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers that prove who is calling."""

    def renew(self) -> bool:
        """Get new proof after a 401; False when there is no better one."""


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
        raise BadConnectionOption(f"{option} must not carry credentials; give them as options of their own")
    parts = _parts_of(url.strip())
    if parts is None:
        raise BadConnectionOption(f"{option} must be a whole address that starts with https://, not {url!r}")
    if parts.query or parts.fragment:
        raise BadConnectionOption(f"{option} must end before any ? or #")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise BadConnectionOption(
            f"{option} is plain http ({url}); credentials are only sent over https, or over http to this machine. Use https://{parts.netloc}{parts.path}"
        )
    return url.strip().rstrip("/")


def _parts_of(url: str) -> SplitResult | None:
    """Return the parts of an address of the web, or None for what is none."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


_sessions: dict[tuple[Any, ...], Any] = {}


def _http_session(settings: Settings, base_url: str) -> Any:
    """Return this process's `requests.Session` for the host of `base_url`, made on first use."""
    parts = urlsplit(base_url)
    proxy = _proxy(settings, base_url)
    verify = _trusted(settings)
    _check_client_files(settings)
    key = (os.getpid(), parts.scheme, parts.netloc, verify, settings.client_cert, settings.client_key, proxy)
    if key not in _sessions:
        session = requests.Session()
        # The environment is read above, once: left to requests it would also bring in a .netrc, whose
        # credentials would replace ours.
        session.trust_env = False
        session.verify = verify
        session.proxies = {parts.scheme: proxy} if proxy else {}
        if settings.client_cert:
            session.cert = (settings.client_cert, settings.client_key) if settings.client_key else settings.client_cert
        # A session cookie can go on authenticating after its token expired
        # (docs/facts/servicenow_platform.md#token-session-cookie).
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = requests.adapters.HTTPAdapter(max_retries=0, pool_connections=1, pool_maxsize=2)
        session.mount(f"{parts.scheme}://", adapter)
        _sessions[key] = session
    return _sessions[key]


def _check_client_files(settings: Settings) -> None:
    for option, path in (("client certificate", settings.client_cert), ("client key", settings.client_key)):
        if not path:
            continue
        try:
            with open(path, "rb") as file:
                content = file.read()
        except OSError as error:
            raise BadConnectionOption(f"the {option} file {path} cannot be read: {error.strerror}") from None
        if b"ENCRYPTED" in content:
            # OpenSSL would ask the terminal for the passphrase, and wait forever.
            raise BadConnectionOption(f"the {option} file {path} is encrypted; give one without a passphrase")


def _trusted(settings: Settings) -> bool | str:
    """Return what vouches for a server: a file or folder, True for the usual authorities, False for nothing."""
    if not settings.validate_certs:
        return False
    sources = {"ca_path": settings.ca_path, **{name: os.environ.get(name) for name in CA_VARIABLES}}
    name, path = next(((name, path) for name, path in sources.items() if path), ("", ""))
    if path and not os.path.exists(path):
        raise BadConnectionOption(f"{name} {path} does not exist")
    return path or True


def _proxy(settings: Settings, base_url: str) -> str:
    """Return the address of the proxy on the way to `base_url`, "" for none. It may hold a password: never show it."""
    proxies = requests.utils.get_environ_proxies(base_url, no_proxy=None)
    proxy: str = settings.proxy or requests.utils.select_proxy(base_url, proxies) or ""
    try:
        if proxy:
            proxy = requests.utils.prepend_scheme_if_needed(proxy, "http")  # type: ignore[no-untyped-call]
            usable = bool(urlsplit(proxy).hostname)
    except ValueError:
        usable = False
    if proxy and not usable:
        where = "option proxy" if settings.proxy else "https_proxy, http_proxy or all_proxy of the environment"
        raise BadConnectionOption(f"the proxy ({where}) is no address such as http://proxy.example.com:3128")
    return proxy


@dataclass
class Session:
    """Sends requests to one base URL and gives decoded answers."""

    base_url: str
    settings: Settings
    caller: Caller
    signer: Signer | None = None
    _http: Any = field(init=False, default=None)

    def __post_init__(self) -> None:
        if not self.settings.validate_certs and self.base_url.startswith("https"):
            self.caller.warn(
                f"validate_certs is false: anybody on the way can read and change what is sent to {self.base_url}"
            )
            # Said once, above, in our words; urllib3 would say it again for every request.
            warnings.filterwarnings("ignore", message="Unverified HTTPS request")
        self._http = _http_session(self.settings, self.base_url)
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
        """Send one request and return its decoded answer.

        `path` is below the base URL. `body` is sent as JSON, `form` URL-encoded. `only_reads` says of a POST that it
        changes nothing, so it may go out in check mode. `repeatable` says that a write may be sent twice without harm
        (default: every method but POST). With `accept_errors` the answer to an HTTP error is returned, not raised.
        `may_be_empty`: what is read may have no body.

        Raises `HttpError` (the platform refused), `UnexpectedPage`, `ConnectError` (never arrived), `AmbiguousResponse` (a write that
        may have been carried out), `WriteInCheckMode`.
        """
        writes = method not in READING_METHODS and not only_reads
        if writes and self.caller.check_mode:
            raise WriteInCheckMode(f"{method} {path} was about to be sent in check mode; please report this defect")
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
                answer = self._send(method, path, query, data, form, sent, writes, may_be_empty=may_be_empty)
            except (ConnectError, AmbiguousResponse) as error:
                problem = error
                again = (may_repeat or isinstance(error, ConnectError)) and not isinstance(error, UntrustedCertificate)
            else:
                if answer.status == 401 and signed and self.signer and not renewed and self.signer.renew():
                    renewed = True
                    continue
                if answer.status < 400 or (accept_errors and answer.status not in RETRIED_STATUSES):
                    return answer
                problem = answer.error(self.caller.redactor.scrub_text)
                # 429 is a clear answer: the platform did not do it.
                again = answer.status in RETRIED_STATUSES and (may_repeat or answer.status == 429)
                if answer.status >= 500 and not may_repeat:
                    problem = AmbiguousResponse(str(problem))
                delay = retry_after_seconds(answer.headers.get("retry-after"))
            delay = retry_budget.next_delay(delay) if again else None
            if delay is None:
                raise problem
            self._pause(delay, problem, retry_budget.attempt)

    def _pause(self, seconds: float, problem: Exception, attempt: int) -> None:
        """Say that an attempt failed, and wait for the next one."""
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
        # A path that a platform handed out can carry a query, which no message repeats.
        path = path.partition("?")[0]
        for _hop in range(SAME_HOST_REDIRECTS + 1):
            raw = self._exchange(method, url, path, query, data if data is not None else form, headers, writes)
            target = raw.headers.get("location", "") if raw.status in (301, 302, 303, 307, 308) else ""
            if not target or method not in READING_METHODS or not self._same_host(url, target):
                break
            url, query = urljoin(url, target), None
        try:
            return read_response(method, path, raw, may_be_empty=may_be_empty)
        except (UnexpectedPage, AmbiguousResponse) as error:
            # An answer can repeat what it was asked with.
            raise type(error)(self.caller.redactor.scrub_text(str(error))) from None

    def _same_host(self, url: str, target: str) -> bool:
        here, there = urlsplit(url), urlsplit(urljoin(url, target))
        # A redirect to a page of the same host is a sign-in page, not a moved API.
        return (here.scheme, here.netloc) == (there.scheme, there.netloc) and "/api/" in there.path

    def _exchange(
        self, method: str, url: str, path: str, query: Any, data: Any, headers: dict[str, str], writes: bool
    ) -> RawResponse:
        """Send once and read the whole answer; name what went wrong on the way."""
        if writes:
            self.caller.calls.write += 1
        else:
            self.caller.calls.read += 1
        timeout = (min(self.settings.timeout, CONNECT_TIMEOUT), self.settings.timeout)
        try:
            response = self._http.request(
                method, url, params=query, data=data, headers=headers, timeout=timeout, allow_redirects=False
            )
            return RawResponse(
                response.status_code, {k.lower(): v for k, v in response.headers.items()}, response.content
            )
        except (requests.exceptions.RequestException, ValueError) as error:
            problem = explained(error, f"{method} {path} at {self.base_url}", self.settings, timeout[0])
            raise type(problem)(self.caller.redactor.scrub_text(str(problem))) from None


__all__ = [
    "REQUESTS_IMPORT_ERROR",
    "Response",
    "CallCount",
    "Caller",
    "HttpError",
    "Session",
    "Settings",
    "Signer",
    "checked_base_url",
]
