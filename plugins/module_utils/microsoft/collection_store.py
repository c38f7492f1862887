# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's `Store` over a client of an API whose kinds of objects each have endpoints of their own."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from ..ansible_module import TaskContext
from ..engine.errors import EngineError, PlatformFailure, Refused, UnclearOutcome
from ..engine.plan import CREATE, DELETE, PERFORM, UPDATE, Write
from ..engine.reconcile import UNKNOWN, Account
from ..engine.snapshot import Query, QueryResult, Row
from ..engine.store import LengthSource
from ..file_lock import turn
from ..transport.errors import FAILURES, AmbiguousResponse
from ..transport.responses import Response
from ..transport.session import Session

VERBS = {CREATE: "create", UPDATE: "change", DELETE: "delete", PERFORM: "carry out"}


class Client(Protocol):
    """What a store needs of the client below it. `name` is the platform's or the tenant's, for messages."""

    name: str
    context: TaskContext

    @property
    def session(self) -> Session:
        """The session, which has the address."""


class Endpoint:
    """How one kind of object is read and written; an operation that a subclass does not have is refused.

    `noun` is the plural of the kind, for messages.
    """

    noun = "objects"

    def read(self) -> QueryResult:
        """Return every object of the kind, as rows."""
        raise NotImplementedError

    def create(self, write: Write, values: Mapping[str, Any]) -> Row:
        """Create an object and return a row with its `id`."""
        raise EngineError(f"{write.label}: {self.noun} cannot be created")

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """Change an object."""
        raise EngineError(f"{write.label}: {self.noun} cannot be changed")

    def delete(self, write: Write, row_id: str) -> None:
        """Delete an object."""
        raise EngineError(f"{write.label}: {self.noun} cannot be deleted")

    @staticmethod
    def note_not_found(write: Write, response: Response, scrub: Callable[[str], str]) -> None:
        """Note the platform's words if it answered a delete that there is no such object."""
        if response.status == 404:
            write.not_found = str(response.error(scrub))

    def perform(self, write: Write) -> None:
        """Carry out an action, which leaves no object of its own, and wait for its end."""
        raise EngineError(f"{write.label}: {self.noun} have no actions")


class CollectionStore:
    """What `client` reaches, as far as `endpoints` (by collection) can read and write it."""

    create_attempts = 3
    id_column = "id"
    # These APIs show neither who created an object nor the lengths of its values.
    age_columns: tuple[str, ...] = ()
    lengths: LengthSource | None = None
    discarded_by = "A policy of the tenant, another administrator or a value that it does not support may have changed it; check its portal"

    def __init__(self, client: Client, endpoints: Mapping[str, Endpoint]) -> None:
        self.client, self.context, self.endpoints = client, client.context, endpoints
        self.name, self.check_mode = client.name, client.context.check_mode

    def read(self, reads: Sequence[Query]) -> list[QueryResult]:
        """Answer each read with all rows of its collection; the engine picks what it asked for. One list call per kind.

        A refusal of an optional read is its answer.
        """
        lists: dict[str, QueryResult] = {}
        for read in reads:
            if read.collection not in lists:
                try:
                    lists[read.collection] = self.endpoints[read.collection].read()
                except Refused as refusal:
                    if not read.optional:
                        raise
                    lists[read.collection] = QueryResult(refused=str(refusal))
        return [lists[read.collection] for read in reads]

    def create(self, write: Write, values: Mapping[str, Any]) -> Row:
        """Create an object. A lost response is `UnclearOutcome`: the object may exist."""
        with self._writing(write):
            try:
                return self.endpoints[write.collection].create(write, values)
            except AmbiguousResponse as unclear:
                raise UnclearOutcome(f"{self.name}: whether {write.label} was created is unclear. {unclear}") from None

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """Change an object."""
        with self._writing(write):
            self.endpoints[write.collection].update(write, row_id, values)

    def delete(self, write: Write, row_id: str) -> None:
        """Delete an object."""
        with self._writing(write):
            self.endpoints[write.collection].delete(write, row_id)

    def turn(self) -> AbstractContextManager[None]:
        """Wait until no other run of this machine creates objects there, and let none begin."""
        return turn(self.client.session.base_url, self.name, self.context.progress)

    def perform(self, write: Write) -> None:
        """Carry out an action."""
        with self._writing(write):
            self.endpoints[write.collection].perform(write)

    def verdict(self, probe: str, value: str, row: Row) -> str:
        """Return that it is unknown: these APIs never reveal whether a secret is the stored one."""
        return UNKNOWN

    def is_refused(self, probe: str, value: str, row: Row) -> bool:
        """Return False: it is unknown."""
        return False

    def account(self) -> Account | None:
        """Return None: the roles of the caller are not read."""
        return None

    def is_unfinished(self, row: Row) -> bool:
        """Return False: rows do not show who created them."""
        return False

    def wait(self, attempt: int) -> None:
        """Pause before a write is tried again, or its object looked up again."""
        time.sleep(min(8.0, attempt + random.uniform(1.0, 1.3)))  # noqa: S311 (jitter, not secrecy)

    def warn(self, message: str) -> None:
        """Show `message` to the user."""
        self.context.warn(message)

    @contextmanager
    def _writing(self, write: Write) -> Iterator[None]:
        what = f"{VERBS.get(write.action, 'change')} {write.label}"
        try:
            yield
        except Refused as refusal:
            raise Refused(f"could not {what}: {refusal}", status=refusal.status, step=refusal.step) from None
        except UnclearOutcome:
            raise
        except (PlatformFailure, *FAILURES) as failure:
            raise PlatformFailure(f"could not {what}: {failure}") from None
