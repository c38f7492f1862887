# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ..plugin_utils.in_process import ActionModule

__all__ = ["ActionModule"]
