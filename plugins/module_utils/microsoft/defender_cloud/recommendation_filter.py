# SPDX-License-Identifier: GPL-3.0-or-later
"""Selects recommendations by status, by severity, and by a JMESPath expression."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ...engine.errors import InvalidInput
from ...missing_library import missing_library
from ...timestamps import parse
from ...transport.errors import BadConnectionOption

with suppress(ImportError):  # `Selection` reports it
    import jmespath
    from jmespath.exceptions import JMESPathError


@dataclass(frozen=True)
class Context:
    """What else a recommendation is selected by; what is empty selects all.

    `categories` are recommendation categories or categories of metadata, in lower case. `min_days` is for how long the status is the
    same, at least.
    """

    risk_levels: Collection[str] = ()
    categories: Collection[str] = ()
    attack_paths: bool = False
    min_days: int = 0

    def selects(self, row: Mapping[str, Any], now: datetime) -> bool:
        """Return whether `row` is selected."""
        if self.risk_levels and row["risk_level"] not in self.risk_levels:
            return False
        if self.categories:
            known = {str(name).casefold() for name in (row["recommendation_category"], *row["categories"])}
            if not known & set(self.categories):
                return False
        if self.attack_paths and not row["attack_paths"]:
            return False
        return not self.min_days or self._is_old(str(row["changed_at"] or row["first_evaluated_at"]), now)

    def _is_old(self, since: str, now: datetime) -> bool:
        try:
            return parse(since) <= now - timedelta(days=self.min_days)
        except (ValueError, OverflowError):
            # Without a date, it is not known to be young.
            return True


class Selection:
    """A filter for recommendations. Empty `severities` and an empty `expression` select all."""

    def __init__(
        self, statuses: Sequence[str], severities: Sequence[str], expression: str, context: Context | None = None
    ) -> None:
        self.context, self.now = context or Context(), datetime.now(timezone.utc)
        self.statuses, self.severities = frozenset(statuses), frozenset(severities)
        self.expression = _compiled(expression.strip()) if expression and expression.strip() else None
        self.without_severity = 0

    def selects(self, row: Mapping[str, Any]) -> bool:
        """Return whether `row` is selected; raise `InvalidInput` when the expression cannot be applied to it."""
        if self.statuses and row["status"] not in self.statuses:
            return False
        if self.severities and row["severity"] not in self.severities:
            self.without_severity += not row["severity"]
            return False
        if not self.context.selects(row, self.now):
            return False
        if self.expression is None:
            return True
        try:
            found = self.expression.search(row)
        except JMESPathError as error:
            raise InvalidInput(f"filter cannot be applied to {row['id']}: {error}") from None
        # False in the sense of JMESPath: 0 is true there.
        return not (found is None or found is False or found in ("", [], {}))


def _compiled(expression: str) -> Any:
    if "jmespath" not in globals():
        raise BadConnectionOption(missing_library("jmespath", "filter"))
    if expression.startswith("["):
        raise InvalidInput(
            f"filter is applied to one recommendation at a time: write only the condition, such as severity == 'High', "
            f"not {expression!r}"
        )
    try:
        return jmespath.compile(expression)
    except JMESPathError as error:
        words = " ".join(str(error).split())
        raise InvalidInput(f"filter is not a valid JMESPath expression: {words}") from None
