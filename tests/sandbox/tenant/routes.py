# SPDX-License-Identifier: GPL-3.0-or-later
"""Route tables: method and path -> handler."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..web import Reply

Handler = Callable[..., Reply]


@dataclass(frozen=True)
class Route:
    """One line of a table. `{name}` in the pattern matches one segment and becomes an argument of the handler.

    `roles` are the application permissions of which one is enough; None means that no permission covers the route.
    """

    methods: str
    pattern: str
    handler: Handler
    roles: tuple[str, ...] | None = None

    def match(self, path: str) -> dict[str, str] | None:
        """The named segments of a path, or None if it does not match; a trailing slash is ignored."""
        found = _compiled(self.pattern).fullmatch(path.rstrip("/"))
        return found.groupdict() if found else None


_COMPILED: dict[str, re.Pattern[str]] = {}


def _compiled(pattern: str) -> re.Pattern[str]:
    if pattern not in _COMPILED:
        text = re.sub(
            r"\{(\w+)\}",
            r"(?P<\1>[^/]+)",
            pattern.rstrip("/").replace("$", r"\$").replace("(", r"\(").replace(")", r"\)"),
        )
        _COMPILED[pattern] = re.compile(text)
    return _COMPILED[pattern]


class Table:
    """Routes in order; the first that matches answers."""

    def __init__(self, *routes: Route) -> None:
        self._routes = routes

    def name(self, path: str) -> str | None:
        """The pattern that a path matches."""
        return next((route.pattern for route in self._routes if route.match(path) is not None), None)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | int:
        """The route with its arguments, or an error status: 404 for the path, 405 for the method."""
        status = 404
        for route in self._routes:
            arguments = route.match(path)
            if arguments is None:
                continue
            if method in route.methods.split():
                return route, arguments
            status = 405
        return status

    def __add__(self, other: Table) -> Table:
        return Table(*self._routes, *other._routes)


def text_of(body: dict[str, Any], name: str) -> str:
    """A string of a JSON body, empty if it is absent or has another type."""
    value = body.get(name)
    return value if isinstance(value, str) else ""
