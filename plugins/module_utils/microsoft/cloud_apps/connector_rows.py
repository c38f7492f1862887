# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of connectors from the portal's list, whose keys no vendor documents: what lacks one of them is not recognized.

See docs/facts/defender_for_cloud_apps.md#reading-connectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ...engine.snapshot import Row
from ...instance_address import normalize_address
from .connector_health import status_of
from .secure_score_switch import shown


def rows_of(records: Sequence[Mapping[str, Any]], app_id: int) -> tuple[tuple[Row, ...], str]:
    """Return the rows of the connectors of an app, and why one that is not among them may exist all the same, "" if it cannot.

    Left out, a connector would be taken for one that does not exist, and be connected again.
    """
    shows_api = any(isinstance(record.get("api"), Mapping) for record in records)
    needed = ["appId", "_id", "instanceName", *(() if shows_api else ("api",))]
    rows: list[Row] = []
    unclear: list[str] = []
    for position, record in enumerate(records, 1):
        app = str(record.get("appId"))
        is_number = app.isascii() and app.isdecimal()
        if is_number and int(app) != app_id:
            continue
        lacking = [key for key in needed if key not in record or (key in ("appId", "_id") and not record[key])]
        if not is_number and "appId" not in lacking:
            lacking.append("number as appId")
        if not isinstance(record.get("api"), (Mapping, type(None))):
            lacking.append("object as api")
        if lacking:
            unclear.append(f"entry {position} has no {', '.join(lacking)}")
        else:
            rows.append(row_of(record))
    if not unclear:
        return tuple(rows), ""
    more = f" and {len(unclear) - 1} more" if len(unclear) > 1 else ""
    return tuple(rows), (
        f"the list of connectors has entries that cannot be recognized ({unclear[0]}{more}), so whether it is connected is not known. "
        f"The portal has changed: look there, and update this collection"
    )


def row_of(record: Mapping[str, Any]) -> Row:
    """Return the row of a connector's record.

    See docs/facts/defender_for_cloud_apps.md#reading-connectors.
    """
    found = record.get("api")
    api: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    status, message = status_of(api)
    return {
        "id": str(record.get("_id") or ""),
        "name": str(record.get("instanceName") or record.get("name") or ""),
        "url": next(_addresses(record), ""),
        "status": status,
        "message": message,
        "last_connected": _iso(api.get("lastConnected")),
        "accounts": int(api.get("usersCount") or 0),
        "secure_score": shown(api.get("isSSPMEnabled")),
    }


def _iso(value: Any) -> str:
    """Return epoch milliseconds as a UTC time, "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        return ""
    return datetime.fromtimestamp(value / 1000, timezone.utc).isoformat(timespec="seconds")


def _addresses(value: Any) -> Iterator[str]:
    """Yield the URLs in a record that can be the instance's address: its key is not documented."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, str) and "url" in str(key).lower() and item.lower().startswith(("https://", "http://")):
                yield normalize_address(item)
            else:
                yield from _addresses(item)
    elif isinstance(value, list):
        for item in value:
            yield from _addresses(item)
