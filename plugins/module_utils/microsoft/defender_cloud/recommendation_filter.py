# SPDX-License-Identifier: GPL-3.0-or-later
"""Selects recommendations by status, by severity, and by a JMESPath expression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from ...engine.errors import InvalidInput
from ...transport.errors import BadConnectionOption

with suppress(ImportError):  # `Selection` reports it
    import jmespath
    from jmespath.exceptions import JMESPathError


class Selection:
    """A filter for recommendations. Empty `severities` and an empty `expression` select all."""

    def __init__(self, statuses: Sequence[str], severities: Sequence[str], expression: str) -> None:
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
        raise BadConnectionOption("filter requires the Python library jmespath where the module runs")
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
