# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a secret has to be written, which cannot be read back."""

from __future__ import annotations

from dataclasses import dataclass

from .field import Field
from .snapshot import Row
from .store import CLOSED, MATCH, MISMATCH, UNKNOWN, Store

ALWAYS, ON_CREATE, ON_MISMATCH = "always", "on_create", "on_mismatch"


@dataclass
class SecretPolicy:
    """Decides by policy and probe whether a secret is to be written. At most one probe per secret and run."""

    store: Store

    def must_write(self, label: str, wanted: Field, value: str, policy: str, row: Row, *, changing: bool) -> bool:
        """Return True when the platform does not hold `value`, as far as `policy` wants to know."""
        if policy == ALWAYS:
            return True
        verdict = self.store.verdict(wanted.secret, value, row) if policy == ON_MISMATCH and wanted.secret else UNKNOWN
        if verdict in (MATCH, MISMATCH):
            return verdict == MISMATCH
        if verdict == CLOSED and changing:
            # The row may be opened by this very plan: what could not be asked before must be right then.
            return True
        if self._unfinished(row):
            return True
        if policy == ON_MISMATCH and wanted.secret:
            self.store.warn(
                f"{self.store.name}: whether {label} holds the given {wanted.name} could not be found out; it was left "
                f"alone. update_secret or update_password: always writes it in every run"
            )
        return False

    def _unfinished(self, row: Row) -> bool:
        """Return True for a row that we created and whose secret we never came to write: an interrupted run.

        A new row has sys_mod_count 0 and every update raises it (docs/facts/servicenow_tickets.md#task-columns).
        """
        if row.get("sys_mod_count") != "0":
            return False
        account = self.store.account()
        return account is not None and account.user_name == row.get("sys_created_by")


class NeverWrite:
    """Judges after the writes: what had to be written was."""

    def must_write(self, label: str, wanted: Field, value: str, policy: str, row: Row, *, changing: bool) -> bool:
        """Return False."""
        return False
