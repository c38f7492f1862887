# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated ServiceNow instance: its rows, its clock, its knobs."""

from __future__ import annotations

import random
import secrets
import string
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from hashlib import blake2b
from typing import Any

from ..settings import as_json
from ..web import Call
from . import packages
from .base_data import base_rows
from .data.applications import NUMBERS
from .encrypted_fields import Cipher, hash_password
from .knobs import Knobs
from .matching import Matcher, QueryContext
from .query import parse
from .schema import schema_of
from .server_functions import FORMAT
from .store import Database, Row

ADMIN = "admin"
AUTOMATION = "svc_ansible"
_ALPHABET = string.ascii_letters + string.digits


class Instance:
    """The state of one instance. Requests are answered by `router`."""

    def __init__(self, name: str, knobs: Knobs, seed: int = 0) -> None:
        self.name = name
        self.knobs = knobs
        self.seed = seed
        self.chance = random.Random(f"{seed}:{name}")
        self.database = Database(schema_of(knobs.release), base_rows(knobs.release))
        self.cipher = Cipher(name)
        self.cipher_name = name
        """The instance whose key encrypts, which a clone has from its source."""
        self.sessions: dict[str, tuple[str, float]] = {}
        """Cookie sessions: id -> (sys_id of the user, end as epoch seconds)."""
        self.elevated_sessions: set[str] = set()
        """Cookie sessions with an elevated role."""
        self.used_assertions: dict[str, float] = {}
        self.operations: dict[str, Any] = {}
        """Running CI/CD operations by progress id."""
        self.undo: dict[str, Any] = {}
        """What backing out a committed update set restores, by the sys_id of its local copy."""
        self.peer: Callable[[str], Instance | None] = lambda _url: None
        """The instance at a URL, as far as this one can reach it."""
        self._next_numbers: dict[tuple[str, str], int] = {}
        self.on_inner: Callable[[Call], None] | None = None
        for user_name in (ADMIN, AUTOMATION):
            self._set_password(user_name)
        self.set_property("instance_name", name)

    def password(self, user_name: str) -> str:
        """The password of a built-in account on this instance; derived from the seed."""
        digest = blake2b(f"{self.seed}:{self.name}:{user_name}".encode(), digest_size=24).digest()
        return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest)

    def _set_password(self, user_name: str) -> None:
        user = self.user_named(user_name)
        if user is not None:
            self.database.put("sys_user", {**user, "user_password": hash_password(self.password(user_name))})

    def now(self) -> float:
        """The instance's clock in epoch seconds."""
        return time.time() + self.knobs.time_shift

    def moment(self) -> datetime:
        """The instance's clock, UTC, to the second."""
        return datetime.fromtimestamp(int(self.now()), timezone.utc).replace(tzinfo=None)

    def timestamp(self) -> str:
        """The instance's clock in the platform's format."""
        return self.moment().strftime(FORMAT)

    def user_named(self, user_name: str) -> Row | None:
        """The user with a user name, case-insensitive."""
        return self.database.first("sys_user", "user_name", user_name) if user_name else None

    def property(self, name: str, fallback: str = "") -> str:
        """The value of a system property, or its default if it has no row."""
        row = self.database.first("sys_properties", "name", name)
        return row.get("value", "") if row is not None else fallback

    def is_on(self, name: str, fallback: bool = False) -> bool:
        """Whether a true/false property is true."""
        return self.property(name, str(fallback)).lower() == "true"

    def set_property(self, name: str, value: str | None) -> None:
        """Write a property out of band; None removes its row."""
        row = self.database.first("sys_properties", "name", name)
        if value is None:
            if row is not None:
                self.database.remove("sys_properties", row["sys_id"])
            return
        fresh = {"sys_id": self.new_id(), "name": name, "type": "string", "sys_class_name": "sys_properties"}
        written = {**(row or {**fresh, **self.stamps("system")}), "value": value}
        self.database.put("sys_properties", {column: text for column, text in written.items() if text != ""})

    def plugin_is_active(self, plugin: str) -> bool:
        """Whether a plugin is active."""
        row = self.database.first("v_plugin", "id", plugin)
        return row is not None and row.get("active") in ("active", "true")

    def count_inner(self, call: Call) -> None:
        """Count a request inside a batch."""
        if self.on_inner is not None:
            self.on_inner(call)

    def stamps(self, user_name: str) -> Row:
        """The audit columns of a new row."""
        now = self.timestamp()
        return {
            "sys_created_by": user_name,
            "sys_created_on": now,
            "sys_updated_by": user_name,
            "sys_updated_on": now,
            "sys_mod_count": "0",
        }

    @staticmethod
    def new_id() -> str:
        """A fresh sys_id."""
        return secrets.token_hex(16)

    def query_context(self, user_id: str = "", user_name: str = "system") -> QueryContext:
        """The context of a query; by default that of the platform itself."""
        return QueryContext(user_id, user_name, self.moment(), self.is_on("glide.invalid_query.returns_no_rows"))

    def rows_like(self, table: str, encoded_query: str) -> list[Row]:
        """Rows by encoded query, without access control."""
        return Matcher(self.database, table, self.query_context()).select(parse(encoded_query))

    def next_number(self, table: str) -> str:
        """The next number of a table according to its number maintenance; empty for tables without numbers."""
        known, first = NUMBERS.get(table, ("", 0))
        own = self.knobs.tickets.numbering.get(table, {})
        prefix, digits, first = own.get("prefix", known), int(own.get("digits", 7)), int(own.get("first", first))
        if table not in NUMBERS:
            return ""
        key = (table, prefix)
        if key not in self._next_numbers:
            rows = (row.get("number", "") for row in self.database.scan(table))
            taken = (text[len(prefix) :] for text in rows if text.startswith(prefix))
            self._next_numbers[key] = max((int(text) for text in taken if text.isdecimal()), default=0) + 1
        number = max(self._next_numbers[key], first)
        self._next_numbers[key] = number + 1
        return f"{prefix}{number:0{digits}d}"

    def default(self, table: str, column: str) -> str:
        """The default value of a column in a new row."""
        return self.database.schema.tables[table].columns[column].default

    def redefine(self) -> None:
        """Rebuild tables and columns from the rows that define them: applications, plugins, choice lists."""
        schema = schema_of(self.knobs.release, packages.table_definitions(self.database, self.knobs.compliance))
        if self.database.is_changed("sys_choice"):
            schema = schema.with_choices(_choice_lists(self.database.scan("sys_choice")))
        self.database.schema = schema.with_lengths(self.knobs.lengths) if self.knobs.lengths else schema

    def saved(self) -> dict[str, Any]:
        """The state that `restore` needs."""
        names = {"name": self.name, "cipher": self.cipher_name}
        return {**names, "seed": self.seed, "knobs": as_json(self.knobs), "tables": self.database.changed_tables()}

    def keep_own_access(self) -> None:
        """Set the name of the instance and the passwords of the built-in accounts, after the rows of another were copied."""
        self.database.restore({"oauth_credential": []})
        for user_name in (ADMIN, AUTOMATION):
            self._set_password(user_name)
        self.set_property("instance_name", self.name)

    def use_cipher_of(self, name: str) -> None:
        """Encrypt and decrypt as the instance `name` does."""
        self.cipher, self.cipher_name = Cipher(name), name

    def restore(self, tables: Mapping[str, list[Row]]) -> None:
        """Restore saved rows."""
        self.database.restore(tables)
        self.redefine()


def _choice_lists(rows: Iterable[Row]) -> dict[tuple[str, str], dict[str, str]]:
    """Value -> label by table and column, in their sequence."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in sorted(rows, key=lambda row: int(row.get("sequence") or "0")):
        if row.get("inactive") != "true":
            choices = found.setdefault((row.get("name", ""), row.get("element", "")), {})
            choices[row.get("value", "")] = row.get("label", "")
    return found
