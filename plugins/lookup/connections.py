# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of an instance for the services that it is connected to."""

from __future__ import annotations

DOCUMENTATION = r"""
name: connections
short_description: Desired state of an instance for its services
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns roles, accounts, OAuth applications, access rules and plugins of one or more services, from the variables of the role
    C(snow_connection), as options of M(secops.servicenow_defender.snow_instance).
  - Each variable is evaluated once for each service, with C(snow_connection_service) set to it.
  - Fails if two services share an account or an application, as each would undo the other.
  - The role C(snow_connection) uses it.
options:
  _terms:
    description: Services, V(mda) and V(mdc).
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show the accounts of an instance that is connected to both services
  ansible.builtin.debug:
    msg: "{{ lookup('secops.servicenow_defender.connections', 'mda', 'mdc').users | map(attribute='user_name') }}"
"""

RETURN = r"""
_raw:
  description: One dictionary of options.
  type: list
  elements: dict
"""

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.loader import lookup_loader
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.connections import Connection, merged


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Return the options of snow_instance for the services in `terms`."""
        self.set_options(var_options=variables, direct=kwargs)
        known = variables or {}

        def password(path: str) -> str:
            lookup = lookup_loader.get("ansible.builtin.password", loader=self._loader, templar=self._templar)
            return str(lookup.run([path], known, length=40, chars=["ascii_letters", "digits"])[0])

        try:
            return [merged(Connection(self._templar, known, service, password) for service in terms)]
        except ValueError as error:
            raise AnsibleLookupError(str(error)) from error
