# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether assets of ServiceNow arrive in the exposure graph, which advanced hunting shows.

See docs/facts/exposure_management.md#retrieved-data.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...engine.errors import EngineError, Refused
from ..graph import GraphClient

QUERY = 'ExposureGraphNodes | where NodeProperties contains "serviceNowCmdbAssetInfo" | summarize Assets=count()'


@dataclass(frozen=True)
class Assets:
    """The number of assets that any ServiceNow instance delivered; `refused` is the reason if it could not be read."""

    count: int = 0
    refused: str = ""


def read_assets(client: GraphClient) -> Assets:
    """Return the number of assets of ServiceNow in the exposure graph of the tenant."""
    try:
        rows = client.hunt(QUERY).rows
    except Refused as error:
        return Assets(refused=str(error))
    try:
        return Assets(int(rows[0]["Assets"]) if rows else 0)
    except (KeyError, TypeError, ValueError):
        raise EngineError(
            f"{client.name}: advanced hunting did not return the number of assets. The query was: {QUERY}"
        ) from None
