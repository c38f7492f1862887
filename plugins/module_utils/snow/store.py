# SPDX-License-Identifier: GPL-3.0-or-later
"""A ServiceNow instance as the engine's store: queries and writes of tables, in batches where the instance can."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from ..ansible_module import Params, TaskContext
from ..engine.errors import PlatformFailure, Refused, UnclearOutcome
from ..engine.plan import CREATE, DELETE, UPDATE, Write
from ..engine.snapshot import Query, QueryResult, Row
from ..engine.store import Account, LengthSource, Order, WriteResult
from ..file_lock import turn
from ..transport.errors import FAILURES, AmbiguousResponse, HttpError
from . import cicd, secret_checks
from .activation import Activation
from .bulk_writes import BulkWriter
from .client import RefusedRequest, ServiceNowClient
from .query import table_queries
from .update_sets import operations
from .update_sets.request import TakeOverWrite

VERBS = {CREATE: "create", UPDATE: "change", DELETE: "delete"}


class InstanceStore:
    """One instance, as one account sees it. Implements the engine's `Store` and `BulkStore`."""

    id_column = "sys_id"
    age_columns: tuple[str, ...] = ("sys_created_on", "sys_mod_count", "sys_created_by")
    # Longer values are cut without an error (docs/facts/servicenow_platform.md#write-safety).
    lengths: LengthSource | None = LengthSource("sys_dictionary", "name", "element", "max_length")
    discarded_by = "A business rule, an access rule or an unsupported field may have discarded it"

    def __init__(self, client: ServiceNowClient) -> None:
        self.client = client
        self.name = client.name
        self.check_mode = client.context.check_mode
        self.create_attempts = client.session.settings.retries + 1
        self._bulk = BulkWriter(client)

    @classmethod
    def from_params(cls, params: Params, context: TaskContext) -> InstanceStore:
        """Return the store for the connection options of a task; nothing is sent yet."""
        return cls(ServiceNowClient.from_params(params, context))

    # -- reading ------------------------------------------------------------------------------------------------------

    def read(self, reads: Sequence[Query]) -> list[QueryResult]:
        """Answer all `reads` in one round trip (more only where pages follow)."""
        grouped = [list(table_queries(read)) for read in reads]
        with self._refusals():
            answers = iter(self.client.query([query for group in grouped for query in group]))
        result = []
        for group in grouped:
            parts = [next(answers) for _query in group]
            refused = next((part.refused for part in parts if part.refused), "")
            totals = [part.total for part in parts if part.total is not None]
            total = sum(totals) if len(totals) == len(parts) else None
            result.append(QueryResult(tuple(row for part in parts for row in part.rows), refused, total))
        return result

    def verdict(self, probe: str, value: str, row: Row) -> str:
        """Return whether the instance holds the secret `value`."""
        with self._refusals(), self.client.explained():
            return secret_checks.PROBES[probe](self.client, value, row)

    def is_refused(self, probe: str, value: str, row: Row) -> bool:
        """Return whether the instance certainly refuses the secret `value`."""
        with self._refusals(), self.client.explained():
            return secret_checks.REFUSALS[probe](self.client, value, row)

    def account(self) -> Account | None:
        """Return the calling account and its roles; asked once, None when the instance does not show it."""
        return self.client.account()

    def is_unfinished(self, row: Row) -> bool:
        """Return True for a row that this account created and whose secret it never came to write: an interrupted run.

        A new row has sys_mod_count 0 and every update raises it (docs/facts/servicenow_tickets.md#task-columns).
        """
        if row.get("sys_mod_count") != "0":
            return False
        account = self.account()
        return account is not None and account.user_name == row.get("sys_created_by")

    def prefetch_account(self) -> None:
        """Ask for the calling account with the next read: `account` will be needed."""
        self.client.prefetch_account()

    # -- writing ------------------------------------------------------------------------------------------------------

    def create(self, write: Write, values: Mapping[str, str]) -> Row:
        """Create one row and return it. Without a clear answer `UnclearOutcome`: the row may exist."""
        with self._writing(write):
            try:
                row = self.client.create_row(write.collection, values)
            except AmbiguousResponse as unclear:
                raise UnclearOutcome(f"{self.name}: whether {write.label} was created is unclear. {unclear}") from None
            if not row.get("sys_id"):
                raise UnclearOutcome(f"{self.name}: the answer to creating {write.label} holds no sys_id")
            return row

    def update(self, write: Write, row_id: str, values: Mapping[str, str]) -> None:
        """Change one row; a secret is sent as a display value and redacted from now on."""
        with self._writing(write):
            self.client.update_row(write.collection, row_id, values, secret=write.secret)

    def delete(self, write: Write, row_id: str) -> None:
        """Delete one row that may be gone already."""
        with self._writing(write):
            write.not_found = self.client.delete_row(write.collection, row_id)

    def perform(self, write: Write) -> None:
        """Activate a plugin, install an application or take over an update set, and wait for its end."""
        with self._writing(write):
            if isinstance(write, Activation):
                cicd.activate(self.client, write)
            elif isinstance(write, TakeOverWrite):
                operations.carry_out(self.client, self.read, write)

    def turn(self) -> AbstractContextManager[None]:
        """Wait until no other run of this machine creates rows on this instance, and let none begin."""
        return turn(self.client.session.base_url, self.name, self.client.context.progress)

    def at_once(self) -> int:
        """Return how many writes to send together next."""
        return self._bulk.pace.size

    def write_many(self, orders: Sequence[Order]) -> list[WriteResult]:
        """Send creates and updates in batches, each once; return for each the row, or what went wrong."""
        self.client.forget_answers()
        with self._refusals():
            return self._bulk.write_all(orders)

    def written(self, done: int, total: int, what: str) -> None:
        """Show how far the writes have come, every few seconds."""
        self._bulk.written(done, total, what)

    def wait(self, attempt: int) -> None:
        """Pause before a write is tried again, or its row looked up again: 1, 2, 3 s and so on, with jitter."""
        time.sleep(min(8.0, attempt + random.uniform(1.0, 1.3)))  # noqa: S311 (jitter, not secrecy)

    def warn(self, message: str) -> None:
        """Show `message` to the user."""
        self.client.warn(message)

    # -- helpers ------------------------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self, write: Write) -> Iterator[None]:
        self.client.forget_answers()
        verb = "take over" if isinstance(write, TakeOverWrite) else VERBS.get(write.action, "activate")
        action = f"to {verb} {write.label}"
        with self._refusals():
            try:
                try:
                    yield
                except HttpError as error:
                    raise self.client.refusal(action, error, write.collection) from None
            except FAILURES as failure:
                text = str(failure)
                prefix = "" if text.startswith(self.name) else f"{self.name} failed {action}. "
                raise PlatformFailure(f"{prefix}{text}") from None

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Raise the client's refusals as the engine's."""
        try:
            yield
        except RefusedRequest as refusal:
            raise Refused(str(refusal)) from None
