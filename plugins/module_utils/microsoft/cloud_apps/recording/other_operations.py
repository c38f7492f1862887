# SPDX-License-Identifier: GPL-3.0-or-later
"""What a record teaches beside the connection: how connectors are listed, edited, switched off and deleted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ....recorded_api.template import placeholders
from .har import FORM, JSON, NONE, Exchange
from .har_analysis import ID_KEYS, brought, is_list, occasional, switch_of
from .templater import Templater

LIST_PATH = re.compile(r"/app_connectors/?$")


class Lesson(Protocol):
    """The record at hand, as far as this file needs it."""

    exchanges: list[Exchange]
    templater: Templater

    def carried(self, exchange: Exchange) -> set[str]:
        """Return the options whose typed values a request carries."""

    def request(self, exchange: Exchange) -> dict[str, Any]:
        """Return the template of one request."""


def beside(lesson: Lesson, host: str, chain: Sequence[Exchange]) -> dict[str, Any]:
    """Return the operations beside `create` that the record happens to show, by name."""
    ids = {text: name for text, name in lesson.templater.told.items() if name == "id"}
    ids |= {text: "id" for one in chain for path, text in brought(one) if ID_KEYS.fullmatch(str(path[-1]))}
    shown = [exchange for exchange in lesson.exchanges if exchange.host == host and exchange.succeeded]
    found: dict[str, Any] = {}
    for exchange in shown:
        if LIST_PATH.search(exchange.path) and is_list(exchange.answer):
            found["list"] = _list_operation(lesson, exchange)
    lesson.templater.told = {**lesson.templater.told, **ids}
    about_it = [
        exchange
        for exchange in shown
        if exchange.writes and exchange.kind in (JSON, FORM, NONE) and set(ids) & set(occasional(exchange))
    ]
    for exchange in about_it:
        operation = switch_of(exchange)
        if operation:
            found[operation] = _step(lesson, exchange)
    edited = _edited(lesson, about_it, max(exchange.index for exchange in chain))
    if edited:
        first, *others = (_step(lesson, exchange) for exchange in edited)
        found["update"] = {**first, **({"then": others} if others else {})}
    # What only an answer of the connection brought cannot be had later: such an operation is not learned.
    passing = set(lesson.templater.told.values()) - {"id", "portal_xsrf_token"}
    return {name: step for name, step in found.items() if not passing & set(placeholders(step))}


def _edited(lesson: Lesson, about_it: Sequence[Exchange], after: int) -> list[Exchange]:
    """Return the request that enters details of the connector again, and those that go on with it."""
    edited: list[Exchange] = []
    for exchange in about_it:
        enters = bool(lesson.carried(exchange)) and not switch_of(exchange)
        if edited and (enters or switch_of(exchange)):
            break
        if exchange.index > after and (edited or enters):
            edited.append(exchange)
    return edited


def _step(lesson: Lesson, exchange: Exchange) -> dict[str, Any]:
    return {**lesson.request(exchange), "expect": {"status": exchange.status}}


def _list_operation(lesson: Lesson, exchange: Exchange) -> dict[str, Any]:
    step = lesson.request(exchange)
    if isinstance(step.get("body"), dict) and "skip" in step["body"]:
        step["body"]["skip"] = "{{ skip }}"
    has_next = isinstance(exchange.answer, Mapping) and "hasNext" in exchange.answer
    fields = {"connectors": "data", **({"has_next": "hasNext"} if has_next else {})}
    return {**step, "expect": {"status": exchange.status, "fields": fields}}
