# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that the collection keeps for its instances."""

from __future__ import annotations

DOCUMENTATION = r"""
name: stored_secret
short_description: Secrets that the collection keeps for an instance
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns secrets that the user does not supply, from where C(servicenow_defender_secrets) keeps them, a folder or a backend.
    A secret that is missing is an empty string.
  - Passwords are named C(<service>_password), client secrets C(<service>_client_secret), records of accepted credentials
    C(<service>_accepted), and the key of these records C(accepted_key).
  - A file that is empty, damaged or a link is an error that names it.
options:
  _terms:
    description: Names of secrets.
    type: list
    elements: str
  hosts:
    description: Inventory hosts that the secrets belong to. If not set, the host of the task.
    type: list
    elements: str
  create:
    description:
      - Whether a missing secret is generated, and stored before it is returned. For a folder only; a backend is written by its task file.
    type: bool
    default: false
  value:
    description:
      - Value to store for all names, in place of what is there. For a folder only.
    type: str
  unwritable:
    description:
      - Whether to return why no secret can be stored in the folder, empty if one can, and no secret. Empty for a backend, which only its task
        file can write.
    type: bool
    default: false
  write_tasks:
    description: Whether to return the path of the task file that writes a secret to the backend, empty for a folder, and no secret.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Use the password of the service account for Defender for Cloud Apps
  secops.servicenow_defender.snow_oauth_check:
    client_id: "{{ client_id }}"
    client_secret: "{{ lookup('secops.servicenow_defender.stored_secret', 'mda_client_secret') }}"
    username: svc_defender_cloud_apps
    password: "{{ lookup('secops.servicenow_defender.stored_secret', 'mda_password') }}"
"""

RETURN = r"""
_raw:
  description: The secrets, in the order of the hosts, then the names.
  type: list
  elements: str
"""

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.other_hosts import store_for
from ..plugin_utils.secret_store import SecretBackend, SecretFolder
from ..plugin_utils.templating import kept_as_text


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """Return the secrets named in `terms`."""
        self.set_options(var_options=variables, direct=kwargs)
        known, hosts, found = variables or {}, self.get_option("hosts"), list[str]()
        for host in [None] if hosts is None else hosts:
            name = str(known.get("inventory_hostname", "")) if host is None else host
            try:
                found += self._found(store_for(self._templar, known, host), name, terms)
            except ValueError as error:
                raise AnsibleLookupError(f"{name}: {error}") from error
        return kept_as_text(found)

    def _found(self, store: SecretFolder | SecretBackend, host: str, names: Sequence[str]) -> list[str]:
        if self.get_option("write_tasks"):
            return [store.write_tasks if isinstance(store, SecretBackend) else ""]
        if self.get_option("unwritable"):
            return ["" if isinstance(store, SecretBackend) else store.unwritable(host)]
        return [self._secret(store, host, str(name)) for name in names]

    def _secret(self, store: SecretFolder | SecretBackend, host: str, name: str) -> str:
        value, create = self.get_option("value"), self.get_option("create")
        if value is None and not create:
            return store.read(host, name)
        if isinstance(store, SecretBackend):
            raise ValueError(f"{name} is in a backend, which is written by its task file {store.write_tasks}")
        return store.create(host, name) if value is None else store.store(host, name, value)
