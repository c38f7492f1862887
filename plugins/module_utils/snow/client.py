# SPDX-License-Identifier: GPL-3.0-or-later
"""A ServiceNow instance: reads and writes rows, in batches where it can, explains refusals."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from urllib.parse import urlsplit

from ..ansible_module import Params, TaskContext
from ..engine.errors import Refused, UnclearOutcome
from ..engine.plan import CREATE, DELETE, UPDATE, Write
from ..engine.reconcile import Account, Reconciler
from ..engine.result import Result
from ..engine.rollback import AccessGuard
from ..engine.snapshot import Query, QueryResult, Row
from ..engine.store import Order, WriteResult
from ..transport.errors import AmbiguousResponse, HttpError, SignInFailed, TransportError
from ..transport.responses import Response
from ..transport.session import Session, checked_base_url
from ..transport.settings import transport_settings
from . import account, cicd, secret_checks
from .activation import Activation
from .auth import explain_401, grant_of, signer_for
from .batch import read_tables
from .bulk_writes import BulkWriter
from .pages import INSTANCE_PAGES
from .query import TableQuery, table_queries
from .table_api import TABLE_PATH, WRITE_QUERY, plain, row_path

# What is kept encrypted or hashed has to come in as a display value
# (docs/facts/servicenow_platform.md#encrypted-columns, docs/facts/servicenow_platform.md#users).
AS_DISPLAY_VALUE = {"sysparm_input_display_value": "true"}
VERBS = {CREATE: "create", UPDATE: "change", DELETE: "delete"}


class Instance:
    """One instance, as one account sees it. Fulfils the engine's `Store` and `BulkStore`."""

    def __init__(self, session: Session, grant: str, params: Params, context: TaskContext) -> None:
        self.session, self.grant, self.params, self.context = session, grant, params, context
        self.check_mode = context.check_mode
        self.create_attempts = session.settings.retries + 1
        self.name = short_name(session.base_url)
        self._account: Account | None | bool = False
        self._bulk = BulkWriter(self)
        self._prefetched: list[TableQuery] = []
        self._known: dict[TableQuery, QueryResult] = {}

    @classmethod
    def from_params(cls, params: Params, context: TaskContext) -> Instance:
        """Return the instance that the connection options describe; nothing is sent yet."""
        session = open_session(params, context)
        grant = grant_of(params)
        session.signer = signer_for(params, session)
        return cls(session, grant, params, context)

    def __enter__(self) -> Instance:
        return self

    def __exit__(self, *_exc: object) -> None:
        """Nothing to close: the connection stays for the next call of this process."""

    # -- the engine's protocol ----------------------------------------------------------------------------------------

    def ensure(self, *resources: Any, noun: str = "", guard: AccessGuard | None = None) -> Result:
        """Bring `resources` to their described state in one plan; with a `guard`, in groups that it looks after.

        With `noun`, the module is one of a single object and returns it under that name instead of `results`.
        """
        reconciler = Reconciler(self, resources, guard)
        result = reconciler.run()
        if noun:
            result.output = {noun: reconciler.described[0]}
        return result

    def compare(self, *resources: Any) -> Result:
        """Tell in what `resources` deviate from their described state; an account that may only read is enough."""
        return Reconciler(self, resources).compare()

    def read(self, reads: Sequence[Query]) -> list[QueryResult]:
        """Answer all `reads` in one round trip (more only where pages follow)."""
        grouped = [list(table_queries(read)) for read in reads]
        answers = iter(self.query([query for group in grouped for query in group]))
        result = []
        for group in grouped:
            parts = [next(answers) for _query in group]
            refused = next((part.refused for part in parts if part.refused), "")
            totals = [part.total for part in parts if part.total is not None]
            total = sum(totals) if len(totals) == len(parts) else None
            result.append(QueryResult(tuple(row for part in parts for row in part.rows), refused, total))
        return result

    def query(self, queries: Sequence[TableQuery]) -> list[QueryResult]:
        """Return the rows of each query, in order, all pages. A refusal of an `optional` query is part of the answer."""
        prefetched, self._prefetched = self._prefetched, []
        asked = [*prefetched, *(query for query in queries if query not in self._known and query not in prefetched)]
        answers = dict(self._known)
        for query, answer in self._ask(asked):
            answers[query] = answer
            if query in prefetched:
                self._known[query] = answer
        return [answers[query] for query in queries]

    def prefetch(self, queries: Iterable[TableQuery]) -> None:
        """Let the next read ask `queries` along with everything else; their answers are known until something is written."""
        self._prefetched += [query for query in queries if query not in self._known]

    def create(self, write: Write, values: Mapping[str, str]) -> Row:
        """POST one row and return it. A lost answer is `UnclearOutcome`: the row may exist."""
        with self._writing(write):
            try:
                answer = self.session.request("POST", row_path(write.collection), query=WRITE_QUERY, body=dict(values))
            except AmbiguousResponse as unclear:
                raise UnclearOutcome(f"{self.name}: whether {write.label} was created is unclear. {unclear}") from None
            row = answer.data.get("result") if isinstance(answer.data, Mapping) else None
            if not isinstance(row, Mapping) or not row.get("sys_id"):
                raise UnclearOutcome(f"{self.name}: the answer to creating {write.label} holds no sys_id")
            return plain(row)

    def update(self, write: Write, row_id: str, values: Mapping[str, str]) -> None:
        """PATCH one row. Sending the same values twice does no harm, so a lost answer is simply asked for again."""
        with self._writing(write):
            query = AS_DISPLAY_VALUE if write.secret else WRITE_QUERY
            for value in values.values() if write.secret else ():
                self.context.redactor.add(value)
            self.session.request("PATCH", row_path(write.collection, row_id), query=query, body=dict(values))

    def delete(self, write: Write, row_id: str) -> None:
        """DELETE one row; one that is gone already is as wanted."""
        with self._writing(write):
            answer = self.session.request("DELETE", row_path(write.collection, row_id), accept_errors=True)
            if answer.status >= 400 and answer.status != 404:
                raise answer.error(self.context.redactor.scrub_text)

    def perform(self, write: Write) -> None:
        """Activate a plugin or install an application, and wait for its end."""
        with self._writing(write):
            if isinstance(write, Activation):
                cicd.activate(self, write)

    def turn(self) -> AbstractContextManager[None]:
        """Wait until no other run of this machine creates rows on this instance, and let none begin."""
        return self._bulk.turn()

    def at_once(self) -> int:
        """Return how many writes to send together next."""
        return self._bulk.pace.size

    def write_many(self, orders: Sequence[Order]) -> list[WriteResult]:
        """Carry out creates and updates in batches, each once; return for each the row, or what went wrong."""
        self._known.clear()
        return self._bulk.write_all(orders)

    def written(self, done: int, total: int, what: str) -> None:
        """Say how far the writes have come, every few seconds."""
        self._bulk.written(done, total, what)

    def verdict(self, probe: str, value: str, row: Row) -> str:
        """Return whether the instance holds the secret `value`."""
        with self._explained():
            return secret_checks.PROBES[probe](self, value, row)

    def account(self) -> Account | None:
        """Return who is calling and with which roles; asked once, None when the instance does not tell."""
        if isinstance(self._account, bool):
            self._account = account.read_account(self)
        return self._account

    def prefetch_account(self) -> None:
        """Let the next read ask who is calling along with everything else: `account` will be needed."""
        if isinstance(self._account, bool):
            self.prefetch(account.account_queries(self))

    def wait(self, attempt: int) -> None:
        """Pause before a create is tried again."""
        time.sleep(random.uniform(0, min(8.0, 0.5 * 2**attempt)))  # noqa: S311 (jitter, not secrecy)

    def warn(self, message: str) -> None:
        """Show `message` to the user."""
        self.context.warn(message)

    # -- helpers ------------------------------------------------------------------------------------------------------

    def _ask(self, queries: Sequence[TableQuery]) -> Iterator[tuple[TableQuery, QueryResult]]:
        """Yield each query with its answer as far as it is known, again with each further page."""
        found: dict[TableQuery, list[Row]] = {query: [] for query in queries}
        waiting = {query: query for query in found}
        with self._explained():
            while waiting:
                answers = read_tables(self.session, list(waiting.values()))
                further = {}
                for (query, page), answer in zip(waiting.items(), answers, strict=True):
                    rows, refused = self._rows(page, answer)
                    found[query] += rows
                    total = _total(answer) if not refused else None
                    yield query, QueryResult(tuple(found[query]), refused, total)
                    following = page.next_page(_total(answer), len(rows)) if not refused else None
                    if following:
                        further[query] = following
                waiting = further

    def _rows(self, query: TableQuery, answer: Response) -> tuple[list[Row], str]:
        if answer.status == 404 and query.path.startswith(TABLE_PATH) and _is_no_record(answer):
            return [], ""
        if answer.status >= 400:
            error = answer.error(self.context.redactor.scrub_text)
            if query.optional and answer.status in (400, 403, 404):
                return [], str(error)
            raise self.refusal(f"to read {query.table}", error, query.table)
        rows = answer.data.get("result") if isinstance(answer.data, Mapping) else None
        rows = query.listed(rows)
        if not isinstance(rows, list):
            # Taken for "no rows", everything would be created again.
            raise AmbiguousResponse(
                f"{self.name}: GET {query.path} -> {answer.status}: the answer holds no list of rows"
            )
        return [plain(row) for row in rows if isinstance(row, Mapping)], ""

    def refusal(self, action: str, error: HttpError, table: str) -> Exception:
        """Return what to raise when the instance refused `action` on `table`: `Refused`, or `SignInFailed` for a 401."""
        if error.status == 401:
            return SignInFailed(explain_401(self.grant, error, str(self.params.get("snow_username") or "the account")))
        hint = account.remedy(self, error, table)
        return Refused(f"{self.name} refused {action}. {error}{'. ' + hint if hint else ''}")

    @contextmanager
    def _writing(self, write: Write) -> Iterator[None]:
        self._known.clear()
        try:
            yield
        except HttpError as error:
            verb = VERBS.get(write.action, "activate")
            raise self.refusal(f"to {verb} {write.label}", error, write.collection) from None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except HttpError as error:
            raise self.refusal("the request", error, "") from None


