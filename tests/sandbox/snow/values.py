# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion of field values: from requests to stored values, and from those to responses.

See docs/facts/servicenow_platform.md#encrypted-columns, docs/facts/servicenow_platform.md#query-parameters,
docs/facts/servicenow_platform.md#records-on-the-wire, docs/facts/servicenow_platform.md#users.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .encrypted_fields import MASK, hash_password
from .instance import Instance
from .schema import Column
from .server_functions import FORMAT

UTC = ZoneInfo("UTC")


class Encoder:
    """Converts values of requests to stored values.

    With `display` (sysparm_input_display_value=true) values are display values: references and choices by their text,
    dates in the time zone `zone`, and encrypted columns are encrypted.
    """

    def __init__(self, instance: Instance, *, display: bool, zone: ZoneInfo = UTC) -> None:
        self._instance = instance
        self._display = display
        self._zone = zone

    def encode(self, column: Column, value: object) -> str | None:
        """Return the stored form; None leaves the column unchanged."""
        text = wire_text(value)
        if column.is_secret:
            return self._secret(column, text)
        if text == "":
            return ""
        if column.kind == "boolean":
            return "true" if text.lower() in ("true", "1", "yes") else "false"
        if column.kind == "integer" and not column.choices:
            return _integer(text)
        if column.choices:
            return self._choice(column, text)
        if column.reference and column.kind == "reference":
            return self._reference(column, text) if self._display else text
        if column.kind == "glide_date_time":
            return self._moment(text)
        return text[: column.max_length] if column.max_length else text

    def _secret(self, column: Column, text: str) -> str | None:
        knobs = self._instance.knobs
        if text == "":
            return ""
        if column.kind == "password":
            if not knobs.password_by_rest:
                return None
            # A raw write stores a password unhashed and so unusable (docs/facts/servicenow_platform.md#users).
            return hash_password(text) if self._display else text
        usable = self._display or not knobs.requires_input_display
        return self._instance.cipher.encrypt(text) if usable else text

    def _choice(self, column: Column, text: str) -> str | None:
        if self._display:
            by_label = {label.casefold(): value for value, label in column.choices.items()}
            if text.casefold() in by_label:
                return by_label[text.casefold()]
        if text in column.choices or self._instance.knobs.choice == "store":
            return text
        return None

    def _reference(self, column: Column, text: str) -> str | None:
        # A sys_id is not a display value, so it is not resolved here
        # (docs/facts/servicenow_platform.md#encrypted-columns).
        display = self._instance.database.schema.tables[column.reference].display
        found = self._instance.database.first(column.reference, display, text) if display else None
        return found["sys_id"] if found is not None else None

    def _moment(self, text: str) -> str | None:
        try:
            moment = datetime.strptime(text, FORMAT if " " in text else "%Y-%m-%d")
        except ValueError:
            return None
        if self._display:
            moment = moment.replace(tzinfo=self._zone).astimezone(UTC)
        return moment.strftime(FORMAT)


class ValueFormatter:
    """Converts stored values to values of responses."""

    def __init__(self, instance: Instance, *, zone: ZoneInfo = UTC) -> None:
        self._instance = instance
        self._zone = zone

    def value(self, column: Column, stored: str) -> str:
        """The value as returned by GET."""
        if column.is_secret:
            return self._secret(column, stored)
        return "" if column.kind == "journal_input" else stored

    def _secret(self, column: Column, stored: str) -> str:
        mode = self._instance.knobs.secret_mode
        if not stored or mode == "empty":
            return ""
        if mode == "masked":
            return MASK
        if column.kind == "password2" and self._instance.cipher.decrypt(stored) is None:
            # Never the plain text, even of a secret that was stored without encryption.
            return self._instance.cipher.encrypt(stored)
        return stored

    def display(self, column: Column, stored: str) -> str:
        """The display value."""
        if column.is_secret:
            return MASK if stored and self._instance.knobs.secret_mode != "empty" else ""
        if not stored or column.kind == "journal_input":
            return ""
        if column.choices:
            return column.choices.get(stored, stored)
        if column.reference and column.kind == "reference":
            return self.reference_text(column.reference, stored)
        if column.kind == "glide_date_time":
            return _in_zone(stored, self._zone)
        if column.kind == "integer" and stored.lstrip("-").isdecimal():
            return f"{int(stored):,}"
        return stored

    def reference_text(self, table: str, sys_id: str, depth: int = 4) -> str:
        """The display value of a row; a display column that is itself a reference is followed."""
        found = self._instance.database.find(table, sys_id)
        if found is None or not depth:
            return ""
        definition = self._instance.database.schema.tables[found[0]]
        stored = found[1].get(definition.display, "")
        column = definition.columns.get(definition.display)
        if column is not None and column.reference and stored:
            return self.reference_text(column.reference, stored, depth - 1)
        return stored


@lru_cache(maxsize=64)
def zone_named(name: str) -> ZoneInfo:
    """A time zone by name; UTC if it is unknown on this machine."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _in_zone(stored: str, zone: ZoneInfo) -> str:
    if zone is UTC:
        return stored
    return datetime.strptime(stored, FORMAT).replace(tzinfo=UTC).astimezone(zone).strftime(FORMAT)


def _integer(text: str) -> str | None:
    cleaned = text.replace(",", "").strip()
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?", cleaned):
        return None
    return str(int(float(cleaned)))


def wire_text(value: object) -> str:
    """The text of a JSON value as the platform reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        # A reference in the format of GET; the platform reads its value.
        return wire_text(value.get("value", value.get("display_value", "")))
    return str(value)
