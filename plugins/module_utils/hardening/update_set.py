# SPDX-License-Identifier: GPL-3.0-or-later
"""System properties that REST cannot write, as an update set that an administrator imports.

The format is that of an export of the platform: one `sys_remote_update_set` and a `sys_update_xml` for each row, whose payload is
the row as XML. Ids are derived from the content, so that the same values give the same file and importing twice updates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

PREAMBLE = '<?xml version="1.0" encoding="UTF-8"?>'
# The platform requires a date; a constant one keeps the file the same in every run.
UNLOADED = "2026-01-01 00:00:00"
GLOBAL = '<application display_value="Global">global</application>'


@dataclass(frozen=True)
class PropertyRow:
    """The desired row of `sys_properties`; `sys_id` is empty for a row that does not exist yet."""

    name: str
    sys_id: str
    columns: Mapping[str, str]


def update_set(instance: str, title: str, rows: Sequence[PropertyRow]) -> str:
    """Return the XML of an update set with `rows`; "" without any. `instance` makes its ids unique to one instance."""
    if not rows:
        return ""
    content = "\n".join(f"{row.name}={sorted(row.columns.items())}" for row in rows)
    set_id = _id(instance, title, content)
    parts = [_header(set_id, title, len(rows)), *(_update(set_id, title, instance, row) for row in rows)]
    return f"{PREAMBLE}<unload unload_date={quoteattr(UNLOADED)}>\n" + "".join(parts) + "</unload>\n"


def _id(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>" if text else f"<{name}/>"


def _header(set_id: str, title: str, count: int) -> str:
    lines = [
        '<sys_remote_update_set action="INSERT_OR_UPDATE">',
        GLOBAL,
        _element("application_name", "Global"),
        _element("application_scope", "global"),
        _element("description", f"{count} hardening settings that only an elevated role can write"),
        _element("name", title),
        _element("remote_sys_id", set_id),
        _element("state", "loaded"),
        _element("sys_class_name", "sys_remote_update_set"),
        _element("sys_id", set_id),
        "</sys_remote_update_set>",
    ]
    return "\n".join(lines) + "\n"


def _update(set_id: str, title: str, instance: str, row: PropertyRow) -> str:
    sys_id = row.sys_id or _id(instance, "sys_properties", row.name)
    columns = {**row.columns, "name": row.name, "sys_id": sys_id}
    record = "".join(_element(name, columns[name]) for name in sorted(columns))
    payload = (
        f'{PREAMBLE}<record_update table="sys_properties"><sys_properties action="INSERT_OR_UPDATE">{record}'
        f"</sys_properties></record_update>"
    )
    lines = [
        '<sys_update_xml action="INSERT_OR_UPDATE">',
        _element("action", "INSERT_OR_UPDATE"),
        GLOBAL,
        _element("category", "customer"),
        _element("name", f"sys_properties_{sys_id}"),
        _element("payload", payload),
        f"<remote_update_set display_value={quoteattr(title)}>{set_id}</remote_update_set>",
        _element("replace_on_upgrade", "false"),
        _element("sys_id", _id(set_id, sys_id)),
        _element("target_name", row.name),
        _element("type", "System Property"),
        "<update_set/>",
        "</sys_update_xml>",
    ]
    return "\n".join(lines) + "\n"
