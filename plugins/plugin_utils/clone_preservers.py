# SPDX-License-Identifier: GPL-3.0-or-later
"""Data preservers that keep the identity of a connection on an instance over which another one is cloned.

The format is that of an export of a list of the platform, to import on the source of the clone. Ids are derived from the table, so
that importing twice updates.

See docs/facts/servicenow_platform.md#clone-data-preservers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape

TITLE = "Microsoft Defender connection"
# Table -> the name of its preserver, the column of the condition, and what of a connection it holds.
PRESERVED = (
    ("oauth_entity", "applications", "name", "application_name"),
    ("oauth_credential", "tokens", "peer.name", "application_name"),
    ("sys_user", "accounts", "user_name", "user_name"),
    ("sys_user_has_role", "roles of accounts", "user.user_name", "user_name"),
    ("sys_user_role", "roles", "name", "role_name"),
)


def preservers_xml(connections: Iterable[Mapping[str, Any]]) -> str:
    """Return the XML of `clone_data_preserver` rows for the objects of all connections; each has application_name, user_name and
    role_name. Raises `ValueError` for a name with a comma or a caret, which a condition cannot contain.
    """
    known = list(connections)
    rows = []
    for table, title, column, key in PRESERVED:
        names = sorted({str(entry[key]) for entry in known if entry[key]})
        for name in names:
            if "," in name or "^" in name:
                raise ValueError(
                    f"clone_preservers: {name!r} contains a comma or a caret, which a condition cannot contain"
                )
        if names:
            rows.append(_row(table, f"{TITLE}: {title}", f"{column}IN{','.join(names)}"))
    return '<?xml version="1.0" encoding="UTF-8"?>\n<unload>\n' + "".join(rows) + "</unload>\n"


def _row(table: str, name: str, condition: str) -> str:
    values = {
        "condition": condition,
        "include_in_system_clone": "true",
        "name": name,
        "sys_id": hashlib.sha256(f"{TITLE}\0{table}".encode()).hexdigest()[:32],
        "table": table,
        "theme": "false",
    }
    columns = "".join(f"<{column}>{escape(value)}</{column}>\n" for column, value in values.items())
    return f'<clone_data_preserver action="INSERT_OR_UPDATE">\n{columns}</clone_data_preserver>\n'
