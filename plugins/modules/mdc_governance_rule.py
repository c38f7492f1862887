#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_governance_rule
short_description: Manage a governance rule of Defender for Cloud, and run it
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates, changes, runs or removes a governance rule (Microsoft.Security/governanceRules, 2022-01-01-preview). Rules give
    recommendations an owner and a due date, and rules of type V(ServiceNow) make tickets.
  - A rule is known by its name on the scope that it is defined on. Rules that a scope inherits are left alone. What is not
    described, and what no public schema knows, stays as it is.
  - Microsoft's public schema has no field for the integration and the ticket type that the portal asks for. A rule of type
    V(ServiceNow) without them is written as far as the schema goes, and RV(manual_steps) says what to enter in the portal.
    Once one rule has them, others can learn them (O(learn_from)), or you give them as O(extra_properties).
  - With O(state=absent) existing assignments and notifications stay. Microsoft keeps them also when a rule is disabled.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
attributes:
  idempotent:
    support: partial
    details:
      - A run of the rule (O(execute=true)) is a change in every run.
options:
  scope:
    description:
      - What the rule is for, V(/subscriptions/<id>), V(/providers/Microsoft.Management/managementGroups/<name>), or the
        resource id of a security connector, which is the only scope that covers findings of AWS and GCP.
      - If left out, it is the subscription O(azure_subscription_id).
    type: str
  display_name:
    description:
      - Name of the rule.
    type: str
    required: true
  state:
    description:
      - Whether the rule is to be there.
    type: str
    choices: [present, absent]
    default: present
  rule_type:
    description:
      - V(Integrated) keeps assignments in Defender for Cloud, V(ServiceNow) makes tickets.
      - If left out, a new rule is V(Integrated).
    type: str
    choices: [Integrated, ServiceNow]
  priority:
    description:
      - From 0 to 1000; the lower one wins. The portal starts at 1. Each priority can be given once on a scope.
      - A new rule needs it.
    type: int
  severities:
    description:
      - The rule is for recommendations of these severities.
      - A new rule needs this or O(recommendations).
    type: list
    elements: str
    choices: [Low, Medium, High, Critical]
  severity_property:
    description:
      - Path by which the rule asks for the severity. Microsoft publishes no sample of such a rule.
      - If left out, it is the path in a rule of the scope that asks for the severity already, such as one that was made in
        the portal. Without one it is V($.Severity).
    type: str
  recommendations:
    description:
      - The rule is for these recommendations, given by the names (keys) of their assessments.
    type: list
    elements: str
  owner:
    description:
      - Who is responsible. One of the two has to be given.
      - A new rule needs it, unless O(learn_from) names a rule that has one.
    type: dict
    suboptions:
      by_tag:
        description:
          - Key of the tag of a resource that holds the owner's address.
        type: str
      email:
        description:
          - Address of the owner.
        type: str
  remediation_timeframe_days:
    description:
      - Days until a recommendation is due. The portal offers 7, 14, 30 and 90.
    type: int
  grace_period:
    description:
      - Whether a recommendation leaves the secure score alone until it is due.
    type: bool
  disabled:
    description:
      - Whether the rule is switched off.
    type: bool
  description:
    description:
      - What the rule is for, in words.
    type: str
  include_members:
    description:
      - Whether the rule of a management scope covers the scopes below it.
    type: bool
  excluded_scopes:
    description:
      - Scopes below that the rule leaves out, as ids. The portal cannot set them.
    type: list
    elements: str
  notify_owner:
    description:
      - Whether owners get the weekly e-mail.
    type: bool
  notify_manager:
    description:
      - Whether managers of owners get the weekly e-mail.
    type: bool
  extra_properties:
    description:
      - Properties of the rule that have no option here, as the API has them. They are merged with those that are there.
        RV(governance_rule.extra_properties) of a rule that was made in the portal shows what a rule with tickets has.
    type: dict
  learn_from:
    description:
      - Name or id of a rule on the scope that was made in the portal. Properties that no public schema knows, such as the
        integration and the ticket type, are taken over from it, and its owner where this rule has none.
      - It is only needed until this rule has them.
    type: str
  integration:
    description:
      - Name of the ServiceNow integration that a person is to choose in the portal. It only appears in RV(manual_steps).
      - If left out, it is the integration of the scope, where there is just one.
    type: str
  ticket_type:
    description:
      - Type of ticket that a person is to choose in the portal. It only appears in RV(manual_steps).
    type: str
    choices: [incident, problem, change_request]
  execute:
    description:
      - Whether to run the rule once it is as described, and to wait for the end. It is a change in every run.
    type: bool
    default: false
  override:
    description:
      - Whether the run changes owners and dates that were assigned before.
    type: bool
    default: false
  wait_timeout:
    description:
      - How long to wait for the end of a run or a removal, in seconds.
    type: float
    default: 600
notes:
  - It takes Security Admin, Contributor or Owner on the scope, and Defender CSPM.
  - A rule of a management scope wins over one of a single scope.
seealso:
  - module: secops.servicenow_defender.mdc_integration
  - module: secops.servicenow_defender.mdc_plan
  - name: Drive remediation with governance rules
    description: What rules do.
    link: https://learn.microsoft.com/en-us/azure/defender-for-cloud/governance-rules
