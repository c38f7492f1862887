# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances of a run that have a client id of another instance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..plugin_utils.client_ids import copies

DOCUMENTATION = r"""
name: cloned_instances
short_description: Instances with a client id of another instance
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the instances of a run with an OAuth application whose client id was, or would be replaced, and those that share one with another
    instance of the run.
  - The playbooks C(onboard) and C(drift) use it.
positional: _input
options:
  _input:
    description: C(hostvars).
    type: dict
    required: true
seealso:
  - plugin: secops.servicenow_defender.clone_findings
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Say from which instance an instance was cloned
  hosts: "{{ hostvars | secops.servicenow_defender.cloned_instances | default('all:!all', true) }}"
  gather_facts: false
  tasks:
    - name: Show from which instance it was cloned
      ansible.builtin.debug:
        msg: "{{ lookup('secops.servicenow_defender.clone_findings').problems | map(attribute='message') }}"
"""

RETURN = r"""
_value:
  description: Names of hosts.
  type: list
  elements: str
"""


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"cloned_instances": copies}
