# SPDX-License-Identifier: GPL-3.0-or-later
"""Many writes to an instance in few round trips, as the engine's `BulkStore` wants them."""

from __future__ import annotations

from collections.abc import Sequence

from ..engine.errors import AlreadyExists, PlatformFailure, Refused, UnclearOutcome
from ..engine.plan import CREATE, DELETE, UPDATE
from ..engine.store import Order, WriteResult
from ..transport.errors import AmbiguousResponse, HttpError, RequestFailed, SignInFailed
from ..transport.polling import ProgressLine
from . import attachment_api, change_api
from .batch import Pace, WriteRequest, Written, write_all
from .client import ServiceNowClient
from .table_api import WRITE_QUERY, plain, row_path

# Together with the time of one batch (`batch.BATCH_SECONDS`) this gives a line at least every 5 s.
PROGRESS_INTERVAL = 1.5
# How the database reports a duplicate (a sys_id in a create may be accepted, and may already exist,
# docs/facts/servicenow_platform.md#write-safety).
DUPLICATE_WORDS = ("duplicate key", "unique key violation", "unique constraint", "duplicate entry")
VERBS = {CREATE: "create", UPDATE: "change", DELETE: "delete"}
DONE = {CREATE: "created", UPDATE: "changed", DELETE: "deleted"}


class BulkWriter:
    """Sends the writes of one instance in batches, at the pace that it keeps up with."""

    def __init__(self, client: ServiceNowClient) -> None:
        self.client = client
        self.pace = Pace()
        self._progress = ProgressLine(self._show, PROGRESS_INTERVAL)

    def _show(self, message: str) -> None:
        self.client.context.progress(f"{self.client.name}: {message}")

    def written(self, done: int, total: int, what: str) -> None:
        """Show how far the writes have come, every few seconds."""
        self._progress.report(f"{done} of {total} {what} written")

    def write_all(self, orders: Sequence[Order]) -> list[WriteResult]:
        """Send creates, updates and deletes, each once; return for each the row, or the error."""
        try:
            answers = self._sent(orders)
            missing = [i for i, order in enumerate(orders) if self._found_no_api(order, answers[i])]
            for index, answer in zip(missing, self._sent([orders[i] for i in missing]) if missing else (), strict=True):
                answers[index] = answer
        except HttpError as error:
            raise self.client.refusal("the writes", error, orders[0].write.collection) from None
        return [self._outcome(order, answer) for order, answer in zip(orders, answers, strict=True)]

    def _sent(self, orders: Sequence[Order]) -> list[Written]:
        return write_all(self.client.session, [self._request(order) for order in orders], self.pace, self._show)

    def _found_no_api(self, order: Order, written: Written) -> bool:
        write = order.write
        if not isinstance(write, change_api.ChangeWrite) or write.template:
            return False
        return change_api.is_absent(self._base_url, written)

    @property
    def _base_url(self) -> str:
        return self.client.session.base_url

    def _request(self, order: Order) -> WriteRequest:
        if change_api.goes_there(self._base_url, order.write):
            return change_api.request(order)
        if isinstance(order.write, attachment_api.AttachmentWrite):
            return attachment_api.request(order)
        if order.write.action == DELETE:
            return WriteRequest("DELETE", row_path(order.write.collection, order.row_id), {}, {}, content="")
        method = "POST" if order.write.action == CREATE else "PATCH"
        # Nothing else of the row is needed: it is read again after all writes.
        query = {**WRITE_QUERY, "sysparm_fields": "sys_id"}
        return WriteRequest(method, row_path(order.write.collection, order.row_id), query, order.values)

    def _outcome(self, order: Order, written: Written) -> WriteResult:
        label, verb = order.write.label, DONE[order.write.action]
        name = self.client.name
        if isinstance(written, AmbiguousResponse):
            return UnclearOutcome(f"{name}: whether {label} was {verb} is unclear. {written}")
        if isinstance(written, HttpError):
            return self._refusal(order, written)
        if order.write.action == DELETE:
            return {"sys_id": order.row_id}
        record = change_api.record_of(written)
        row = plain(record)
        if not row.get("sys_id"):
            return UnclearOutcome(f"{name}: the answer to writing {label} has no sys_id")
        dropped = change_api.ignored(record)
        if dropped:
            return Refused(
                f"{name}: {label} was {verb}, but the change API left out {', '.join(dropped)}: change_request has no such field "
                f"on this instance, or the account may not write it"
            )
        return row

    def _refusal(self, order: Order, error: HttpError) -> WriteResult:
        verb = VERBS[order.write.action]
        refusal = self.client.refusal(f"to {verb} {order.write.label}", error, order.write.collection)
        if isinstance(refusal, SignInFailed):
            raise refusal
        if isinstance(refusal, RequestFailed):
            return PlatformFailure(str(refusal))
        if order.write.action == DELETE and error.status == 404:
            order.write.not_found = str(error)
            return {"sys_id": order.row_id}
        if error.status == 404 and "No Record" in error.words:
            return Refused(f"{refusal}. It was deleted since it was read, or the account may not see it; run again")
        if order.write.action == CREATE and any(words in error.words.lower() for words in DUPLICATE_WORDS):
            return AlreadyExists(str(refusal))
        return Refused(str(refusal))
