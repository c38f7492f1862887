# SPDX-License-Identifier: GPL-3.0-or-later
"""The file attached to a ticket: one of its name, replaced when its content changes.

See docs/facts/servicenow_platform.md#attachment-api.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from ...engine.plan import CREATE, DELETE, Plan, Value
from ...engine.result import ABSENT, PRESENT, Drift
from ...engine.snapshot import PlannedId, Query, Row, Snapshot
from ..attachment_api import TABLE, AttachmentWrite

STAGE = 9
BULK_NOUN = "attachments"
COLUMNS = ("sys_id", "table_sys_id", "file_name", "hash", "sys_created_on")


def attachment_query(ids: Iterable[str]) -> Query:
    """Return the query for the files of tickets, by the ids of these."""
    return Query(TABLE, "table_sys_id", tuple(ids), COLUMNS)


def digest_of(content: str) -> str:
    """Return the digest of a content, as the instance shows it."""
    return hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()


def plan_attachment(
    plan: Plan,
    ticket: str,
    table: str,
    row: Value,
    wanted: Mapping[str, str],
    snapshot: Snapshot,
    outcome: dict[str, Any],
) -> bool:
    """Add the writes that attach the `wanted` file to a ticket; return whether there are any.

    `ticket` is its label and `row` its id, which may be a planned one. The former file is removed after the new one is there.
    """
    name, digest = wanted["name"], digest_of(wanted["content"])
    known: list[Row] = [] if isinstance(row, PlannedId) else snapshot.rows(TABLE, "table_sys_id", row)
    known = [each for each in known if each.get("file_name") == name]
    label = f"attachment {name} of {ticket}"
    current = [each for each in known if each.get("hash") == digest]
    if not current:
        plan.drift.append(Drift(label, "content" if known else "state", "former list" if known else ABSENT, PRESENT))
        values = {"table_name": table, "table_sys_id": row, "file_name": name, "content": wanted["content"]}
        identity = {"table_sys_id": row, "file_name": name, "hash": digest}
        plan.writes.append(
            AttachmentWrite(
                CREATE,
                TABLE,
                label,
                values,
                stage=STAGE,
                identity=identity,
                outcome=outcome,
                bulk_noun=BULK_NOUN,
                second_pass=True,
            )
        )
    kept = min((each["sys_id"] for each in current), default="")
    for each in known:
        if each["sys_id"] != kept:
            plan.writes.append(
                AttachmentWrite(
                    DELETE,
                    TABLE,
                    f"{label} ({each['sys_id']})",
                    {},
                    each["sys_id"],
                    STAGE + 1,
                    identity={"sys_id": each["sys_id"]},
                    outcome=outcome,
                    bulk_noun=BULK_NOUN,
                    second_pass=True,
                )
            )
    return not current or len(known) > 1
