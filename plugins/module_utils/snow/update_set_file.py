# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows that REST cannot write, as a file of update sets that an administrator imports.

The format is that of an export of the platform: a `sys_remote_update_set` for each set and a `sys_update_xml` for each row, whose
payload is the row as XML. Ids are derived from the content, so that the same values give the same file and importing twice updates.

See docs/facts/servicenow_platform.md#update-sets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Union
from xml.sax.saxutils import escape, quoteattr

PREAMBLE = '<?xml version="1.0" encoding="UTF-8"?>'
# The earliest date of an update set. Dates follow from the rows, which keeps the file the same in every run.
EARLIEST = "2026-01-01 00:00:00"
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
AUTHOR = "admin"
GLOBAL = '<application display_value="Global">global</application>'
# How an export names the kind of a row.
KINDS = {
    "sys_properties": "System Property",
    "sys_security_acl": "Access Control",
    "sys_security_acl_role": "Access Roles",
}
# What an administrator clicks to bring a file to an instance.
IMPORT_CLICKS = "System Update Sets > Retrieved Update Sets > Import Update Set from XML"
COMMIT_CLICKS = "Preview Update Set > Commit Update Set"


@dataclass(frozen=True)
class NamedReference:
    """A reference to a row that has another id on other instances; an import finds it there by its name."""

    sys_id: str
    name: str


Columns = Mapping[str, Union[str, NamedReference]]  # noqa: UP007 (evaluated at run time, where pylint knows no | of classes)


@dataclass(frozen=True)
class UpdateRow:
    """The desired row of `table`; `target` names it for people, `updated` is when the present row changed last ("" for none)."""

    table: str
    sys_id: str
    target: str
    columns: Columns
    updated: str = ""


@dataclass(frozen=True)
class UpdateSetContent:
    """An update set: its name, its description, and its rows."""

    title: str
    description: str
    rows: Sequence[UpdateRow]


def derived_id(*parts: str) -> str:
    """Return an id of 32 hexadecimal digits that follows from `parts`."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def update_set_file(instance: str, sets: Iterable[UpdateSetContent]) -> str:
    """Return the XML of all `sets` that have rows; "" for none. `instance` makes the ids of the sets unique to one instance."""
    filled = [each for each in sets if each.rows]
    if not filled:
        return ""
    made = _later_than(row.updated for each in filled for row in each.rows)
    parts = [text for each in filled for text in _set(instance, each, made)]
    return f"{PREAMBLE}<unload unload_date={quoteattr(made.strftime(TIME_FORMAT))}>\n" + "".join(parts) + "</unload>\n"


def _set(instance: str, content: UpdateSetContent, made: datetime) -> list[str]:
    known = "\n".join(f"{row.table}.{row.sys_id}={sorted(row.columns.items())}" for row in content.rows)
    set_id = derived_id(instance, content.title, known)
    updates = [_update(set_id, content.title, row, made, at) for at, row in enumerate(content.rows, 1)]
    return [_header(set_id, content, made), *updates]


def _later_than(times: Iterable[str]) -> datetime:
    """Return a time after the last change of every row: a preview rejects what is older than the row."""
    known = [datetime.strptime(EARLIEST, TIME_FORMAT)]
    for text in times:
        try:
            known.append(datetime.strptime(text, TIME_FORMAT) + timedelta(seconds=1))
        except (ValueError, OverflowError):
            continue
    return max(known).replace(tzinfo=timezone.utc)


def _java_hash(text: str) -> int:
    """Return the hash by which the platform compares payloads, that of a string in Java."""
    value = 0
    units = text.encode("utf-16-be")
    for unit in zip(units[::2], units[1::2], strict=True):
        value = (31 * value + unit[0] * 256 + unit[1]) & 0xFFFFFFFF
    return value - 2**32 if value >= 2**31 else value


def _stamps(made: datetime) -> list[str]:
    """Return who changed a row and when."""
    when = made.strftime(TIME_FORMAT)
    return [
        _element("sys_created_by", AUTHOR),
        _element("sys_created_on", when),
        _element("sys_mod_count", "0"),
        _element("sys_updated_by", AUTHOR),
        _element("sys_updated_on", when),
    ]


def _element(name: str, value: str | NamedReference) -> str:
    if isinstance(value, NamedReference):
        shown = quoteattr(value.name)
        return f"<{name} display_value={shown} name={shown}>{escape(value.sys_id)}</{name}>"
    return f"<{name}>{escape(value)}</{name}>" if value else f"<{name}/>"


def _header(set_id: str, content: UpdateSetContent, made: datetime) -> str:
    lines = [
        '<sys_remote_update_set action="INSERT_OR_UPDATE">',
        GLOBAL,
        _element("application_name", "Global"),
        _element("application_scope", "global"),
        _element("description", content.description),
        _element("name", content.title),
        _element("remote_sys_id", set_id),
        _element("state", "loaded"),
        _element("sys_class_name", "sys_remote_update_set"),
        _element("sys_id", set_id),
        *_stamps(made),
        "</sys_remote_update_set>",
    ]
    return "\n".join(lines) + "\n"


def _update(set_id: str, title: str, row: UpdateRow, made: datetime, at: int) -> str:
    columns = {**row.columns, "sys_id": row.sys_id}
    record = "".join(_element(name, columns[name]) for name in sorted(columns))
    payload = (
        f'{PREAMBLE}<record_update table="{row.table}"><{row.table} action="INSERT_OR_UPDATE">{record}'
        f"</{row.table}></record_update>"
    )
    guid, payload_hash = derived_id(set_id, row.sys_id, payload), str(_java_hash(payload))
    lines = [
        '<sys_update_xml action="INSERT_OR_UPDATE">',
        _element("action", "INSERT_OR_UPDATE"),
        GLOBAL,
        _element("category", "customer"),
        _element("name", f"{row.table}_{row.sys_id}"),
        _element("payload", payload),
        _element("payload_hash", payload_hash),
        f"<remote_update_set display_value={quoteattr(title)}>{set_id}</remote_update_set>",
        _element("replace_on_upgrade", "false"),
        _element("sys_id", derived_id(set_id, row.sys_id)),
        *_stamps(made),
        # Milliseconds and a counter, in hexadecimal digits.
        _element("sys_recorded_at", f"{int(made.timestamp() * 1000):x}{at:07x}"),
        "<table/>",
        _element("target_name", row.target),
        _element("type", KINDS[row.table]),
        _element("update_domain", "global"),
        _element("update_guid", guid),
        _element("update_guid_history", f"{guid}:{payload_hash}"),
        "<update_set/>",
        "</sys_update_xml>",
    ]
    return "\n".join(lines) + "\n"