def open_session(params: Params, context: TaskContext) -> Session:
    """Return an unsigned session for the instance of a task's connection options."""
    base_url = checked_base_url("snow_url", params.get("snow_url"))
    context.subject = short_name(base_url)
    settings = transport_settings(
        params, client_cert=params.get("snow_client_cert"), client_key=params.get("snow_client_key")
    )
    for option in (
        "snow_password",
        "snow_client_secret",
        "snow_refresh_token",
        "snow_jwt_assertion",
        "snow_access_token",
        "snow_api_key",
    ):
        context.redactor.add(params.get(option))
    if params.get("snow_username") and params.get("snow_password"):
        context.redactor.add(f"{params['snow_username']}:{params['snow_password']}")
    return Session(base_url, settings, context, page_hints=INSTANCE_PAGES)


def short_name(base_url: str) -> str:
    """Return what people call the instance at `base_url`: `acme-prod`, or host and path where it is no vendor address."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if host.endswith(".service-now.com") and not parts.path:
        return host.split(".", 1)[0]
    return f"{parts.netloc}{parts.path}"


def _total(answer: Response) -> int | None:
    text = answer.headers.get("x-total-count", "")
    return int(text) if text.isdigit() else None


def _is_no_record(answer: Response) -> bool:
    error = answer.data.get("error") if isinstance(answer.data, Mapping) else None
    return isinstance(error, Mapping) and "No Record" in str(error.get("message"))


__all__ = ["Instance", "TransportError", "open_session", "plain", "short_name"]
