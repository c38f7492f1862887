# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of instances in normalized form, so that two spellings of one address are equal."""

from __future__ import annotations

from urllib.parse import urlsplit


def normalize_address(url: str) -> str:
    """Return an instance's address in normalized form: without trailing slash and port 443, in lower case."""
    parts = urlsplit(url.strip())
    port = f":{parts.port}" if parts.port and (parts.scheme.lower(), parts.port) != ("https", 443) else ""
    return f"{parts.scheme.lower()}://{(parts.hostname or '').lower()}{port}{parts.path.rstrip('/')}"


def place_of(text: str) -> str:
    """Return an address without its scheme, in lower case: portals show a URL or the host only. "" if `text` cannot be one."""
    words = text.strip()
    try:
        return normalize_address(words if "://" in words else f"https://{words}").partition("://")[2]
    except ValueError:
        return ""
