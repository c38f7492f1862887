# SPDX-License-Identifier: GPL-3.0-or-later
"""Explains connection errors to the user: the cause, and the remedy."""

from __future__ import annotations

import os
import socket
import ssl
from contextlib import suppress

from .errors import (
    AmbiguousResponse,
    BadConnectionOption,
    ConnectError,
    TransportError,
    UnknownHost,
    UntrustedCertificate,
)
from .settings import Settings
from .words import cleaned

with suppress(ImportError):  # `http_session` reports it
    import requests.exceptions as failures

# How name servers say that there is no such name, or no address for it. One that does not answer is EAI_AGAIN.
UNKNOWN_NAMES = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


def explain(error: Exception, where: str, settings: Settings, connect_timeout: float) -> TransportError:
    """Return the `TransportError` for an `error` of `requests` in the request `where`.

    `connect_timeout` in seconds. The message contains nothing of the request that `error` itself does not repeat.
    """
    cause = _innermost(error)
    reason = cleaned(_text_of(cause))
    is_unknown = isinstance(cause, socket.gaierror) and cause.errno in UNKNOWN_NAMES
    if isinstance(error, failures.ProxyError):
        kind = UnknownHost if is_unknown else ConnectError
        return kind(
            f"{where}: the proxy refused the connection or is unreachable ({reason}). Check proxy, https_proxy and no_proxy"
        )
    if isinstance(error, failures.SSLError):
        return _tls(where, reason, settings)
    if isinstance(error, failures.ConnectTimeout):
        return ConnectError(
            f"{where}: cannot connect within {connect_timeout:g} s. Check the address, the network and the proxy"
        )
    if isinstance(error, failures.ReadTimeout):
        return AmbiguousResponse(
            f"{where}: timed out after {settings.timeout:g} s. Increase timeout if the platform is slow"
        )
    if is_unknown:
        return UnknownHost(
            f"{where}: the host name does not exist ({reason}). Check its spelling, and whether the DNS server that this machine asks knows it"
        )
    if isinstance(error, failures.ConnectionError) and _never_connected(error):
        return ConnectError(
            f"{where}: cannot connect ({reason}). Check that the host name is correct and that the host is up"
        )
    if isinstance(error, (failures.ConnectionError, failures.ChunkedEncodingError, failures.ContentDecodingError)):
        # With TLS 1.3 a server rejects a client certificate only after the handshake.
        hint = ". The server may have rejected the client certificate" if settings.client_cert else ""
        return AmbiguousResponse(
            f"{where}: the connection was dropped before the response was complete ({reason}){hint}"
        )
    if isinstance(error, (failures.InvalidHeader, UnicodeEncodeError)):
        # The text of these errors repeats the header.
        return BadConnectionOption(
            f"{where}: the credentials cannot be sent in a header. Check the token, key or user name for line breaks, "
            f"leading spaces, and characters outside Latin-1"
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
        f"{where}: the TLS connection failed ({reason}). Set ca_path to the certificate authority; check the client "
        f"certificate if one is used"
    )


def _unusable_file(settings: Settings) -> str:
    """Return which of the user's files made the TLS connection fail, "" if none did."""
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


def _innermost(error: BaseException) -> BaseException:
    """Return the root cause."""
    seen = 0
    while seen < 10:
        inner = error.__cause__ or error.__context__ or getattr(error, "reason", None)
        if inner is None and error.args and isinstance(error.args[0], BaseException):
            inner = error.args[0]
        if not isinstance(inner, BaseException):
            break
        error, seen = inner, seen + 1
    return error


def _text_of(error: BaseException) -> str:
    """Return the message of a root cause, without the pool and URL of outer errors."""
    return getattr(error, "strerror", None) or str(error).split("(Caused by", 1)[0].strip() or type(error).__name__
