# SPDX-License-Identifier: GPL-3.0-or-later
"""One keep-alive session per process and host, with retries, time-outs and the check-mode guard.

The only importer of `requests`. Knows no platform: how to sign in is the business of a `Signer`.
"""

from __future__ import annotations

import json
import os
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

from .answers import Answer, Raw, read_answer
from .errors import BadConnectionOption, HttpError, NoClearAnswer, Unreachable, WriteInCheckMode
from .redact import Redactor
from .retry import RETRIED_STATUSES, Patience, retry_after_seconds

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


@dataclass(frozen=True)
class Settings:
    """The transport options of a task (interface: connection options, group transport). Times in seconds."""

    validate_certs: bool = True
    ca_path: str | None = None
    proxy: str | None = None
    timeout: float = 60.0
    retries: int = 5
    retry_deadline: float = 120.0
    client_cert: str | None = None
    client_key: str | None = None


def checked_base_url(option: str, url: str | None) -> str:
    """Return `url` without trailing slashes, or raise `BadConnectionOption` naming `option`.

    Refused: no scheme or host, user info, a query, and plain http to anything but this machine
    (credentials would cross the network in the clear).
    """
    if not url:
        raise BadConnectionOption(
            f"{option} is required: the address of the instance, such as https://acme-prod.service-now.com"
        )
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadConnectionOption(f"{option} must be a whole address that starts with https://, not {url!r}")
    if "@" in parts.netloc:
        raise BadConnectionOption(f"{option} must not carry credentials; give them as options of their own")
    if parts.query or parts.fragment:
        raise BadConnectionOption(f"{option} must end before any ? or #")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise BadConnectionOption(
            f"{option} is plain http ({url}); credentials are only sent over https, or over http to this machine. Use https://{parts.netloc}{parts.path}"
        )
    return url.strip().rstrip("/")


_sessions: dict[tuple[Any, ...], Any] = {}


def _http_session(settings: Settings, base_url: str) -> Any:
    """Return this process's `requests.Session` for the host of `base_url`, made on first use."""
    parts = urlsplit(base_url)
    origin = (parts.scheme, parts.netloc)
    proxies = _proxies(settings, base_url)
    verify: bool | str = settings.validate_certs
    if settings.validate_certs:
        verify = settings.ca_path or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        if isinstance(verify, str) and not os.path.exists(verify):
            raise BadConnectionOption(f"ca_path {verify} does not exist")
    for option, path in (("client certificate", settings.client_cert), ("client key", settings.client_key)):
        if path and not os.path.exists(path):
            raise BadConnectionOption(f"the {option} file {path} does not exist")
    key = (os.getpid(), origin, verify, settings.client_cert, settings.client_key, tuple(sorted(proxies.items())))
    if key not in _sessions:
        session = requests.Session()
        # The environment is read above, once: left to requests it would also bring in a .netrc, whose
        # credentials would replace ours.
        session.trust_env = False
        session.verify = verify
        session.proxies = proxies
        if settings.client_cert:
            session.cert = (settings.client_cert, settings.client_key) if settings.client_key else settings.client_cert
        # ServiceNow platform facts 2.1: a session cookie can go on authenticating after its token expired.
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = requests.adapters.HTTPAdapter(max_retries=0, pool_connections=1, pool_maxsize=2)
        session.mount(f"{parts.scheme}://", adapter)
        _sessions[key] = session
    return _sessions[key]


def _proxies(settings: Settings, base_url: str) -> dict[str, str]:
    if settings.proxy:
        return {"http": settings.proxy, "https": settings.proxy}
    return dict(requests.utils.get_environ_proxies(base_url, no_proxy=None))


