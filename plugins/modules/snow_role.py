#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_role
short_description: Manage a role of a ServiceNow instance and the roles it contains
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates, updates and deletes a row of C(sys_user_role), and manages the roles that it contains
    (C(sys_user_role_contains)).
  - A connector with a service account requires a role that access rules can refer to. This module creates the role,
    M(secops.servicenow_defender.snow_user) grants it, and M(secops.servicenow_defender.snow_table_acls) verifies its
    access.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - In check mode, objects that an earlier task of the same run would create do not exist. Manage objects that
        depend on one another in one task of M(secops.servicenow_defender.snow_instance).
options:
  name:
    description:
      - Name of the role. It is the key and is compared exactly, including case.
    type: str
    required: true
  description:
    description:
      - Description of the role, as shown in its form.
      - If not set, it is not managed.
    type: str
  contains:
    description:
      - Names of the roles that this role contains, exactly these. Any other contained role is removed; V([]) removes
        all.
      - Every role must exist on the instance, or be created by the same task of
        M(secops.servicenow_defender.snow_instance). Otherwise the task fails before it writes anything.
      - If not set, the contained roles are not managed.
    type: list
    elements: str
  state:
    description:
      - V(present) creates the role or brings it to its desired state.
      - V(absent) deletes the role.
    type: str
    choices: [present, absent]
    default: present
notes:
  - Writing roles requires the role C(user_admin) or C(admin). If the roles of the calling account can be read, missing
    roles fail the task before it writes anything.
  - Use M(secops.servicenow_defender.snow_instance) to manage roles, accounts and applications of an instance in one
    task.
seealso:
  - module: secops.servicenow_defender.snow_user
  - module: secops.servicenow_defender.snow_table_acls
  - module: secops.servicenow_defender.snow_instance
  - name: Protect your ServiceNow environment
    description: Documentation of Microsoft on the role of a connector without administrator rights.
    link: https://learn.microsoft.com/en-us/defender-cloud-apps/protect-servicenow
  - name: 'Facts: Roles'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_platform.md#roles
"""

EXAMPLES = r"""
- name: Ensure that the role of the connector exists
  secops.servicenow_defender.snow_role:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    name: defender_reader
    description: Reads the tables that Microsoft Defender for Cloud Apps requires

- name: Ensure that the role contains exactly two others
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
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'acme-prod: role defender_tickets in sync'
role:
  description: The role after the task; in check mode, as it would be. Empty with O(state=absent).
  returned: success
  type: dict
  contains:
    sys_id:
      description: The sys_id of its row; omitted in check mode for a role that would be created.
      type: str
    name:
      description: Name.
      type: str
    description:
      description: Description.
      type: str
    contains:
      description: Roles that it contains; only if O(contains) is set.
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
  description: Differences to the desired state, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: success
  type: list
  elements: dict
manual_steps:
  description: Manual steps with the values to enter, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: success
  type: list
  elements: dict
unproven:
  description: What could not be compared, and why, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: success
  type: list
  elements: dict
api_calls:
  description: Number of HTTP requests that the task sent, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
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
    """Bring one role to the desired state."""
    return reconcile(store_for(params, context), Role.from_params(params), noun="role")


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
