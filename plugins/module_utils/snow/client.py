# SPDX-License-Identifier: GPL-3.0-or-later
"""A ServiceNow instance over HTTP: rows in batches where it can, and refusals explained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from ..ansible_module import Params, TaskContext
from ..transport.base_url import checked_base_url
from ..transport.errors import AmbiguousResponse, HttpError, RequestFailed, SignInFailed, TransportError
from ..transport.paged_list import PagedList, checked_rows
from ..transport.responses import Response
from ..transport.session import Session
from ..transport.settings import transport_settings
from .account import Account, account_of, account_queries, is_query_denied, remedy
from .auth import explain_401, grant_of, signer_for
from .batch import read_tables
from .pages import INSTANCE_PAGES
from .query import TableQuery, TableRow, TableRows
from .table_api import TABLE_PATH, WRITE_QUERY, plain, row_path

# What is kept encrypted or hashed has to come in as a display value
# (docs/facts/servicenow_platform.md#encrypted-columns, docs/facts/servicenow_platform.md#users).
AS_DISPLAY_VALUE = {"sysparm_input_display_value": "true"}


class RefusedRequest(TransportError):
    """The instance understood a request and refused it. The message names the instance, its own words and the remedy."""


class ServiceNowClient:
    """One instance, as one account sees it."""

    def __init__(self, session: Session, grant: str, params: Params, context: TaskContext) -> None:
        self.session, self.grant, self.params, self.context = session, grant, params, context
        self.name = short_name(session.base_url)
        self._account: Account | None | bool = False
        self._prefetched: list[TableQuery] = []
        self._known: dict[TableQuery, TableRows] = {}

    @classmethod
    def from_params(cls, params: Params, context: TaskContext) -> ServiceNowClient:
        """Return a client for the connection options of a task; nothing is sent yet."""
        session = open_session(params, context)
        grant = grant_of(params)
        session.signer = signer_for(params, session)
        return cls(session, grant, params, context)

    def warn(self, message: str) -> None:
        """Show `message` to the user."""
        self.context.warn(message)

    # -- reading ------------------------------------------------------------------------------------------------------

    def query(self, queries: Sequence[TableQuery]) -> list[TableRows]:
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
        """Send `queries` along with the next read; their answers are known until `forget_answers`."""
        self._prefetched += [query for query in queries if query not in self._known]

    def forget_answers(self) -> None:
        """Forget what was prefetched: something is about to be written."""
        self._known.clear()

    def account(self) -> Account | None:
        """Return the calling account and its roles; asked once, None when the instance does not show it."""
        if isinstance(self._account, bool):
            try:
                users, roles = (answer.rows for answer in self.query(account_queries(self.grant, self.params)))
            except TransportError:
                self._account = None
            else:
                self._account = account_of(users, roles)
        return self._account

    def prefetch_account(self) -> None:
        """Send the queries of `account` along with the next read."""
        if isinstance(self._account, bool):
            self.prefetch(account_queries(self.grant, self.params))

    # -- writing ------------------------------------------------------------------------------------------------------

    def create_row(self, table: str, values: Mapping[str, str]) -> TableRow:
        """POST one row and return it; an empty one when the answer holds none."""
        answer = self.session.request("POST", row_path(table), query=WRITE_QUERY, body=dict(values))
        row = answer.data.get("result") if isinstance(answer.data, Mapping) else None
        return plain(row) if isinstance(row, Mapping) else {}

    def update_row(self, table: str, row_id: str, values: Mapping[str, str], *, secret: bool = False) -> None:
        """PATCH one row. Sending the same values twice does no harm, so a request without an answer is repeated."""
        for value in values.values() if secret else ():
            self.context.redactor.add(value)
        query = AS_DISPLAY_VALUE if secret else WRITE_QUERY
        self.session.request("PATCH", row_path(table, row_id), query=query, body=dict(values))

    def delete_row(self, table: str, row_id: str) -> str:
        """DELETE one row; return the instance's words if it has no such row, "" if it was deleted."""
        answer = self.session.request("DELETE", row_path(table, row_id), accept_errors=True)
        if answer.status < 400:
            return ""
        error = answer.error(self.context.redactor.scrub_text)
        if answer.status != 404:
            raise error
        return str(error)

    # -- refusals -----------------------------------------------------------------------------------------------------

    def refusal(self, action: str, error: HttpError, table: str) -> TransportError:
        """Return what to raise for the error answer to `action` on `table`.

        `RefusedRequest`, `SignInFailed` for a 401, or `RequestFailed` where the instance did not mean "no".
        """
        if error.status == 401:
            return SignInFailed(explain_401(self.grant, error, str(self.params.get("snow_username") or "the account")))
        hint = remedy(error, table, self.account)
        if not error.is_refusal:
            return RequestFailed(f"{self.name} failed {action}. {error}{'. ' + hint if hint else ''}")
        return RefusedRequest(f"{self.name} refused {action}. {error}{'. ' + hint if hint else ''}")

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Raise a refusal for an error answer within the block."""
        try:
            yield
        except HttpError as error:
            raise self.refusal("the request", error, "") from None

    # -- helpers ------------------------------------------------------------------------------------------------------

    def _ask(self, queries: Sequence[TableQuery]) -> Iterator[tuple[TableQuery, TableRows]]:
        """Yield each query with its answer as far as it is known, again with each further page."""
        found: dict[TableQuery, list[TableRow]] = {query: [] for query in queries}
        pages = {query: PagedList(f"{self.name}: GET {query.path}", self.session.settings) for query in found}
        waiting = {query: query for query in found}
        with self.explained():
            while waiting:
                answers = read_tables(self.session, list(waiting.values()))
                further = {}
                for (query, page), answer in zip(waiting.items(), answers, strict=True):
                    if page.is_sorted and is_query_denied(answer):
                        # The order may be what is refused (docs/facts/servicenow_platform.md#query-access-rules).
                        further[query] = replace(page, is_sorted=False)
                        continue
                    rows, refused = self._rows(page, answer)
                    total = _total(answer) if not refused else None
                    rows = self._new_rows(rows, page, total, pages[query])
                    rows = rows if total is not None and page.is_sorted else _unknown(rows, found[query])
                    found[query] += rows
                    yield query, TableRows(tuple(found[query]), refused, total)
                    following = page.next_page(total, len(rows)) if not refused else None
                    if following:
                        pages[query].go_on()
                        further[query] = following
                    elif page.offset and not page.is_sorted:
                        self._check_unsorted(page, len(found[query]), total)
                waiting = further

    def _check_unsorted(self, query: TableQuery, received: int, total: int | None) -> None:
        """Raise `AmbiguousResponse` for pages that may have overlapped, since their rows came in no order."""
        if total != received and not (query.limit and received >= query.limit):
            raise AmbiguousResponse(
                f"{self.name}: GET {query.path}: the list is incomplete: the account may not sort {query.table}, so its pages overlap, and "
                f"{received} rows were received of {'an unknown number' if total is None else total}. Let its query_range access rule "
                f"accept the account for sys_id, or read less at once"
            )

    def _new_rows(self, rows: list[TableRow], query: TableQuery, total: int | None, pages: PagedList) -> list[TableRow]:
        """Return the rows of one page, none of them for a page that came before.

        A server without paging returns all its rows each time, fewer than it is asked for; from any other server, a page that
        comes again hides rows. Rows without an id can be equal.
        """
        have_ids = all(row.get("sys_id") for row in rows)
        is_short = total is None and len(rows) < query.page_size
        if have_ids and is_short:
            return [] if pages.is_repeated(rows) else rows
        if have_ids or is_short:
            pages.add(rows)
        return rows

    def _rows(self, query: TableQuery, answer: Response) -> tuple[list[TableRow], str]:
        if answer.status == 404 and query.path.startswith(TABLE_PATH) and _is_no_record(answer):
            return [], ""
        if answer.status >= 400:
            error = answer.error(self.context.redactor.scrub_text)
            if query.optional and answer.status in (400, 403, 404):
                return [], str(error)
            raise self.refusal(f"to read {query.table}", error, query.table)
        rows = answer.data.get("result") if isinstance(answer.data, Mapping) else None
        rows = query.listed(rows)
        return [plain(row) for row in checked_rows(rows, f"{self.name}: GET {query.path} -> {answer.status}")], ""


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
    """Return the name of the instance at `base_url`: `acme-prod`, or host and path for any other address."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if host.endswith(".service-now.com") and not parts.path:
        return host.split(".", 1)[0]
    return f"{parts.netloc}{parts.path}"


def _unknown(rows: list[TableRow], known: list[TableRow]) -> list[TableRow]:
    """Return `rows` without those that an overlapping page returned already."""
    ids = {row["sys_id"] for row in known if row.get("sys_id")}
    return [row for row in rows if row.get("sys_id") not in ids] if ids else rows


def _total(answer: Response) -> int | None:
    text = answer.headers.get("x-total-count", "")
    return int(text) if text.isdigit() else None


def _is_no_record(answer: Response) -> bool:
    error = answer.data.get("error") if isinstance(answer.data, Mapping) else None
    return isinstance(error, Mapping) and "No Record" in str(error.get("message"))
