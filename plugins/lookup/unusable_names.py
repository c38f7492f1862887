# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances of which a connection has a name that cannot be used."""

from __future__ import annotations

DOCUMENTATION = r"""
name: unusable_names
short_description: Instances of which a connection has a name that cannot be used
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the hosts whose C(mda_connection_name), C(mdc_itsm_display_name) or C(msem_connection_name) cannot be evaluated, is empty, or is
    no text.
  - The playbooks refuse these instances before the first write, and work for the others.
options:
  _terms:
    description: Inventory hosts.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show which names cannot be used
  ansible.builtin.debug:
    msg: "{{ query('secops.servicenow_defender.unusable_names', *ansible_play_hosts_all) | map(attribute='message') }}"
"""

RETURN = r"""
_raw:
  description: One dictionary for each host, with C(host) and C(message).
  type: list
  elements: dict
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.fleet import DEFAULT_SERVICES, raw_variables, services_of
from ..plugin_utils.other_hosts import values_for
from ..plugin_utils.role_values import MDA, MDC, MSEM, SNOW
from ..plugin_utils.role_variables import defaults_of, vars_of
from ..plugin_utils.shared_connections import NAMES


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, str]]:
        """Return the hosts among `terms` with an unusable name."""
        self.set_options(var_options=variables, direct=kwargs)
        known = variables or {}
        found = {host: "; ".join(self._problems(known, host)) for host in terms}
        return [{"host": host, "message": message} for host, message in found.items() if message]

    def _problems(self, known: Mapping[str, Any], host: str) -> Iterator[str]:
        own = raw_variables(known["hostvars"], host)
        # By default, a connection has the name of the host, which is not evaluated for hundreds of them.
        for service, (variable, _scope) in NAMES.items():
            if variable in own and service in self._services(known, host, own):
                problem = self._problem(known, host, service, variable)
                if problem:
                    yield f"{variable} {problem}. Correct it, or remove it: by default, it is the name of the host"

    def _services(self, known: Mapping[str, Any], host: str, own: Mapping[str, Any]) -> list[str]:
        try:
            return services_of(known["hostvars"], host, own, DEFAULT_SERVICES)
        except (AnsibleError, TypeError):  # an error of its own
            return []

    def _problem(self, known: Mapping[str, Any], host: str, service: str, variable: str) -> str:
        roles = {name: value for role in (SNOW, MDA, MDC, MSEM) for name, value in _variables_of(role).items()}
        try:
            (value,) = values_for(self._templar, {**roles, **known}, variable, [host], [service])
        except (AnsibleError, ValueError, RecursionError) as error:
            return f"cannot be evaluated: {str(error).rpartition(f' for {host}: ')[2]}"
        if value is None or not str(value).strip():
            return "is empty"
        # A number is not equal to the name that the tenant returns.
        return "" if isinstance(value, str) else f"is {value!r}, which is no text: put it in quotes"


def _variables_of(role: str) -> Mapping[str, Any]:
    return {**defaults_of(role), **vars_of(role)}
