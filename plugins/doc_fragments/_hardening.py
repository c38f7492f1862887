# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that select settings of the hardening catalogue. Private to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    """Which settings a module evaluates."""

    DOCUMENTATION = r"""
options:
  baseline:
    description:
      - Settings to evaluate.
      - V(secure_score) selects the 23 settings that the 22 ServiceNow controls of Microsoft Secure Score evaluate.
      - V(recommended) selects the settings of the current hardening baseline of ServiceNow.
      - V(all) selects the whole catalogue, including settings that were removed from the baseline but may still be
        effective.
      - If not set, only the settings in O(ids) are selected, or V(secure_score) if O(ids) is empty.
    type: str
    choices: [secure_score, recommended, all]
  ids:
    description:
      - Ids of settings to select in addition to O(baseline). M(secops.servicenow_defender.snow_hardening_info) returns them.
      - An unknown id fails the task, which suggests similar ids. For the name of a property, it suggests its id.
    type: list
    elements: str
    default: []
  production:
    description:
      - Whether this is a production instance. The setting C(instance.production) is only evaluated if this option is set.
    type: bool
"""
