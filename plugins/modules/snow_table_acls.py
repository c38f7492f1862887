#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_table_acls
short_description: Verify that a role may read tables of a ServiceNow instance
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Looks for an active access rule (C(sys_security_acl)) of type record on each table that names the role.
  - Access rules can be written only in a session with the elevated role C(security_admin), which no API call can have.
    So this module never writes. It returns what a person has to enter, counts it as drift until it is done, and
    verifies it in the next run.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - This action never changes anything.
  diff_mode:
    support: none
    details:
      - This action never changes anything. RV(drift) tells what is missing.
  idempotent:
    details:
      - This action never changes anything.
options:
  role:
    description:
      - Name of the role that the access rules have to name.
    type: str
    required: true
  tables:
    description:
      - Names of the tables.
    type: list
    elements: str
    required: true
  operation:
    description:
      - What the role has to be allowed to do with the rows of O(tables).
    type: str
    choices: [read]
    default: read
notes:
  - Only rules on the table itself that name the role itself count. What the role could read through a rule on a parent
    table, a wildcard rule or a role that it contains is not considered, nor are conditions and scripts of a rule.
  - Reading access rules takes the role C(admin) or C(security_admin). Without it every verdict is C(unknown), and a
    warning says so.
seealso:
  - module: secops.servicenow_defender.snow_role
  - module: secops.servicenow_defender.snow_instance
  - name: Configure an ACL
    description: How a person enters an access rule.
    link: https://www.servicenow.com/docs/r/platform-security/access-control/t_CreateAnACLRule.html
  - name: Protect your ServiceNow environment
    description: The tables that Microsoft documents for a connector that is no administrator.
    link: https://learn.microsoft.com/en-us/defender-cloud-apps/protect-servicenow
"""

EXAMPLES = r"""
- name: Verify that the role may read what Defender for Cloud Apps reads
  secops.servicenow_defender.snow_table_acls:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    role: defender_reader
    tables:
      - incident
      - sys_attachment
      - sys_attachment_doc
      - sys_properties
      - sys_user
      - sys_user_group
      - sys_user_grmember
      - sys_user_has_role
      - sys_user_role_contains
      - sysevent
      - sysevent_script_action
      - syslog_transaction
      - v_plugin
  register: access

- name: Show what a person has to enter
  ansible.builtin.debug:
    var: access.manual_steps
  when: access.manual_steps | length > 0
"""

RETURN = r"""
msg:
  description: One sentence that says what was found or done.
  returned: always
  type: str
results:
  description: The verdict on each table, in the order of O(tables).
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: What the verdict is about, as RV(drift) names it.
      type: str
    table:
      description: Name of the table.
      type: str
    role:
      description: Name of the role.
      type: str
    status:
      description:
        - V(granted) when a rule names the role, V(needs_elevation) when a person has to enter one, V(missing) when the
          instance has no such table, and V(unknown) when the calling account may not read access rules.
      type: str
  sample:
    - object: table_acl sys_user (defender_reader)
      table: sys_user
      role: defender_reader
      status: granted
    - object: table_acl sysevent (defender_reader)
      table: sysevent
      role: defender_reader
      status: needs_elevation
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
from ..module_utils.snow.resources.table_acls import TABLE_ACLS_OPTIONS, TableAcls

SPEC = ansible_module.ModuleSpec(options=TABLE_ACLS_OPTIONS, groups=[SNOW_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Verify that a role may read tables; say what a person has to enter where it may not."""
    return reconcile(store_for(params, context), TableAcls.from_params(params))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
