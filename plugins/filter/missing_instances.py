# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a run would work on nothing: the group that an inventory lacks, and misspelt tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..plugin_utils.summary.missing_instances import missing_instances, misspelt_tags

DOCUMENTATION = r"""
name: missing_instances
short_description: Why an inventory has no instances
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns one sentence if the inventory has no hosts in the group of the instances and none for the tenant, or if the name of another
    group resembles that of the instances, or if a host has the name of one of the two groups, as Ansible then leaves out the hosts of the
    group. Else the text is empty.
  - A run whose group was misspelt would work on nothing and end without an error.
positional: _input, group, tenant_group
options:
  _input:
    description: C(groups).
    type: dict
    required: true
  group:
    description: Group of the instances. Of a pattern, only the names of hosts are checked.
    type: str
    default: servicenow
  tenant_group:
    description: Group of the tenant.
    type: str
    default: defender
seealso:
  - plugin: secops.servicenow_defender.tenant_gap
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Fail without instances
  ansible.builtin.assert:
    that: groups | secops.servicenow_defender.missing_instances == ''
    fail_msg: "{{ groups | secops.servicenow_defender.missing_instances }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The sentence, or an empty text.
  type: str
  sample: the inventory has no instances in the group servicenow. Did you mean servicenows?
"""


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"missing_instances": missing_instances, "misspelt_tags": misspelt_tags}
