# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances that a task on the tenant works for."""

from __future__ import annotations

DOCUMENTATION = r"""
name: served_instances
short_description: Instances that a task on the tenant works for
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - On the tenant's host, these are the instances of the run that are connected to a service and have not failed.
  - On an instance, these are the hosts of its batch that have not failed, for a task with C(run_once). Under another strategy than
    C(linear), which ignores C(run_once), it is the instance itself.
options:
  _terms:
    description: The service, V(mda), V(mdc) or V(msem).
    type: list
    elements: str
    required: true
  tenant:
    description: Inventory host of the tenant.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the instances that the tenant serves
  ansible.builtin.debug:
    msg: "{{ query('secops.servicenow_defender.served_instances', 'mda', tenant='acme-tenant') }}"
"""

RETURN = r"""
_raw:
  description: Names of hosts.
  type: list
  elements: str
"""

from collections.abc import Sequence
from typing import Any

from ansible.plugins.lookup import LookupBase

from ..plugin_utils.fleet import DEFAULT_INSTANCES, INSTANCES_VARIABLE, instances_with
from ..plugin_utils.other_hosts import batch


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """Return the instances for which a task on the tenant works."""
        self.set_options(var_options=variables, direct=kwargs)
        known = variables or {}
        if known["inventory_hostname"] != self.get_option("tenant"):
            return batch(known)
        group = str(self._templar.template(known.get(INSTANCES_VARIABLE, DEFAULT_INSTANCES)))
        return instances_with(known["hostvars"], terms[0], known["groups"].get(group, []))
