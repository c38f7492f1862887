# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds a contract from a browser's recording of one connection or policy that was entered manually."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ..contract import KNOWN, VERSION, parse
from ..template import escape, placeholder, unescape
from .har import FORM, JSON, OTHER, Exchange, is_xsrf, read_har
from .har_analysis import (
    app_ids,
    default_fields,
    format_time,
    is_in_list,
    jmespath_of,
    operation_of,
    random_request_values,
    random_response_values,
    unique_name,
)
from .learned import KEPT_HEADERS, LearnedContract, summary
from .other_operations import LIST_PATH, find_other_operations
from .templater import Templater, decoded_strings
from .wizard_input import (
    CONNECTOR,
    INPUT_OPTIONS,
    TARGETS,
    contains_value,
    encoded_forms,
    validate_input,
    without_host,
)


def learn(har: str, name: str, values: Mapping[str, str], target: str = CONNECTOR) -> LearnedContract:
    """Return the contract of what was created in `har`. `values`: what the user entered, by option; `target`: what it creates.

    Raises `InvalidInput`, which never contains an entered value, cookie or token, when the recording does not suffice.
    """
    user_input = validate_input(values, target)
    return ContractBuilder(read_har(har), name, user_input, target).build()


class ContractBuilder:
    """Builds one contract from one recording."""

    def __init__(self, exchanges: list[Exchange], name: str, user_input: dict[str, str], target: str) -> None:
        self.exchanges, self.name, self.user_input, self.target = exchanges, name, user_input, target
        self.kind = TARGETS[target]
        self.noun = self.kind.noun
        self.templater = Templater(user_input)
        self.declared: set[str] = set()

    def build(self) -> LearnedContract:
        """Return the contract; raise `InvalidInput` if the recording does not suffice."""
        wizard = self._wizard_requests()
        host = wizard[0].host
        self._check_unambiguous(wizard)
        creating = self._with_dependencies(wizard)
        steps = [self._step(exchange, creating) for exchange in creating]
        self._check_all_matched()
        operations: dict[str, Any] = {"create": {**steps[0], **({"then": steps[1:]} if steps[1:] else {})}}
        operations.update(find_other_operations(self, host, creating))
        contract: dict[str, Any] = {
            "contract": VERSION,
            "name": self.name,
            "target": self.target,
            "captured_at": format_time(creating[-1].started),
            "operations": operations,
        }
        self._check_no_secrets(contract)
        parse(contract, self.target)
        return LearnedContract(contract, summary(self.noun, creating, contract, len(self.templater.unresolved)))

    # -- which requests -----------------------------------------------------------------------------------------------

    def _wizard_requests(self) -> list[Exchange]:
        """Return the requests with entered values, on the one host that gets most of them, without repetitions."""
        entered: dict[int, set[str]] = {}
        for exchange in self.exchanges:
            if exchange.writes and not LIST_PATH.search(exchange.path):
                found = self.entered_options(exchange)
                if found:
                    entered[exchange.index] = found
        self._check_app(entered)
        if not entered:
            raise InvalidInput(self._wizard_missing())
        by_host: dict[str, set[str]] = {}
        for index, found in entered.items():
            by_host.setdefault(self.exchanges[index].host, set()).update(found)
        host = max(by_host, key=lambda one: len(by_host[one]))
        wanted = [self.exchanges[index] for index in entered if self.exchanges[index].host == host]
        good = [exchange for exchange in wanted if exchange.succeeded]
        if not good:
            statuses = ", ".join(sorted({str(exchange.status) for exchange in wanted}))
            raise InvalidInput(
                f"the portal refused every request of the wizard (status {statuses}). Record a {self.noun} that succeeds"
            )
        # The last of repeated attempts counts. Requests after all values were sent belong to another operation.
        requests: list[Exchange] = []
        sent: set[str] = set()
        for exchange in sorted({(one.method, one.path): one for one in good}.values(), key=lambda one: one.index):
            if sent < by_host[host]:
                requests.append(exchange)
                sent |= entered[exchange.index]
        return requests

    def entered_options(self, exchange: Exchange) -> set[str]:
        """Return the options whose entered values a request contains."""
        probe = Templater(self.user_input)
        probe.url(exchange.url)
        probe.body(exchange.body)
        raw = exchange.raw if exchange.kind == OTHER else ""
        in_raw = {n for n, v in self.user_input.items() if raw and any(f in raw for f in encoded_forms(v))}
        return without_host(probe.matched | in_raw)

    def _wizard_missing(self) -> str:
        writing = sum(exchange.writes for exchange in self.exchanges)
        return (
            f"the recording does not show the wizard: of its {len(self.exchanges)} requests, {writing} can change something, and none "
            f"contains any of {', '.join(n for n in INPUT_OPTIONS if n in self.user_input)}. Start recording before the wizard is opened, stop when "
            f"the portal shows the {self.noun}, and give the values exactly as entered"
        )

    def _check_app(self, entered: Mapping[int, set[str]]) -> None:
        """Refuse the wizard of another app, by the app id in its requests."""
        wanted = self.kind.app_id
        if not wanted:
            return
        suspects = [self.exchanges[index] for index in entered] or [
            exchange for exchange in self.exchanges if exchange.writes and "connector" in exchange.path
        ]
        ids = {number for exchange in suspects for number in app_ids(exchange)}
        if ids and wanted not in ids:
            raise InvalidInput(
                f"the recording shows the {self.noun} of another app ({', '.join(map(str, sorted(ids)))}); ServiceNow is {wanted}"
            )

    def _check_unambiguous(self, wizard: list[Exchange]) -> None:
        """Refuse values that occurred before they were entered: the portal may have sent them by itself."""
        # A failed attempt of the wizard contains entered values, too.
        requests = {(one.method, one.path) for one in wizard}
        first = min(one.index for one in self.exchanges if (one.method, one.path) in requests)
        seen: dict[str, str] = {}
        for exchange in self.exchanges[:first]:
            if exchange.host == wizard[0].host:
                for part in (exchange.body, exchange.response):
                    for text in decoded_strings(part):
                        seen.setdefault(text, exchange.path)
        # Where the list shows addresses, one without scheme says that the instance was connected before.
        shown = ("instance_host",) if self.kind.is_listed_by_address else ()
        for option in (*INPUT_OPTIONS, *shown):
            value = self.user_input.get(option)
            if value in seen and value is not None:
                raise InvalidInput(
                    f"{option} is ambiguous: its value occurred ({seen[value]}) before it was entered. Record a new {self.noun}, "
                    f"with a value that occurs nowhere else"
                )

    # -- dependencies -------------------------------------------------------------------------------------------------

    def _with_dependencies(self, wizard: list[Exchange]) -> list[Exchange]:
        """Add the requests whose responses the wizard needs, and those that continue with values of its responses."""
        members = {exchange.index: exchange for exchange in wizard}
        pending = list(wizard)
        while pending:
            exchange = pending.pop()
            for text in random_request_values(exchange):
                source = self._source_of(text, exchange)
                if source and source.index not in members:
                    members[source.index] = source
                    pending.append(source)
        last = max(exchange.index for exchange in wizard)
        ids = {text for exchange in members.values() for _path, text in random_response_values(exchange)}
        done = {(exchange.method, exchange.path) for exchange in members.values()}
        for exchange in self.exchanges:
            request = (exchange.method, exchange.path)
            follows = self._can_follow(exchange, wizard[0]) and request not in done
            if follows and ids & set(random_request_values(exchange)):
                members[exchange.index] = exchange
                done.add(request)
        return [members[index] for index in sorted(members) if members[index].index <= last or members[index].writes]

    def _can_follow(self, exchange: Exchange, first: Exchange) -> bool:
        return (
            exchange.index > first.index
            and exchange.host == first.host
            and exchange.writes
            and exchange.succeeded
            and not LIST_PATH.search(exchange.path)
            and operation_of(exchange) == ""
            and not self.entered_options(exchange)
        )

    def _source_of(self, text: str, before: Exchange) -> Exchange | None:
        """Return the request whose response contained `text` first; None for a value that the browser generated."""
        for exchange in self.exchanges[: before.index]:
            if exchange.host != before.host or exchange is before:
                continue
            if text in random_request_values(exchange):
                return None
            # A position in a list can hold another value tomorrow.
            if any(found == text and not is_in_list(path) for path, found in random_response_values(exchange)):
                return exchange
        return None

    # -- templates ----------------------------------------------------------------------------------------------------

    def _step(self, exchange: Exchange, creating: list[Exchange]) -> dict[str, Any]:
        step = self.request_template(exchange)
        names = self.templater.response_values
        needed = {text for one in creating if one.index > exchange.index for text in random_request_values(one)}
        fields: dict[str, str] = {}
        for path, text in random_response_values(exchange):
            if text in needed and text not in names and not is_in_list(path):
                name = self._field_name(path, fields)
                fields[name] = jmespath_of(path)
                names[text] = name
        if not fields:
            declared = set(names.values()) | self.declared
            fields = {unique_name(name, declared): path for name, path in default_fields(exchange.response).items()}
        self.declared |= set(fields)
        step["expect"] = {"status": exchange.status, **({"fields": fields} if fields else {})}
        return step

    def request_template(self, exchange: Exchange) -> dict[str, Any]:
        """Return the template of one request; raise `InvalidInput` for a body that is neither JSON nor a form."""
        if exchange.kind == OTHER:
            raise InvalidInput(
                f"{exchange.method} {exchange.path} sends a body that a contract cannot express; only JSON and forms are supported"
            )
        self.templater.started = exchange.started
        for value in (value for name, value in exchange.headers.items() if is_xsrf(name)):
            self.templater.response_values.setdefault(value, "portal_xsrf_token")
        step: dict[str, Any] = {"method": exchange.method, "url": self.templater.url(exchange.url)}
        headers = {name: escape(value) for name, value in exchange.headers.items() if name in KEPT_HEADERS}
        headers |= {name: placeholder("portal_xsrf_token") for name in exchange.headers if is_xsrf(name)}
        if "authorization" in exchange.headers:
            headers["authorization"] = placeholder("authorization")
        else:
            # Browsers leave cookies out of a recording that is to be shared; the portal requires them all the same.
            headers["cookie"] = placeholder("portal_cookie")
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
        base = f"answer_{base}" if base in KNOWN and base != "id" else base
        return unique_name(base, {*taken, *self.templater.response_values.values(), *self.declared})

    # -- checks -------------------------------------------------------------------------------------------------------

    def _check_all_matched(self) -> None:
        found = without_host(self.templater.matched)
        missing = [option for option in INPUT_OPTIONS if option in self.user_input and option not in found]
        if missing:
            raise InvalidInput(
                f"{', '.join(missing)}: not found in the requests of the wizard (found: {', '.join(o for o in INPUT_OPTIONS if o in found)}). "
                f"Give the values exactly as entered; a value that the portal sends encrypted cannot be learned"
            )

    def _check_no_secrets(self, contract: Mapping[str, Any]) -> None:
        """Refuse a contract that would still contain an entered value or a credential of the session."""
        operations = contract["operations"]
        text = "\n".join([json.dumps(operations, ensure_ascii=False), *decoded_strings(operations)])
        text = f"{text}\n{unescape(text)}"
        # The portal's own address can contain the name of an instance by chance.
        text = text.replace(operations["create"]["url"].partition("://")[2].split("/", 1)[0], "")
        left = [option for option, value in self.user_input.items() if contains_value(text, option, value)]
        if left:
            raise InvalidInput(
                f"the wizard also sends {', '.join(left)} in an unknown encoding, so the contract would contain the value itself"
            )
        if any(secret in text for exchange in self.exchanges for secret in exchange.secrets):
            raise InvalidInput("a request carries a cookie or token of the session, which a contract must not contain")
