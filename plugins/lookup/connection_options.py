# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options that the variables at hand hold, for module_defaults of an action group."""

from __future__ import annotations

DOCUMENTATION = r"""
name: connection_options
short_description: The connection options that the variables at hand hold
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Picks the options of one action group, and those of the transport, from the variables that a task can see, each from the variable
    of the same name. What is not defined is left out, so that defaults and environment variables stand.
  - The roles of this collection use it. A playbook of one's own needs no other line to reach an instance or a tenant.
options:
  _terms:
    description: The action group of the modules, one of V(snow), V(azure) and V(mda).
    type: list
    elements: str
    required: true
seealso:
  - plugin: secops.servicenow_defender.connection_options
    plugin_type: filter
    description: Takes the options from the variables of another host.
"""

EXAMPLES = r"""
- name: Look at every instance with the variables of its host
  hosts: servicenow
  connection: local
  gather_facts: false
  module_defaults:
    group/secops.servicenow_defender.snow: "{{ lookup('secops.servicenow_defender.connection_options', 'snow') }}"
  tasks:
    - name: Look at the instance
      secops.servicenow_defender.snow_instance_info:
"""

RETURN = r"""
_raw:
  description: One dictionary for each group, option to value.
  type: list
  elements: dict
"""

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.connection_options import options_of


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Return the options of each group in `terms`."""
        self.set_options(var_options=variables, direct=kwargs)
        try:
            found = [options_of(group, variables or {}) for group in terms]
        except ValueError as error:
            raise AnsibleLookupError(str(error)) from error
        templated: list[dict[str, Any]] = self._templar.template(found)
        return templated
