# SPDX-License-Identifier: GPL-3.0-or-later
"""The Table API (docs/facts/servicenow_platform.md#table-api)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from ..web import Call, Reply, json_reply
from .acls import AccessCheck
from .callers import Caller
from .cicd import advance_all
from .errors import NO_RECORD, NO_RESOURCE, QUERY_DENIED, Refused, unreadable
from .instance import Instance
from .matching import Matcher
from .query import Condition, Query, parse
from .record_writer import Writer
from .rendering import View, zone_of
from .store import Row
from .values import Encoder, ValueFormatter

DEFAULT_LIMIT = 10000


@dataclass(frozen=True, slots=True)
class TableCall:
    """One call of the Table API."""

    instance: Instance
    caller: Caller
    call: Call
    table: str
    sys_id: str
    is_v1: bool

    def answer(self) -> Reply:
        """Answer the call; raises Refused."""
        if self.table not in self.instance.database.schema.tables:
            raise Refused(400, f"Invalid table {self.table}")
        if self.table in ("sys_execution_tracker", "sys_remote_update_set"):
            advance_all(self.instance)
        method = self.call.method
        if method in ("GET", "HEAD"):
            return self._get() if self.sys_id else self._list()
        if method == "POST" and not self.sys_id:
            return self._insert()
        if method in ("PUT", "PATCH") and self.sys_id:
            return self._update()
        if method == "DELETE" and self.sys_id:
            self._writer().delete(self.table, self.sys_id)
            return Reply(204)
        raise Refused(405, "Method not Supported")

    def _get(self) -> Reply:
        found = self.instance.database.find(self.table, self.sys_id)
        if found is None or not AccessCheck(self.instance, self.caller).sees(*found):
            raise Refused(404, *NO_RECORD)
        return json_reply(200, {"result": self._view().show(found[1])})

    def _list(self) -> Reply:
        query = self.call.query
        seen = AccessCheck(self.instance, self.caller).row_filter(self.table)
        rows = self._selected()
        total = len(rows)
        limit, offset = _number(query.get("sysparm_limit"), DEFAULT_LIMIT), _number(query.get("sysparm_offset"), 0)
        limit = min(limit, self.instance.knobs.max_rows or limit)
        # The page is cut before access control removes rows (docs/facts/servicenow_platform.md#paging), so it may be
        # short.
        page = rows[offset : offset + limit]
        if seen is not None:
            page = [row for row in page if seen(row)]
            if self.instance.knobs.total_count == "after_acl":
                total = sum(map(seen, rows))
        if self.is_v1 and not page:
            raise Refused(404, *NO_RECORD)
        show = self._view().show
        reply = json_reply(200, {"result": [show(row) for row in page]})
        if not self.call.flag("sysparm_no_count") and self.instance.knobs.total_count != "absent":
            reply.headers["X-Total-Count"] = str(total)
        if self.call.wants_headers and not self.call.flag("sysparm_suppress_pagination_header"):
            reply.headers["Link"] = self._links(limit, offset, total)
        return reply

    def _selected(self) -> list[Row]:
        query_context = self.instance.query_context(self.caller.user_id, self.caller.user_name)
        query = self._query()
        self._check_fields(query)
        rows = Matcher(self.instance.database, self.table, query_context).select(query)
        if self.instance.knobs.unstable_order and not query.order:
            self.instance.chance.shuffle(rows)
        return rows

    def _query(self) -> Query:
        params = self.call.query
        encoded = params.get("sysparm_query")
        if encoded is not None:
            return parse(encoded)
        pairs = [
            (name, value) for name, value in params.items() if not name.startswith("sysparm_") and name != "x-sn-apikey"
        ]
        return Query((tuple(self._pair(name, value) for name, value in pairs),)) if pairs else Query()

    def _pair(self, name: str, value: str) -> tuple[Condition, ...]:
        """A `name=value` pair matches the value or its display value.

        See docs/facts/servicenow_platform.md#query-parameters.
        """
        found = self.instance.database.schema.column(self.table, name)
        same = Condition(name, "=", value)
        if found is None:
            return (same,)
        column = found[0]
        if column.kind == "reference" and (display := self.instance.database.schema.tables[column.reference].display):
            return same, Condition(f"{name}.{display}", "=", value)
        formatter = ValueFormatter(self.instance)
        labels = [
            stored for stored in column.choices if formatter.display(column, stored).casefold() == value.casefold()
        ]
        return same, *(Condition(name, "=", stored) for stored in labels)

    def _check_fields(self, query: Query) -> None:
        access = AccessCheck(self.instance, self.caller)
        for path in (*query.fields(), *(field for field, _ in query.order)):
            found = self.instance.database.schema.column(self.table, path)
            if found is not None and found[0].name in access.hidden_columns(found[1] if "." in path else self.table):
                raise Refused(403, *QUERY_DENIED)
        for path, is_exact in query.compared():
            found = self.instance.database.schema.column(self.table, path)
            if found is not None and access.may_not_query(
                found[1] if "." in path else self.table, found[0].name, is_exact=is_exact
            ):
                raise Refused(403, *QUERY_DENIED)

    def _links(self, limit: int, offset: int, total: int) -> str:
        last = max(0, (total - 1) // limit * limit) if limit else 0
        targets = {"first": 0}
        if offset > 0:
            targets["prev"] = max(0, offset - limit)
        if offset + limit < total:
            targets["next"] = offset + limit
        targets["last"] = last
        # Based on the original request, so that the links of a short URL stay short.
        sent = parse_qsl(self.call.query_text, keep_blank_values=True)
        kept = {name: value for name, value in sent if name != "sysparm_offset"}
        page = f"{self.call.base}{self.call.path}?{urlencode({**kept, 'sysparm_limit': limit})}&sysparm_offset="
        return ",".join(f'<{page}{start}>;rel="{relation}"' for relation, start in targets.items())

    def _insert(self) -> Reply:
        row = self._writer().insert(self.table, read_body(self.call))
        location = f"{self.call.base}/api/now/table/{self.table}/{row['sys_id']}"
        return self._written(201, row, {"Location": location})

    def _update(self) -> Reply:
        row = self._writer().update(self.table, self.sys_id, read_body(self.call))
        return self._written(200, row, {})

    def _written(self, status: int, row: Row, headers: dict[str, str]) -> Reply:
        if self.call.headers.get("X-no-response-body", "").lower() == "true":
            reply = Reply(status)
            reply.headers.extend(headers)
            return reply
        return json_reply(status, {"result": self._view().show(row)}, headers)

    def _view(self) -> View:
        return View(self.instance, self.caller, self.table, self.call)

    def _writer(self) -> Writer:
        display = self.call.flag("sysparm_input_display_value")
        encoder = Encoder(self.instance, display=display, zone=zone_of(self.instance, self.caller))
        return Writer(self.instance, self.caller, encoder, self.call.flag("sysparm_suppress_auto_sys_field"))


def read_body(call: Call) -> dict[str, object]:
    """The JSON object of a write; the first element of an array. Raises Refused.

    See docs/facts/servicenow_platform.md#records-on-the-wire.
    """
    kind = call.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not kind or not call.body:
        raise unreadable()
    if kind not in ("application/json", "text/json"):
        raise Refused(415, "Unsupported Media Type", f"Content-Type {kind} is not supported.")
    try:
        content = json.loads(call.body)
    except ValueError as error:
        raise unreadable() from error
    if isinstance(content, list) and content:
        content = content[0]
    if not isinstance(content, dict):
        raise unreadable()
    return content


def table_call(instance: Instance, caller: Caller, call: Call, parts: list[str], *, is_v1: bool) -> Reply:
    """Answer `/api/now/table/...`; `parts` are the path segments after `table`."""
    if not parts or len(parts) > 2:
        raise Refused(400, NO_RESOURCE)
    return TableCall(instance, caller, call, parts[0], parts[1] if len(parts) == 2 else "", is_v1).answer()


def _number(text: str | None, fallback: int) -> int:
    return int(text) if text is not None and text.isdecimal() else fallback
