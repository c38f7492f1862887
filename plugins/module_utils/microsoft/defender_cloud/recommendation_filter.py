# SPDX-License-Identifier: GPL-3.0-or-later
"""Which recommendations a user means: by status, by severity, and by an expression of JMESPath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from ...engine.errors import InvalidInput
from ...transport.errors import BadConnectionOption

with suppress(ImportError):  # `Selection` tells
    import jmespath
    from jmespath.exceptions import JMESPathError


class Selection:
    """A choice of recommendations. Empty `severities` and an empty `expression` choose all."""

    def __init__(self, statuses: Sequence[str], severities: Sequence[str], expression: str) -> None:
        self.statuses, self.severities = frozenset(statuses), frozenset(severities)
        self.expression = _compiled(expression.strip()) if expression and expression.strip() else None
        self.without_severity = 0

    def chooses(self, row: Mapping[str, Any]) -> bool:
        """Return whether `row` is chosen; raise `InvalidInput` when the expression cannot be applied to it."""
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
        # JMESPath's own idea of false: 0 is true there.
        return not (found is None or found is False or found in ("", [], {}))


def _compiled(expression: str) -> Any:
    if "jmespath" not in globals():
        raise BadConnectionOption("filter takes the Python library jmespath where the module runs")
    if expression.startswith("["):
        raise InvalidInput(
            f"filter is applied to one recommendation at a time: write the condition itself, such as severity == 'High', "
            f"not {expression!r}"
        )
    try:
        return jmespath.compile(expression)
    except JMESPathError as error:
        words = " ".join(str(error).split())
        raise InvalidInput(f"filter is no expression of JMESPath: {words}") from None
