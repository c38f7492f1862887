# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph: advanced hunting (Defender for Cloud Apps facts 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..engine.errors import EngineError, Refused
from ..shell import Context, Params, transport_settings
from ..transport.errors import HttpError, SignInFailed
from ..transport.session import Session, checked_base_url
from .clouds import audience, cloud_of
from .identity import signer_for

HUNTING_PATH = "/v1.0/security/runHuntingQuery"
HUNTING_PERMISSION = "ThreatHunting.Read.All"
GRANT = (
    "Grant it under Entra > App registrations > (the application) > API permissions > Add a permission > Microsoft Graph > "
    "Application permissions, then choose Grant admin consent"
)


@dataclass(frozen=True)
class HuntingAnswer:
    """Rows of a query, column name to value, and the columns with their types."""

    rows: list[dict[str, Any]]
    schema: list[dict[str, str]]


class Graph:
    """Microsoft Graph of one tenant, as one identity sees it."""

    def __init__(self, session: Session, context: Context) -> None:
        self.session, self.context = session, context

    @classmethod
    def from_params(cls, params: Params, context: Context) -> Graph:
        """Return the Graph that the connection options describe; nothing is sent yet."""
        root = checked_base_url("azure_graph_url", params.get("azure_graph_url") or cloud_of(params).graph)
        context.subject = context.subject or (params.get("azure_tenant_id") or root)
        # The audience is Graph's own name, also where a gateway stands before it.
        scope = audience(cloud_of(params).graph)
        return cls(Session(root, transport_settings(params), context, signer_for(params, context, scope)), context)

    def __enter__(self) -> Graph:
        return self

    def __exit__(self, *_exc: object) -> None:
        """Nothing to close: the connection stays for the next call of this process."""

    def hunt(self, query: str, timespan: str | None = None) -> HuntingAnswer:
        """Run an advanced hunting query (KQL). `timespan` is ISO 8601; without it Graph takes 30 days.

        Raises `Refused` with what to do about it.
        """
        body = {"Query": query, **({"Timespan": timespan} if timespan else {})}
        try:
            answer = self.session.request("POST", HUNTING_PATH, body=body, only_reads=True)
        except HttpError as error:
            raise self._refusal(error) from None
        data = answer.data
        rows = _first(data, "results", "Results")
        if not isinstance(rows, list):
            raise EngineError(f"POST {HUNTING_PATH} -> {answer.status}: the answer holds no results")
        # Facts 5.1: the keys of the schema come in lower and in upper case.
        schema = [
            {"name": str(_first(column, "name", "Name")), "type": str(_first(column, "type", "Type"))}
            for column in _first(data, "schema", "Schema") or []
        ]
        return HuntingAnswer([row for row in rows if isinstance(row, dict)], schema)

    def _refusal(self, error: HttpError) -> Exception:
        if error.status == 401:
            return SignInFailed(
                f"{error}. The token is not for Microsoft Graph of this tenant: check azure_tenant_id, azure_cloud and azure_access_token"
            )
        hint = {
            403: f"It takes the permission {HUNTING_PERMISSION} of Microsoft Graph. {GRANT}",
            400: "Graph does not understand the query or the timespan",
            429: "The tenant's quota for hunting is used up; wait a quarter of an hour, or ask for less",
        }.get(error.status, "")
        return Refused(f"Microsoft Graph refused the hunting query. {error}{'. ' + hint if hint else ''}")


def _first(data: Any, *names: str) -> Any:
    return next((data[name] for name in names if isinstance(data, Mapping) and name in data), None)
