# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors in the variables of this collection, for all hosts of a play at once."""

from __future__ import annotations

DOCUMENTATION = r"""
name: variable_errors
short_description: Errors in the variables of this collection
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Checks the variables of hosts against the argument specifications of the roles of this collection, and their names. A name that
    is not known is reported with the one that it resembles.
  - The playbooks of this collection check all hosts in their first task, instead of the validation of each role for each host.
options:
  connections:
    description:
      - Whether to find hosts, too, whose connections would be one, so that each would replace the secrets of the other. These are two
        hosts with the same C(snow_url) and the same account or application for a service, also if only one of them is among the terms, and
        two of the terms with the same name of their connector or integration.
    type: bool
    default: false
  _terms:
    description: Inventory hosts.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Check variables
  ansible.builtin.assert:
    that: query('secops.servicenow_defender.variable_errors', *ansible_play_hosts_all) | length == 0
    fail_msg: "{{ query('secops.servicenow_defender.variable_errors', *ansible_play_hosts_all) | join(', ') }}"
  run_once: true
"""

RETURN = r"""
_raw:
  description: One sentence for each error, with the hosts that have it.
  type: list
  elements: str
  sample:
    - "acme-dev: snow_conection_service is not a variable of this collection. Did you mean snow_connection_service?"
"""

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.change_control.variables import change_errors
from ..plugin_utils.fleet import (
    DEFAULT_INSTANCES,
    DEFAULT_TENANT,
    INSTANCES_VARIABLE,
    TENANT_VARIABLE,
    did_you_mean,
    raw_variables,
)
from ..plugin_utils.role_values import SERVICE
from ..plugin_utils.role_variables import known_variables
from ..plugin_utils.shared_connections import SharedConnections
from ..plugin_utils.templating import with_variables
from ..plugin_utils.variable_check import VariableCheck, named

# Variables of the run, which are not among those of a host.
OF_PLAY = ("ansible_play", "ansible_run_tags", "ansible_skip_tags", "play_hosts")


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """Return the errors in the variables of the hosts in `terms`."""
        self.set_options(var_options=variables, direct=kwargs)
        known = variables or {}
        hostvars, templar = known["hostvars"], with_variables(self._templar, known)

        of_play = {name: value for name, value in known.items() if name.startswith(OF_PLAY)}

        def template(host: str, value: Any, **more: Any) -> Any:
            own = {**of_play, **raw_variables(hostvars, host), "hostvars": hostvars, **more}
            return with_variables(self._templar, own).template(value)

        check = VariableCheck(known_variables(), template)
        # One pass: Ansible merges all variables of a host on each access.
        variables_of = {host: raw_variables(hostvars, host) for host in terms}
        for host, own in variables_of.items():
            check.add(host, own)

        def of_service(host: str, service: str, value: Any) -> Any:
            return template(host, value, **{SERVICE: service})

        shared = SharedConnections(hostvars, of_service) if self.get_option("connections") else None
        return [
            *check.errors(),
            *_wrong_groups(templar, known),
            *change_errors(hostvars, variables_of, template),
            *(shared.errors(terms, _fleet(templar, known)) if shared else ()),
        ]


def _fleet(templar: Any, variables: dict[str, Any]) -> list[str]:
    """Return all hosts of the group of instances, those that the run leaves out included; none for a pattern of groups."""
    try:
        group = templar.template(variables.get(INSTANCES_VARIABLE, DEFAULT_INSTANCES))
    except AnsibleError:  # an error of its own
        return []
    found: list[str] = variables.get("groups", {}).get(group, []) if isinstance(group, str) else []
    return found


def _wrong_groups(templar: Any, variables: dict[str, Any]) -> list[str]:
    """Return an error for a group of instances or of the tenant that is set, but not in the inventory, and for several tenants."""
    errors, tenant = [], DEFAULT_TENANT
    for name in (TENANT_VARIABLE, INSTANCES_VARIABLE):
        if name not in variables:
            continue
        try:
            value = templar.template(variables[name])
        except AnsibleError as error:
            errors.append(f"{name} cannot be evaluated: {error}")
            continue
        if isinstance(value, str) and not _matches(name, value, variables):
            hint = did_you_mean(value, variables["groups"])
            errors.append(f"{name} is {value!r}, which is not a group of the inventory.{hint}")
        tenant = value if name == TENANT_VARIABLE else tenant
    return [*errors, *_several_tenants(tenant, variables)]


def _several_tenants(group: Any, variables: dict[str, Any]) -> list[str]:
    """Return an error for a group of the tenant with more than one host: the work would go to any one of them."""
    hosts = variables.get("groups", {}).get(group, []) if isinstance(group, str) else []
    if len(hosts) < 2:
        return []
    return [
        f"the group {group} has {len(hosts)} hosts ({named(hosts)}), and a run works with one tenant. Nothing was written. Put each tenant "
        f"into a group of its own, and name that of the run in {TENANT_VARIABLE}"
    ]


def _matches(name: str, value: str, variables: dict[str, Any]) -> bool:
    """Return whether the value of a variable names a group; that of the instances may also be a host or a pattern of these."""
    if value in variables.get("groups", {}):
        return True
    return name == INSTANCES_VARIABLE and (value in variables["hostvars"] or not value.replace("-", "_").isidentifier())
