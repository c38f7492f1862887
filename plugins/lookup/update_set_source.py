# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance whose update set is taken over."""

from __future__ import annotations

DOCUMENTATION = r"""
name: update_set_source
short_description: Instance whose update set is taken over
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the options C(source) and C(source_options) of M(secops.servicenow_defender.snow_hardening) and of other modules
    that take over an update set, for a host of the inventory.
  - Empty without a host, and on the host itself, which keeps its manual steps.
  - The role C(snow_hardening) uses it.
options:
  _terms:
    description: The host, or an empty string.
    type: list
    elements: str
    required: true
seealso:
  - module: secops.servicenow_defender.snow_update_set
"""

EXAMPLES = r"""
- name: Take over an update set from the host acme-dev
  secops.servicenow_defender.snow_update_set: "{{ options | combine({'update_set': 'Hardening settings that need elevation'}) }}"
  vars:
    options: "{{ lookup('secops.servicenow_defender.update_set_source', 'acme-dev') }}"
  when: options | length > 0
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
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.update_set_source import source_options


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Return the options for each host in `terms`."""
        try:
            return [source_options(self._templar, variables or {}, term, "update_set_source") for term in terms]
        except ValueError as error:
            raise AnsibleLookupError(str(error)) from error
