# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left after Defender was written: notes in tickets about what went over, and the end of merged incidents' tickets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...module_utils.snow.tickets.ticket_plan import record_url
from ...module_utils.snow.tickets.ticket_types import INCIDENT, OPEN, RESOLVED
from . import text

DONE = frozenset({"ok", "changed"})
PLANNED = "a ticket whose number is assigned when it is created"
Row = Mapping[str, Any]


def entries_left(
    plan: Row, tickets: Iterable[Row], pushed: Iterable[Row], close_code: str = "", url: str = ""
) -> dict[str, list[dict[str, Any]]]:
    """Return the entries for snow_tickets, and the records of ended tickets, which that module does not describe.

    `tickets` and `pushed` are results of snow_tickets, and of mdc_alerts and graph_incidents. What Defender refused is not
    noted, so that the next run tries again. `url` is that of the instance, for links.
    """
    done = {str(row.get("id")) for row in pushed if row.get("status") in DONE}
    written = {str(row.get("correlation_id")): row for row in tickets}
    entries, records = [], []
    for note in plan["rest"]["notes"]:
        if note["pushed"] and note["pushed"] not in done:
            continue
        if note["ended"]:
            records.append(record_of(note))
        else:
            entry = {"type": note["type"], "correlation_id": note["correlation_id"], "state": OPEN}
            # The end of a description that was full, unless the first write of the ticket has it.
            has_it = note["is_moved"] and written.get(note["correlation_id"], {}).get("status") in DONE
            more = {"work_note": note["work_note"]} if note["work_note"] and not has_it else {}
            entries.append({**entry, "description": note["description"], **more})
    code = {"close_code": close_code} if close_code else {}
    entries += [
        {**_merged(merge, written, url), **code} for merge in plan["rest"]["merges"] if _has_target(merge, written)
    ]
    return {"tickets": entries, "records": records}


def _has_target(merge: Row, written: Mapping[str, Row]) -> bool:
    """Return whether the other ticket of a merge is there, or none is to be; the instance may have refused a new one."""
    is_refused = written.get(merge["target_ticket"], {}).get("status") == "refused"
    return bool(merge["known"]) or not is_refused


def record_of(note: Row, **more: str) -> dict[str, Any]:
    """Return a note as a record of module snow_record, which writes a ticket that has ended."""
    match = {name: note[name] for name in ("number", "sys_id") if note[name]}
    return {"table": note["type"], "match": match, "description": note["description"], **more}


def _merged(merge: Row, written: Mapping[str, Row], url: str) -> dict[str, Any]:
    """Return the entry that ends the ticket of a merged incident, linked to the other one."""
    other = {**merge["known"], **{k: v for k, v in written.get(merge["target_ticket"], {}).items() if v}}
    number = str(other.get("number") or "") or (PLANNED if merge["target_ticket"] else "")
    sys_id = other.get("sys_id")
    link = f" ({record_url(url.strip().rstrip('/'), str(other['type']), str(sys_id))})" if url and sys_id else ""
    entry: dict[str, Any] = {
        "type": merge["type"],
        "correlation_id": merge["correlation_id"],
        "state": RESOLVED,
        "close_notes": text.merge_notes(merge["incident"], merge["target"], f"{number}{link}" if number else ""),
    }
    if merge["type"] == INCIDENT.table and other.get("type") == INCIDENT.table:
        entry["extra_fields"] = {"parent_incident": other.get("sys_id") or PLANNED}
    return entry
