# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ..modules import mdc_governance_rule_info
from ..plugin_utils.in_process import InProcess


class ActionModule(InProcess):
    """The in-process twin."""

    module = mdc_governance_rule_info
