# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's `Store` for platforms whose kinds of objects each have routes of their own."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

from ..ansible_module import TaskContext
from ..engine.errors import Refused, UnclearOutcome
from ..engine.plan import CREATE, DELETE, PERFORM, UPDATE, Write
from ..engine.reconcile import UNKNOWN, Account, Reconciler
from ..engine.result import Result
from ..engine.snapshot import Query, QueryResult, Row
from ..transport.errors import AmbiguousResponse

VERBS = {CREATE: "create", UPDATE: "change", DELETE: "delete", PERFORM: "carry out"}


class Endpoint(Protocol):
    """How one kind of object is read and written. `label` says what it is called in messages."""

    def read(self) -> QueryResult:
        """Return every object of the kind, as rows."""

    def create(self, write: Write, values: Mapping[str, str]) -> Row:
        """Make one and return a row with its id as `sys_id`."""

    def update(self, write: Write, row_id: str, values: Mapping[str, str]) -> None:
        """Change one."""

    def delete(self, write: Write, row_id: str) -> None:
        """Remove one."""


@runtime_checkable
class PerformingEndpoint(Endpoint, Protocol):
    """Routes to what can also be carried out: a run, which leaves no object of its own."""

    def perform(self, write: Write) -> None:
        """Carry it out, and wait for its end."""


class CollectionStore:
    """One tenant, as one identity sees it. `routes` by collection is what the engine can read and write."""

    create_attempts = 3
    id_column = "sys_id"

    def __init__(self, name: str, context: TaskContext) -> None:
        self.name, self.context = name, context
        self.check_mode = context.check_mode
        self.routes: dict[str, Endpoint] = {}

    def ensure(self, *resources: Any, noun: str = "") -> Result:
        """Bring `resources` to their described state in one plan.

        With `noun`, the module is one of a single object and returns it under that name instead of `results`.
        """
        reconciler = Reconciler(self, resources)
        result = reconciler.run()
        if noun:
            result.output = {noun: reconciler.described[0]}
        return result

    def read(self, reads: Sequence[Query]) -> list[QueryResult]:
        """Answer each read with all rows of its collection; the engine picks what it asked for. One list call per kind."""
        lists: dict[str, QueryResult] = {}
        for read in reads:
            if read.collection not in lists:
                lists[read.collection] = self.routes[read.collection].read()
        return [lists[read.collection] for read in reads]

    def create(self, write: Write, values: Mapping[str, str]) -> Row:
        """Make an object. A lost answer is `UnclearOutcome`: the object may exist."""
        with self._writing(write):
            try:
                return self.routes[write.collection].create(write, values)
            except AmbiguousResponse as unclear:
                raise UnclearOutcome(f"{self.name}: whether {write.label} was created is unclear. {unclear}") from None

    def update(self, write: Write, row_id: str, values: Mapping[str, str]) -> None:
        """Change an object."""
        with self._writing(write):
            self.routes[write.collection].update(write, row_id, values)

    def delete(self, write: Write, row_id: str) -> None:
        """Remove an object."""
        with self._writing(write):
            self.routes[write.collection].delete(write, row_id)

    def perform(self, write: Write) -> None:
        """Carry out what is no object, where the routes of the collection can."""
        with self._writing(write):
            routes = self.routes[write.collection]
            if not isinstance(routes, PerformingEndpoint):
                raise NotImplementedError(write.action)
            routes.perform(write)

    def verdict(self, probe: str, value: str, row: Row) -> str:
        """Return that it is unknown: no secret of a tenant can be tried out."""
        return UNKNOWN

    def account(self) -> Account | None:
        """Return None: the API does not tell who is calling."""
        return None

    def is_unfinished(self, row: Row) -> bool:
        """Return False: rows do not show who created them."""
        return False

    def wait(self, attempt: int) -> None:
        """Pause before a create is tried again."""
        time.sleep(random.uniform(0, min(8.0, 2.0**attempt)))  # noqa: S311 (jitter, not secrecy)

    def warn(self, message: str) -> None:
        """Show `message` to the user."""
        self.context.warn(message)

    @contextmanager
    def _writing(self, write: Write) -> Iterator[None]:
        try:
            yield
        except Refused as refusal:
            what = f"{VERBS.get(write.action, 'change')} {write.label}"
            raise Refused(f"could not {what}: {refusal}", status=refusal.status, step=refusal.step) from None
