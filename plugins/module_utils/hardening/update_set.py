# SPDX-License-Identifier: GPL-3.0-or-later
"""System properties that REST cannot write, as an update set that an administrator imports.

The format is that of an export of the platform: one `sys_remote_update_set` and a `sys_update_xml` for each row, whose payload is
the row as XML. Ids are derived from the content, so that the same values give the same file and importing twice updates.

See docs/facts/servicenow_platform.md#update-sets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from xml.sax.saxutils import escape, quoteattr

PREAMBLE = '<?xml version="1.0" encoding="UTF-8"?>'
# The earliest date of an update set. Dates follow from the rows, which keeps the file the same in every run.
EARLIEST = "2026-01-01 00:00:00"
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
AUTHOR = "admin"
GLOBAL = '<application display_value="Global">global</application>'


@dataclass(frozen=True)
class PropertyRow:
    """The desired row of `sys_properties`; `sys_id` and `updated` are empty for a row that does not exist yet."""

    name: str
    sys_id: str
    columns: Mapping[str, str]
    updated: str = ""


def update_set(instance: str, title: str, rows: Sequence[PropertyRow]) -> str:
    """Return the XML of an update set with `rows`; "" without any. `instance` makes its ids unique to one instance."""
    if not rows:
        return ""
    content = "\n".join(f"{row.name}={sorted(row.columns.items())}" for row in rows)
    set_id = _id(instance, title, content)
    made = _later_than(row.updated for row in rows)
    parts = [_header(set_id, title, len(rows), made), *(_update(set_id, title, instance, row, made) for row in rows)]
    return f"{PREAMBLE}<unload unload_date={quoteattr(made.strftime(TIME_FORMAT))}>\n" + "".join(parts) + "</unload>\n"


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


def _id(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>" if text else f"<{name}/>"


def _header(set_id: str, title: str, count: int, made: datetime) -> str:
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
        *_stamps(made),
        "</sys_remote_update_set>",
    ]
    return "\n".join(lines) + "\n"


def _update(set_id: str, title: str, instance: str, row: PropertyRow, made: datetime) -> str:
    sys_id = row.sys_id or _id(instance, "sys_properties", row.name)
    columns = {**row.columns, "name": row.name, "sys_id": sys_id}
    record = "".join(_element(name, columns[name]) for name in sorted(columns))
    payload = (
        f'{PREAMBLE}<record_update table="sys_properties"><sys_properties action="INSERT_OR_UPDATE">{record}'
        f"</sys_properties></record_update>"
    )
    guid, payload_hash = _id(set_id, sys_id, payload), str(_java_hash(payload))
    lines = [
        '<sys_update_xml action="INSERT_OR_UPDATE">',
        _element("action", "INSERT_OR_UPDATE"),
        GLOBAL,
        _element("category", "customer"),
        _element("name", f"sys_properties_{sys_id}"),
        _element("payload", payload),
        _element("payload_hash", payload_hash),
        f"<remote_update_set display_value={quoteattr(title)}>{set_id}</remote_update_set>",
        _element("replace_on_upgrade", "false"),
        _element("sys_id", _id(set_id, sys_id)),
        *_stamps(made),
        # Milliseconds and a counter, in hexadecimal digits.
        _element("sys_recorded_at", f"{int(made.timestamp() * 1000):x}0000001"),
        "<table/>",
        _element("target_name", row.name),
        _element("type", "System Property"),
        _element("update_domain", "global"),
        _element("update_guid", guid),
        _element("update_guid_history", f"{guid}:{payload_hash}"),
        "<update_set/>",
        "</sys_update_xml>",
    ]
    return "\n".join(lines) + "\n"
