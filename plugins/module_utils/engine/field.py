# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of a resource, and how their values compare.

Platforms answer in strings (`"true"`, `"3600"`); both sides are brought to that wire form before they are compared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..secret_names import SECRET_NAME
from .result import ON_PLATFORM

TEXT, INTEGER, BOOLEAN, LIST = "text", "integer", "boolean", "list"
TRUE_WORDS = frozenset({"true", "1", "yes", "on"})
WHOLE_NUMBER = re.compile(r"(-?[0-9]{1,30})(?:\.0{1,10})?")
FALSE_WORDS = frozenset({"false", "0", "no", "off", ""})


@dataclass(frozen=True)
class Reference:
    """The field holds the id of a row of `collection` that users name by its column `by`."""

    collection: str
    by: str


@dataclass(frozen=True)
class Field:
    """One thing a user sets: option `name`, column `wire` (the same unless given).

    `choices` maps option values to column values. `secret` makes the field write-only and names the check whether the
    platform holds the given value ("" when there is none). `without_column` is the option value that a release without
    this column already has.
    """

    name: str
    wire: str = ""
    kind: str = TEXT
    choices: Mapping[str, str] = field(default_factory=dict)
    reference: Reference | None = None
    secret: str | None = None
    without_column: str | None = None

    @property
    def column(self) -> str:
        """The column that holds this field."""
        return self.wire or self.name

    def to_wire(self, value: Any) -> str:
        """Return `value` as the platform stores it."""
        if self.choices:
            return self.choices.get(str(value), str(value))
        return normal(self.kind, value)

    @property
    def hidden(self) -> bool:
        """Whether no result may show its value: the column is named like one that holds a secret."""
        return self.secret is not None or (self.kind in (TEXT, INTEGER) and bool(SECRET_NAME.search(self.column)))

    def from_wire(self, value: str) -> str:
        """Return a column's value as the option has it, masked if it may be a secret."""
        if value and self.hidden:
            return ON_PLATFORM
        return next((name for name, wire in self.choices.items() if wire == value), value)


def wire_text(value: Any) -> str:
    """Return any scalar as the platform would print it: `True` is `true`, None is empty."""
    if isinstance(value, str):  # as nearly all values are
        return str(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(wire_text(item).strip() for item in value)
    return str(value)


def normal(kind: str, value: Any) -> str:
    """Return `value` in the normal form for comparing values of `kind`; what does not fit its kind is returned as text."""
    text = wire_text(value)
    if kind == BOOLEAN:
        word = text.strip().lower()
        return "true" if word in TRUE_WORDS else "false" if word in FALSE_WORDS else text
    if kind == INTEGER:
        found = WHOLE_NUMBER.fullmatch(text.strip().replace(",", ""))
        return str(int(found[1])) if found else text
    if kind == LIST:
        return ",".join(part.strip() for part in text.split(",") if part.strip())
    return text


def without_decimals(text: str) -> str:
    """Return a whole number that is written with decimals, such as `3.0`, without them; any other text as it is."""
    found = WHOLE_NUMBER.fullmatch(text) if "." in text else None
    return found[1] if found else text


def kind_of(value: Any) -> str:
    """Return the kind that a value of a free-form option (`extra_fields`, `values`) is compared as."""
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int):
        return INTEGER
    if isinstance(value, (list, tuple)):
        return LIST
    return TEXT


def typed(field: Field, value: Any) -> Any:
    """Return a field's value as a Python value of its kind; what does not fit stays text."""
    text = normal(field.kind, value)
    if field.kind == BOOLEAN and text in ("true", "false"):
        return text == "true"
    if field.kind == INTEGER and WHOLE_NUMBER.fullmatch(text):
        return int(text)
    if field.kind == LIST:
        return [part for part in text.split(",") if part]
    return value
