# SPDX-License-Identifier: GPL-3.0-or-later
"""One `requests.Session` per process and host: trust, client certificate, proxy, no cookies."""

from __future__ import annotations

import os
import traceback
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

from .errors import BadConnectionOption
from .reading import ENCODINGS, track
from .settings import Settings

try:
    import requests
    import requests.adapters
    import requests.utils

    REQUESTS_IMPORT_ERROR = None
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()

# This machine, and all hosts that plain http is allowed for.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def _tracked_adapter(**options: Any) -> Any:
    """Return an adapter whose connections a deadline can end, also those through a proxy."""

    class Adapter(requests.adapters.HTTPAdapter):
        def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
            super().init_poolmanager(*arguments, **more)
            track(self.poolmanager)

        def proxy_manager_for(self, proxy: Any, **more: Any) -> Any:
            known = proxy in self.proxy_manager
            manager = super().proxy_manager_for(proxy, **more)
            return manager if known else track(manager)

    return Adapter(**options)


_sessions: dict[tuple[Any, ...], Any] = {}


def http_session(settings: Settings, base_url: str) -> Any:
    """Return this process's `requests.Session` for the host of `base_url`, created on first use."""
    parts = urlsplit(base_url)
    proxy = _proxy(settings, base_url)
    verify = _trusted(settings)
    _check_client_files(settings)
    key = (os.getpid(), parts.scheme, parts.netloc, verify, settings.client_cert, settings.client_key, proxy)
    if key not in _sessions:
        session = requests.Session()
        # The environment is read above, once: requests would also read a .netrc, whose credentials would replace the
        # user's options.
        session.trust_env = False
        session.headers["Accept-Encoding"] = ENCODINGS
        session.verify = verify
        session.proxies = {parts.scheme: proxy} if proxy else {}
        if settings.client_cert:
            session.cert = (settings.client_cert, settings.client_key) if settings.client_key else settings.client_cert
        # A session cookie can still authenticate after its token expired
        # (docs/facts/servicenow_platform.md#token-session-cookie).
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = _tracked_adapter(max_retries=0, pool_connections=1, pool_maxsize=2)
        session.mount(f"{parts.scheme}://", adapter)
        _sessions[key] = session
    return _sessions[key]


def _check_client_files(settings: Settings) -> None:
    for option, path in (
        ("snow_client_cert: the client certificate", settings.client_cert),
        ("snow_client_key: the client key", settings.client_key),
    ):
        if not path:
            continue
        try:
            with open(path, "rb") as file:
                content = file.read()
        except OSError as error:
            raise BadConnectionOption(f"{option} file {path} cannot be read: {error.strerror}") from None
        if b"ENCRYPTED" in content:
            # OpenSSL would prompt for the passphrase on the terminal, and wait forever.
            raise BadConnectionOption(f"{option} file {path} is encrypted; use one without a passphrase")


def _trusted(settings: Settings) -> bool | str:
    """Return what verifies a server: a file or folder, True for the default authorities, False for no verification."""
    if not settings.validate_certs:
        return False
    sources = {"ca_path": settings.ca_path, **{name: os.environ.get(name) for name in CA_VARIABLES}}
    name, path = next(((name, path) for name, path in sources.items() if path), ("", ""))
    if path and not os.path.exists(path):
        raise BadConnectionOption(f"{name} {path} does not exist")
    return path or True


def _proxy(settings: Settings, base_url: str) -> str:
    """Return the address of the proxy for `base_url`, "" for none. It may contain a password: never show it."""
    if urlsplit(base_url).hostname in LOOPBACK:
        # What is sent to this machine must not leave it, be it in the clear.
        return ""
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
        raise BadConnectionOption(f"the proxy ({where}) is not an address such as http://proxy.example.com:3128")
    return proxy
