# SPDX-License-Identifier: GPL-3.0-or-later
"""Bulk tasks whose entries are refused one by one."""

from __future__ import annotations

from .errors import EngineError
from .plan import REFUSED
from .reconcile import summarize_messages
from .result import Result


def check_refusals(result: Result) -> None:
    """Raise `EngineError` where every object of a bulk task was refused."""
    outcomes = result.output["results"]
    if outcomes and all(outcome["status"] == REFUSED for outcome in outcomes):
        reasons = [outcome["reason"] for outcome in outcomes]
        raise EngineError("; ".join(summarize_messages(reasons)), result.as_dict(with_diff=False))
