# SPDX-License-Identifier: GPL-3.0-or-later
"""The message in an error response of an API, a proxy or a gateway."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

# Characters of a page that are read, and those of its text that are shown.
MAX_READ, MAX_SHOWN = 8192, 200
INVISIBLE = re.compile(r"<(script|style)\b.*?</\1\s*>", re.I | re.S)
TAG = re.compile(r"<[^<>]*>")
UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd]+")
MAX_ERRORS = 10


def platform_words(data: Any) -> str:
    """Return the message in a decoded error response, "" if there is none.

    Known shapes: ServiceNow `{"error": {"message", "detail"}}`, OAuth `{"error", "error_description"}`,
    Azure and Graph `{"error": {"code", "message", "details": [{"message"}]}}`, CI/CD `{"result": {"error"}}`,
    `{"message"}`, Cloud Apps `{"detail"}`, problem details (RFC 9457) `{"title", "detail", "errors"}`, `{"errors": [...]}`.
    """
    return ": ".join(dict.fromkeys(_words(data)))


def is_from_platform(data: Any) -> bool:
    """Return whether a decoded error response has an object `error`, as those of ServiceNow, Azure and Graph have."""
    return isinstance(data, Mapping) and isinstance(data.get("error"), Mapping)


def excerpt(page: str, scrub: Callable[[str], str]) -> str:
    """Return the visible text of a page as one line of at most `MAX_SHOWN` characters, "" if it has no words.

    `scrub` removes secrets; a page can repeat the request, with tags or escapes within.
    """
    text = scrub(page)[:MAX_READ]
    text = html.unescape(TAG.sub(" ", INVISIBLE.sub(" ", text)))
    text = scrub(" ".join(UNREADABLE.sub(" ", text).split()))
    if not re.search(r"\w{2}", text):
        return ""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN].rstrip()}..."


def _words(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield from filter(None, [data.strip()])
    elif isinstance(data, list):
        for item in data[:MAX_ERRORS]:
            yield from _words(item)
    elif isinstance(data, Mapping):
        yield from _words_of_object({str(name).lower(): value for name, value in data.items()})


def _words_of_object(data: Mapping[str, Any]) -> Iterator[str]:
    error = data.get("error") or data.get("odata.error")
    if isinstance(error, (Mapping, list)):
        yield from _words(error)
    elif error or not isinstance(data.get("result"), Mapping):
        names = ("error", "code", "title", "message", "msg", "error_description", "detail", "value")
        yield from (text for name in names for text in _text(data.get(name)))
        details = data.get("details")
        for each in details[:MAX_ERRORS] if isinstance(details, list) else ():
            yield from _text(each.get("message")) if isinstance(each, Mapping) else _words(each)
        yield from _words_by_field(data.get("errors"))
    else:
        result = data["result"]
        yield from (text for name in ("error", "status_message") for text in _text(result.get(name)))


def _words_by_field(errors: Any) -> Iterator[str]:
    """Yield the words of a list of errors, or of errors by the name of the field that they are about."""
    if not isinstance(errors, Mapping):
        yield from _words(errors)
        return
    for name, found in list(errors.items())[:MAX_ERRORS]:
        yield from (f"{name}: {words}" for words in _words(found))


def _text(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and isinstance(value.get("value"), str):
        value = value["value"]
    if isinstance(value, list):
        yield from _words(value)
    elif value and str(value).strip():
        yield str(value).strip()
