# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of an instance that are not stored yet."""

from __future__ import annotations

DOCUMENTATION = r"""
name: missing_secrets
short_description: Secrets of an instance that are not stored yet
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the secrets of the connections of an instance that C(servicenow_defender_secrets) does not have. Those that the user supplies
    with C(snow_connection_password) or C(snow_connection_client_secret) are not among them.
  - The role C(snow_connection) generates them, unless the account or application that has it exists already.
options:
  _terms:
    description: Services, V(mda), V(mdc) and V(msem). If not set, those of C(snow_connection_services).
    type: list
    elements: str
  generate:
    description: Whether to return a new value for each of them.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show which secrets onboard would generate
  ansible.builtin.debug:
    msg: "{{ query('secops.servicenow_defender.missing_secrets', 'mda') | map(attribute='where') }}"
"""

RETURN = r"""
_raw:
  description:
    - One dictionary for each secret, with C(name), C(where) (file or backend), and C(value) with O(generate=true).
    - C(object) is the account or application that has the secret, with its C(table) and the C(query) that finds it, and C(lost) the
      sentence for the case that it exists.
  type: list
  elements: dict
"""

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.connections import Connection, MissingSecret
from ..plugin_utils.secret_store import new_secret, reader, store_of
from ..plugin_utils.task_options import TaskOptions


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Return the missing secrets of the services in `terms`."""
        self.set_options(var_options=variables, direct=kwargs)
        known = variables or {}
        host = str(known["inventory_hostname"])
        try:
            store = store_of(self._templar, known)
            stored = reader(store, host)
            missing: dict[str, MissingSecret] = {}
            for service in terms or TaskOptions(self._templar, known).services():
                missing |= Connection(self._templar, known, service, stored).missing_secrets()
            places = {name: store.describe(host, name) for name in missing}
        except ValueError as error:
            raise AnsibleLookupError(f"{host}: {error}") from error
        generate = self.get_option("generate")
        return [
            {
                "name": name,
                "where": places[name],
                "object": secret.label,
                "lost": f"{secret.label} exists on the instance, but its secret is not stored: {places[name]}",
                "table": secret.table,
                "query": dict(secret.query),
                "fields": ["sys_id", "client_id"] if secret.table == "oauth_entity" else ["sys_id"],
                **({"value": new_secret()} if generate else {}),
            }
            for name, secret in missing.items()
        ]
