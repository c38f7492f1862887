# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a task with run_once runs once in this play."""

from __future__ import annotations

DOCUMENTATION = r"""
name: runs_once
short_description: Whether a task with run_once runs once in this play
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns true under the strategy C(linear), and false under one that ignores C(run_once), such as C(free). There, such a task runs for
    each host and registers the result of each on all hosts, so that a later task may get the result of another host.
options:
  _terms:
    description: None.
    type: list
    elements: str
seealso:
  - plugin: secops.servicenow_defender.served_instances
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Compare all instances of the batch in one task
  ansible.builtin.include_tasks:
    file: compare.yml
    apply:
      run_once: true
  when: lookup('secops.servicenow_defender.runs_once')

- name: Compare the instance
  ansible.builtin.include_tasks: compare.yml
  when: not lookup('secops.servicenow_defender.runs_once')
"""

RETURN = r"""
_raw:
  description: One boolean.
  type: list
  elements: bool
"""

from collections.abc import Sequence
from typing import Any

from ansible.plugins.lookup import LookupBase

from ..plugin_utils.other_hosts import runs_once


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[bool]:
        """Return whether the strategy of the play heeds `run_once`."""
        return [runs_once()]
