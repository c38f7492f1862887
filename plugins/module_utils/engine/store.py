# SPDX-License-Identifier: GPL-3.0-or-later
"""A platform, as far as the engine is concerned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, Union, runtime_checkable

from .errors import EngineError
from .plan import Write
from .snapshot import Query, QueryResult, Row, Snapshot, merged

# Results of checking a secret. CLOSED: as the row is now (inactive, locked), every secret would be refused.
MATCH, MISMATCH, UNKNOWN, CLOSED = "match", "mismatch", "unknown", "closed"


@dataclass(frozen=True)
class Account:
    """The calling account: its name, and its roles where they may be read (else None).

    `blocked_by` is the one of them that keeps it from writing, regardless of the others.
    """

    user_name: str
    roles: frozenset[str] | None
    blocked_by: str = ""


@dataclass(frozen=True)
class LengthSource:
    """Where the lengths of columns can be read: the rows of `collection` have the names of table and column, and a length."""

    collection: str
    table: str
    column: str
    length: str


class Store(Protocol):
    """A platform, as far as the engine is concerned. `name` names it in messages; rows have their id in `id_column`.

    `age_columns` show when a row was created (the first one) and what `is_unfinished` needs; none where rows do not show
    it. `lengths` is None where the lengths of columns cannot be read.
    `discarded_by` is a sentence about what may discard a value that the platform accepted.
    """

    name: str
    discarded_by: str
    id_column: str
    age_columns: tuple[str, ...]
    lengths: LengthSource | None
    check_mode: bool
    create_attempts: int

    def read(self, reads: Sequence[Query]) -> list[QueryResult]:
        """Answer all `reads`, in order, in as few round trips as possible."""

    def create(self, write: Write, values: Mapping[str, Any]) -> Row:
        """Create a row and return it, at least its id; raise `Refused`, or `UnclearOutcome` when it may exist now."""

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """Change a row; raise `Refused`."""

    def delete(self, write: Write, row_id: str) -> None:
        """Delete a row that may be gone already, which is noted in `write.not_found`; raise `Refused`."""

    def turn(self) -> AbstractContextManager[None]:
        """Wait until no other run of this machine creates rows on the platform, and let none begin."""

    def perform(self, write: Write) -> None:
        """Carry out an operation that has no row of its own, and wait for its end; raise `Refused`."""

    def verdict(self, probe: str, value: str, row: Row) -> str:
        """Return whether the platform holds the secret `value`: match, mismatch, unknown or closed."""

    def is_refused(self, probe: str, value: str, row: Row) -> bool:
        """Return True if `verdict` would be mismatch. It does not distinguish the other results, which may need fewer requests."""

    def is_unfinished(self, row: Row) -> bool:
        """Return True for a row that the calling account created and whose secret it has not written yet."""

    def account(self) -> Account | None:
        """Return the calling account, or None when the platform does not show it."""

    def wait(self, attempt: int) -> None:
        """Pause before a write is tried again, or its row looked up again: longer with each `attempt`, some ten seconds for four."""

    def warn(self, message: str) -> None:
        """Show `message` to the user."""


@dataclass(frozen=True)
class Order:
    """A write that is ready to be sent: `values` holds no `PlannedId` any more, `row_id` is "" for a create."""

    write: Write
    values: Mapping[str, Any]
    row_id: str = ""


WriteResult = Union[Row, EngineError]  # noqa: UP007 (evaluated at run time, where pylint knows no | of classes)


@runtime_checkable
class BulkStore(Protocol):
    """What a store offers in addition to `Store` when it can send many writes in one round trip."""

    def at_once(self) -> int:
        """Return how many writes to send together next."""

    def write_many(self, orders: Sequence[Order]) -> list[WriteResult]:
        """Send creates, updates and deletes; return for each, in order, the row (at least its id) or the error.

        Errors are `Refused`, `AlreadyExists`, or `UnclearOutcome` for a write that may have been carried out. Each
        write is sent once; only what the platform certainly did not do is sent again.
        """

    def written(self, done: int, total: int, what: str) -> None:
        """Note that `done` of `total` `what` (a plural noun) are written; show it to the user every few seconds."""


class Readable(Protocol):
    """What a snapshot can be taken of: a resource, or an observer of one."""

    def reads(self) -> list[Query]:
        """Return the queries that depend on no answer."""

    def further_queries(self, snapshot: Snapshot) -> list[Query]:
        """Return the queries that depend on the first answers."""


def take_snapshot(store: Store, *readables: Readable) -> Snapshot:
    """Read everything that `readables` need: in one round trip, and a second one for queries that depend on the first."""
    reads = merged(read for readable in readables for read in readable.reads())
    snapshot = Snapshot.of(reads, store.read(reads), store.id_column)
    further = merged(read for readable in readables for read in readable.further_queries(snapshot))
    if further:
        snapshot.answers += zip(further, store.read(further), strict=True)
    return snapshot
