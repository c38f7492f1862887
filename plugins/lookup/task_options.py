# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All options of a task on an instance."""

from __future__ import annotations

DOCUMENTATION = r"""
name: task_options
short_description: All options of a task on an instance
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns all options of a module, connection options included, from the variables of the roles C(snow_preflight) and
    C(snow_connection), and for M(secops.servicenow_defender.snow_drift_info) also from those of the role C(snow_hardening) that are set.
  - The roles C(snow_preflight) and C(snow_connection) use it. One lookup for each host takes a fraction of the time of one template for each
    option.
  - Each variable of a service is evaluated once for each service, with C(snow_connection_service) set to it.
  - Fails if two services share an account or an application, as each would undo the other.
  - An application gets the client id that a service has accepted last (C(<service>_accepted)), if it exists with another one. Without
    such a record, it gets one of its own if it has that of another instance, as a clone has. For a backend of secrets, whose records
    cannot be listed, only the record of the instance itself counts.
  - In check mode, and in the plays that plan, a secret that M(secops.servicenow_defender.snow_instance) needs and that is not stored is a new
    one, which is not stored.
options:
  _terms:
    description:
      - The module, one of V(snow_instance_info), V(snow_instance), V(snow_oauth_check) and V(snow_drift_info).
    type: list
    elements: str
    required: true
  service:
    description: The service that signs in, for V(snow_oauth_check). If not set, C(snow_connection_service).
    type: str
"""

EXAMPLES = r"""
- name: Show the accounts that onboard configures
  ansible.builtin.debug:
    msg: "{{ lookup('secops.servicenow_defender.task_options', 'snow_instance').users | map(attribute='user_name') }}"
"""

RETURN = r"""
_raw:
  description: One dictionary of options for each module.
  type: list
  elements: dict
"""

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.role_values import SERVICE
from ..plugin_utils.task_options import MODULES, TaskOptions


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Return the options of the modules in `terms`."""
        self.set_options(var_options=variables, direct=kwargs)
        service = self.get_option("service")
        known = {**(variables or {}), **({} if service is None else {SERVICE: service})}
        unknown = [name for name in terms if name not in MODULES]
        if unknown:
            raise AnsibleLookupError(f"task_options: {unknown[0]!r} must be one of {', '.join(MODULES)}")
        try:
            return [TaskOptions(self._templar, known).of(name) for name in terms]
        except ValueError as error:
            raise AnsibleLookupError(str(error)) from error
        except KeyError as error:
            raise AnsibleLookupError(
                f"task_options: variable {error} is not defined. The roles define it: use the lookup in a play that has them"
            ) from None
