# SPDX-License-Identifier: GPL-3.0-or-later
"""A platform, as far as the engine is concerned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, Union, runtime_checkable

from .errors import EngineError
from .plan import Write
from .snapshot import Query, QueryResult, Row

# What a probe of a secret can find. CLOSED: as the row is now (inactive, locked), every secret would be refused.
MATCH, MISMATCH, UNKNOWN, CLOSED = "match", "mismatch", "unknown", "closed"


@dataclass(frozen=True)
class Account:
    """Who is calling: the name, and the roles where they may be read (else None)."""

    user_name: str
    roles: frozenset[str] | None


class Store(Protocol):
    """A platform, as far as the engine is concerned. `name` is what a person calls it."""

    name: str
    check_mode: bool
    create_attempts: int

    def read(self, reads: Sequence[Query]) -> list[QueryResult]:
        """Answer all `reads`, in order, in as few round trips as can be."""

    def create(self, write: Write, values: Mapping[str, str]) -> Row:
        """Create a row; raise `Refused`, or `UnclearOutcome` when it may exist now."""

    def update(self, write: Write, row_id: str, values: Mapping[str, str]) -> None:
        """Change a row; raise `Refused`."""

    def delete(self, write: Write, row_id: str) -> None:
        """Delete a row that may be gone already; raise `Refused`."""

    def perform(self, write: Write) -> None:
        """Carry out what is no row, and wait for its end; raise `Refused`."""

    def verdict(self, probe: str, value: str, row: Row) -> str:
        """Return whether the platform holds the secret `value`: match, mismatch, unknown or closed."""

    def account(self) -> Account | None:
        """Return who is calling, or None when that cannot be found out."""

    def wait(self, attempt: int) -> None:
        """Pause before a create is tried again."""

    def warn(self, message: str) -> None:
        """Show `message` to the user."""


@dataclass(frozen=True)
class Order:
    """A write that is ready to go out: `values` holds no more promises, `row_id` is "" for a create."""

    write: Write
    values: Mapping[str, str]
    row_id: str = ""


WriteResult = Union[Row, EngineError]  # noqa: UP007 (evaluated at run time, where pylint knows no | of classes)


@runtime_checkable
class BulkStore(Protocol):
    """What a store offers beside `Store` when it can carry out many writes in one round trip."""

    def turn(self) -> AbstractContextManager[None]:
        """Wait until no other run of this machine creates rows on the platform, and let none begin."""

    def at_once(self) -> int:
        """Return how many writes to send together next."""

    def write_many(self, orders: Sequence[Order]) -> list[WriteResult]:
        """Carry out creates and updates; return for each, in order, the row (at least its id) or what went wrong.

        What went wrong is `Refused`, `AlreadyExists`, or `UnclearOutcome` of a write that may have been carried out. Each
        is sent once; only what the platform surely left undone is sent again.
        """

    def written(self, done: int, total: int, what: str) -> None:
        """Take note that `done` of `total` things called `what` are written; tell the user now and then."""
