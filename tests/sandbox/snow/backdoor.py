# SPDX-License-Identifier: GPL-3.0-or-later
"""Out-of-band changes: for the control API and for knobs that are stored as rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..settings import SettingError
from . import application_setup, cicd, hardening, ticket_setup
from .base_data import build_properties, property_row
from .encrypted_fields import hash_password
from .instance import Instance
from .knobs import Knobs, turn
from .matching import Matcher
from .query import parse
from .record_writer import Writer
from .role_grants import materialise
from .schema import AUDIT_NAMES, Column
from .store import Row
from .values import Encoder, wire_text

_SWITCHES = {
    "cc_property": "glide.oauth.inbound.client.credential.grant_type.enabled",
    "basic_auth_enforced": "glide.authenticate.basic_auth.restriction.enforce",
    "invalid_query": "glide.invalid_query.returns_no_rows",
}
_VALUES = {"absent": None, "drop": None, "no_rows": "true", True: "true", False: "false"}


class PlainEncoder(Encoder):
    """Accepts values as tests write them: secrets in plain text (stored usable), references by sys_id or name."""

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, display=True)

    def encode(self, column: Column, value: object) -> str | None:
        """Return the stored form."""
        text = wire_text(value)
        if column.kind == "password":
            return hash_password(text) if text else ""
        if column.kind == "reference" and text:
            return self._by_any_name(column, text)
        if column.choices:
            return text
        return super().encode(column, value)

    def _by_any_name(self, column: Column, text: str) -> str:
        database = self._instance.database
        if re.fullmatch("[0-9a-f]{32}", text) or database.find(column.reference, text):
            return text
        for name in (database.schema.tables[column.reference].display, "user_name", "name"):
            found = database.first(column.reference, name, text)
            if found is not None:
                return found["sys_id"]
        raise SettingError(f"{column.name}: no {column.reference} is called {text!r}")


class RawEncoder(PlainEncoder):
    """Like `PlainEncoder`, but encrypted columns get exactly the given text, like a raw write."""

    def encode(self, column: Column, value: object) -> str | None:
        """Return the stored form."""
        return wire_text(value) if column.is_secret else super().encode(column, value)


def writer(instance: Instance, *, raw: bool = False) -> Writer:
    """A writer that bypasses access control and aborting rules."""
    return Writer(instance, None, RawEncoder(instance) if raw else PlainEncoder(instance))


def tamper(instance: Instance, change: Mapping[str, Any]) -> dict[str, Any]:
    """Change rows for the control API; raises SettingError if the change is invalid.

    `table`; `match` (column -> value) or `query` (encoded); `values`; `insert`, `delete`, `raw` as switches.
    """
    table = str(change.get("table", ""))
    columns = instance.database.schema.tables.get(table)
    if columns is None:
        raise SettingError(f"unknown table {table!r}")
    values = change.get("values") or {}
    unknown = sorted(set(values) - set(columns.columns))
    if unknown:
        raise SettingError(f"{table} has no column {', '.join(unknown)} in {instance.knobs.release}")
    write = writer(instance, raw=change.get("raw") is True)
    if change.get("insert") is True:
        row = write.insert(table, values)
        _set_audit(instance, table, row, values)
        return {"count": 1, "sys_ids": [row["sys_id"]]}
    rows = _matching(instance, table, change)
    if not rows:
        raise SettingError(f"no row of {table} matches")
    for row in rows:
        if change.get("delete") is True:
            write.delete(table, row["sys_id"])
        else:
            _set_audit(instance, table, write.update(table, row["sys_id"], values), values)
    return {"count": len(rows), "sys_ids": [row["sys_id"] for row in rows]}


def _set_audit(instance: Instance, table: str, row: Row, values: Mapping[str, Any]) -> None:
    audit = {name: str(value) for name, value in values.items() if name in AUDIT_NAMES}
    found = instance.database.find(table, row["sys_id"]) if audit else None
    if found is not None:
        instance.database.put(found[0], {**found[1], **audit})


def _matching(instance: Instance, table: str, change: Mapping[str, Any]) -> list[Row]:
    matcher = Matcher(instance.database, table, instance.query_context())
    rows = matcher.select(parse(str(change.get("query", ""))))
    encoder = PlainEncoder(instance)
    for path, wanted in (change.get("match") or {}).items():
        found = instance.database.schema.column(table, path)
        if found is None:
            raise SettingError(f"{table} has no column {path}")
        get = matcher.getter(path)
        stored = wire_text(wanted) if found[0].is_secret else encoder.encode(found[0], wanted)
        rows = [row for row in rows if get(row) == stored]
    return rows


def apply_knobs(instance: Instance, names: set[str]) -> None:
    """Apply the knobs of the given names to the rows."""
    for name in sorted(names & set(_SWITCHES)):
        value = getattr(instance.knobs, name)
        instance.set_property(_SWITCHES[name], _VALUES.get(value, value))
    # Booleans are NULL in all rows, those of the other knobs included.
    for name in sorted(names & set(_APPLIERS), key=lambda name: (name == "null_booleans", name)):
        _APPLIERS[name](instance)


def differing(knobs: Knobs) -> set[str]:
    """The names of the knobs that differ from their defaults."""
    plain = turn(Knobs(), {})
    return {name for name in vars(knobs) if getattr(knobs, name) != getattr(plain, name)}


def _apply_properties(instance: Instance) -> None:
    for name, value in instance.knobs.properties.items():
        instance.set_property(name, None if value is None else str(value))


def _apply_applications(instance: Instance) -> None:
    known = hardening.applications()
    for application in instance.knobs.applications:
        if application not in known:
            raise SettingError(f"unknown application {application}; known: {', '.join(known)}")
        settings = list(hardening.shipped(instance.database.schema.release, application))
        for scope in sorted({setting.scope for setting in settings} - {"global"} or {application}):
            if instance.database.first("sys_store_app", "scope", scope) is None:
                application_setup.install(instance, scope, scope, "1.0.0", "1.0.0")
        for setting in settings:
            if instance.database.first("sys_properties", "name", setting.name) is None:
                app = instance.database.first("sys_scope", "scope", setting.scope) or {"sys_id": "global"}
                values = property_row(setting)
                writer(instance).insert("sys_properties", {**values, "sys_scope": app["sys_id"]})


def _apply_users(instance: Instance) -> None:
    write = writer(instance)
    for user_name, wanted in instance.knobs.users.items():
        values = {name: value for name, value in wanted.items() if name not in ("roles", "password")}
        if "password" in wanted:
            values["user_password"] = wanted["password"]
        known = instance.user_named(user_name)
        if known is None:
            user = write.insert("sys_user", {"user_name": user_name, "last_name": user_name, **values})
        else:
            user = write.update("sys_user", known["sys_id"], values)
        if "roles" in wanted:
            _set_roles(instance, write, user["sys_id"], wanted["roles"])


def _set_roles(instance: Instance, write: Writer, user_id: str, roles: list[str]) -> None:
    for row in list(instance.database.lookup("sys_user_has_role", "user", user_id)):
        if row.get("inherited") != "true":
            instance.database.remove("sys_user_has_role", row["sys_id"])
    for role in roles:
        write.insert("sys_user_has_role", {"user": user_id, "role": role})
    materialise(instance.database, user_id, counted=instance.knobs.role_management_v2)


def _apply_plugins(instance: Instance) -> None:
    for plugin, active in instance.knobs.plugins.items():
        if instance.database.first("v_plugin", "id", plugin) is None:
            raise SettingError(f"unknown plugin {plugin}")
        (cicd.activate if active else cicd.deactivate)(instance, plugin)


def _apply_literals(instance: Instance) -> None:
    split_list = {"active": "true", "inactive": "false"}
    if instance.knobs.plugin_literal == "active":
        split_list = {short: long for long, short in split_list.items()}
    for row in list(instance.database.scan("v_plugin")):
        active = row.get("active", "")
        instance.database.put("v_plugin", {**row, "active": split_list.get(active, active)})


def _apply_duplicates(instance: Instance) -> None:
    for name in instance.knobs.dup:
        for _ in range(2):
            writer(instance).insert("oauth_entity", {"name": name})


def _apply_build(instance: Instance) -> None:
    for name, value in build_properties(instance.knobs.release).items():
        instance.set_property(name, None if instance.knobs.hide_build else value)


def _apply_grants(instance: Instance) -> None:
    for row in list(instance.database.scan("sys_user_has_role")):
        if row.get("inherited") == "true":
            instance.database.remove("sys_user_has_role", row["sys_id"])
        elif row.get("inh_count"):
            instance.database.put("sys_user_has_role", {key: value for key, value in row.items() if key != "inh_count"})
    for user in list(instance.database.rows("sys_user").by_id):
        materialise(instance.database, user, counted=instance.knobs.role_management_v2)


def _apply_null_booleans(instance: Instance) -> None:
    for path in instance.knobs.null_booleans:
        table, _, column = path.partition(".")
        known = instance.database.schema.tables.get(table)
        if known is None or column not in known.columns or known.columns[column].kind != "boolean":
            raise SettingError(f"there is no boolean column {path}")
        for place in instance.database.schema.family(table):
            for row in list(instance.database.rows(place).by_id.values()):
                instance.database.put(place, {name: value for name, value in row.items() if name != column})


def _apply_lengths(instance: Instance) -> None:
    instance.redefine()
    for path, length in instance.knobs.lengths.items():
        table, _, column = path.partition(".")
        for row in list(instance.database.lookup("sys_dictionary", "name", table)):
            if row.get("element") == column:
                instance.database.put("sys_dictionary", {**row, "max_length": str(length)})


_APPLIERS = {
    "null_booleans": _apply_null_booleans,
    "lengths": _apply_lengths,
    "applications": _apply_applications,
    "properties": _apply_properties,
    "users": _apply_users,
    "plugins": _apply_plugins,
    "plugin_literal": _apply_literals,
    "dup": _apply_duplicates,
    "hide_build": _apply_build,
    "role_management_v2": _apply_grants,
    "tickets": ticket_setup.apply_knobs,
    "compliance": application_setup.apply_knobs,
    "configuration_compliance": application_setup.apply_knobs,
}
