# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a contract from a browser's record of one connection that was entered by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ....engine.errors import InvalidInput
from ....recorded_api.contract import DESCRIBED, KNOWN, VERSION, parse
from ....recorded_api.template import placeholders
from ..connectors_api import SERVICENOW
from .har import FORM, JSON, OTHER, Exchange, is_xsrf, read_har
from .har_analysis import (
    app_numbers,
    as_jmespath,
    brought,
    free_name,
    iso_time,
    occasional,
    switch_of,
    usual_fields,
)
from .other_operations import LIST_PATH, beside
from .templater import Templater, strings
from .wizard_input import TYPED, checked, forms, holds

TARGET = "mda_connector"
# Kept as they are; every other header is either the browser's own business or a secret.
KEPT_HEADERS = ("content-type", "accept", "x-requested-with", "x-tid", "tenant-id")


@dataclass
class Learned:
    """The contract, and what a person should know of how it came about."""

    contract: dict[str, Any]
    summary: list[str] = field(default_factory=list)


def learn(har: str, name: str, values: Mapping[str, str]) -> Learned:
    """Return the contract that the connection in `har` makes. `values`: what the user typed, by connector option.

    Raises `InvalidInput`, which never repeats a value, cookie or token, when a value is not found, cannot be told from
    another, or the record shows something else.
    """
    return _Lesson(read_har(har), name, checked(values)).learned()


