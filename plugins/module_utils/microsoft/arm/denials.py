# SPDX-License-Identifier: GPL-3.0-or-later
"""Predicts in check mode which writes the identity may not make, with one read of permissions for each scope."""

from __future__ import annotations

from typing import Any

from ...engine.errors import Refused
from .client import ArmClient
from .permissions import DENIED, read_permissions, verdict_on


class Denials:
    """What the identity may certainly not do; what cannot be read denies nothing."""

    def __init__(self, client: ArmClient) -> None:
        self.client = client
        self._held: dict[str, list[dict[str, Any]] | None] = {}

    def denies(self, scope: str, action: str) -> bool:
        """Return whether `action` on `scope` is denied; never outside of check mode, where the platform says so itself."""
        if not self.client.context.check_mode:
            return False
        if scope not in self._held:
            try:
                self._held[scope] = read_permissions(self.client, scope)
            except Refused:
                self._held[scope] = None
        return verdict_on(self._held[scope], action) == DENIED
