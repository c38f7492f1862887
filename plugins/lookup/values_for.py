# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of role variables as another host, or for another service, has them."""

from __future__ import annotations

DOCUMENTATION = r"""
name: values_for
short_description: Values of role variables for other hosts and services
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Evaluates variables once for each host and each service, as a task that runs on the tenant does for the instances.
  - Variables of the host win over those of the task, such as the defaults of the role.
options:
  _terms:
    description: Names of variables.
    type: list
    elements: str
    required: true
  hosts:
    description: Inventory hosts. If not set, the host of the task.
    type: list
    elements: str
  services:
    description: Values for C(snow_connection_service), on which defaults of role C(snow_connection) depend. If not set, its own value.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Show the service accounts of two instances
  ansible.builtin.debug:
    msg: "{{ query('secops.servicenow_defender.values_for', 'snow_connection_user_name', hosts=['acme-dev', 'acme-test']) }}"
"""

RETURN = r"""
_raw:
  description: The values, in the order of the names, then the hosts, then the services.
  type: list
  elements: raw
"""

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.other_hosts import values_for
from ..plugin_utils.templating import kept_as_text


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        """Return the value of each variable in `terms` for each host and service."""
        self.set_options(var_options=variables, direct=kwargs)
        known = variables or {}
        hosts, services = self.get_option("hosts"), self.get_option("services")
        try:
            return kept_as_text(
                [value for name in terms for value in values_for(self._templar, known, name, hosts, services)]
            )
        except ValueError as error:
            raise AnsibleLookupError(str(error)) from error
