# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts whose record of accepted credentials will change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..plugin_utils.accepted_records import hosts_to_record

DOCUMENTATION = r"""
name: hosts_to_record
short_description: Hosts whose record of accepted credentials will change
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the hosts whose credentials differ from those that a service accepted last, or of which nothing is recorded.
  - The roles C(mdc_itsm), C(mda_connection) and C(msem_connection) check that the records of these hosts can be stored before they write to Microsoft.
positional: _input, options, place
options:
  _input:
    description: Inventory hosts.
    type: list
    elements: str
    required: true
  options:
    description:
      - For each host, options of M(secops.servicenow_defender.mdc_integration), or an entry of C(connectors) of
        M(secops.servicenow_defender.mda_connectors) or M(secops.servicenow_defender.msem_connectors), with its C(accepted) and
        C(accepted_key).
    type: list
    elements: dict
    required: true
  place:
    description: The URL of the tenant for connectors, its id for data connectors.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show the instances whose integration will get other credentials
  ansible.builtin.debug:
    msg: "{{ ['acme-dev'] | secops.servicenow_defender.hosts_to_record([integration]) }}"
"""

RETURN = r"""
_value:
  description: Names of hosts.
  type: list
  elements: str
"""


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"hosts_to_record": hosts_to_record}
