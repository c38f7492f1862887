# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds a contract from a browser's recording, for the playbook learn_contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.yaml import yaml_dump
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils.engine.errors import EngineError
from ..module_utils.recorded_api.recording.learn import learn

DOCUMENTATION = r"""
name: learn_contract
short_description: Build a contract from a browser's recording of one manual connection or policy
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Finds the requests of the portal's wizard that contain the values that the user entered, replaces each value by a
    placeholder such as C(${name}), and drops cookies, tokens, and headers that are generated for each request.
  - Fails when a value is not found or ambiguous, or when the recording shows something else. Neither the contract nor a
    message contains an entered value, a cookie or a token.
positional: _input
options:
  _input:
    description:
      - The recording (HAR), as text.
    type: str
    required: true
  name:
    description: Name of the contract.
    type: str
    required: true
  values:
    description:
      - The values that the user entered, by option of a connector, C(name), C(instance_url), C(username), C(password), C(client_id),
        C(client_secret).
    type: dict
    required: true
  target:
    description:
      - What was created, V(mda_connector) for a connection, V(mda_policy) for a policy, V(msem_connector) for a data connector of Exposure
        Management.
      - A policy has C(name) only. A data connector has C(instance_url), and C(client_id) with C(client_secret), or C(username) with
        C(password).
    type: str
    default: mda_connector
seealso:
  - ref: ansible_collections.secops.servicenow_defender.docsite.guide_contracts
    description: What a contract is, and how to learn one.
"""

EXAMPLES = r"""
- name: Learn from a recording
  ansible.builtin.set_fact:
    learned: "{{ lookup('ansible.builtin.file', 'wizard.har') | secops.servicenow_defender.learn_contract(name='acme-2026', values=entered) }}"
"""

RETURN = r"""
_value:
  description:
    - C(contract) (the contract), C(text) (the same as YAML) and C(summary) (lines about how it was built).
  type: dict
"""


def learn_contract(har: str, name: str, values: Mapping[str, Any], target: str = "mda_connector") -> Any:
    """Return the contract with its text and a summary, marked as unsafe: the portal's texts are never evaluated."""
    try:
        learned = learn(str(har), str(name), {str(key): str(value) for key, value in values.items()}, str(target))
    except EngineError as error:
        raise AnsibleFilterError(f"learn_contract: {error}") from None
    text = yaml_dump(learned.contract, sort_keys=False, allow_unicode=True, width=1000)
    return wrap_var({"contract": learned.contract, "text": f"---\n{text}", "summary": learned.summary})


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"learn_contract": learn_contract}
