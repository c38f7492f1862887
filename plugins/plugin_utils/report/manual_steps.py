# SPDX-License-Identifier: GPL-3.0-or-later
"""Manual steps of all hosts: those that differ only in the instance are one, with the values that each instance has of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .values import Json, identity, mappings, text

# What stands for the name of a host in a text that several share.
NAME = "the instance"


def stem(content: str, host: str, name: str = "\0") -> str:
    """Return `content` with `name` in place of the name of `host`, so that texts that differ only in it are equal."""
    if not host or host not in content:
        return content
    return re.sub(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", lambda _found: name, content)


def manual_steps(hosts: Mapping[str, Mapping[str, Any]]) -> list[Json]:
    """Return the manual steps, those of most hosts first.

    Each has title, reason, where, `hosts`, `secret_values`, the `values` that all hosts share, and in `each` the other values by
    host as `{"host", "values"}`.
    """
    groups: dict[tuple[Any, ...], list[tuple[str, Json]]] = {}
    for host, found in hosts.items():
        for step in mappings(found["manual_steps"]):
            texts = tuple(stem(step[key], host) for key in ("title", "reason", "where"))
            key = (stem(step["id"], host), *texts, tuple(step["values"]), tuple(step["secret_values"]))
            groups.setdefault(key, []).append((host, step))
    return [_group(rows) for rows in sorted(groups.values(), key=lambda rows: -len(rows))]


def _group(rows: list[tuple[str, Json]]) -> Json:
    host, first = rows[0]
    hosts = list(dict.fromkeys(host for host, _step in rows))
    # A secret value is masked already, and never shown.
    labels = [label for label in first["values"] if label not in first["secret_values"]]
    equal = {label for label in labels if len({identity(step["values"][label]) for _host, step in rows}) == 1}
    own = [label for label in labels if label not in equal]
    texts = {key: first[key] for key in ("title", "reason", "where")}
    if len(hosts) > 1:
        texts = {key: stem(value, host, "each instance" if key == "title" else NAME) for key, value in texts.items()}
    return {
        "title": texts["title"] or first["id"],
        "reason": texts["reason"],
        "where": texts["where"],
        "hosts": hosts,
        "values": {label: first["values"][label] for label in labels if label in equal},
        "each": [
            {"host": name, "values": {label: step["values"][label] for label in own}} for name, step in rows if own
        ],
        "secret_values": list(first["secret_values"]),
    }


def lines(value: Any) -> list[Any]:
    """Return a value to enter as the lines to copy: the entries of a list one by one."""
    if isinstance(value, list) and value and not any(isinstance(entry, (dict, list)) for entry in value):
        return [entry if isinstance(entry, str) else text(entry) for entry in value]
    return [value]
