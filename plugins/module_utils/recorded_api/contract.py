# SPDX-License-Identifier: GPL-3.0-or-later
"""Contracts: which requests may be sent to a route that its vendor does not document, and what their responses must contain.

See the guide on contracts and `docs/contract.schema.json` for the format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from ..engine.errors import InvalidInput
from ..transport.base_url import checked_base_url
from ..transport.errors import BadConnectionOption
from .template import find_invalid, find_placeholders, placeholder

VERSION = 1
TARGETS = ("mda_connector", "mda_policy", "msem_connector", "mdc_integration")
OPERATIONS = ("list", "create", "update", "enable", "disable", "delete", "test", "secure_score")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REQUEST_KEYS = {"method", "url", "headers", "body", "expect"}

# Sources of a placeholder's value: the user's options, the session, and values that are generated for each run.
USER_INPUT = ("name", "instance_url", "instance_host", "username", "password", "client_id", "client_secret")
SESSION = ("portal_cookie", "portal_xsrf_token", "tenant_id", "authorization")
GENERATED = ("uuid", "now", "now_s", "now_ms")
GENERATED_PATTERN = re.compile(r"uuid(_\d+)?|now|now_s|now_ms")
# Further values of an integration with ServiceNow: texts, booleans and lists, whose type is kept in a string of their own.
INTEGRATION = ("scope", "api_version", "disabled", "excluded_scopes", "include_members", "properties")
KNOWN = frozenset((*USER_INPUT, *SESSION, *INTEGRATION, "id", "skip", "limit", "policy_type", "secure_score"))


@dataclass(frozen=True)
class Step:
    """One request: its templates, and what its response must contain. `fields` maps a name to a JMESPath."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    statuses: tuple[int, ...] = (200, 201, 202, 204)
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def placeholders(self) -> set[str]:
        """The placeholders of this request."""
        return set(find_placeholders([self.url, dict(self.headers), self.body]))


@dataclass(frozen=True)
class Contract:
    """A validated contract. `operations` maps a name to its requests, in order."""

    name: str
    target: str
    origin: str
    operations: Mapping[str, tuple[Step, ...]]

    def required_values(self, operation: str) -> set[str]:
        """Return the placeholders of `operation` that its caller has to fill."""
        required: set[str] = set()
        declared: set[str] = set()
        for step in self.operations[operation]:
            required |= {name for name in step.placeholders - declared if not is_generated(name)}
            declared |= set(step.fields)
        return required


def is_generated(name: str) -> bool:
    """Return whether the placeholder `name` gets a new value in each run."""
    return bool(GENERATED_PATTERN.fullmatch(name))


def parse(document: Any, target: str) -> Contract:
    """Return the contract of `document`, a mapping.

    Raises `InvalidInput` that names the key that cannot be used. Nothing is evaluated or sent.
    """
    if not isinstance(document, Mapping):
        raise InvalidInput("contract must be a mapping in the format of the learn_contract playbook")
    name = str(document.get("name") or "")
    reader = _Reader(f"contract {name!r}")
    reader.require(document.get("contract") == VERSION, f"contract: must be {VERSION}, the version of the format")
    reader.require(bool(name), "name: is missing")
    reader.require(document.get("target") in TARGETS, f"target: must be one of {', '.join(TARGETS)}")
    reader.require(document["target"] == target, f"target: must be {target} here, not {document['target']}")
    operations = document.get("operations")
    if not isinstance(operations, Mapping) or not operations:
        raise reader.invalid("operations: must be a mapping of operations")
    unknown = set(operations) - set(OPERATIONS)
    reader.require(
        not unknown, f"operations: {', '.join(sorted(map(str, unknown)))} must be one of {', '.join(OPERATIONS)}"
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
    """Reads the parts of a document and names the keys that cannot be used."""

    title: str

    def invalid(self, message: str) -> InvalidInput:
        return InvalidInput(f"{self.title}: {message}")

    def require(self, condition: bool, message: str) -> None:
        if not condition:
            raise self.invalid(message)

    def steps(self, place: str, value: Any) -> tuple[Step, ...]:
        if not isinstance(value, Mapping):
            raise self.invalid(f"{place}: must be a mapping with method and url")
        following = value.get("then") or []
        if not isinstance(following, list):
            raise self.invalid(f"{place}.then: must be a list of requests")
        first = {key: item for key, item in value.items() if key != "then"}
        requests = {place: first, **{f"{place}.then[{index}]": item for index, item in enumerate(following)}}
        steps = {where: self.step(where, item) for where, item in requests.items()}
        declared: set[str] = set()
        for where, step in steps.items():
            self._check_placeholders(where, step, declared)
            declared |= set(step.fields)
        return tuple(steps.values())

    def _check_placeholders(self, place: str, step: Step, declared: set[str]) -> None:
        invalid = next(find_invalid([step.url, dict(step.headers), step.body]), "")
        self.require(
            not invalid,
            f"{place}: {invalid!r} is not a placeholder. Write ${{name}} in lower case, or $$ for a dollar sign",
        )
        known = {*KNOWN, *GENERATED, *declared}
        for name in sorted(name for name in step.placeholders - known if not is_generated(name)):
            close = get_close_matches(name, sorted(known), n=1)
            hint = f"; did you mean {placeholder(close[0])}?" if close else "."
            raise self.invalid(
                f"{place}: unknown placeholder {placeholder(name)}{hint} Known placeholders: {', '.join(sorted(known))}"
            )

    def step(self, place: str, value: Any) -> Step:
        if not isinstance(value, Mapping):
            raise self.invalid(f"{place}: must be a mapping with method and url")
        unknown = set(value) - REQUEST_KEYS
        self.require(not unknown, f"{place}: unknown key {', '.join(sorted(map(str, unknown)))}")
        self.require(value.get("method") in METHODS, f"{place}.method: must be one of {', '.join(METHODS)}")
        url = value.get("url")
        self.require(isinstance(url, str) and bool(urlsplit(str(url)).netloc), f"{place}.url: must be an absolute URL")
        self.require("$" not in origin_of(str(url)), f"{place}.url: the host cannot be a placeholder")
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
            raise self.invalid(f"{place}: must map names to texts")
        return dict(value)
