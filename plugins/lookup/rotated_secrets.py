# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: rotated_secrets
short_description: New secrets of an instance, as options of modules
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns what writes the new secrets of an instance to ServiceNow, and the credentials that the services of Microsoft have to sign in
    with then. Secrets that are not rotated have their present value.
  - In check mode, a new secret that is not stored yet is a placeholder.
  - The role C(secret_rotation) uses it.
options:
  _terms:
    description: Services, V(mda), V(mdc) and V(msem).
    type: list
    elements: str
    required: true
  names:
    description: Names of the secrets that are rotated.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Write the new password to the instance
  no_log: true
  secops.servicenow_defender.snow_user: >-
    {{ lookup('secops.servicenow_defender.rotated_secrets', 'mda', names=['mda_password']).instance.users | first }}
"""

RETURN = r"""
_raw:
  description: One dictionary with C(instance), options of M(secops.servicenow_defender.snow_instance), and C(credentials) by service.
  type: list
  elements: dict
"""

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.connections import Connection
from ..plugin_utils.fleet import PLANNING
from ..plugin_utils.secret_rotation import NEW, rotated_options
from ..plugin_utils.secret_store import reader, store_of


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Return the options for the services in `terms`."""
        self.set_options(var_options=variables, direct=kwargs)
        known = variables or {}
        host = str(known["inventory_hostname"])
        try:
            stored = reader(store_of(self._templar, known), host)

            def new(name: str) -> str:
                value = stored(name + NEW)
                if not value and not known.get(PLANNING, known.get("ansible_check_mode")):
                    raise ValueError(f"{name}{NEW} is not stored, so nothing was written")
                return value or "(not generated in check mode)"

            connections = {service: Connection(self._templar, known, service, stored) for service in terms}
            return [rotated_options(connections, self.get_option("names"), new)]
        except ValueError as error:
            raise AnsibleLookupError(f"{host}: {error}") from error
