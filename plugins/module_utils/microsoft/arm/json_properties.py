# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of Resource Manager as JSON documents: compared in part, changed in part, kept as a whole otherwise."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from ...engine.field import BOOLEAN, FALSE_WORDS, TRUE_WORDS, normal
from ...engine.snapshot import Row

DOCUMENT = "document"


def row_of(document: Mapping[str, Any], **columns: str) -> Row:
    """Return a document as a row of the engine."""
    return {"sys_id": str(document.get("name") or ""), DOCUMENT: json.dumps(document), **columns}


def document_of(row: Row | None) -> dict[str, Any]:
    """Return the document of a row, an empty one for None."""
    document: dict[str, Any] = json.loads(row[DOCUMENT]) if row else {}
    return document


def properties_of(row: Row | None) -> dict[str, Any]:
    """Return the part `properties` of a row's document."""
    properties = document_of(row).get("properties")
    return properties if isinstance(properties, dict) else {}


def holds(actual: Any, wanted: Any) -> bool:
    """Return whether `actual` has all that `wanted` says: mappings may have more, everything else is to be alike."""
    if isinstance(wanted, Mapping):
        return isinstance(actual, Mapping) and all(holds(actual.get(name), item) for name, item in wanted.items())
    if isinstance(wanted, list):
        return isinstance(actual, list) and len(actual) == len(wanted) and all(map(holds, actual, wanted))
    if isinstance(wanted, bool) or isinstance(actual, bool):
        return normal(BOOLEAN, actual) == normal(BOOLEAN, wanted)
    return actual == wanted or (actual is not None and wanted is not None and str(actual) == str(wanted))


def overlaid(actual: Any, wanted: Any) -> Any:
    """Return `actual` with what `wanted` says; what it does not mention stays, at any depth."""
    if not isinstance(wanted, Mapping) or not isinstance(actual, Mapping):
        return wanted
    return {**actual, **{name: overlaid(actual.get(name), item) for name, item in wanted.items()}}


def flag(value: Any) -> bool | None:
    """Return a boolean that the platform writes as a word (`True`, `False`), None for anything else."""
    word = str(value).strip().lower()
    return True if word in TRUE_WORDS else False if word in FALSE_WORDS - {""} else None


def own_id(scope: str, kind: str, name: str, taken: Collection[str]) -> str:
    """Return the GUID of a new object: the same in every run, so that a lost PUT can be sent again.

    An object that was renamed keeps its GUID, so one that is `taken` is passed over.
    """
    number = 0
    while True:
        words = f"{scope.casefold()}/{kind}/{name}" + (f"#{number}" if number else "")
        found = str(uuid.uuid5(uuid.NAMESPACE_URL, words))
        if found not in {other.casefold() for other in taken}:
            return found
        number += 1
