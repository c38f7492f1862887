# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connections of instances, as their removal needs them."""

from __future__ import annotations

DOCUMENTATION = r"""
name: removable_connections
short_description: Connections of instances with the names of their objects
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the connections of instances to the services, from the variables of the roles C(snow_connection), C(mda_connection) and
    C(mdc_itsm), and whether stored secrets, records or variables show that this collection made them.
  - With O(tenant), it returns the options of M(secops.servicenow_defender.snow_offboarding) for the host of the task instead. They wait
    for what this run left at Microsoft.
  - The role C(offboarding) uses it.
options:
  _terms:
    description: Services, V(mda), V(mdc) and V(msem).
    type: list
    elements: str
    required: true
  hosts:
    description: Inventory hosts. If not set, the host of the task.
    type: list
    elements: str
  tenant:
    description: Inventory host of the tenant, whose results of this run are read.
    type: str
  removed:
    description: Whether nothing is left at Microsoft, so that nothing waits. Only with O(tenant).
    type: bool
    default: false
  check_mode:
    description: Whether these results are predictions. Only with O(tenant).
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show which connections this collection made
  ansible.builtin.debug:
    msg: "{{ query('secops.servicenow_defender.removable_connections', 'mda') | selectattr('recorded') | map(attribute='name') }}"
"""

RETURN = r"""
_raw:
  description:
    - One dictionary for each host and service, with C(host), C(service), C(recorded), C(name) (of connector or integration),
      C(instance_url), C(scope), C(application_name), C(user_name), C(user_roles) and C(role_name). C(entered) is true if there is a record
      of accepted credentials, of which C(object_id), C(place) and C(recorded_url) are; C(removed) is
      O(secops.servicenow_defender.offboarding#role:main:offboarding_microsoft_removed).
  type: list
  elements: dict
"""

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.connections import Connection
from ..plugin_utils.fleet import raw_variables
from ..plugin_utils.offboarding import for_module, removable, waits_for
from ..plugin_utils.secret_store import reader, store_of
from ..plugin_utils.templating import with_variables


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Return the connections of the hosts to the services in `terms`."""
        self.set_options(var_options=variables, direct=kwargs)
        known = variables or {}
        hosts = self.get_option("hosts")
        if hosts is None:
            hosts = [str(known["inventory_hostname"])]
        try:
            found = [entry for host in hosts for entry in self._connections(known, host, terms)]
        except ValueError as error:
            raise AnsibleLookupError(str(error)) from error
        tenant = self.get_option("tenant")
        if tenant is None:
            return found
        results = raw_variables(known["hostvars"], tenant)
        waits = {}
        if not self.get_option("removed"):
            check_mode = self.get_option("check_mode")
            waits = {entry["service"]: waits_for(entry, results, check_mode=check_mode) for entry in found}
        return list(for_module(found, waits))

    def _connections(self, known: dict[str, Any], host: str, services: Sequence[str]) -> list[dict[str, Any]]:
        """Return the connections of one host; its variables win over those of the task, among which are defaults of roles."""
        merged = {**known, **raw_variables(known["hostvars"], host)}
        templar = with_variables(self._templar, merged)
        stored = reader(store_of(templar, merged), host)
        return [removable(Connection(self._templar, merged, service, stored), host) for service in services]
