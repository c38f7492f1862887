# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as the file `drift.json`: of an object in sync only its name, so that the file of a large fleet stays small."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .document import SCHEMA
from .objects import OK, ObjectId
from .values import Json, encode, mappings, texts

# Earlier versions of the file that can be read: in 1, each object in sync is an entry of `objects`.
READABLE = (1, SCHEMA)
ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def to_json(document: Mapping[str, Any]) -> bytes:
    """Return the report as `drift.json`: every list sorted, an entry in each line, so that two reports compare line by line.

    `objects` of a host holds those that are not in sync, or were repaired; `in_sync` the names of the others by kind.
    """
    hosts = document.get("hosts")
    if isinstance(hosts, Mapping):
        document = {**document, "hosts": {name: _shortened(host) for name, host in hosts.items()}}
    return encode(_json_lines(document, "\n") + "\n")


def from_json(content: bytes) -> Json | None:
    """Return the report in a file, with each object as an entry; None if it is no report or of a version that is not known.

    Raises ValueError for what is not JSON.
    """
    try:
        document = json.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(document, dict) or document.get("schema") not in READABLE:
        return None
    hosts = document.get("hosts")
    if isinstance(hosts, dict):
        document["hosts"] = {name: _whole(host) for name, host in hosts.items()}
    return {**document, "schema": SCHEMA}


def _in_sync(kind: str, name: str) -> Json:
    label = ObjectId(kind, name).label
    return {"object": label, "kind": kind, "name": name, "status": OK, "deviations": 0, "repaired": 0}


def _shortened(host: Any) -> Any:
    """Return a host without the objects of which nothing but kind and name is worth a line."""
    if not isinstance(host, Mapping) or not isinstance(host.get("objects"), list):
        return host
    rows: list[Any] = []
    names: dict[str, list[str]] = {}
    for row in host["objects"]:
        kind, name = (row.get("kind"), row.get("name")) if isinstance(row, Mapping) else (None, None)
        if isinstance(kind, str) and isinstance(name, str) and row == _in_sync(kind, name):
            names.setdefault(kind, []).append(name)
        else:
            rows.append(row)
    shortened: Json = {}
    for key, value in host.items():
        shortened |= {"objects": rows, "in_sync": names} if key == "objects" else {key: value}
    return shortened


def _whole(host: Any) -> Any:
    """Return a host with an entry for each object, in the order of a new report."""
    names = host.get("in_sync") if isinstance(host, dict) else None
    if not isinstance(names, dict):
        return host
    rows = mappings(host.get("objects"))
    rows += [_in_sync(kind, name) for kind, listed in names.items() for name in texts(listed)]
    rows.sort(key=lambda row: (str(row.get("kind")), str(row.get("name"))))
    return {**{key: value for key, value in host.items() if key != "in_sync"}, "objects": rows}


def _json_lines(value: Any, newline: str) -> str:
    inner = f"{newline}  "
    if isinstance(value, Mapping) and value:
        entries = [f"{ENCODER.encode(key)}: {_json_lines(each, inner)}" for key, each in value.items()]
        return f"{{{inner}{f',{inner}'.join(entries)}{newline}}}"
    if isinstance(value, list) and any(not isinstance(each, str) for each in value):
        rows = [ENCODER.encode(each) for each in value]
        return f"[{inner}{f',{inner}'.join(rows)}{newline}]"
    return ENCODER.encode(value)
