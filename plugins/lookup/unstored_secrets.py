# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of several hosts that are not stored yet."""

from __future__ import annotations

DOCUMENTATION = r"""
name: unstored_secrets
short_description: Secrets of hosts that are not stored yet
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the hosts for which C(servicenow_defender_secrets) does not have a secret with a given value, or does not have it at all.
  - The role C(snow_connection) stores keys and records of accepted credentials with it. One lookup for all hosts takes a fraction of the
    time of one template for each host.
options:
  _terms:
    description: Name of one secret.
    type: list
    elements: str
    required: true
  hosts:
    description: Inventory hosts of which each gets a new value if it has none.
    type: list
    elements: str
    default: []
  values:
    description: The value that is to be stored for each inventory host.
    type: dict
    default: {}
  store:
    description:
      - Whether the values are stored where C(servicenow_defender_secrets) is a folder. Then only those are returned that belong into a
        backend, which is written by its task file.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show which instances have no key for their records of accepted credentials
  ansible.builtin.debug:
    msg: "{{ query('secops.servicenow_defender.unstored_secrets', 'accepted_key', hosts=ansible_play_hosts) | map(attribute='host') }}"
"""

RETURN = r"""
_raw:
  description:
    - One dictionary for each host, with C(host), C(value), and C(tasks), the path of the task file that writes the backend, empty for a
      folder.
  type: list
  elements: dict
"""

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.other_hosts import store_for
from ..plugin_utils.secret_store import SecretBackend, SecretFolder, new_secret


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, str]]:
        """Return the hosts that lack the secret named in `terms`; an error of one host does not keep others from being stored."""
        self.set_options(var_options=variables, direct=kwargs)
        wanted: dict[str, str | None] = {**dict.fromkeys(self.get_option("hosts")), **self.get_option("values")}
        found: list[dict[str, str]] = []
        errors: list[str] = []
        for host, value in wanted.items():
            try:
                found += self._unstored(variables or {}, host, str(terms[0]), value)
            except ValueError as error:
                errors.append(f"{host}: {error}")
        if errors:
            raise AnsibleLookupError("; ".join(errors))
        return found

    def _unstored(self, known: dict[str, Any], host: str, name: str, value: str | None) -> list[dict[str, str]]:
        store = store_for(self._templar, known, host)
        tasks = store.write_tasks if isinstance(store, SecretBackend) else ""
        if isinstance(store, SecretFolder) and self.get_option("store"):
            store.create(host, name) if value is None else store.store(host, name, value)
            return []
        stored = store.read(host, name)
        if stored if value is None else stored == value:
            return []
        return [{"host": host, "value": new_secret() if value is None else value, "tasks": tasks}]