"""

EXAMPLES = r"""
- name: Give high and critical findings an owner and two weeks
  secops.servicenow_defender.mdc_governance_rule:
    azure_tenant_id: 00000000-0000-0000-0000-000000000001
    azure_client_id: 00000000-0000-0000-0000-000000000002
    azure_client_secret: "{{ vault_azure_client_secret }}"
    azure_subscription_id: 00000000-0000-0000-0000-000000000003
    display_name: High findings
    priority: 100
    severities: [High, Critical]
    owner:
      by_tag: owner
    remediation_timeframe_days: 14
    grace_period: true
    execute: true

- name: Let a rule make tickets as the one that was made in the portal does
  secops.servicenow_defender.mdc_governance_rule:
    scope: /providers/Microsoft.Management/managementGroups/acme
    display_name: Tickets for public storage
    rule_type: ServiceNow
    priority: 110
    recommendations:
      - 4fb67663-9ab9-475d-b026-8c544cced439
    owner:
      email: storage@example.com
    remediation_timeframe_days: 7
    learn_from: Made in the portal
"""

RETURN = r"""
msg:
  description: One sentence that says what was found or done.
  returned: always
  type: str
governance_rule:
  description: The rule as it is now, or would be outside check mode.
  returned: success
  type: dict
  contains:
    id:
      description: Its id; empty for a rule that is not there.
      type: str
    scope:
      description: What it is for.
      type: str
    display_name:
      description: Its name.
      type: str
    rule_type:
      description: V(Integrated) or V(ServiceNow).
      type: str
    priority:
      description: Its priority.
      type: int
    severities:
      description: The severities it is for, where its condition is about nothing else.
      type: list
      elements: str
    recommendations:
      description: The assessments it is for, where its condition is about nothing else.
      type: list
      elements: str
    condition_sets:
      description: Its condition, as the API has it.
      type: list
      elements: dict
    owner:
      description: Its owner, by C(by_tag) or C(email), or as the API has it where it is neither.
      type: dict
    remediation_timeframe_days:
      description: Days until a recommendation is due; a text where it is not whole days.
      type: raw
    grace_period:
      description: Whether there is a grace period; null where the rule does not say.
      type: bool
    disabled:
      description: Whether it is switched off; null where the rule does not say.
      type: bool
    description:
      description: Its description.
      type: str
    include_members:
      description: Whether it covers the scopes below; null where the rule does not say.
      type: bool
    excluded_scopes:
      description: The scopes that it leaves out.
      type: list
      elements: str
    notify_owner:
      description: Whether owners get e-mail; null where the rule does not say.
      type: bool
    notify_manager:
      description: Whether managers get e-mail; null where the rule does not say.
      type: bool
    extra_properties:
      description: Its properties that no public schema knows.
      type: dict
  sample:
    id: 3d2f0c6e-9c1a-5b44-8a54-3f6a1c9c2f10
    scope: /subscriptions/00000000-0000-0000-0000-000000000003
    display_name: High findings
    rule_type: Integrated
    priority: 100
    severities: [High, Critical]
    recommendations: []
    condition_sets:
      - conditions:
          - property: $.Severity
            operator: Equals
            value: High
      - conditions:
          - property: $.Severity
            operator: Equals
            value: Critical
    owner:
      by_tag: owner
    remediation_timeframe_days: 14
    grace_period: true
    disabled: false
    description: ''
    include_members: false
    excluded_scopes: []
    notify_owner: true
    notify_manager: true
    extra_properties: {}
executed:
  description: Whether the rule was run, or would be outside check mode.
  returned: success
  type: bool
  sample: true
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
from ..module_utils.engine.result import PRESENT
from ..module_utils.microsoft.arm import AZURE_OPTIONS, client_for
from ..module_utils.microsoft.arm.scopes import CONNECTOR, MANAGEMENT_GROUP, SUBSCRIPTION, scope_of
from ..module_utils.microsoft.collection_store import CollectionStore
from ..module_utils.microsoft.defender_cloud.governance_rule import RULE_OPTIONS, RULE_RULES, GovernanceRule
from ..module_utils.microsoft.defender_cloud.governance_rule_run import RuleRun
from ..module_utils.microsoft.defender_cloud.governance_rules_api import COLLECTION, VERSION, GovernanceRulesEndpoint
from ..module_utils.microsoft.defender_cloud.integrations_api import names_of

SPEC = ansible_module.ModuleSpec(options=RULE_OPTIONS, groups=[AZURE_OPTIONS], rules=RULE_RULES)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring one rule to its desired state, and run it where `execute` is set."""
    scope = scope_of(params, SUBSCRIPTION, MANAGEMENT_GROUP, CONNECTOR)
    client = client_for(params, context)
    endpoint = GovernanceRulesEndpoint(client, scope, VERSION, params["wait_timeout"])
    store = CollectionStore(client, {COLLECTION: endpoint})
    rule = GovernanceRule(params, scope, lambda: names_of(client, scope))
    result = reconcile(store, rule, noun="governance_rule")
    executes = params["execute"] and params["state"] == PRESENT
    if executes:
        # Separately: a rule that was not written must not run.
        result.changed |= reconcile(store, RuleRun(rule, override=params["override"])).changed
        result.msg += "; the rule would run" if context.check_mode else "; the rule was run"
    result.output["executed"] = executes
    return result


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
