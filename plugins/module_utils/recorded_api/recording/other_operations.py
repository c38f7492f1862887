# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the operations of a recording other than `create`: listing, updating, disabling and deleting what was created."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..template import find_placeholders, placeholder
from .har import FORM, JSON, NONE, Exchange
from .har_analysis import (
    ID_KEYS,
    SWITCH,
    is_list,
    operation_of,
    random_request_values,
    random_response_values,
    switch_keys,
)
from .listing import find_listing
from .templater import Templater
from .wizard_input import Target

LIST_PATH = re.compile(r"/(app_connectors|policies)/?$")


class Recording(Protocol):
    """A recording that is turned into templates."""

    exchanges: list[Exchange]
    templater: Templater
    user_input: dict[str, str]
    kind: Target

    def entered_options(self, exchange: Exchange) -> set[str]:
        """Return the options whose entered values a request contains."""

    def request_template(self, exchange: Exchange) -> dict[str, Any]:
        """Return the template of one request."""


def find_other_operations(recording: Recording, host: str, creating: Sequence[Exchange]) -> dict[str, Any]:
    """Return the operations that the recording contains in addition to `create`, by name. `creating`: its requests."""
    templater = recording.templater
    ids = {text: name for text, name in templater.response_values.items() if name == "id"}
    for exchange in creating:
        values = random_response_values(exchange)
        ids |= {text: "id" for path, text in values if ID_KEYS.fullmatch(str(path[-1]))}
    shown = [exchange for exchange in recording.exchanges if exchange.host == host and exchange.succeeded]
    found: dict[str, Any] = {}
    for exchange in shown:
        if recording.kind.is_listed_by_address:
            ids |= _find_list(recording, exchange, ids, creating, found)
        elif LIST_PATH.search(exchange.path) and is_list(exchange.response):
            found["list"] = _list_operation(recording, exchange)
    templater.response_values = {**templater.response_values, **ids}
    about_connector = [
        exchange
        for exchange in shown
        if exchange.writes
        and exchange.kind in (JSON, FORM, NONE)
        and (set(ids) & set(random_request_values(exchange)) or _names_instance(recording, exchange))
    ]
    for exchange in about_connector:
        operation = operation_of(exchange)
        if operation:
            step = _step(recording, exchange)
            found[operation] = _with_switch(step, switch_keys(exchange)) if operation == SWITCH else step
    updating = _updating(recording, about_connector, max(exchange.index for exchange in creating))
    if updating:
        first, *others = (_step(recording, exchange) for exchange in updating)
        found["update"] = {**first, **({"then": others} if others else {})}
    # A value of a response to `create` is not available later: an operation that needs one is not learned.
    temporary = set(templater.response_values.values()) - {"id", "portal_xsrf_token"}
    return {name: step for name, step in found.items() if not temporary & set(find_placeholders(step))}


def _updating(recording: Recording, about_connector: Sequence[Exchange], after: int) -> list[Exchange]:
    """Return the request that enters details of the connector again, and the requests that complete it."""
    updating: list[Exchange] = []
    for exchange in about_connector:
        enters = bool(recording.entered_options(exchange)) and not operation_of(exchange)
        if updating and (enters or operation_of(exchange)):
            break
        if exchange.index > after and (updating or enters):
            updating.append(exchange)
    return updating


def _step(recording: Recording, exchange: Exchange) -> dict[str, Any]:
    return {**recording.request_template(exchange), "expect": {"status": exchange.status}}


def _with_switch(value: Any, keys: set[str]) -> Any:
    """Return a template in which the booleans under `keys` are the placeholder of the switch."""
    if isinstance(value, Mapping):
        return {
            key: placeholder(SWITCH) if key in keys and isinstance(item, bool) else _with_switch(item, keys)
            for key, item in value.items()
        }
    return [_with_switch(item, keys) for item in value] if isinstance(value, list) else value


def _names_instance(recording: Recording, exchange: Exchange) -> bool:
    """Return whether the path of a request names the instance, where a portal knows connectors by their address."""
    probe = Templater(recording.user_input)
    probe.url(f"{exchange.host}{exchange.path}")
    return recording.kind.is_listed_by_address and bool(probe.matched & {"instance_url", "instance_host"})


def _find_list(
    recording: Recording,
    exchange: Exchange,
    ids: Mapping[str, str],
    creating: Sequence[Exchange],
    found: dict[str, Any],
) -> dict[str, str]:
    """Add the operation `list` to `found` if a response lists what was created; return the id that it shows."""
    asks = exchange.kind in (JSON, FORM, NONE) and not recording.entered_options(exchange)
    if not asks or exchange in creating or set(ids) & set(random_request_values(exchange)):
        return {}
    listing = find_listing(exchange.response, recording.user_input["instance_host"], ids)
    if listing is None:
        return {}
    step = _list_operation(recording, exchange)
    found["list"] = {**step, "expect": {"status": exchange.status, "fields": listing.fields}}
    return {listing.id: "id"}


def _list_operation(recording: Recording, exchange: Exchange) -> dict[str, Any]:
    step = recording.request_template(exchange)
    if isinstance(step.get("body"), dict) and "skip" in step["body"]:
        step["body"]["skip"] = placeholder("skip")
    has_next = isinstance(exchange.response, Mapping) and "hasNext" in exchange.response
    fields = {"connectors": "data", **({"has_next": "hasNext"} if has_next else {})}
    return {**step, "expect": {"status": exchange.status, "fields": fields}}
