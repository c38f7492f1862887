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


def row_of(document: Mapping[str, Any], **columns: Any) -> Row:
    """Return a document as a row of the engine."""
    return {"id": str(document.get("name") or ""), DOCUMENT: document, **columns}


def document_of(row: Row | None) -> Mapping[str, Any]:
    """Return the document of a row, an empty one for None."""
    document: Mapping[str, Any] = row[DOCUMENT] if row else {}
    return document


def properties_of(row: Row | None) -> Mapping[str, Any]:
    """Return the part `properties` of a row's document."""
    properties = document_of(row).get("properties")
    return properties if isinstance(properties, Mapping) else {}


def text_of(value: Any) -> str:
    """Return a property that the platform keeps as a string: `True`, digits, or compact JSON of a structure.

    See docs/facts/defender_for_cloud.md#plans.
    """
    if isinstance(value, (Mapping, list)):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if isinstance(value, bool):
        return "True" if value else "False"
    return "" if value is None else str(value)


def same_text(actual: Any, wanted: Any) -> bool:
    """Return whether two properties mean the same as strings: structures in any notation, booleans in any case, none as ""."""
    return bool(_meaning(actual) == _meaning(wanted))


def _meaning(value: Any) -> Any:
    text = text_of(value).strip()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text.casefold() if text.casefold() in ("true", "false") else text
    return found if isinstance(found, (dict, list)) else text.casefold() if isinstance(found, bool) else text


def contains(actual: Any, wanted: Any) -> bool:
    """Return whether `actual` has everything in `wanted`: mappings may have more, all other values have to be equal."""
    if isinstance(wanted, Mapping):
        return isinstance(actual, Mapping) and all(contains(actual.get(name), item) for name, item in wanted.items())
    if isinstance(wanted, list):
        return isinstance(actual, list) and len(actual) == len(wanted) and all(map(contains, actual, wanted))
    if isinstance(wanted, bool) or isinstance(actual, bool):
        return normal(BOOLEAN, actual) == normal(BOOLEAN, wanted)
    return actual == wanted or (actual is not None and wanted is not None and str(actual) == str(wanted))


def merge_patch(actual: Any, patch: Any) -> Any:
    """Return `actual` with the values of `patch`; what `patch` does not mention stays, at any depth. A null is a value."""
    if not isinstance(patch, Mapping) or not isinstance(actual, Mapping):
        return patch
    return {**actual, **{name: merge_patch(actual.get(name), item) for name, item in patch.items()}}


def flag(value: Any) -> bool | None:
    """Return a boolean that the platform writes as a word (`True`, `False`), None for anything else."""
    word = str(value).strip().lower()
    return True if word in TRUE_WORDS else False if word in FALSE_WORDS - {""} else None


def new_id(scope: str, kind: str, name: str, taken: Collection[str]) -> str:
    """Return the GUID of a new object: the same in every run, so that a PUT without a response can be sent again.

    A renamed object keeps its GUID, so one that is `taken` is skipped.
    """
    number = 0
    while True:
        words = f"{scope.casefold()}/{kind}/{name}" + (f"#{number}" if number else "")
        found = str(uuid.uuid5(uuid.NAMESPACE_URL, words))
        if found not in {other.casefold() for other in taken}:
            return found
        number += 1
