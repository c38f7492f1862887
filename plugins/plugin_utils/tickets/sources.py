# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a finding that is not listed is gone, as far as that can be believed.

A subscription that had findings and lists none at all has rather lost its plan or the consent to it than all findings
(docs/facts/defender_for_cloud.md#plans).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

SOURCE = re.compile(r"(/subscriptions/[^/]+(?:/.*/securityconnectors/[^/]+)?)/", re.I)


def source_of(assessment: str) -> str:
    """Return the subscription, or the security connector in it, that an assessment belongs to, in lower case."""
    found = SOURCE.match(f"/{assessment.strip('/')}")
    return found[1].lower() if found else ""


class Sources:
    """The subscriptions and connectors whose findings were read: `scopes_read` completely, `rows` are the findings.

    With `believes_all`, one that lists no finding any more is believed to have none.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]], scopes_read: Iterable[str], *, believes_all: bool) -> None:
        self._paths = tuple(f"/{scope.strip('/').lower()}/" for scope in scopes_read)
        self._listing = {source_of(str(row.get("id"))) for row in rows}
        self._believes_all = believes_all

    def is_gone(self, assessment: str) -> bool:
        """Return whether a finding that is not listed exists no longer."""
        return self.was_read(assessment) and (self._believes_all or source_of(assessment) in self._listing)

    def emptied(self, assessment: str) -> str:
        """Return the source of a finding that is not listed, if it was read and lists nothing at all; else ""."""
        return source_of(assessment) if self.was_read(assessment) and not self.is_gone(assessment) else ""

    def was_read(self, assessment: str) -> bool:
        """Return whether a finding is in a scope that was read completely."""
        return bool(assessment) and f"/{assessment.strip('/')}".lower().startswith(self._paths)