@dataclass
class Session:
    """Sends requests to one base URL and gives decoded answers."""

    base_url: str
    settings: Settings
    caller: Caller
    signer: Signer | None = None
    _http: Any = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.settings.proxy:
            self.caller.redactor.add(urlsplit(self.settings.proxy).password)
        if not self.settings.validate_certs and self.base_url.startswith("https"):
            self.caller.warn(
                f"validate_certs is false: anybody on the way can read and change what is sent to {self.base_url}"
            )
        self._http = _http_session(self.settings, self.base_url)

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
    ) -> Answer:
        """Send one request and return its decoded answer.

        `path` is below the base URL. `body` is sent as JSON, `form` URL-encoded. `only_reads` says of a POST that it
        changes nothing, so it may go out in check mode. `repeatable` says that a write may be sent twice without harm
        (default: every method but POST). With `accept_errors` the answer to an HTTP error is returned, not raised.

        Raises `HttpError` (the platform refused), `NotJson`, `Unreachable` (never arrived), `NoClearAnswer` (a write that
        may have been carried out), `WriteInCheckMode`.
        """
        writes = method not in READING_METHODS and not only_reads
        if writes and self.caller.check_mode:
            raise WriteInCheckMode(f"{method} {path} was about to be sent in check mode; please report this defect")
        may_repeat = repeatable if repeatable is not None else (not writes or method != "POST")
        patience = Patience(self.settings.retries, self.settings.retry_deadline)
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
                answer = self._send(method, path, query, data, form, sent, writes)
            except (Unreachable, NoClearAnswer) as error:
                problem = error
                again = may_repeat or isinstance(error, Unreachable)
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
                    problem = NoClearAnswer(str(problem))
                delay = retry_after_seconds(answer.headers.get("retry-after"))
            delay = patience.next_delay(delay) if again else None
            if delay is None:
                raise problem
            self.caller.warn(
                f"{self.base_url}: attempt {patience.attempt} of {self.settings.retries + 1} failed, next one in {delay:.1f} s. {problem}"
            )
            time.sleep(delay)

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        data: bytes | None,
        form: Mapping[str, str] | None,
        headers: dict[str, str],
        writes: bool,
    ) -> Answer:
        url = f"{self.base_url}/{path.lstrip('/')}"
        for _hop in range(SAME_HOST_REDIRECTS + 1):
            raw = self._exchange(method, url, path, query, data if data is not None else form, headers, writes)
            target = raw.headers.get("location", "") if raw.status in (301, 302, 303, 307, 308) else ""
            if not target or method not in READING_METHODS or not self._same_host(url, target):
                break
            url, query = urljoin(url, target), None
        return read_answer(method, path, raw)

    def _same_host(self, url: str, target: str) -> bool:
        here, there = urlsplit(url), urlsplit(urljoin(url, target))
        # A redirect to a page of the same host is a sign-in page, not a moved API.
        return (here.scheme, here.netloc) == (there.scheme, there.netloc) and "/api/" in there.path

    def _exchange(
        self, method: str, url: str, path: str, query: Any, data: Any, headers: dict[str, str], writes: bool
    ) -> Raw:
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
            return Raw(response.status_code, {k.lower(): v for k, v in response.headers.items()}, response.content)
        except requests.exceptions.RequestException as error:
            raise self._explain(error, method, path) from None

    def _explain(self, error: Exception, method: str, path: str) -> Exception:
        """Turn an exception of `requests` into one that names the cause and the remedy, and holds nothing we sent."""
        where = f"{method} {path} at {self.base_url}"
        reason = self.caller.redactor.scrub_text(_innermost(error))
        failures = requests.exceptions
        if isinstance(error, failures.ProxyError):
            return Unreachable(
                f"{where}: the proxy refused or could not be reached ({reason}). Check proxy, https_proxy and no_proxy"
            )
        if isinstance(error, failures.SSLError):
            return Unreachable(
                f"{where}: the TLS connection was refused ({reason}). Name the certificate authority with ca_path; check snow_client_cert where one is used"
            )
        if isinstance(error, failures.ConnectTimeout):
            return Unreachable(
                f"{where}: no connection within {min(self.settings.timeout, CONNECT_TIMEOUT):g} s. Check the address, the network and the proxy"
            )
        if isinstance(error, failures.ReadTimeout):
            return NoClearAnswer(f"{where}: no answer within {self.settings.timeout:g} s (option timeout)")
        if isinstance(error, failures.ConnectionError) and _never_connected(error):
            return Unreachable(
                f"{where}: cannot connect ({reason}). Check the address: is the host name right, and is the host up?"
            )
        if isinstance(error, (failures.ConnectionError, failures.ChunkedEncodingError, failures.ContentDecodingError)):
            return NoClearAnswer(f"{where}: the connection was dropped before the whole answer had arrived ({reason})")
        return Unreachable(f"{where}: {type(error).__name__} ({reason})")


def _never_connected(error: Exception) -> bool:
    text = repr(error)
    return "NewConnectionError" in text or "NameResolutionError" in text


def _innermost(error: BaseException) -> str:
    """Return the text of the first cause, without the pool and URL that outer layers print."""
    seen = 0
    while seen < 10:
        inner = error.__cause__ or error.__context__ or getattr(error, "reason", None)
        if inner is None and error.args and isinstance(error.args[0], BaseException):
            inner = error.args[0]
        if not isinstance(inner, BaseException):
            break
        error, seen = inner, seen + 1
    return getattr(error, "strerror", None) or str(error).split("(Caused by", 1)[0].strip() or type(error).__name__


__all__ = [
    "REQUESTS_IMPORT_ERROR",
    "Answer",
    "CallCount",
    "Caller",
    "HttpError",
    "Session",
    "Settings",
    "Signer",
    "checked_base_url",
]
