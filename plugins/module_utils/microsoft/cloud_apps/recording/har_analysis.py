# SPDX-License-Identifier: GPL-3.0-or-later
"""What single requests of a record tell: what was made for the occasion, what an answer brought, what they switch."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .har import Exchange, leaves
from .templater import looks_random, strings

APP_KEYS = re.compile(r"(app|saas|service)_?id", re.I)
ID_KEYS = re.compile(r"_?id|.*(connector|instance)_?id", re.I)
SWITCHES = {
    "disable": "disable",
    "disabled": "disable",
    "delete": "delete",
    "deleted": "delete",
    "remove": "delete",
    "removed": "delete",
}


def free_name(base: str, taken: set[str]) -> str:
    """Return `base`, or `base` with the first number that makes it a new name."""
    number = 1
    while (name := base if number == 1 else f"{base}_{number}") in taken:
        number += 1
    return name


def occasional(exchange: Exchange) -> list[str]:
    """Return the texts of a request that look made for the occasion: in its address and in its body."""
    parts = urlsplit(exchange.url)
    texts = [*parts.path.split("/"), *(value for _name, value in parse_qsl(parts.query)), *strings(exchange.body)]
    return [text for text in texts if looks_random(text)]


def brought(exchange: Exchange) -> list[tuple[tuple[str | int, ...], str]]:
    """Return what an answer brought, with the way to it."""
    return [(path, str(value)) for path, value in leaves(exchange.answer) if path and looks_random(str(value))]


def usual_fields(answer: Any) -> dict[str, str]:
    """Return what an answer must have when nothing else depends on it: an id, or else every key it had."""
    if not isinstance(answer, Mapping):
        return {}
    ids = [
        (path, value) for path, value in leaves(answer) if ID_KEYS.fullmatch(str(path[-1])) and value not in (None, "")
    ]
    direct = [
        path for path, _value in sorted(ids, key=lambda item: len(item[0])) if not any(isinstance(p, int) for p in path)
    ]
    if direct:
        return {"id": as_jmespath(direct[0])}
    return {
        f"answer_{n}": as_jmespath((str(key),)) for n, (key, value) in enumerate(answer.items(), 1) if value is not None
    }


def as_jmespath(path: tuple[str | int, ...]) -> str:
    return ".".join(str(p) if re.fullmatch(r"[A-Za-z_]\w*", str(p)) else json.dumps(str(p)) for p in path)


def app_numbers(exchange: Exchange) -> set[int]:
    pairs = [(str(path[-1]), value) for path, value in leaves(exchange.body) if path]
    pairs += parse_qsl(urlsplit(exchange.url).query)
    return {int(value) for key, value in pairs if APP_KEYS.fullmatch(key) and str(value).isdigit()}


def switch_of(exchange: Exchange) -> str:
    """Return which operation beside connecting a request is, by its method, the end of its path, or a word in its body."""
    if exchange.method == "DELETE":
        return "delete"
    words = [exchange.path.rstrip("/").rsplit("/", 1)[-1], *strings(exchange.body)]
    return next((SWITCHES[word.lower()] for word in words if word.lower() in SWITCHES), "")


def is_list(answer: Any) -> bool:
    return isinstance(answer, Mapping) and isinstance(answer.get("data"), list)


def iso_time(moment: float | None) -> str:
    when = datetime.fromtimestamp(moment, timezone.utc) if moment is not None else datetime.now(timezone.utc)
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")
