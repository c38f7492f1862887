# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From which instance an instance was cloned."""

from __future__ import annotations

DOCUMENTATION = r"""
name: clone_findings
short_description: From which instance an instance was cloned
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Compares client ids of OAuth applications with those that other instances have, by the stored records of what services have accepted
    (C(<service>_accepted)) and by what this run has read on the other instances.
  - The role C(snow_connection) and the playbooks C(onboard) and C(drift) use it.
options:
  _terms:
    description:
      - Applications, each with C(name) and C(client_id).
      - If not set, those of the host of the task whose client id this run has replaced or would replace, and those that share theirs with
        another host of the run.
    type: list
    elements: dict
  repaired:
    description: Whether this run has replaced the client ids.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show whose client id an application has
  ansible.builtin.debug:
    msg: "{{ lookup('secops.servicenow_defender.clone_findings', *registry.oauth_applications).problems | map(attribute='message') }}"
"""

RETURN = r"""
_raw:
  description:
    - One dictionary. C(problems) has an entry with C(id), C(severity), C(message) and C(remedy) for each application that has, or had, the
      client id of another instance. C(unproven) has one with C(object), C(field) and C(reason) for each that shares its client id with
      another instance, where nothing shows which of the two is the clone.
  type: list
  elements: dict
"""

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..module_utils.instance_address import normalize_address
from ..plugin_utils.client_ids import clone_problems, copied, hosts_of_folder, in_run, owners, shared
from ..plugin_utils.secret_store import SecretFolder, store_of


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Return the findings about the applications in `terms`."""
        self.set_options(var_options=variables, direct=kwargs)
        known = variables or {}
        host = str(known["inventory_hostname"])
        hostvars = known["hostvars"]
        elsewhere = in_run(hostvars, host)
        applications = list(terms) or copied(known)
        sources = {**elsewhere, **(self._recorded(known, host) if applications else {})}
        problems = clone_problems(applications, sources, repaired=self.get_option("repaired"))
        return [{"problems": problems, "unproven": [] if terms else shared(known, elsewhere)}]

    def _recorded(self, known: dict[str, Any], host: str) -> dict[str, str]:
        """Return whose the recorded client ids are."""
        address = self._templar.template(known.get("snow_url") or "")
        try:
            store = store_of(self._templar, known)
            others = (
                hosts_of_folder(store)
                if isinstance(store, SecretFolder)
                else [h for h in known["hostvars"] if h != host]
            )
            return owners(store, others, normalize_address(address) if address else "")
        except ValueError as error:
            raise AnsibleLookupError(f"{host}: {error}") from error
