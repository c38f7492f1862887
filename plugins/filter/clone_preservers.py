# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data preservers for clones of instances."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils.clone_preservers import preservers_xml

DOCUMENTATION = r"""
name: clone_preservers
short_description: Data preservers for the connections of instances
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns an XML file with data preservers of ServiceNow (table C(clone_data_preserver)). Imported on the instance that is cloned, they
    keep applications, tokens, accounts, their grants and roles of the connections on the instance over which it is cloned.
  - The playbook C(onboard) writes it to C(servicenow_defender_preserver_file).
positional: _input
options:
  _input:
    description: Connections, as P(secops.servicenow_defender.removable_connections#lookup) returns them.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Write the data preservers
  ansible.builtin.copy:
    content: "{{ query('secops.servicenow_defender.removable_connections', 'mda') | secops.servicenow_defender.clone_preservers }}"
    dest: preservers.xml
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The XML.
  type: str
"""


def clone_preservers(connections: Iterable[Mapping[str, Any]]) -> str:
    """Return the XML of the data preservers; see `preservers_xml`."""
    try:
        return preservers_xml(connections)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"clone_preservers": clone_preservers}
