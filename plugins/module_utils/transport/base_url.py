# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of platforms: which ones credentials are sent to, and whether two are of one host."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from .errors import BadConnectionOption
from .http_session import LOOPBACK

DEFAULT_PORTS = {"http": 80, "https": 443}


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


def origin_of(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of an absolute `url`, with the default port where it names none.

    Port 0 for an invalid URL, and for one with user info, which disguises the host.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", "", 0
    if "@" in parts.netloc:
        return "", "", 0
    return parts.scheme, parts.hostname or "", DEFAULT_PORTS.get(parts.scheme, 0) if port is None else port
