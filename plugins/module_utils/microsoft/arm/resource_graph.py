# SPDX-License-Identifier: GPL-3.0-or-later
"""The responses of Resource Graph, and whether they contain every row.

See docs/facts/defender_for_cloud.md#resource-graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...transport.errors import AmbiguousResponse

RESOURCE_GRAPH_PATH = "/providers/Microsoft.ResourceGraph/resources"


def graph_page(data: Any) -> list[dict[str, Any]]:
    """Return the rows of one page; raise `AmbiguousResponse` for a response without rows, or with fewer than it counts."""
    page = data.get("data") if isinstance(data, Mapping) else None
    if not isinstance(page, list) or not all(isinstance(row, dict) for row in page):
        raise AmbiguousResponse(f"POST {RESOURCE_GRAPH_PATH}: the response contains no rows")
    count = data.get("count")
    if _is_number(count) and count != len(page):
        raise AmbiguousResponse(
            f"POST {RESOURCE_GRAPH_PATH}: the response is incomplete: it counts {count} rows and contains {len(page)}"
        )
    return page


def check_complete(data: Mapping[str, Any], received: int) -> None:
    """Raise `AmbiguousResponse` when rows are missing after the last page, `data`.

    A truncated result without a token for the next page has lost rows
    (https://github.com/MicrosoftDocs/azure-docs/issues/50606). Its flag is a text, or a boolean.
    """
    total: Any = data.get("totalRecords")
    missing = _is_number(total) and received < total
    if missing or str(data.get("resultTruncated") or "").lower() == "true":
        of = f" of {total}" if missing else ""
        raise AmbiguousResponse(
            f"POST {RESOURCE_GRAPH_PATH}: the result is incomplete: {received}{of} rows were returned, and no token for the next page. "
            f"Run again, or for fewer subscriptions at a time"
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
