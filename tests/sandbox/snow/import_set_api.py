# SPDX-License-Identifier: GPL-3.0-or-later
"""The Import Set API with one staging table, `imp_user` (docs/facts/servicenow_platform.md#import-set-api)."""

from __future__ import annotations

from ..web import Call, Reply, json_reply
from .callers import Caller
from .errors import NO_RESOURCE, Refused
from .instance import Instance
from .record_writer import Writer
from .table_api import read_body
from .values import Encoder

# staging table -> (transform map, target table, coalescing column, copied columns)
TRANSFORMS = {"imp_user": ("User", "sys_user", "user_name", ("user_name", "first_name", "last_name", "email"))}


def import_rows(instance: Instance, caller: Caller, call: Call, parts: list[str]) -> Reply:
    """Answer `POST /api/now/import/{staging}`: stage one row and transform it at once."""
    if len(parts) != 1 or parts[0] not in TRANSFORMS:
        raise Refused(400, f"Invalid staging table {parts[0]}" if parts else NO_RESOURCE)
    if call.method != "POST":
        raise Refused(405, "Method not Supported")
    staging = parts[0]
    transform, target, key, columns = TRANSFORMS[staging]
    encoder = Encoder(instance, display=False)
    values = read_body(call)
    writer = Writer(instance, caller, encoder)
    platform = Writer(instance, None, encoder)
    imported = platform.insert("sys_import_set", {"table_name": staging, "state": "processed"})
    writer.insert(staging, {**values, "sys_import_set": imported["sys_id"]})
    copied = {name: values[name] for name in columns if name in values}
    known = instance.database.first(target, key, str(copied.get(key, ""))) if copied.get(key) else None
    if known is None:
        row, status = platform.insert(target, copied), "inserted"
    else:
        row = platform.update(target, known["sys_id"], copied)
        status = "ignored" if row is known else "updated"
    result = {
        "transform_map": transform,
        "table": target,
        "display_name": "name",
        "display_value": row.get("name", ""),
        "record_link": f"{call.base}/api/now/table/{target}/{row['sys_id']}",
        "status": status,
        "sys_id": row["sys_id"],
    }
    return json_reply(201, {"import_set": imported["number"], "staging_table": staging, "result": [result]})
