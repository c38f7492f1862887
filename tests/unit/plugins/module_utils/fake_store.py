# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance in memory, as the engine's `Store` sees one: with the platform's habits.

See docs/facts/servicenow_platform.md#encoded-queries, docs/facts/servicenow_platform.md#records-on-the-wire,
docs/facts/servicenow_platform.md#encrypted-columns, docs/facts/servicenow_platform.md#role-grants.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    PlatformFailure,
    Refused,
    UnclearOutcome,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.plan import CREATE, Write
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.reconcile import (
    CLOSED,
    MATCH,
    MISMATCH,
    UNKNOWN,
    Account,
    Reconciler,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import Result
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.snapshot import Query, QueryResult, Row
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.store import LengthSource
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.activation import Activation

# Columns by table, with the value that a new row has in them.
COLUMNS: dict[str, dict[str, str]] = {
    "sys_user_role": {"name": "", "description": ""},
    "sys_user_role_contains": {"role": "", "contains": ""},
    "sys_user": {
        "user_name": "", "first_name": "", "last_name": "", "email": "", "active": "true", "locked_out": "false",
        "failed_attempts": "0", "password_needs_reset": "false", "web_service_access_only": "false", "identity_type": "",
        "time_zone": "",
    },
    "sys_user_has_role": {"user": "", "role": "", "inherited": "false", "state": "active"},
    "oauth_entity": {
        "name": "", "type": "client", "sys_class_name": "oauth_entity", "client_id": "client-given", "active": "true", "redirect_url": "",
        "logo_url": "", "access_token_lifespan": "1800", "refresh_token_lifespan": "8640000", "comments": "", "user": "",
        "scope_restriction_status": "", "default_grant_type": "", "client_type": "",
    },
    "sys_properties": {"name": "", "value": "", "type": "string", "description": "", "write_roles": ""},
    "sys_security_acl": {
        "name": "", "operation": "read", "type": "record", "active": "true", "decision_type": "allow", "condition": "",
        "advanced": "false", "script": "",
    },
    "sys_security_acl_role": {"sys_security_acl": "", "sys_user_role": ""},
    "sys_db_object": {"name": ""},
    "v_plugin": {"id": "", "name": "", "version": "", "active": ""},
    "sys_plugins": {"source": "", "name": "", "version": "", "active": ""},
    "sys_store_app": {"scope": "", "name": "", "version": "", "active": "true"},
    "u_thing": {"u_name": "", "u_kind": "", "u_count": "0", "u_on": "false", "u_note": ""},
}  # fmt: skip
REFERENCES = {
    ("sys_user_role_contains", "role"): "sys_user_role",
    ("sys_user_role_contains", "contains"): "sys_user_role",
    ("sys_user_has_role", "user"): "sys_user",
    ("sys_user_has_role", "role"): "sys_user_role",
    ("oauth_entity", "user"): "sys_user",
    ("sys_security_acl_role", "sys_security_acl"): "sys_security_acl",
    ("sys_security_acl_role", "sys_user_role"): "sys_user_role",
}
SECRETS = {"oauth_entity": "client_secret", "sys_user": "user_password", "u_thing": "u_secret"}
US = "svc_ansible"


class Interrupted(Exception):
    """The run ends here, as in a power failure."""


Fault = Callable[[Write], str]


@dataclass
class Platform:
    """Tables of rows; what was done to them in `log`; and ways to behave badly.

    `faults` maps the number of a write to what happens to it: `before` and `after` (it was carried out) interrupt the run,
    `lost` and `committed` leave the outcome unclear, `refused` is a no, `failed` an outage. `ignores` holds (table, column) that writes do not
    reach; `unreadable` those that reads leave out; `closed` the tables that reads are refused. `refuses` holds plugins that
    cannot be activated; with `lists_late` a list of plugins does not show at once what was activated. `hidden` rows are counted and
    not shown; `cuts` are the lengths that columns have, `max_lengths` those that the dictionary shows; `on_wait` is called at each pause.
    """

    tables: dict[str, dict[str, dict[str, str]]] = field(default_factory=lambda: {name: {} for name in COLUMNS})
    secrets: dict[tuple[str, str], str] = field(default_factory=dict)
    check_mode: bool = False
    name: str = "acme-dev"
    id_column: str = "sys_id"
    age_columns: tuple[str, ...] = ("sys_created_on", "sys_mod_count", "sys_created_by")
    lengths: LengthSource | None = LengthSource("sys_dictionary", "name", "element", "max_length")
    discarded_by: str = "A business rule may have discarded it"
    create_attempts: int = 3
    roles: frozenset[str] | None = frozenset({"admin"})
    reports_account: bool = True
    reports_secrets: bool = True
    faults: dict[int, str] = field(default_factory=dict)
    ignores: set[tuple[str, str]] = field(default_factory=set)
    # Tables whose deletes are answered with these words, as if there were no such row.
    not_found: dict[str, str] = field(default_factory=dict)
    unreadable: set[tuple[str, str]] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    refuses: dict[str, Refused] = field(default_factory=dict)
    lists_late: bool = False
    reads: list[list[Query]] = field(default_factory=list)
    log: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    probes: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    waits: list[int] = field(default_factory=list)
    cuts: dict[str, int] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    max_lengths: dict[str, int] = field(default_factory=dict)
    on_wait: Callable[[], None] | None = None
    turns: list[Any] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)

    # -- for tests ----------------------------------------------------------------------------------------------------

    def add(self, table: str, *, secret: str | None = None, **values: str) -> str:
        """Put a row there behind everyone's back; return its sys_id."""
        row_id = self._insert(table, values, "somebody", mod_count="3")
        if secret is not None:
            self.secrets[table, row_id] = secret
        self._inherit()
        return row_id

    def grant(self, user: str, role: str) -> None:
        """Give a role to a user, both by name."""
        self.add("sys_user_has_role", user=self.id_of("sys_user", user), role=self.id_of("sys_user_role", role))

    def contain(self, role: str, contained: str) -> None:
        """Let a role contain another one."""
        ids = {"role": self.id_of("sys_user_role", role), "contains": self.id_of("sys_user_role", contained)}
        self.add("sys_user_role_contains", **ids)

    def id_of(self, table: str, name: str) -> str:
        """Return the sys_id of the row with the display value `name`."""
        (found,) = (row for row in self.tables[table].values() if name in (row.get("name"), row.get("user_name")))
        return found["sys_id"]

    def row(self, table: str, name: str) -> dict[str, str]:
        """Return the row with the display value `name`."""
        return self.tables[table][self.id_of(table, name)]

    def roles_of(self, user: str, *, inherited: bool | None = None) -> list[str]:
        """Return the roles that a user holds, by name; only the inherited or the direct ones if so wanted."""
        rows = self.tables["sys_user_has_role"].values()
        return sorted(
            self.tables["sys_user_role"][row["role"]]["name"]
            for row in rows
            if row["user"] == self.id_of("sys_user", user) and inherited in (None, row["inherited"] == "true")
        )

    def ensure(self, *resources: Any, check: bool = False) -> Result:
        """Bring `resources` to their desired state."""
        self.check_mode = check
        return Reconciler(self, resources).run()

    @property
    def verbs(self) -> list[str]:
        """What was written, as `verb table`."""
        return [f"{verb} {table}" for verb, table, _values in self.log]

    def picture(self) -> Any:
        """Return everything that matters here, with names in place of ids. How a user got a role does not."""
        names = {
            row_id: row.get("name") or row.get("user_name") or row_id
            for rows in self.tables.values()
            for row_id, row in rows.items()
        }
        hidden = {"sys_id", "sys_mod_count", "sys_created_by", "sys_created_on", "client_id", "inherited"}
        rows = sorted(
            (table, sorted((column, names.get(value, value)) for column, value in row.items() if column not in hidden))
            for table, found in self.tables.items()
            for row in found.values()
        )
        return rows, sorted((table, names.get(row_id, ""), value) for (table, row_id), value in self.secrets.items())

    # -- the engine's protocol ----------------------------------------------------------------------------------------

    def read(self, reads: Sequence[Query]) -> list[QueryResult]:
        self.reads.append(list(reads))
        return [self._answer(read) for read in reads]

    def create(self, write: Write, values: Mapping[str, str]) -> Row:
        fault = self._log("create", write, values)
        if fault == "lost":
            raise UnclearOutcome(f"{self.name}: whether {write.label} was created is unclear")
        row_id = self._insert(write.collection, values, US, mod_count="0")
        self._inherit()
        if fault == "committed":
            raise UnclearOutcome(f"{self.name}: whether {write.label} was created is unclear")
        self._after(fault)
        return dict(self.tables[write.collection][row_id])

    def update(self, write: Write, row_id: str, values: Mapping[str, str]) -> None:
        fault = self._log("secret" if write.secret else "update", write, values)
        row = self.tables[write.collection][row_id]
        if write.secret:
            ((column, value),) = values.items()
            assert column == SECRETS[write.collection], "a secret goes alone"
            if (write.collection, column) not in self.ignores:
                self.secrets[write.collection, row_id] = value
        else:
            row.update(self._kept(write.collection, values))
        row["sys_mod_count"] = str(int(row["sys_mod_count"]) + 1)
        self._after(fault)

    def delete(self, write: Write, row_id: str) -> None:
        fault = self._log("delete", write, {})
        table = self.tables[write.collection]
        if table.get(row_id, {}).get("inherited") == "true":
            raise Refused(f"{self.name} refused to delete an inherited row")
        if write.collection in self.not_found:
            write.not_found = f"DELETE {write.collection} -> 404 {self.not_found[write.collection]}"
        elif (write.collection, "") not in self.ignores:
            table.pop(row_id, None)
            self.secrets.pop((write.collection, row_id), None)
            for (collection, column), target in REFERENCES.items():
                if target == write.collection and collection != "oauth_entity":
                    rows = self.tables[collection]
                    self.tables[collection] = {i: row for i, row in rows.items() if row[column] != row_id}
            self._inherit()
        self._after(fault)

    @contextmanager
    def turn(self) -> Iterator[None]:
        self.turns.append("begins")
        yield
        self.turns.append("ends")

    def perform(self, write: Write) -> None:
        assert isinstance(write, Activation)
        self._log("perform", write, {"path": write.path, **write.query})
        kind, name = write.label.split(" ", 1)
        if name in self.refuses:
            raise self.refuses[name]
        write.done.add(name)
        if kind == "plugin" and not self.lists_late:
            self._insert("sys_plugins", {"source": name, "active": "active"}, "system", "0")
        elif not self.lists_late:
            self._insert("sys_store_app", {"scope": name, "version": write.query.get("version", "1.0")}, "system", "0")

    def verdict(self, probe: str, value: str, row: Row) -> str:
        self.probes.append((probe, row["sys_id"]))
        table = {"client_secret": "oauth_entity", "password": "sys_user"}[probe]
        if row.get("active") == "false":
            return CLOSED
        if not self.reports_secrets:
            return UNKNOWN
        return MATCH if self.secrets.get((table, row["sys_id"])) == value else MISMATCH

    def is_refused(self, probe: str, value: str, row: Row) -> bool:
        return self.verdict(probe, value, row) == MISMATCH

    def is_unfinished(self, row: Row) -> bool:
        return self.reports_account and (row.get("sys_mod_count"), row.get("sys_created_by")) == ("0", US)

    def account(self) -> Account | None:
        return Account(US, self.roles) if self.reports_account else None

    def wait(self, attempt: int) -> None:
        self.waits.append(attempt)
        if self.on_wait:
            self.on_wait()

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    # -- how it works -------------------------------------------------------------------------------------------------

    def _log(self, verb: str, write: Write, values: Mapping[str, str]) -> str:
        assert not self.check_mode, "a write in check mode"
        fault = self.faults.pop(len(self.log), "")
        self.log.append((verb, write.collection, dict(values)))
        if fault == "before":
            raise Interrupted
        if fault == "refused":
            raise Refused(f"{self.name} refused to write {write.label}")
        if fault == "failed":
            raise PlatformFailure(f"{self.name} failed to write {write.label} -> 503")
        return fault

    @staticmethod
    def _after(fault: str) -> None:
        if fault == "after":
            raise Interrupted

    def _insert(self, table: str, values: Mapping[str, str], creator: str, mod_count: str) -> str:
        row_id = f"{next(self._numbers):032x}"
        row = {"sys_id": row_id, "sys_created_by": creator, "sys_mod_count": mod_count, **COLUMNS[table]}
        row["sys_created_on"] = f"2026-11-01 10:00:{len(self.tables[table]):02}"
        if table == "oauth_entity":
            row["client_id"] = "" if (table, "client_id") in self.ignores else f"client-{row_id}"
        row.update(self._kept(table, values))
        self.tables[table][row_id] = row
        return row_id

    def _kept(self, table: str, values: Mapping[str, str]) -> dict[str, str]:
        """Unknown columns are dropped without a word."""
        kept = {c: v for c, v in values.items() if c in COLUMNS[table] and (table, c) not in self.ignores}
        return {c: v[: self.cuts[c]] if c in self.cuts else v for c, v in kept.items()}

    def _inherit(self) -> None:
        """Materialise the grants that follow from others: exactly one row for each that is not direct."""
        contains: dict[str, set[str]] = {}
        for row in self.tables["sys_user_role_contains"].values():
            contains.setdefault(row["role"], set()).add(row["contains"])
        grants = self.tables["sys_user_has_role"]
        direct = {(row["user"], row["role"]) for row in grants.values() if row["inherited"] == "false"}
        follows: set[tuple[str, str]] = set()
        for user, role in direct:
            todo = [role]
            while todo:
                for contained in contains.get(todo.pop(), set()):
                    if (user, contained) not in follows:
                        follows.add((user, contained))
                        todo.append(contained)
        wanted = follows - direct
        there = {(row["user"], row["role"]): i for i, row in grants.items() if row["inherited"] == "true"}
        for key in set(there) - wanted:
            del grants[there[key]]
        for user, role in sorted(wanted - set(there)):
            self._insert("sys_user_has_role", {"user": user, "role": role, "inherited": "true"}, "system", "0")

    def _answer(self, read: Query) -> QueryResult:
        if read.collection == "sys_dictionary":
            rows = [{"name": read.values[0], "element": c, "max_length": str(n)} for c, n in self.max_lengths.items()]
            return QueryResult(tuple(rows))
        if read.collection in self.closed:
            if not read.optional:
                raise Refused(f"{self.name} refused to read {read.collection}")
            return QueryResult(refused="User Not Authorized")
        if read.collection not in self.tables:
            if read.optional:
                return QueryResult(refused=f"Invalid table {read.collection}")
            raise Refused(f"{self.name}: Invalid table {read.collection}")
        found = [row for row in self.tables[read.collection].values() if self._asked_for(read, row)]
        visible = [row for row in found if row["sys_id"] not in self.hidden]
        total = len(found) if self.hidden else None
        return QueryResult(
            tuple(self._shown(read, r) for r in (visible[: read.limit] if read.limit else visible)), "", total
        )

    def _asked_for(self, read: Query, row: Mapping[str, str]) -> bool:
        conditions: list[tuple[str, Iterable[str]]] = [(column, (value,)) for column, value in read.where]
        if read.values:
            conditions.append((read.column, read.values))
        for column, values in conditions:
            actual = self._walk(read.collection, row, column)
            # The database ignores case; a condition on a field that does not exist is dropped.
            if actual is not None and actual.casefold() not in {value.casefold() for value in values}:
                return False
        return True

    def _walk(self, table: str, row: Mapping[str, str], column: str) -> str | None:
        first, _, rest = column.partition(".")
        if not rest:
            return row.get(first)
        target = REFERENCES.get((table, first))
        if target is None:
            return None
        found = self.tables[target].get(row.get(first, ""))
        return self._walk(target, found, rest) if found else ""

    def _shown(self, read: Query, row: Mapping[str, str]) -> dict[str, str]:
        shown = {column: self._walk(read.collection, row, column) for column in read.columns}
        hidden = {column for table, column in self.unreadable if table == read.collection}
        return {column: value for column, value in shown.items() if value is not None and column not in hidden}


def shown(result: Result) -> dict[str, Any]:
    """Return what a result shows in check mode as well as after the run: all but what only the platform knows."""
    everything = result.as_dict(with_diff=True)
    everything["msg"] = re.sub("would (create|update|delete|activate)", r"\1d", everything["msg"])
    everything["results"] = [(entry["object"], entry["status"]) for entry in everything["results"]]
    return everything


__all__ = ["COLUMNS", "CREATE", "US", "Interrupted", "Platform", "shown"]
