# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connectors of a tenant that belong to instances which are taken out of the fleet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..plugin_utils.objects_to_remove import connectors_to_remove

DOCUMENTATION = r"""
name: connectors_to_remove
short_description: Select the connectors that belong to instances
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Selects the connectors of Defender for Cloud Apps that belong to connections, by name and address, or by the recorded id.
  - A connector of the address with another name is selected only if there is a record that this collection connected the instance, and
    no connector has its name or the recorded id.
  - The role C(offboarding) uses it.
positional: _input, listed, evidence, place
options:
  _input:
    description: Connections, as P(secops.servicenow_defender.removable_connections#lookup) returns them.
    type: list
    elements: dict
    required: true
  listed:
    description: The connectors of the tenant, as M(secops.servicenow_defender.mda_connector_info) returns them.
    type: list
    elements: dict
    required: true
  evidence:
    description: What stands for a list that was refused, as the module returns it. A connector that it does not show may exist.
    type: list
    elements: str
    default: []
  place:
    description: The URL of the tenant. A connector that is recorded at another one is not known to be gone.
    type: str
    default: ""
seealso:
  - plugin: secops.servicenow_defender.removable_connections
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Show the connectors of an instance
  ansible.builtin.debug:
    msg: "{{ (query('secops.servicenow_defender.removable_connections', 'mda')
      | secops.servicenow_defender.connectors_to_remove(health.connectors, health.evidence)).connectors }}"
"""

RETURN = r"""
_value:
  description:
    - C(connectors), each with C(name) and C(instance_url), C(hosts), the host of each by name, C(kept), each with C(object),
      C(status), C(host) and C(reason), C(unproven), each with C(object), C(field) and C(reason), and C(waits), why a host waits.
  type: dict
"""


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"connectors_to_remove": connectors_to_remove}
