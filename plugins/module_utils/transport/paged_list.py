# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists that come page by page: each page has to bring something new, and all of them to fit into time and memory."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import AmbiguousResponse
from .settings import Settings

# More pages than any list has.
MAX_PAGES = 10_000
# Pages without a row, one after another: access rules can leave a page empty, but not all of them.
MAX_EMPTY_PAGES = 100
# What the rows of one list may have in all: values, and characters of their JSON. Together they fit into a worker's memory.
MAX_LIST_VALUES = 800_000
MAX_LIST_TEXT = 24_000_000


@dataclass
class PagedList:
    """One list while it is read; `where` is the request in messages.

    `is_kept`: all rows stay in memory until the list ends. Each method raises `AmbiguousResponse` for a list that cannot be
    completed: taken for its end, a page would hide rows.
    """

    where: str
    settings: Settings
    is_kept: bool = True
    _links: set[str] = field(default_factory=set)
    _pages: set[bytes] = field(default_factory=set)
    _empty: int = 0
    _values: int = 0
    _text: int = 0
    _started: float = field(default_factory=time.monotonic)

    def add(self, page: Sequence[Any]) -> None:
        """Note a page; one without rows says nothing, one with the rows of an earlier page did not advance."""
        if self.is_repeated(page):
            raise self._incomplete(
                f"after {len(self._pages)} page{'s' * (len(self._pages) > 1)} the platform returned a page a second time"
            )
        self._empty = 0 if page else self._empty + 1
        if self._empty > MAX_EMPTY_PAGES:
            raise self._incomplete(f"{self._empty} pages in a row have no rows, and a further page is announced")

    def is_repeated(self, page: Sequence[Any]) -> bool:
        """Return whether all rows of `page` came before, on one page; note the page if not."""
        if not page:
            return False
        text = json.dumps(page, sort_keys=True)
        mark = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
        if mark in self._pages:
            return True
        self._pages.add(mark)
        self._values += text.count(",") + 1
        self._text += len(text)
        if self.is_kept and (self._values > MAX_LIST_VALUES or self._text > MAX_LIST_TEXT):
            raise self._incomplete(
                f"its rows have more than {MAX_LIST_VALUES:,} values or {MAX_LIST_TEXT // 1_000_000} MB, which does not fit into memory. "
                f"Read less at once: fewer columns, a narrower query or a limit, where the module has them"
            )
        return False

    def go_on(self, link: Any = "") -> None:
        """Note that a further page is about to be read, by `link` if it has one, which must be text."""
        if not isinstance(link, str):
            raise self._incomplete("the link to its next page makes no sense")
        if link in self._links:
            raise self._incomplete(
                f"after {len(self._links) + 1} pages the platform returned the link of a page a second time"
            )
        self._links.add(link or f"page {len(self._links)}")
        if len(self._links) >= MAX_PAGES:
            raise self._incomplete(f"it does not end within {MAX_PAGES} pages")
        seconds = time.monotonic() - self._started
        allowed = self.settings.retry_deadline + self.settings.timeout
        if seconds > allowed:
            raise self._incomplete(
                f"it did not end within {allowed:.3g} s (retry_deadline and timeout) and {len(self._links)} pages. "
                f"Increase retry_deadline if it is that long"
            )

    def _incomplete(self, reason: str) -> AmbiguousResponse:
        return AmbiguousResponse(f"{self.where}: the list is incomplete: {reason}")


def records_in(data: Any, where: str) -> list[dict[str, Any]]:
    """Return the rows of a list response: its `data`, or the response itself if it is a list; see `checked_rows`."""
    return checked_rows(data.get("data") if isinstance(data, Mapping) else data, where)


def recognized_rows(rows: Sequence[dict[str, Any]], where: str, *needed: tuple[str, ...]) -> Sequence[dict[str, Any]]:
    """Return `rows`, each of which has a value under one of the keys of every entry of `needed`.

    Raises `AmbiguousResponse` for one that lacks it: an object that is not recognized would be created again.
    """
    for position, row in enumerate(rows, 1):
        for keys in needed:
            if all(row.get(key) in (None, "") for key in keys):
                raise AmbiguousResponse(
                    f"{where}: the response makes no sense: entry {position} of {len(rows)} of its list has no {' or '.join(keys)}"
                )
    return rows


def checked_rows(rows: Any, where: str) -> list[dict[str, Any]]:
    """Return `rows`, a list of mappings.

    Raises `AmbiguousResponse` for anything else: taken for "no rows", or left out, what exists would be created again.
    """
    if not isinstance(rows, list):
        raise AmbiguousResponse(f"{where}: the response contains no list")
    odd = next((position for position, row in enumerate(rows, 1) if not isinstance(row, dict)), 0)
    if odd:
        raise AmbiguousResponse(
            f"{where}: the response makes no sense: entry {odd} of {len(rows)} of its list is no object"
        )
    return rows
