# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of a play, computed from the services of the instances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..plugin_utils.fleet import instances_with, tenant_for

DOCUMENTATION = r"""
name: instances_with
short_description: Instances of a run that are connected to a service
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the instances that take part in this run, have not failed, and whose C(servicenow_defender_services) contain O(service).
  - The playbooks of this collection use it for C(hosts), so that an instance has no tasks of services that it is not connected to.
positional: _input, service, group, having, planning
options:
  _input:
    description: C(hostvars).
    type: dict
    required: true
  service:
    description: V(mda), V(mdc) or V(msem). If empty, any service matches.
    type: str
    default: ""
  group:
    description: Hosts to choose from in a playbook that did not select its instances with the tasks of this collection.
    type: list
    elements: str
    default: []
  having:
    description: Names of variables. Instances for which all of them are not set or empty are left out.
    type: list
    elements: str
    default: []
  planning:
    description: Whether the play plans. Then none is returned unless the run plans before it writes.
    type: bool
    default: false
seealso:
  - plugin: secops.servicenow_defender.tenant_for
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Work on instances that are connected to Defender for Cloud
  hosts: "{{ hostvars | secops.servicenow_defender.instances_with('mdc', groups['servicenow']) | default('all:!all', true) }}"
  gather_facts: false
  tasks:
    - name: Show the name of the instance
      ansible.builtin.debug:
        var: inventory_hostname
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
        return {"instances_with": instances_with, "tenant_for": tenant_for}
