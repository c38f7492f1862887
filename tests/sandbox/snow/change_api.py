# SPDX-License-Identifier: GPL-3.0-or-later
"""The Change Management API under `/api/sn_chg_rest` (docs/facts/servicenow_tickets.md#change-management-api)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..web import Call, Reply, json_reply
from .acls import AccessCheck
from .callers import Caller
from .data.ticket_states import CHANGE_TRANSITIONS
from .errors import API_ACL, NO_RECORD, NO_RESOURCE, QUERY_DENIED, Refused
from .instance import Instance
from .matching import Matcher
from .query import parse
from .record_writer import Writer
from .rendering import zone_of
from .schema import AUDIT_NAMES, Column
from .store import Row, stable_id
from .table_api import read_body
from .values import Encoder, ValueFormatter

TABLE = "change_request"
TEMPLATES, VERSIONS = "std_change_record_producer", "std_change_producer_version"
TYPES = ("normal", "emergency", "standard")
# method -> roles of which one is needed; administrators pass
ROLES = {
    "GET": frozenset(("change_manager", "itil", "sn_change_read")),
    "POST": frozenset(("change_manager", "itil")),
    "PATCH": frozenset(("change_manager", "itil")),
    "DELETE": frozenset(("change_manager",)),
}
# Fields that a standard change takes from its template only.
TEMPLATE_ONLY = frozenset(("description", "backout_plan", "test_plan", "implementation_plan"))
DEFAULT_LIMIT = 500
Shown = dict[str, Any]


class ChangeEncoder(Encoder):
    """Accepts choices by value or label and references by sys_id or display value; dates are UTC."""

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, display=True)

    def _reference(self, column: Column, text: str) -> str | None:
        if self._instance.database.find(column.reference, text) is not None:
            return text
        return super()._reference(column, text)


def change_call(instance: Instance, caller: Caller, call: Call, parts: list[str]) -> Reply:
    """Answer `/api/sn_chg_rest/change...`; `parts` are the path segments after `change`. Raises Refused."""
    method = "GET" if call.method == "HEAD" else call.method
    if method not in ROLES:
        raise Refused(405, "Method not Supported")
    if not caller.is_admin and ROLES[method].isdisjoint(caller.roles):
        raise Refused(403, *API_ACL)
    if parts[:2] == ["standard", "template"]:
        return _Changes(instance, caller, call, "").templates(method, parts[2:])
    kind = parts[0] if parts and parts[0] in TYPES else ""
    return _Changes(instance, caller, call, kind).answer(method, parts[1:] if kind else parts)


@dataclass(frozen=True, slots=True)
class _Changes:
    """Change requests of one type, or of all types, for one call."""

    instance: Instance
    caller: Caller
    call: Call
    kind: str

    def answer(self, method: str, rest: list[str]) -> Reply:
        if rest[1:] == ["nextstates"] and method == "GET" and not self.kind:
            return json_reply(200, {"result": self._next_states(self._row(rest[0]))})
        if len(rest) > 1:
            raise Refused(400, NO_RESOURCE, self.call.path)
        if method == "POST":
            return self._create(rest)
        if not rest:
            if method != "GET":
                raise Refused(405, "Method not Supported")
            return json_reply(200, {"result": [self._show(row) for row in self._listed(TABLE)]})
        row = self._row(rest[0])
        if method == "PATCH":
            return self._update(row)
        shown = self._show(row)
        if method == "DELETE":
            self._writer().delete(TABLE, row["sys_id"])
        return self._one(shown)

    def templates(self, method: str, rest: list[str]) -> Reply:
        """Answer `/change/standard/template` and `/change/standard/template/{id}`."""
        if method != "GET" or len(rest) > 1:
            raise Refused(405, "Method not Supported")
        if not rest:
            return json_reply(200, {"result": [self._show(row, TEMPLATES) for row in self._listed(TEMPLATES)]})
        found = self.instance.database.find(TEMPLATES, rest[0])
        if found is None:
            raise Refused(404, *NO_RECORD)
        return self._one(self._show(found[1], TEMPLATES))

    def _create(self, rest: list[str]) -> Reply:
        sent = self._sent()
        starts_with: dict[str, str] = {}
        if self.kind == "standard":
            starts_with = self._from_template(rest[0] if rest else "")
        elif rest:
            raise Refused(405, "Method not Supported")
        # A new change request is in state New and has the type of its path (API2).
        fixed = {"state"} | ({"type"} if self.kind else set()) | (TEMPLATE_ONLY if self.kind == "standard" else set())
        ignored = self._ignored(sent, "create") | (fixed & sent.keys())
        values = {**starts_with, **{name: value for name, value in sent.items() if name not in ignored}}
        if self.kind:
            values["type"] = self.kind
        row = self._writer().insert(TABLE, values)
        return self._written(row, sent, ignored)

    def _from_template(self, sys_id: str) -> dict[str, str]:
        found = self.instance.database.find(TEMPLATES, sys_id)
        if found is None or found[1].get("active") != "true":
            raise Refused(404, *NO_RECORD)
        template = self.instance.database.find("sys_template", found[1].get("template", ""))
        pairs = (template[1].get("template", "") if template else "").split("^")
        values = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        versions = self.instance.database.lookup(VERSIONS, "std_change_producer", sys_id)
        newest = max(versions, key=lambda row: int(row.get("version") or "0"), default=None)
        return {**values, "std_change_producer_version": newest["sys_id"] if newest else ""}

    def _update(self, row: Row) -> Reply:
        sent = self._sent()
        ignored = self._ignored(sent, "write") | ({"type"} & sent.keys() if self.kind else set())
        values = {name: value for name, value in sent.items() if name not in ignored}
        return self._written(self._writer().update(TABLE, row["sys_id"], values), sent, ignored)

    def _sent(self) -> dict[str, object]:
        """The pairs of the query string, overridden by the body."""
        pairs = {name: value for name, value in self.call.query.items() if not name.startswith("sysparm_")}
        return {**pairs, **(read_body(self.call) if self.call.body else {})}

    def _ignored(self, sent: Mapping[str, object], operation: str) -> set[str]:
        known = self.instance.database.schema.tables[TABLE].columns
        read_only = AUDIT_NAMES | {"sys_id"} | AccessCheck(self.instance, self.caller).hidden_columns(TABLE, operation)
        return {name for name in sent if name not in known or name in read_only}

    def _written(self, row: Row, sent: Mapping[str, object], ignored: set[str]) -> Reply:
        meta = {"ignoredFields": [name for name in sent if name in ignored]}
        return self._one({**self._show(row), "__meta": meta})

    def _writer(self) -> Writer:
        return Writer(self.instance, self.caller, ChangeEncoder(self.instance))

    def _row(self, sys_id: str) -> Row:
        found = self.instance.database.find(TABLE, sys_id)
        if found is None or not AccessCheck(self.instance, self.caller).sees(*found):
            raise Refused(404, *NO_RECORD)
        if self.kind and found[1].get("type", "normal") != self.kind:
            raise Refused(404, *NO_RECORD)
        return found[1]

    def _listed(self, table: str) -> list[Row]:
        query = parse(self.call.query.get("sysparm_query", ""))
        access = AccessCheck(self.instance, self.caller)
        if not access.hidden_columns(table).isdisjoint(query.fields()):
            raise Refused(403, *QUERY_DENIED)
        query_context = self.instance.query_context(self.caller.user_id, self.caller.user_name)
        rows = Matcher(self.instance.database, table, query_context).select(query)
        if self.kind and table == TABLE:
            rows = [row for row in rows if row.get("type", "normal") == self.kind]
        limit, offset = (self.call.query.get(f"sysparm_{name}", "") for name in ("limit", "offset"))
        start = int(offset) if offset.isdecimal() else 0
        page = rows[start : start + (int(limit) if limit.isdecimal() else DEFAULT_LIMIT)]
        seen = access.row_filter(table)
        return page if seen is None else [row for row in page if seen(row)]

    def _one(self, shown: Shown) -> Reply:
        return json_reply(200, {"result": [shown] if self.instance.knobs.tickets.change_array else shown})

    def _show(self, row: Row, table: str = TABLE) -> Shown:
        hidden = AccessCheck(self.instance, self.caller).hidden_columns(table)
        columns = self.instance.database.schema.tables[table].columns
        formatter = ValueFormatter(self.instance, zone=zone_of(self.instance, self.caller))
        return {
            name: self._field(formatter, columns[name], row.get(name, "")) for name in columns if name not in hidden
        }

    def _field(self, formatter: ValueFormatter, column: Column, stored: str) -> Shown:
        shown: Shown = {"display_value": formatter.display(column, stored), "value": formatter.value(column, stored)}
        if self.instance.knobs.tickets.change_values == "typed":
            shown["value"] = _typed(column, str(shown["value"]))
        if column.kind == "glide_date_time":
            shown["display_value_internal"] = shown["display_value"]
        return shown

    def _next_states(self, row: Row) -> Shown:
        labels = self.instance.database.schema.tables[TABLE].columns["state"].choices
        present = row.get("state", "")
        reachable = CHANGE_TRANSITIONS.get(row.get("type", "normal"), CHANGE_TRANSITIONS["normal"]).get(present, ())
        states = (*reachable, present)
        return {
            "available_states": list(states),
            "state_transitions": list(_transitions(labels, present, reachable)),
            "state_label": {state: labels.get(state, state) for state in states},
        }


def _transitions(labels: Mapping[str, str], present: str, reachable: tuple[str, ...]) -> Iterator[list[Shown]]:
    for state in reachable:
        yield [
            {
                "sys_id": stable_id("sttrm_state_transition", present, state),
                "display_value": f"{labels.get(present, present)} to {labels.get(state, state)}",
                "from_state": present,
                "to_state": state,
                "transition_available": True,
                "automatic_transition": False,
                "conditions": [],
            }
        ]


def _typed(column: Column, text: str) -> object:
    """Numbers and booleans as in the documented replies: 3.0 and false."""
    if column.kind == "boolean" and text:
        return text == "true"
    if column.kind == "integer" and text.lstrip("-").isdecimal():
        return float(text)
    return text