class _Lesson:
    """One record, on the way to a contract."""

    def __init__(self, exchanges: list[Exchange], name: str, typed: dict[str, str]) -> None:
        self.exchanges, self.name, self.typed = exchanges, name, typed
        self.templater = Templater(typed)
        self.declared: set[str] = set()

    def learned(self) -> Learned:
        chain = self._chain()
        host = chain[0].host
        self._check_unambiguous(chain)
        chain = self._with_sources(chain)
        steps = [self._step(exchange, chain) for exchange in chain]
        self._check_complete()
        operations: dict[str, Any] = {"create": {**steps[0], **({"then": steps[1:]} if steps[1:] else {})}}
        operations.update(beside(self, host, chain))
        contract: dict[str, Any] = {
            "contract": VERSION,
            "name": self.name,
            "target": TARGET,
            "captured_at": iso_time(chain[-1].started),
            "operations": operations,
        }
        self._check_clean(contract)
        parse(contract, TARGET)
        return Learned(contract, self._summary(chain, contract))

    # -- which requests -----------------------------------------------------------------------------------------------

    def _chain(self) -> list[Exchange]:
        """Return the requests that carry typed values, on the one host that gets the most of them, without repetitions."""
        carried: dict[int, set[str]] = {}
        for exchange in self.exchanges:
            if exchange.writes and not LIST_PATH.search(exchange.path):
                found = self.carried(exchange)
                if found:
                    carried[exchange.index] = found
        self._check_app(carried)
        if not carried:
            raise InvalidInput(self._no_wizard())
        by_host: dict[str, set[str]] = {}
        for index, found in carried.items():
            by_host.setdefault(self.exchanges[index].host, set()).update(found)
        host = max(by_host, key=lambda one: len(by_host[one]))
        wanted = [self.exchanges[index] for index in carried if self.exchanges[index].host == host]
        good = [exchange for exchange in wanted if exchange.succeeded]
        if not good:
            statuses = ", ".join(sorted({str(exchange.status) for exchange in wanted}))
            raise InvalidInput(
                f"the portal refused every request of the wizard (status {statuses}); capture a connection that succeeds"
            )
        # A person who tries again repeats the request: the last one counts. Once all is said, what follows is something else.
        chain: list[Exchange] = []
        said: set[str] = set()
        for exchange in sorted({(one.method, one.path): one for one in good}.values(), key=lambda one: one.index):
            if said < by_host[host]:
                chain.append(exchange)
                said |= carried[exchange.index]
        return chain

    def carried(self, exchange: Exchange) -> set[str]:
        """Return the options whose typed values a request carries."""
        probe = Templater(self.typed)
        probe.url(exchange.url)
        probe.body(exchange.body)
        raw = exchange.raw if exchange.kind == OTHER else ""
        found = probe.found | {n for n, v in self.typed.items() if raw and any(f in raw for f in forms(v))}
        return {("instance_url" if name == "instance_host" else name) for name in found}

    def _no_wizard(self) -> str:
        writing = [exchange for exchange in self.exchanges if exchange.writes]
        return (
            f"the record does not show the wizard: of its {len(self.exchanges)} requests, {len(writing)} can change something, and none "
            f"carries any of {', '.join(n for n in TYPED if n in self.typed)}. Begin to record before the wizard is opened, end when "
            f"the portal shows the connection, and give the values as they were typed"
        )

    def _check_app(self, carried: Mapping[int, set[str]]) -> None:
        """Refuse the wizard of another app: its number stands in the requests."""
        suspects = [self.exchanges[index] for index in carried] or [
            exchange for exchange in self.exchanges if exchange.writes and "connector" in exchange.path
        ]
        numbers = {number for exchange in suspects for number in app_numbers(exchange)}
        if numbers and SERVICENOW not in numbers:
            raise InvalidInput(
                f"the record shows the connection of another app ({', '.join(map(str, sorted(numbers)))}); ServiceNow is {SERVICENOW}"
            )

    def _check_unambiguous(self, chain: list[Exchange]) -> None:
        """Refuse values that were there before they were typed: where they stand, they may be the portal's own."""
        # An attempt that failed is typing, too.
        wizard = {(one.method, one.path) for one in chain}
        first = min(one.index for one in self.exchanges if (one.method, one.path) in wizard)
        seen: dict[str, str] = {}
        for exchange in self.exchanges[:first]:
            if exchange.host == chain[0].host:
                for part in (exchange.body, exchange.answer):
                    for text in strings(part):
                        seen.setdefault(text, exchange.path)
        for option in TYPED:
            value = self.typed.get(option)
            if value in seen and value is not None:
                raise InvalidInput(
                    f"{option} cannot be told from the portal's own text: its value came up ({seen[value]}) before it was typed. Capture "
                    f"the connection of an instance that is not connected yet, with a value that stands nowhere else"
                )

    # -- what belongs to them -----------------------------------------------------------------------------------------

    def _with_sources(self, chain: list[Exchange]) -> list[Exchange]:
        """Add the requests whose answers the chain needs, and those that go on with what its answers brought."""
        members = {exchange.index: exchange for exchange in chain}
        waiting = list(chain)
        while waiting:
            exchange = waiting.pop()
            for text in occasional(exchange):
                source = self._source(text, exchange)
                if source and source.index not in members:
                    members[source.index] = source
                    waiting.append(source)
        last = max(exchange.index for exchange in chain)
        ids = {text for exchange in members.values() for _path, text in brought(exchange)}
        done = {(exchange.method, exchange.path) for exchange in members.values()}
        for exchange in self.exchanges:
            request = (exchange.method, exchange.path)
            if self._goes_on(exchange, chain[0]) and request not in done and ids & set(occasional(exchange)):
                members[exchange.index] = exchange
                done.add(request)
        return [members[index] for index in sorted(members) if members[index].index <= last or members[index].writes]

    def _goes_on(self, exchange: Exchange, first: Exchange) -> bool:
        return (
            exchange.index > first.index
            and exchange.host == first.host
            and exchange.writes
            and exchange.succeeded
            and not LIST_PATH.search(exchange.path)
            and switch_of(exchange) == ""
            and not self.carried(exchange)
        )

    def _source(self, text: str, before: Exchange) -> Exchange | None:
        """Return the request whose answer brought `text` first, and note under which name. The browser's own is none."""
        for exchange in self.exchanges[: before.index]:
            if exchange.host != before.host or exchange is before:
                continue
            if text in occasional(exchange):
                return None
            for path, found in brought(exchange):
                # A place in a list says nothing about what will stand there tomorrow.
                if found == text and not any(isinstance(part, int) for part in path):
                    return exchange
        return None

    # -- templates ----------------------------------------------------------------------------------------------------

    def _step(self, exchange: Exchange, chain: list[Exchange]) -> dict[str, Any]:
        step = self.request(exchange)
        later = [one for one in chain if one.index > exchange.index]
        needed = {text for one in later for text in occasional(one)}
        fields: dict[str, str] = {}
        for path, text in brought(exchange):
            if text in needed and text not in self.templater.told and not any(isinstance(part, int) for part in path):
                name = self._field_name(path, fields)
                fields[name] = as_jmespath(path)
                self.templater.told[text] = name
        if not fields:
            declared = set(self.templater.told.values()) | self.declared
            fields = {free_name(name, declared): path for name, path in usual_fields(exchange.answer).items()}
        self.declared |= set(fields)
        step["expect"] = {"status": exchange.status, **({"fields": fields} if fields else {})}
        return step

    def request(self, exchange: Exchange) -> dict[str, Any]:
        """Return the template of one request; raise `InvalidInput` for a form that none can express."""
        if exchange.kind == OTHER:
            raise InvalidInput(
                f"{exchange.method} {exchange.path} sends its data in a form that a contract cannot express; only JSON and forms can be"
            )
        self.templater.started = exchange.started
        for value in (value for name, value in exchange.headers.items() if is_xsrf(name)):
            self.templater.told.setdefault(value, "portal_xsrf_token")
        step: dict[str, Any] = {"method": exchange.method, "url": self.templater.url(exchange.url)}
        headers = {name: value for name, value in exchange.headers.items() if name in KEPT_HEADERS}
        headers |= {name: "{{ portal_xsrf_token }}" for name in exchange.headers if is_xsrf(name)}
        if "authorization" in exchange.headers:
            headers["authorization"] = "{{ authorization }}"
        else:
            # Browsers leave cookies out of a record that is to be shared; the portal wants them all the same.
            headers["cookie"] = "{{ portal_cookie }}"
        step["headers"] = headers
        if exchange.kind == FORM:
            step["headers"].pop("content-type", None)
            step["body"] = {"$form": self.templater.body(exchange.body)}
        elif exchange.kind == JSON:
            step["body"] = self.templater.body(exchange.body)
        return step

    def _field_name(self, path: tuple[str | int, ...], taken: Mapping[str, str]) -> str:
        base = re.sub(r"[^a-z0-9]+", "_", str(path[-1]).lower()).strip("_") or "value"
        base = base if base[0].isalpha() else f"value_{base}"
        base = f"answer_{base}" if base in (*DESCRIBED, *KNOWN) and base != "id" else base
        return free_name(base, {*taken, *self.templater.told.values(), *self.declared})

    # -- checks -------------------------------------------------------------------------------------------------------

    def _check_complete(self) -> None:
        found = {("instance_url" if name == "instance_host" else name) for name in self.templater.found}
        missing = [option for option in TYPED if option in self.typed and option not in found]
        if missing:
            raise InvalidInput(
                f"{', '.join(missing)}: not found in what the wizard sent (found: {', '.join(o for o in TYPED if o in found)}). Give the "
                f"values exactly as they were typed; a value that the portal sends encrypted cannot be learned"
            )

    def _check_clean(self, contract: Mapping[str, Any]) -> None:
        """Refuse a contract that would still hold a typed value or a proof of the session."""
        operations = contract["operations"]
        text = "\n".join([json.dumps(operations, ensure_ascii=False), *strings(operations)])
        # The portal's own address can hold the name of an instance without meaning it.
        text = text.replace(operations["create"]["url"].partition("://")[2].split("/", 1)[0], "")
        left = [option for option, value in self.typed.items() if holds(text, option, value)]
        if left:
            raise InvalidInput(
                f"the wizard sends {', '.join(left)} in a further form that is not understood, so the contract would hold the value itself"
            )
        if any(secret in text for exchange in self.exchanges for secret in exchange.secrets):
            raise InvalidInput(
                "a request carries a cookie or token of the session in its address or body; a contract must not hold one"
            )

    def _summary(self, chain: list[Exchange], contract: Mapping[str, Any]) -> list[str]:
        used = sorted({*placeholders(dict(contract["operations"]))})
        lines = [f"connecting takes {len(chain)} request(s): " + ", ".join(f"{e.method} {e.path}" for e in chain)]
        lines.append(f"placeholders: {', '.join(used)}")
        lines.append(f"operations: {', '.join(contract['operations'])}")
        if self.templater.kept:
            lines.append(
                f"kept as captured although it looks made for the occasion: {len(self.templater.kept)} value(s); look at them in the contract"
            )
        lines.append("dropped: cookies, tokens, and every header but " + ", ".join(KEPT_HEADERS))
        return lines
