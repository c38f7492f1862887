# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options among the variables of a host, for module_defaults of an action group."""

from __future__ import annotations

DOCUMENTATION = r"""
name: connection_options
short_description: Connection options among the variables of a host
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the options of one action group, and those of the transport, from the variables of the same name. Undefined variables are
    left out, so that defaults and environment variables apply.
  - The roles of this collection use it. In a playbook it is the only line that tasks need to reach an instance or a tenant.
options:
  _terms:
    description: The action group of the modules, one of V(snow), V(azure) and V(mda).
    type: list
    elements: str
    required: true
  host:
    description:
      - Inventory host whose variables are used. If not set, the variables of the task are used.
      - For work on the tenant on behalf of an instance. The result is empty for a host that is not in the inventory.
    type: str
"""

EXAMPLES = r"""
- name: Read every instance with the variables of its host
  hosts: servicenow
  connection: local
  gather_facts: false
  module_defaults:
    group/secops.servicenow_defender.snow: "{{ lookup('secops.servicenow_defender.connection_options', 'snow') }}"
  tasks:
    - name: Read release, account and settings
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
from ..plugin_utils.fleet import raw_variables
from ..plugin_utils.templating import with_variables
from ..plugin_utils.variable_check import refuse_misspelt


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Return the options of each group in `terms`."""
        self.set_options(var_options=variables, direct=kwargs)
        host, known = self.get_option("host"), variables or {}
        templar = self._templar
        try:
            refuse_misspelt(known)
            if host is not None:
                known = {**raw_variables(known["hostvars"], host)}
                templar = with_variables(templar, known)
            found = [options_of(group, known) for group in terms]
        except ValueError as error:
            raise AnsibleLookupError(str(error)) from error
        templated: list[dict[str, Any]] = templar.template(found)
        return templated
