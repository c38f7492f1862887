# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides whether a write-only secret has to be written."""

from __future__ import annotations

from dataclasses import dataclass

from .field import Field
from .snapshot import Row
from .store import CLOSED, MATCH, MISMATCH, UNKNOWN, Store

ALWAYS, ON_CREATE, ON_MISMATCH = "always", "on_create", "on_mismatch"


@dataclass
class SecretPolicy:
    """Decides by policy and check whether a secret is to be written. At most one check per secret and run."""

    store: Store

    def must_write(self, label: str, wanted: Field, value: str, policy: str, row: Row, *, changing: bool) -> bool:
        """Return True when the platform does not hold `value`, as far as `policy` wants to know."""
        if policy == ALWAYS:
            return True
        verdict = self.store.verdict(wanted.secret, value, row) if policy == ON_MISMATCH and wanted.secret else UNKNOWN
        if verdict in (MATCH, MISMATCH):
            return verdict == MISMATCH
        if verdict == CLOSED and changing:
            # This plan may activate the row: a secret that could not be checked before must be right then.
            return True
        if self.store.is_unfinished(row):
            return True
        if policy == ON_MISMATCH and wanted.secret:
            self.store.warn(
                f"{self.store.name}: could not verify {wanted.name} of {label}, so it was not changed. Set update_secret or "
                f"update_password of the module to always to write it on every run, or run the playbook rotate to replace it"
            )
        return False


class NeverWrite:
    """Decides after the writes: every secret that had to be written was."""

    def must_write(self, label: str, wanted: Field, value: str, policy: str, row: Row, *, changing: bool) -> bool:
        """Return False."""
        return False
