# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The integrations of a tenant that belong to instances which are taken out of the fleet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..plugin_utils.objects_to_remove import integrations_to_remove

DOCUMENTATION = r"""
name: integrations_to_remove
short_description: Select the integrations that belong to instances
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Selects the integrations of Defender for Cloud that belong to connections, by name, or by the recorded id if they were renamed.
  - The role C(offboarding) uses it.
positional: _input, listed, subscription
options:
  _input:
    description: Connections, as P(secops.servicenow_defender.removable_connections#lookup) returns them.
    type: list
    elements: dict
    required: true
  listed:
    description: The integrations of their scopes, as M(secops.servicenow_defender.mdc_integration_info) returns them.
    type: list
    elements: dict
    required: true
  subscription:
    description: The id of the subscription whose integrations belong to connections without a scope.
    type: str
    default: ""
seealso:
  - plugin: secops.servicenow_defender.removable_connections
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Show the integrations of an instance
  ansible.builtin.debug:
    msg: "{{ (query('secops.servicenow_defender.removable_connections', 'mdc')
      | secops.servicenow_defender.integrations_to_remove(found.integrations)).integrations }}"
"""

RETURN = r"""
_value:
  description:
    - C(integrations), each with C(name), C(scope) and C(host), C(kept), each with C(object), C(status), C(host) and C(reason),
      C(unproven), each with C(object), C(field) and C(reason), and C(waits), why a host waits.
  type: dict
"""


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"integrations_to_remove": integrations_to_remove}
