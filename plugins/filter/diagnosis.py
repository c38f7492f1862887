# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The diagnosis that the playbook doctor shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils.diagnosis.controller import problems_of, versions
from ..plugin_utils.diagnosis.report import Diagnosis, Input
from ..plugin_utils.fleet import DEFAULT_INSTANCES, DEFAULT_TENANT, SELECTED_TENANT, raw_variables, selected

DOCUMENTATION = r"""
name: diagnosis
short_description: Diagnose controller, variables, instances and tenant
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the lines that the playbook C(doctor) shows, from the results that its tasks have registered on the hosts of the run, and how many
    of them are errors.
positional: _input
options:
  _input:
    description: C(hostvars).
    type: dict
    required: true
  groups:
    description: C(groups), to find a misspelt one.
    type: dict
  sources:
    description: C(ansible_inventory_sources), for the next command.
    type: list
    elements: str
  instances_group:
    description: Group of the instances.
    type: str
    default: servicenow
  tenant_group:
    description: Group of the tenant.
    type: str
    default: defender
"""

EXAMPLES = r"""
- name: Show diagnosis
  ansible.builtin.debug:
    msg: "{{ (hostvars | secops.servicenow_defender.diagnosis(groups=groups)).lines }}"
"""

RETURN = r"""
_value:
  description: The C(lines), and the number of C(errors).
  type: dict
  sample:
    errors: 0
    lines:
      - "controller: ansible-core 2.19.14, Python 3.12.3, requests 2.32.3, jmespath 1.0.1"
      - "variables: no misspelt or wrong ones"
"""


def diagnosis(
    hostvars: Any,
    groups: Mapping[str, Collection[str]] | None = None,
    sources: Iterable[str] = (),
    instances_group: str = DEFAULT_INSTANCES,
    tenant_group: str = DEFAULT_TENANT,
) -> dict[str, Any]:
    """Return the lines of the diagnosis and the number of errors."""
    found = versions()
    work = Diagnosis(
        Input(
            instances={host: raw_variables(hostvars, host) for host in selected(hostvars)},
            tenants={host: raw_variables(hostvars, host) for host in selected(hostvars, SELECTED_TENANT)},
            versions=found,
            version_problems=problems_of(found),
            groups=groups or {},
            sources=list(sources),
            instances_group=instances_group,
            tenant_group=tenant_group,
        )
    )
    # What a platform returned is never a template.
    lines: list[str] = wrap_var(work.lines())
    return {"lines": lines, "errors": work.errors}


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"diagnosis": diagnosis}
