# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists objects by the operation `list` of a contract, page by page."""

from __future__ import annotations

from typing import Any

from ..engine.errors import EngineError
from ..transport.errors import AmbiguousResponse
from ..transport.paged_list import PagedList, records_in
from .replay import Replay
from .template import find_placeholders


def list_by_contract(replay: Replay, page_size: int) -> list[dict[str, Any]]:
    """Return every connector's record, as the field `connectors` of the operation `list` has it.

    Raises `EngineError` for a contract without that field, `AmbiguousResponse` for a list that is none or that is known to be incomplete.
    """
    step = replay.contract.operations["list"][0]
    has_pages = "skip" in set(find_placeholders([step.body, step.url]))
    rows: list[dict[str, Any]] = []
    pages = PagedList("the contract's operation list", replay.session.settings)
    while True:
        fields = replay.run("list", {"skip": len(rows), "limit": page_size}, only_reads=True)
        if "connectors" not in fields:
            raise EngineError("the contract's operation list does not declare the field connectors")
        page = records_in(fields["connectors"], "the list of connectors")
        pages.add(page)
        rows += page
        if not page or not fields.get("has_next"):
            return rows
        if not has_pages:
            # Taken for all, it would have connectors created again.
            raise AmbiguousResponse("the list of connectors is incomplete: the contract cannot ask for its next page")
        pages.go_on()
