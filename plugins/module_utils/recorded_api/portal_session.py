# SPDX-License-Identifier: GPL-3.0-or-later
"""The portal session of the user, with the XSRF token that the portal has issued last.

A portal replaces the token every few minutes, by a cookie (docs/facts/defender_for_cloud_apps.md#portal-routes), and a run over many
instances takes longer. So the last token is kept for later tasks, in the folder of the locks, masked with the session cookie: without that,
which is not stored, the file is of no use.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote

from ..file_lock import file_for, folder
from ..transport.redact import Redactor

COOKIE, TOKEN = "portal_cookie", "portal_xsrf_token"
XSRF_COOKIE = re.compile(r"(?<![^;,\s])XSRF-TOKEN=([^;,\s]*)")
NONCE_SIZE = 16
# Begins the text of a file that is not damaged.
MARK = "XSRF-TOKEN "
# Of a token; a longer one would not fit into a header.
MAX_LENGTH = 4096


class PortalSession:
    """The values of a session by the names of placeholders; the given token is replaced by one that was issued after it."""

    def __init__(self, values: Mapping[str, str], redactor: Redactor, place: Path | None = None) -> None:
        self.values, self.redactor = dict(values), redactor
        given = values.get(TOKEN, "")
        # Another token of the user belongs to another file: it is newer than what is kept.
        self._key = f"{XSRF_COOKIE.sub('', values.get(COOKIE, ''))}\n{given}".encode()
        self._place = place or folder() if given and values.get(COOKIE) else None
        kept = self._kept()
        if kept:
            self._use(kept)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Use the token that a response issues, and keep it for later tasks."""
        found = XSRF_COOKIE.search(headers.get("set-cookie", ""))
        token = unquote(found[1]) if found else ""
        fits = token.isascii() and token.isprintable() and len(token) <= MAX_LENGTH
        if token and fits and self._place and token != self.values[TOKEN]:
            self._use(token)
            self._keep(token)

    def _use(self, token: str) -> None:
        self.redactor.add(token)
        self.redactor.add(quote(token, safe=""))
        cookie = XSRF_COOKIE.sub(lambda _found: f"XSRF-TOKEN={quote(token, safe='')}", self.values[COOKIE])
        self.redactor.add(cookie)
        self.values |= {COOKIE: cookie, TOKEN: token}

    # -- between tasks ------------------------------------------------------------------------------------------------

    @property
    def _file(self) -> Path:
        # The name contains a digest of a digest, as that of the key itself masks the token.
        return file_for(hashlib.sha256(b"name\n" + self._key).hexdigest(), "session", self._place or folder())

    def _kept(self) -> str:
        if not self._place:
            return ""
        try:
            content = self._file.read_bytes()
            text = self._masked(content[NONCE_SIZE:], content[:NONCE_SIZE]).decode("ascii")
        except (OSError, UnicodeDecodeError):
            return ""
        return text.removeprefix(MARK) if text.startswith(MARK) else ""

    def _keep(self, token: str) -> None:
        """Replace the file at once; one that cannot be written costs later tasks the token, but not this one."""
        nonce = secrets.token_bytes(NONCE_SIZE)
        with suppress(OSError, UnicodeEncodeError):
            content = nonce + self._masked(f"{MARK}{token}".encode("ascii"), nonce)
            handle, name = tempfile.mkstemp(dir=self._place, prefix=f"{self._file.name}.")
            try:
                with os.fdopen(handle, "wb") as opened:
                    opened.write(content)
                os.replace(name, self._file)
            except OSError:
                os.unlink(name)
                raise

    def _masked(self, text: bytes, nonce: bytes) -> bytes:
        """Return `text` combined with a key stream of the session; the same again returns it."""
        stream = hashlib.shake_256(b"mask\n" + nonce + self._key).digest(len(text))
        return bytes(one ^ other for one, other in zip(text, stream, strict=True))
