#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_table_acls
short_description: Verify that a role may read tables of a ServiceNow instance
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Checks whether each table has an active access rule (C(sys_security_acl)) of type record that requires the role.
  - Access rules can only be written in a session with the elevated role C(security_admin), which is not available to
    API calls. Missing rules are returned as manual steps, and as an update set to import in RV(update_set). They count as drift
    until the next run verifies them.
  - With O(source), the update set of an instance on which the rules were created manually is taken over, and then
    verified. Otherwise it never writes.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
  - secops.servicenow_defender._update_set_source
attributes:
  check_mode:
    details:
      - Whether the update set of O(source) is accepted is only known after its preview.
  diff_mode:
    support: none
    details:
      - RV(drift) lists the missing rules.
options:
  role:
    description:
      - Name of the role that the access rules must grant access to.
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
      - Operation that the role must be allowed to perform on rows of O(tables).
    type: str
    choices: [read]
    default: read
  update_set_file:
    description:
      - Name of the file to which you save RV(update_set). The manual step names it then. This module does not write it.
    type: str
notes:
  - Only rules on the table itself with the role itself are considered, not rules on a parent table, wildcard rules or
    contained roles. Conditions and scripts of a rule are not evaluated.
  - Reading access rules requires the role C(admin) or C(security_admin). Without it, every verdict is C(unknown) and a
    warning is issued.
seealso:
  - module: secops.servicenow_defender.snow_role
  - module: secops.servicenow_defender.snow_instance
  - name: Configure an ACL
    description: How to create an access rule manually.
    link: https://www.servicenow.com/docs/r/platform-security/access-control/t_CreateAnACLRule.html
  - name: Protect your ServiceNow environment
    description: Tables that Microsoft documents for a connector without administrator rights.
    link: https://learn.microsoft.com/en-us/defender-cloud-apps/protect-servicenow
  - name: 'Facts: Access rules'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_platform.md#access-rules
"""

EXAMPLES = r"""
- name: Verify that the role may read the tables of Defender for Cloud Apps
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

- name: Show the manual steps
  ansible.builtin.debug:
    var: access.manual_steps
  when: access.manual_steps | length > 0
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'acme-prod: defender_reader may read 1 of 2 tables; 1 manual step'
results:
  description: The verdict on each table, in the order of O(tables).
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: The access rule, as named in RV(drift).
      type: str
    table:
      description: Name of the table.
      type: str
    role:
      description: Name of the role.
      type: str
    status:
      description:
        - V(granted) if a rule requires the role, V(needs_elevation) if a rule must be created manually, V(missing) if
          the table does not exist, and V(unknown) if the calling account cannot read access rules.
        - A rule whose decision type is C(deny) grants nothing.
      type: str
    note:
      description: What can still refuse the role, such as a condition or a script of the rule; only if there is something.
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
update_set:
  description:
    - Update set with exactly the missing rules, as XML. An administrator imports it at System Update Sets > Retrieved Update
      Sets > Import Update Set from XML, then previews and commits it. Empty if no rule is missing, or the role does not exist yet.
  returned: success
  type: str
  sample: ''
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
from ..module_utils.snow.resources.instance import rules_to_import
from ..module_utils.snow.resources.table_acls import TABLE_ACLS_OPTIONS, TableAcls, take_over_of
from ..module_utils.snow.update_sets.source import connection_secrets

SPEC = ansible_module.ModuleSpec(options=TABLE_ACLS_OPTIONS, groups=[SNOW_OPTIONS], secrets=connection_secrets)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Verify that a role may read tables; return a manual step, and an update set, for missing access rules."""
    store = store_for(params, context)
    rules = TableAcls.from_params(params, take_over_of(params, params, context))
    result = reconcile(store, rules)
    result.output["update_set"] = rules_to_import(store.client.session.base_url, [rules])
    return result


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
