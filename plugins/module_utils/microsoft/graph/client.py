# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph: paged lists, batches, hunting, refusals with a remedy.

See docs/facts/microsoft_graph.md#hunting, docs/facts/microsoft_graph.md#secure-score,
docs/facts/microsoft_graph.md#conventions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...ansible_module import Params, TaskContext
from ...engine.errors import EngineError, PlatformFailure, Refused
from ...transport.base_url import checked_base_url
from ...transport.errors import HttpError, SignInFailed
from ...transport.paged_list import PagedList, checked_rows
from ...transport.polling import ProgressLine
from ...transport.responses import Response
from ...transport.session import Session
from ...transport.settings import transport_settings
from ..entra.clouds import audience, cloud_of
from ..entra.credentials import signer_for
from ..next_link import path_below
from .batch import BatchSender, Call

VERSION = "/v1.0"
HUNTING_PATH = f"{VERSION}/security/runHuntingQuery"
HUNTING_PERMISSION = "ThreatHunting.Read.All"
GRANT = (
    "Grant it under Entra > App registrations > (the application) > API permissions > Add a permission > Microsoft Graph > "
    "Application permissions, then choose Grant admin consent"
)


@dataclass(frozen=True)
class HuntingResult:
    """Rows of a query, column name to value, and the columns with their types."""

    rows: list[dict[str, Any]]
    schema: list[dict[str, str]]


class GraphClient:
    """Microsoft Graph of one tenant, as one identity sees it."""

    name = "Microsoft Graph"

    def __init__(self, session: Session, params: Params, context: TaskContext) -> None:
        self.session, self.params, self.context = session, params, context

    @classmethod
    def from_params(cls, params: Params, context: TaskContext) -> GraphClient:
        """Return a client for the connection options; nothing is sent yet."""
        cloud = cloud_of(params)
        root = checked_base_url("azure_graph_url", params.get("azure_graph_url") or cloud.graph)
        context.subject = context.subject or (params.get("azure_tenant_id") or root)
        # The audience is Graph itself, also behind a gateway.
        signer = signer_for(params, context, audience(cloud.graph))
        return cls(Session(root, transport_settings(params), context, signer), params, context)

    # -- calls --------------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, permission: str, **more: Any) -> Response:
        """Send one request and return its response. `path` follows the version; the call requires `permission`.

        Raises `Refused` or `SignInFailed` with a remedy, and the transport's errors.
        """
        return self._send(method, f"{VERSION}{path}", permission, **more)

    def rows(self, path: str, permission: str, *, one_page: bool = False, **query: str) -> list[dict[str, Any]]:
        """Return every object of a list, following `@odata.nextLink` unchanged; or those of its first page.

        See docs/facts/microsoft_graph.md#lists-of-graph.
        """
        response = self.call("GET", path, permission, query={f"${name}": value for name, value in query.items()})
        return page_of(response)[0] if one_page else self.rows_from(response, permission)

    def rows_from(self, response: Response, permission: str) -> list[dict[str, Any]]:
        """Return every object of a list whose first page is `response`."""
        rows, link = page_of(response)
        pages = PagedList(f"{response.method} {response.path}", self.session.settings)
        pages.add(rows)
        while link:
            pages.go_on(link)
            page, link = page_of(self._send("GET", self.below(link), permission))
            pages.add(page)
            rows += page
        return rows

    def batch(self, calls: Sequence[Call]) -> list[Response]:
        """Send `calls` in as few requests as possible and return their responses in the same order, errors included.

        Raises what `call` raises when a batch itself is refused.
        """
        return BatchSender(self._send_batch, self.session, self.progress_line()).responses(calls)

    def _send_batch(self, body: Any, *, only_reads: bool) -> Response:
        return self._send("POST", f"{VERSION}/$batch", "", body=body, only_reads=only_reads)

    def progress_line(self) -> ProgressLine:
        """Return a line of progress that begins with the platform's name."""
        return ProgressLine(lambda text: self.context.progress(f"{self.name}: {text}"))

    def below(self, link: str) -> str:
        """Return the path and query of an absolute `link`; raise `EngineError` for one to another host."""
        return path_below(
            link, (self.session.base_url, cloud_of(self.params).graph), "Microsoft Graph", "azure_graph_url"
        )

    def _send(self, method: str, path: str, permission: str, **more: Any) -> Response:
        try:
            return self.session.request(method, path, **more)
        except HttpError as error:
            raise self.refusal(error, permission) from None

    def error_of(self, response: Response) -> HttpError:
        """Return the error in a response of a batch, without secrets."""
        return response.error(self.context.redactor.scrub_text)

    def refusal(self, error: HttpError, permission: str, what: str = "the call", **hints: str) -> Exception:
        """Return the exception for a refused call, with a remedy. `hints` by status (`on_400`) take precedence."""
        if error.status == 401:
            return SignInFailed(
                f"{error}. The token is for another API or another tenant: check azure_tenant_id, azure_cloud and azure_access_token"
            )
        hint = hints.get(f"on_{error.status}", "")
        if error.status == 403 and permission:
            hint = f"The call requires the permission {permission} of Microsoft Graph. {GRANT}{'. ' + hint if hint else ''}"
        if error.status == 429:
            hint = hint or "Microsoft Graph is throttling this tenant; run again later"
        if not error.is_refusal:
            return PlatformFailure(f"Microsoft Graph failed {what}. {error}{'. ' + hint if hint else ''}")
        return Refused(f"Microsoft Graph refused {what}. {error}{'. ' + hint if hint else ''}")

    # -- hunting ------------------------------------------------------------------------------------------------------

    def hunt(self, query: str, timespan: str | None = None) -> HuntingResult:
        """Run an advanced hunting query (KQL). `timespan` is ISO 8601; without it Graph searches 30 days.

        Raises `Refused` with a remedy.
        """
        body = {"Query": query, **({"Timespan": timespan} if timespan else {})}
        try:
            response = self.session.request("POST", HUNTING_PATH, body=body, only_reads=True)
        except HttpError as error:
            raise self.refusal(
                error,
                HUNTING_PERMISSION,
                "the hunting query",
                on_400="Check the syntax of the query and the timespan",
                on_429="The tenant's hunting quota is exhausted; wait 15 minutes, or narrow the query",
            ) from None
        data = response.data
        rows = _first(data, "results", "Results")
        where = f"POST {HUNTING_PATH} -> {response.status}"
        if not isinstance(rows, list):
            raise EngineError(f"{where}: the response contains no results")
        # The keys of the schema start in lower or in upper case (docs/facts/microsoft_graph.md#advanced-hunting).
        schema = [
            {"name": str(_first(column, "name", "Name")), "type": str(_first(column, "type", "Type"))}
            for column in _first(data, "schema", "Schema") or []
        ]
        return HuntingResult(checked_rows(rows, where), schema)


def page_of(response: Response) -> tuple[list[dict[str, Any]], Any]:
    """Return the objects of one page of a list, and the link to the next one, "" for none."""
    data = response.data if isinstance(response.data, Mapping) else {}
    rows = checked_rows(data.get("value"), f"{response.method} {response.path} -> {response.status}")
    return rows, data.get("@odata.nextLink") or ""


def _first(data: Any, *names: str) -> Any:
    return next((data[name] for name in names if isinstance(data, Mapping) and name in data), None)
