#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_compliance_rules
short_description: Manage assignment rules and remediation task rules of Configuration Compliance
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates, updates or removes the rules by which ServiceNow gives test results an assignment group, and groups them into remediation tasks, so
    that each deviation that was imported becomes a task with an owner.
  - On the USEM line (30.x), the tables C(sn_sec_wf_assign_rule) and C(sn_sec_rem_task_rule) are used, otherwise C(sn_vulc_assignment_rule) and
    C(sn_vulc_grouping_rule).
  - The names of the columns are not published. They are found in C(sys_dictionary) by the labels of the forms and by their types. A rule with a
    field whose column is unknown is not written, as a rule without its condition would apply to everything; it is returned in
    RV(manual_steps) with all values.
  - A rule is identified by its name. Other rules are not changed. New rules are evaluated on the next import; I(Apply Changes) in the list of
    assignment rules, and I(Reapply) in a remediation task rule, evaluate them at once.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - Whether the instance accepts a write from outside the scope of the application is only known when it is attempted.
      - If Configuration Compliance is not installed yet, the rules are returned in RV(unproven). Otherwise, the task fails.
options:
  assignment_rules:
    description:
      - Assignment rules. The rule with the lowest order that a test result meets assigns it.
    type: list
    elements: dict
    suboptions: &rule
      name:
        description:
          - Name of the rule.
        type: str
        required: true
      state:
        description:
          - Desired state of the rule.
        type: str
        choices: [present, absent]
        default: present
      active:
        description:
          - Whether the rule is active.
        type: bool
      order:
        description:
          - Execution order; the lowest number is evaluated first. Remediation task rules have one on the USEM line only.
        type: int
      condition:
        description:
          - Which test results the rule applies to, as an encoded query of C(sn_vulc_result).
        type: str
      description:
        description:
          - Description of the rule.
        type: str
      group:
        description:
          - Name of the assignment group. The rule then assigns by I(User group).
        type: str
      extra_fields:
        description:
          - Columns that have no option, as column to value.
        type: dict
  remediation_task_rules:
    description:
      - Remediation task rules.
    type: list
    elements: dict
    suboptions:
      <<: *rule
      group_by:
        description:
          - Fields of test results by which the rule groups them, up to six. Their columns are not published, so they are only used in
            RV(manual_steps) when the rule is created.
        type: list
        elements: str
notes:
  - Requires C(sn_vulc.admin).
seealso:
  - module: secops.servicenow_defender.snow_configuration_compliance
  - name: Create or edit Configuration Compliance assignment rules
    description: The form of an assignment rule.
    link: https://www.servicenow.com/docs/r/security-management/configuration-compliance/create-cc-assign-rules.html
  - name: Create or edit Configuration Compliance remediation task rules
    description: The form of a remediation task rule.
    link: https://www.servicenow.com/docs/r/security-management/configuration-compliance/create-cc-group-rules.html
  - name: 'Facts: Rules'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/configuration_compliance.md#rules
"""

EXAMPLES = r"""
- name: Give failed checks of storage to its team, and make one task for each test
  secops.servicenow_defender.snow_compliance_rules:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    assignment_rules:
      - name: Storage
        order: 100
        condition: result=Failed^test.short_descriptionLIKEstorage
        group: Storage team
    remediation_task_rules:
      - name: One task for each test
        condition: result=Failed^active=true
        group_by: [Assignment group, Test]
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'acme-prod: 2 rules in sync'
rules:
  description: The rules after the task; in check mode, as they would be. Without rules that have to be entered manually.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: The option that lists the rule.
      type: str
    table:
      description: Table of the rule.
      type: str
    sys_id:
      description: The sys_id of the rule, if it exists.
      type: str
  sample:
    - kind: assignment_rules
      table: sn_vulc_assignment_rule
      sys_id: 6d1f0a8c1b2c41109f3b2f0a2d4bcb33
      name: Storage
      order: 100
      condition: result=Failed^test.short_descriptionLIKEstorage
      group: Storage team
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
  sample: {read: 2, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.snow import SNOW_OPTIONS, store_for
from ..module_utils.snow.configuration_compliance.rules import RULES_OPTIONS, reconcile_rules

SPEC = ansible_module.ModuleSpec(options=RULES_OPTIONS, groups=[SNOW_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring the rules to their desired state."""
    return reconcile_rules(store_for(params, context), params)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
