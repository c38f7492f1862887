# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options that a host's variables hold, for module_defaults of a task that works on that host's behalf."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils.connection_options import options_of

DOCUMENTATION = r"""
name: connection_options
short_description: The connection options that a host's variables hold
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Picks the options of one group, and those of the transport, from the variables of an inventory host. What the host does not
    define is left out, so that defaults and environment variables stand.
  - For P(ansible.builtin.include_role#module) or a play that works on one host on behalf of another, as the tenant's work is done once
    for all instances.
positional: _input, group
options:
  _input:
    description: Variables of a host, such as C(hostvars['acme-tenant']).
    type: dict
    required: true
  group:
    description: The action group of the modules.
    type: str
    choices: [snow, azure, mda]
    required: true
seealso:
  - plugin: secops.servicenow_defender.connection_options
    plugin_type: lookup
    description: Takes the options from the variables that a task can see.
"""

EXAMPLES = r"""
- name: Read the connectors, once for all instances
  secops.servicenow_defender.mda_connector_info:
  module_defaults:
    group/secops.servicenow_defender.mda: "{{ hostvars['acme-tenant'] | secops.servicenow_defender.connection_options('mda') }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: Option to value.
  type: dict
"""


def connection_options(variables: Mapping[str, Any], group: str) -> dict[str, Any]:
    """Return the options of `group` that `variables` define."""
    try:
        return options_of(group, variables)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"connection_options": connection_options}
