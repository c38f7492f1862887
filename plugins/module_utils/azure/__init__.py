# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Entra and the APIs behind it: connection options, signing in, Graph."""

from __future__ import annotations

from .options import AZURE_OPTIONS

__all__ = ["AZURE_OPTIONS"]
