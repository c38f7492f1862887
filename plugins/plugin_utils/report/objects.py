# SPDX-License-Identifier: GPL-3.0-or-later
"""The managed objects in a result: kind, name and status."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .values import mappings

COLLECTION = "secops.servicenow_defender."
# Modules that compare objects without managing them; their rows are objects of the report as well.
COMPARES = frozenset({f"{COLLECTION}snow_drift_info"})
MODULE = re.compile("^(snow|mda|mdc|graph|entra)_")

OK, DRIFT, UNPROVEN, FAILED = "ok", "drift", "unproven", "failed"

# The key under which a module of one object returns it, with the columns of its name.
NOUNS = {
    "oauth_application": ("name", "client_id"),
    "user": ("user_name", "name"),
    "role": ("name",),
    "record": ("number", "name", "sys_id"),
    "plan": ("name",),
    "integration": ("display_name", "name"),
    "governance_rule": ("display_name", "name"),
    "update_set": ("name",),
}
# Prefixes of object labels: the nouns, and the kinds of bulk modules.
KINDS = NOUNS.keys() | {
    "alert",
    "application",
    "assignment",
    "connector",
    "control",
    "exemption",
    "ip_range",
    "plugin",
    "policy",
    "problem",
    "property",
    "setting",
    "table_acl",
    "tenant",
    "ticket",
    "token",
}
ROW_NAMES = ("name", "display_name", "id", "table", "scope", "recommendation", "correlation_id", "number")

# Statuses of a row of a bulk module other than "in sync".
VERDICTS = {
    "failed": FAILED,
    "refused": FAILED,
    "not_entitled": FAILED,
    "drift": DRIFT,
    "manual": DRIFT,
    "missing": DRIFT,
    "needs_elevation": DRIFT,
    "request_only": DRIFT,
    "withheld": DRIFT,
    "unknown": UNPROVEN,
}


class ObjectId(NamedTuple):
    """The identity of an object in all tasks of a run."""

    kind: str
    name: str

    @property
    def label(self) -> str:
        """The label of the object: kind and name."""
        return f"{self.kind} {self.name}".strip()


def full_name(action: str) -> str:
    """Return the full name of a module; short names of this collection are completed."""
    return COLLECTION + action if MODULE.match(action) else action


def kind_of_module(action: str) -> str:
    """Return what a module of this collection manages: `snow_properties`, with its full name, gives `property`."""
    if not action.startswith(COLLECTION):
        return "other"
    noun = MODULE.sub("", action.removeprefix(COLLECTION)).removesuffix("_info")
    if noun == "instance" or noun == "drift":
        # Of all objects of an instance, only generic records are labelled without a kind: `<table> <key>`.
        return "record"
    return re.sub(r"ies$", "y", noun) if noun.endswith("ies") else noun.removesuffix("s")


def identify(label: str, action: str) -> ObjectId:
    """Return kind and name of the label of a drift entry, such as `user svc_defender`.

    A label without a kind has the kind of the module.
    """
    kind, _space, name = label.strip().partition(" ")
    return ObjectId(kind, name) if kind in KINDS and name else ObjectId(kind_of_module(action), label.strip())


def reported_objects(result: Mapping[str, Any], action: str) -> Iterator[tuple[ObjectId, str]]:
    """Yield each object that `result` of a module names besides its drift, with `ok`, `drift`, `unproven` or `failed`.

    Sources: `objects` (`{object, status}` or plain labels), the rows of a bulk module's `results`, and the one noun of
    a module of one object. Info modules do not manage objects, so their results are not objects of the report, but those of `COMPARES`.
    """
    listed = result.get("objects")
    if isinstance(listed, list):
        yield from _listed(listed, action)
    if not action.startswith(COLLECTION) or (action.endswith("_info") and action not in COMPARES):
        return
    for row in mappings(result.get("results")):
        found = _row(row, action)
        if found:
            yield found
    # With drift, the entry names the object, possibly by another label than its columns.
    if not result.get("drift") and action not in COMPARES:
        yield from _nouns(result)


def _listed(listed: list[Any], action: str) -> Iterator[tuple[ObjectId, str]]:
    for entry in listed:
        if isinstance(entry, str):
            yield identify(entry, action), OK
        elif isinstance(entry, Mapping):
            found = _row(entry, action)
            if found:
                yield found


def _row(row: Mapping[str, Any], action: str) -> tuple[ObjectId, str] | None:
    status = VERDICTS.get(str(row.get("status", "")), OK)
    if isinstance(row.get("object"), str):
        return identify(row["object"], action), status
    name = next((str(row[key]) for key in ROW_NAMES if isinstance(row.get(key), (str, int)) and row[key] != ""), "")
    return (ObjectId(kind_of_module(action), name), status) if name else None


def _nouns(result: Mapping[str, Any]) -> Iterator[tuple[ObjectId, str]]:
    for noun, columns in NOUNS.items():
        columns_of = result.get(noun)
        if isinstance(columns_of, Mapping):
            name = next((str(columns_of[column]) for column in columns if columns_of.get(column)), "")
            if name:
                yield ObjectId(noun, name), OK
