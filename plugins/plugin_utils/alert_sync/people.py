# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is who: owners in Defender and users of the instance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .tickets import Ticket


@dataclass
class People:
    """Users of the instance, as far as they were read: rows of `sys_user`."""

    rows: Sequence[Mapping[str, Any]] = ()
    assignees: Mapping[str, str] = field(default_factory=dict)

    def user(self, owner: str) -> str:
        """Return the user name of an owner in Defender, "" for none."""
        wanted = owner.casefold()
        for name, theirs in self.assignees.items():
            if str(theirs).casefold() == wanted:
                return name
        for row in self.rows:
            names = {str(row.get(column) or "").casefold() for column in ("email", "user_name")}
            if wanted and wanted in names:
                return str(row.get("user_name") or "")
        return ""

    def owner(self, ticket: Ticket) -> str:
        """Return the owner in Defender for the assignee of a ticket, "" for none."""
        return str(self.assignees.get(ticket.user) or ticket.email or ticket.user)
