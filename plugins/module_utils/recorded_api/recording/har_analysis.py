# SPDX-License-Identifier: GPL-3.0-or-later
"""Classifies recorded requests: random values, values that a response returns, and the operation of a request."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .har import Exchange, leaves
from .templater import decoded_strings, looks_random

APP_KEYS = re.compile(r"(app|saas|service)_?id", re.I)
ID_KEYS = re.compile(r"_?id|.*(connector|instance)_?id", re.I)
OPERATIONS = {
    "disable": "disable",
    "disabled": "disable",
    "delete": "delete",
    "deleted": "delete",
    "remove": "delete",
    "removed": "delete",
}


# A switch of one connector whose key or path says so: the portal calls it Secure Score, its API SSPM (posture management).
SWITCH = "secure_score"
SWITCH_WORDS = re.compile(r"secure.?score|sspm|posture", re.I)


def unique_name(base: str, taken: set[str]) -> str:
    """Return `base`, with the first number that makes it unique where `base` is taken."""
    number = 1
    while (name := base if number == 1 else f"{base}_{number}") in taken:
        number += 1
    return name


def random_request_values(exchange: Exchange) -> list[str]:
    """Return the values in the address and body of a request that look generated."""
    parts = urlsplit(exchange.url)
    texts = [*parts.path.split("/"), *(value for _name, value in parse_qsl(parts.query))]
    return [text for text in (*texts, *decoded_strings(exchange.body)) if looks_random(text)]


def random_response_values(exchange: Exchange) -> list[tuple[tuple[str | int, ...], str]]:
    """Return the values in a response that look generated, each with its path."""
    return [(path, str(value)) for path, value in leaves(exchange.response) if path and looks_random(str(value))]


def is_in_list(path: tuple[str | int, ...]) -> bool:
    """Return whether a path leads through a list, whose order can change."""
    return any(isinstance(part, int) for part in path)


def default_fields(response: Any) -> dict[str, str]:
    """Return the fields to declare for a response that no other request depends on: its id, or else all its keys."""
    if not isinstance(response, Mapping):
        return {}
    ids = [path for path, value in leaves(response) if ID_KEYS.fullmatch(str(path[-1])) and value not in (None, "")]
    direct = [path for path in sorted(ids, key=len) if not is_in_list(path)]
    if direct:
        return {"id": jmespath_of(direct[0])}
    return {
        f"answer_{n}": jmespath_of((str(key),))
        for n, (key, value) in enumerate(response.items(), 1)
        if value is not None
    }


def jmespath_of(path: tuple[str | int, ...]) -> str:
    return ".".join(str(p) if re.fullmatch(r"[A-Za-z_]\w*", str(p)) else json.dumps(str(p)) for p in path)


def app_ids(exchange: Exchange) -> set[int]:
    pairs = [(str(path[-1]), value) for path, value in leaves(exchange.body) if path]
    pairs += parse_qsl(urlsplit(exchange.url).query)
    return {int(value) for key, value in pairs if APP_KEYS.fullmatch(key) and str(value).isdigit()}


def operation_of(exchange: Exchange) -> str:
    """Return "disable" or "delete" by the method, the end of the path, or a word in the body, or the switch; "" for others."""
    if exchange.method == "DELETE":
        return "delete"
    words = [exchange.path.rstrip("/").rsplit("/", 1)[-1], *decoded_strings(exchange.body)]
    found = next((OPERATIONS[word.lower()] for word in words if word.lower() in OPERATIONS), "")
    return found or (SWITCH if switch_keys(exchange) else "")


def switch_keys(exchange: Exchange) -> set[str]:
    """Return the keys of the booleans in a request that turn the Secure Score recommendations of a connector on or off."""
    booleans = {str(path[-1]) for path, value in leaves(exchange.body) if path and isinstance(value, bool)}
    named = {key for key in booleans if SWITCH_WORDS.search(key)}
    by_path = SWITCH_WORDS.search(exchange.path.rstrip("/").rsplit("/", 1)[-1])
    return named or (booleans if by_path and len(booleans) == 1 else set())


def is_list(response: Any) -> bool:
    return isinstance(response, Mapping) and isinstance(response.get("data"), list)


def format_time(timestamp: float | None) -> str:
    when = datetime.fromtimestamp(timestamp, timezone.utc) if timestamp is not None else datetime.now(timezone.utc)
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")
