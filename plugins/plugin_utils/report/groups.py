# SPDX-License-Identifier: GPL-3.0-or-later
"""The findings of all hosts, equal ones once with the hosts that share them: what the page and the Markdown report list."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from .collect import UNREACHABLE
from .document import SEVERITIES, open_deviations
from .manual_steps import NAME, stem
from .objects import FAILED, OK
from .values import Json, identity, mappings

Hosts = Mapping[str, Mapping[str, Any]]
Key = TypeVar("Key", bound=Hashable)


def shared(rows: Iterable[tuple[str, Key, Json]]) -> list[Json]:
    """Return the rows of hosts with equal keys as one row with `hosts`, those of most hosts first.

    A row keeps the content of its first host.
    """
    contents: dict[Key, Json] = {}
    hosts: dict[Key, dict[str, None]] = {}
    for host, key, content in rows:
        contents.setdefault(key, content)
        hosts.setdefault(key, {})[host] = None
    found = [{**content, "hosts": list(hosts[key])} for key, content in contents.items()]
    return sorted(found, key=lambda row: -len(row["hosts"]))


def failures(hosts: Hosts) -> list[Json]:
    """Return why hosts failed or could not be reached: status, task and message."""
    rows = (
        (host, (failure["status"], stem(failure["message"], host)), dict(failure))
        for host, found in hosts.items()
        for failure in mappings(found["failures"])[-1:]
    )
    return sorted(_stemmed(shared(rows), "message"), key=lambda row: (FAILED, UNREACHABLE).index(row["status"]))


def problems(hosts: Hosts) -> list[Json]:
    """Return the problems, errors first: id, severity, message and remedy."""
    rows = (
        (host, (row["id"], row["severity"], stem(row["message"], host), stem(row["remedy"], host)), dict(row))
        for host, found in hosts.items()
        for row in mappings(found["problems"])
    )
    return sorted(_stemmed(shared(rows), "message", "remedy"), key=lambda row: _rank(SEVERITIES, row["severity"]))


def unproven(hosts: Hosts) -> list[Json]:
    """Return what could not be compared: object, kind, name, field and reason."""
    rows = (
        (host, (stem(row["object"], host), row["field"], stem(row["reason"], host)), dict(row))
        for host, found in hosts.items()
        for row in mappings(found["unproven"])
    )
    return _stemmed(shared(rows), "reason", "name", "object")


def deviations(hosts: Hosts) -> list[Json]:
    """Return the open deviations, but those of hardening settings, which `settings` lists with more."""
    return shared(
        (host, identity([row["object"], row["field"], row["before"], row["after"]]), row)
        for host, found in hosts.items()
        for row in _but_settings(found)
    )


def _but_settings(found: Mapping[str, Any]) -> Iterator[Json]:
    known = {row["id"] for row in mappings(found.get("settings"))}
    yield from (row for row in open_deviations(found) if row["kind"] != "setting" or row["name"] not in known)


def tokens(hosts: Hosts) -> list[Json]:
    """Return refresh tokens and secrets, those that end first at the top; those that end on the same day are one row."""
    rows = shared(
        (host, (row["kind"], row["of"], stem(row["name"], host), row["days_left"], row["ended_days_ago"]), dict(row))
        for host, found in hosts.items()
        for row in mappings(found["tokens"])
    )
    return sorted(_stemmed(rows, "name"), key=time_left)


def time_left(token: Mapping[str, Any]) -> float:
    """Return the days that a token has left, to find the one that ends first: negative once it has ended, infinite if unknown."""
    if token["ended_days_ago"] is not None:
        return -float(token["ended_days_ago"]) - 1
    return float("inf") if token["days_left"] is None else float(token["days_left"])


def by_tenant(hosts: Hosts) -> tuple[Hosts, Hosts]:
    """Return the instances, and the tenants apart from them."""
    tenants = {name: host for name, host in hosts.items() if host.get("tenant")}
    return {name: host for name, host in hosts.items() if name not in tenants}, tenants


def in_sync_settings(hosts: Hosts) -> dict[str, list[str]]:
    """Return by id of a setting the hosts on which it is in sync; one whose deviation is accepted is not."""
    found: dict[str, list[str]] = {}
    for host, content in hosts.items():
        known = {row["id"] for row in mappings(content.get("settings"))}
        for row in content["objects"]:
            if row["kind"] == "setting" and row["status"] == OK and row["name"] not in known:
                found.setdefault(row["name"], []).append(host)
    return found


def _stemmed(rows: list[Json], *texts: str) -> list[Json]:
    """Return rows whose texts do not name one of several hosts."""
    return [
        row if len(row["hosts"]) == 1 else {**row, **{key: stem(row[key], row["hosts"][0], NAME) for key in texts}}
        for row in rows
    ]


def _rank(order: tuple[str, ...], value: str) -> int:
    return order.index(value) if value in order else len(order)
