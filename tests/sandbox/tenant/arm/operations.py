# SPDX-License-Identifier: GPL-3.0-or-later
"""Long-running operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..link import Link
    from ..state import Tenant


def settle(tenant: Tenant, link: Link) -> None:
    """Do what is due."""
