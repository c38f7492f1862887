#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_role
short_description: Manage a role of a ServiceNow instance and the roles it contains
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates, changes and deletes a row of C(sys_user_role), and keeps the list of roles that it contains
    (C(sys_user_role_contains)) exact.
  - A connector that signs in with an account of its own needs a role that access rules can name. This module makes that
    role, M(secops.servicenow_defender.snow_user) grants it, and M(secops.servicenow_defender.snow_table_acls) verifies
    what it opens.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - What an earlier task of the same run would create does not exist in check mode. Describe things that need one
        another in one task of M(secops.servicenow_defender.snow_instance).
options:
  name:
    description:
      - Name of the role. It is the key and is compared exactly, upper and lower case included.
    type: str
    required: true
  description:
    description:
      - What the role is for, as its form shows it.
      - If left out, it is not managed.
    type: str
  contains:
    description:
      - Names of the roles that this role contains, exactly these. What it contains beyond them is taken out of it;
        V([]) empties it.
      - Every name has to exist on the instance, or in the same task of M(secops.servicenow_defender.snow_instance).
        Otherwise the task fails before it writes anything.
      - If left out, the contained roles are not managed.
    type: list
    elements: str
  state:
    description:
      - V(present) makes sure that the role is as described.
      - V(absent) deletes the role.
    type: str
    choices: [present, absent]
    default: present
notes:
  - Writing roles takes the role C(user_admin) or C(admin). Where the roles of the calling account can be read, the task
    fails before it writes anything.
  - Use M(secops.servicenow_defender.snow_instance) to describe roles, accounts and applications of an instance in one
    task.
seealso:
  - module: secops.servicenow_defender.snow_user
  - module: secops.servicenow_defender.snow_table_acls
  - module: secops.servicenow_defender.snow_instance
  - name: Protect your ServiceNow environment
    description: How Microsoft describes the role of a connector that is no administrator.
    link: https://learn.microsoft.com/en-us/defender-cloud-apps/protect-servicenow
"""

EXAMPLES = r"""
- name: Make sure that the role of the connector exists
  secops.servicenow_defender.snow_role:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    name: defender_reader
    description: Reads what Microsoft Defender for Cloud Apps evaluates

- name: Make sure that the role contains exactly two others
  secops.servicenow_defender.snow_role:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    name: defender_tickets
    contains:
      - defender_reader
      - itil

- name: Remove a role that is no longer used
  secops.servicenow_defender.snow_role:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    name: defender_reader_old
    state: absent
"""

RETURN = r"""
msg:
  description: One sentence that says what was found or done.
  returned: always
  type: str
role:
  description: The role as it is, or would be outside check mode. Empty with O(state=absent).
  returned: success
  type: dict
  contains:
    sys_id:
      description: The sys_id of its row; left out in check mode for a role that would be created.
      type: str
    name:
      description: Its name.
      type: str
    description:
      description: What it is for.
      type: str
    contains:
      description: The roles that it contains; only where O(contains) is given.
      type: list
      elements: str
  sample:
    sys_id: f0c8d464dcd777ef32b582535f88aab4
    name: defender_tickets
    description: Works on tickets of Microsoft Defender for Cloud
    contains:
      - defender_reader
      - itil
drift:
  description: Deviations from the desired state, as R(every state module returns them,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: success
  type: list
  elements: dict
manual_steps:
  description: Steps without an API, with the values to enter, as R(every state module returns them,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: success
  type: list
  elements: dict
api_calls:
  description: Number of HTTP requests that the task sent, as R(every module returns it,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.engine.reconcile import reconcile
from ..module_utils.snow import SNOW_OPTIONS, store_for
from ..module_utils.snow.resources.role import ROLE_OPTIONS, Role

SPEC = ansible_module.ModuleSpec(options=ROLE_OPTIONS, groups=[SNOW_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring one role to the described state."""
    return reconcile(store_for(params, context), Role.from_params(params), noun="role")


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
