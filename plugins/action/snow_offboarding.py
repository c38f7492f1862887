# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ..modules import snow_offboarding
from ..plugin_utils.in_process import InProcess


class ActionModule(InProcess):
    """The in-process twin."""

    module = snow_offboarding
