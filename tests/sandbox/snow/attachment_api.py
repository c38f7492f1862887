# SPDX-License-Identifier: GPL-3.0-or-later
"""The Attachment API (docs/facts/servicenow_platform.md#attachment-api)."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from email import message_from_bytes
from email.message import Message
from email.policy import HTTP

from multidict import CIMultiDict

from ..web import Call, Reply, json_reply
from .acls import AccessCheck
from .callers import Caller
from .errors import NO_RECORD, NO_RESOURCE, Refused, unreadable
from .instance import Instance
from .store import Row
from .table_api import TableCall

TABLE, CONTENT = "sys_attachment", "sys_attachment_doc"
_NEEDED = ("table_name", "table_sys_id", "file_name")


def attachment(instance: Instance, caller: Caller, call: Call, parts: list[str]) -> Reply:
    """Answer `/api/now/attachment`, `/file`, `/upload`, `/{sys_id}` and `/{sys_id}/file`."""
    if parts in (["file"], ["upload"]):
        if call.method != "POST":
            raise Refused(405, "Method not Supported")
        values, content = _sent_file(call) if parts == ["file"] else _sent_form(call)
        row = _store(instance, caller, values, content)
        link = f"{call.base}/api/now/attachment/{row['sys_id']}"
        return json_reply(201, {"result": _shown(call, row)}, {"Location": link})
    if len(parts) == 2 and parts[1] == "file" and call.method in ("GET", "HEAD"):
        return _file(instance, caller, call, parts[0])
    if len(parts) > 1:
        raise Refused(400, NO_RESOURCE)
    if parts and call.method == "DELETE":
        return _delete(instance, caller, parts[0])
    if call.method not in ("GET", "HEAD"):
        raise Refused(405, "Method not Supported")
    reply = TableCall(instance, caller, call, TABLE, parts[0] if parts else "", is_v1=False).answer()
    result = json.loads(reply.body)["result"]
    shown = [_linked(call, row) for row in result] if isinstance(result, list) else _linked(call, result)
    reply.body = json.dumps({"result": shown}, separators=(",", ":")).encode()
    return reply


def _sent_file(call: Call) -> tuple[dict[str, str], bytes]:
    """The binary body of `/file`; the record and the name are parameters."""
    kind = call.headers.get("Content-Type", "")
    values = {name: call.query[name] for name in _NEEDED if call.query.get(name)}
    if not kind or not call.body:
        raise unreadable("The content type or the content is missing.")
    return {**values, "content_type": kind}, call.body


def _sent_form(call: Call) -> tuple[dict[str, str], bytes]:
    """The form of `/upload`: its parts `table_name` and `table_sys_id`, and one file."""
    head = f"Content-Type: {call.headers.get('Content-Type', '')}\r\n\r\n".encode()
    form = message_from_bytes(head + call.body, policy=HTTP)
    values: dict[str, str] = {}
    content: bytes | None = None
    for part in form.get_payload() if form.is_multipart() else ():
        if not isinstance(part, Message):
            continue
        data = part.get_payload(decode=True)
        text = data if isinstance(data, bytes) else b""
        name = part.get_filename()
        if name:
            content = text
            values |= {"file_name": name, "content_type": part.get_content_type()}
        else:
            values[str(part.get_param("name", header="content-disposition"))] = text.decode(errors="replace")
    if content is None:
        raise unreadable("The form has no file.")
    return values, content


def _store(instance: Instance, caller: Caller, values: dict[str, str], content: bytes) -> Row:
    missing = [name for name in _NEEDED if not values.get(name)]
    if missing:
        raise Refused(400, "Missing parameter", f"{', '.join(missing)} must be provided")
    table, record = values["table_name"], values["table_sys_id"]
    known = table in instance.database.schema.tables
    found = instance.database.find(table, record) if known else None
    if found is None or not AccessCheck(instance, caller).sees(*found):
        raise Refused(404, *NO_RECORD)
    AccessCheck(instance, caller).check_write(found[0], "write", found[1])
    row = {
        "sys_id": instance.new_id(),
        "table_name": table,
        "table_sys_id": record,
        "file_name": values["file_name"][:100],
        "content_type": values["content_type"],
        "size_bytes": str(len(content)),
        "size_compressed": str(len(gzip.compress(content))),
        "compressed": "true",
        "hash": hashlib.sha256(content).hexdigest(),
        "state": "pending",
        **instance.stamps(caller.user_name),
    }
    instance.database.put(TABLE, row)
    chunk = {"sys_attachment": row["sys_id"], "position": "0", "length": str(len(content))}
    chunk |= {"data": base64.b64encode(content).decode(), "sys_id": instance.new_id()}
    instance.database.put(CONTENT, {**chunk, **instance.stamps(caller.user_name)})
    return row


def _file(instance: Instance, caller: Caller, call: Call, sys_id: str) -> Reply:
    row = _visible(instance, caller, sys_id)
    chunks = list(instance.database.lookup(CONTENT, "sys_attachment", sys_id))
    content = b"".join(base64.b64decode(chunk.get("data", "")) for chunk in chunks)
    metadata = json.dumps(_shown(call, row))
    headers = {"Content-Type": row.get("content_type", "application/octet-stream"), "X-Attachment-Metadata": metadata}
    headers["Content-Disposition"] = f'attachment; filename="{row.get("file_name", "")}"'
    return Reply(200, content, CIMultiDict(headers))


def _delete(instance: Instance, caller: Caller, sys_id: str) -> Reply:
    row = _visible(instance, caller, sys_id)
    found = instance.database.find(row.get("table_name", ""), row.get("table_sys_id", ""))
    if found is not None:
        AccessCheck(instance, caller).check_write(found[0], "write", found[1])
    for chunk in list(instance.database.lookup(CONTENT, "sys_attachment", sys_id)):
        instance.database.remove(CONTENT, chunk["sys_id"])
    instance.database.remove(TABLE, sys_id)
    return Reply(204)


def _visible(instance: Instance, caller: Caller, sys_id: str) -> Row:
    found = instance.database.find(TABLE, sys_id)
    if found is None or not AccessCheck(instance, caller).sees(*found):
        raise Refused(404, *NO_RECORD)
    return found[1]


def _shown(call: Call, row: Row) -> dict[str, str]:
    return _linked(call, dict(row))


def _linked(call: Call, row: dict[str, str]) -> dict[str, str]:
    return {**row, "download_link": f"{call.base}/api/now/attachment/{row.get('sys_id', '')}/file"}
