# SPDX-License-Identifier: GPL-3.0-or-later
"""Contracts: what may be sent to a route that its vendor does not document, and what has to come back.

The format is described in the guide on contracts and in `docs/contract.schema.json`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..engine.errors import InvalidInput
from ..transport.errors import BadConnectionOption
from ..transport.session import checked_base_url
from .template import PLACEHOLDER, placeholders

VERSION = 1
TARGETS = ("mda_connector", "mda_policy", "mdc_integration")
OPERATIONS = ("list", "create", "update", "enable", "disable", "delete", "test")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REQUEST_KEYS = {"method", "url", "headers", "body", "expect"}

# What a request may be filled with: what the user describes, what a list tells, the session, and what is new each time.
DESCRIBED = ("name", "instance_url", "instance_host", "username", "password", "client_id", "client_secret")
SESSION = ("portal_cookie", "portal_xsrf_token", "tenant_id", "authorization")
GENERATED = re.compile(r"(uuid(_\d+)?|now|now_s|now_ms)")
# What an integration with ServiceNow has beyond: texts, truth values and lists, which keep their type where they stand alone.
INTEGRATION = ("scope", "api_version", "disabled", "excluded_scopes", "include_members", "properties")
KNOWN = frozenset((*DESCRIBED, *SESSION, *INTEGRATION, "id", "skip", "limit", "policy_type"))


@dataclass(frozen=True)
class Step:
    """One request: templates of what is sent, and what the answer must have. `fields` maps a name to a JMESPath."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    statuses: tuple[int, ...] = (200, 201, 202, 204)
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def asks_for(self) -> set[str]:
        """The placeholders of this request."""
        return {*placeholders(self.url), *placeholders(dict(self.headers)), *placeholders(self.body)}


@dataclass(frozen=True)
class Contract:
    """A checked contract. `operations` maps a name to the requests that make it up, in order."""

    name: str
    target: str
    origin: str
    operations: Mapping[str, tuple[Step, ...]]

    def needs(self, operation: str) -> set[str]:
        """Return the placeholders that `operation` must be given from outside."""
        needed: set[str] = set()
        told: set[str] = set()
        for step in self.operations[operation]:
            needed |= {name for name in step.asks_for - told if not GENERATED.fullmatch(name)}
            told |= set(step.fields)
        return needed


def parse(document: Any, target: str) -> Contract:
    """Return the contract that `document` (a mapping) holds.

    Raises `InvalidInput` that names the place of what cannot be used. Nothing is evaluated or sent.
    """
    if not isinstance(document, Mapping):
        raise InvalidInput("contract must be a mapping, as learn_contract writes it")
    name = str(document.get("name") or "")
    reader = _Reader(f"contract {name!r}")
    reader.require(document.get("contract") == VERSION, f"contract: must be {VERSION}, the version of the format")
    reader.require(bool(name), "name: is missing")
    reader.require(document.get("target") in TARGETS, f"target: must be one of {', '.join(TARGETS)}")
    reader.require(
        document["target"] == target, f"target: is {document['target']}; here a contract for {target} is due"
    )
    operations = document.get("operations")
    if not isinstance(operations, Mapping) or not operations:
        raise reader.bad("operations: must be a mapping of operations")
    unknown = set(operations) - set(OPERATIONS)
    reader.require(
        not unknown, f"operations: {', '.join(sorted(map(str, unknown)))} is none of {', '.join(OPERATIONS)}"
    )
    steps = {str(key): reader.steps(f"operations.{key}", value) for key, value in operations.items()}
    origins = {origin_of(step.url) for group in steps.values() for step in group}
    reader.require(len(origins) == 1, f"all requests must go to one host, not to {', '.join(sorted(origins))}")
    (origin,) = origins
    try:
        checked_base_url(f"contract {name!r}: url", origin)
    except BadConnectionOption as error:
        raise InvalidInput(str(error)) from None
    return Contract(name, target, origin, steps)


def origin_of(url: str) -> str:
    """Return scheme and host of `url`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass
class _Reader:
    """Reads the parts of a document and says where they cannot be used."""

    title: str

    def bad(self, message: str) -> InvalidInput:
        return InvalidInput(f"{self.title}: {message}")

    def require(self, condition: bool, message: str) -> None:
        if not condition:
            raise self.bad(message)

    def steps(self, place: str, value: Any) -> tuple[Step, ...]:
        if not isinstance(value, Mapping):
            raise self.bad(f"{place}: must be a mapping with method and url")
        following = value.get("then") or []
        if not isinstance(following, list):
            raise self.bad(f"{place}.then: must be a list of requests")
        first = {key: item for key, item in value.items() if key != "then"}
        steps = [self.step(place, first)]
        steps += [self.step(f"{place}.then[{index}]", item) for index, item in enumerate(following)]
        told: set[str] = set()
        for step in steps:
            unknown = {n for n in step.asks_for - told - KNOWN if not GENERATED.fullmatch(n)}
            self.require(not unknown, f"{place}: unknown placeholder {', '.join(sorted(unknown))}")
            told |= set(step.fields)
        return tuple(steps)

    def step(self, place: str, value: Any) -> Step:
        if not isinstance(value, Mapping):
            raise self.bad(f"{place}: must be a mapping with method and url")
        unknown = set(value) - REQUEST_KEYS
        self.require(not unknown, f"{place}: unknown key {', '.join(sorted(map(str, unknown)))}")
        self.require(value.get("method") in METHODS, f"{place}.method: must be one of {', '.join(METHODS)}")
        url = value.get("url")
        self.require(isinstance(url, str) and bool(urlsplit(str(url)).netloc), f"{place}.url: must be a whole address")
        self.require(not PLACEHOLDER.search(origin_of(str(url))), f"{place}.url: the host cannot be a placeholder")
        headers = self._texts(f"{place}.headers", value.get("headers"))
        expect = value.get("expect") or {}
        self.require(isinstance(expect, Mapping), f"{place}.expect: must be a mapping")
        statuses = expect.get("status", list(Step.statuses))
        listed = statuses if isinstance(statuses, list) else [statuses]
        self.require(
            all(isinstance(s, int) and 200 <= s < 300 for s in listed), f"{place}.expect.status: must be 200 to 299"
        )
        fields = self._texts(f"{place}.expect.fields", expect.get("fields"))
        return Step(value["method"], str(url), headers, value.get("body"), tuple(listed), fields)

    def _texts(self, place: str, value: Any) -> dict[str, str]:
        if value is None:
            return {}
        if not isinstance(value, Mapping) or not all(isinstance(item, str) for pair in value.items() for item in pair):
            raise self.bad(f"{place}: must map names to texts")
        return dict(value)
