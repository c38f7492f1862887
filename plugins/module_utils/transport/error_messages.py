# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns what went wrong on the way into words for a user: the cause, and the remedy."""

from __future__ import annotations

import os
import ssl
from contextlib import suppress

from .errors import (
    AmbiguousResponse,
    BadConnectionOption,
    ConnectError,
    TransportError,
    UntrustedCertificate,
)
from .settings import Settings

with suppress(ImportError):  # the session tells
    import requests.exceptions as failures


def explained(error: Exception, where: str, settings: Settings, connect_timeout: float) -> TransportError:
    """Return the exception that says what `error`, raised by `requests`, means for the request at `where`.

    `connect_timeout` in seconds. The text holds nothing we sent but what `error` itself repeats of it.
    """
    reason = _innermost(error)
    if isinstance(error, failures.ProxyError):
        return ConnectError(
            f"{where}: the proxy refused or could not be reached ({reason}). Check proxy, https_proxy and no_proxy"
        )
    if isinstance(error, failures.SSLError):
        return _tls(where, reason, settings)
    if isinstance(error, failures.ConnectTimeout):
        return ConnectError(
            f"{where}: no connection within {connect_timeout:g} s. Check the address, the network and the proxy"
        )
    if isinstance(error, failures.ReadTimeout):
        return AmbiguousResponse(f"{where}: no answer within {settings.timeout:g} s (option timeout)")
    if isinstance(error, failures.ConnectionError) and _never_connected(error):
        return ConnectError(
            f"{where}: cannot connect ({reason}). Check the address: is the host name right, and is the host up?"
        )
    if isinstance(error, (failures.ConnectionError, failures.ChunkedEncodingError, failures.ContentDecodingError)):
        # TLS 1.3 lets a client come in first and refuses its certificate afterwards.
        hint = ". A server that does not accept the client certificate does so, too" if settings.client_cert else ""
        return AmbiguousResponse(
            f"{where}: the connection was dropped before the whole answer had arrived ({reason}){hint}"
        )
    if isinstance(error, (failures.InvalidHeader, UnicodeEncodeError)):
        # The text of these errors repeats the header.
        return BadConnectionOption(
            f"{where}: the credentials do not fit into a header. Check the token, key or user name for a line break, "
            f"a space at its start, or characters beyond Latin-1"
        )
    if isinstance(error, ValueError):
        return BadConnectionOption(f"{where}: the request cannot be sent ({reason}). Check the address")
    return ConnectError(f"{where}: {type(error).__name__} ({reason})")


def _tls(where: str, reason: str, settings: Settings) -> TransportError:
    unusable = _unusable_file(settings)
    if unusable:
        return BadConnectionOption(f"{where}: {unusable}")
    kind = UntrustedCertificate if "certificate verify failed" in reason.lower() else ConnectError
    return kind(
        f"{where}: the TLS connection was refused ({reason}). Name the certificate authority with ca_path; check "
        f"snow_client_cert where one is used"
    )


def _unusable_file(settings: Settings) -> str:
    """Return which of the user's files is to blame for a failed TLS connection, "" when none is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    file = settings.ca_path or ""
    try:
        if settings.ca_path and not os.path.isdir(file):
            context.load_verify_locations(settings.ca_path)
        file = settings.client_cert or ""
        if settings.client_cert:
            context.load_cert_chain(settings.client_cert, settings.client_key, password="")
    except (OSError, ValueError) as error:
        return f"{file} cannot be used ({getattr(error, 'strerror', None) or error})"
    return ""


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
