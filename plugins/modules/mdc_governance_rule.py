#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_governance_rule
short_description: Manage a governance rule of Defender for Cloud
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates, updates, runs or deletes a governance rule (Microsoft.Security/governanceRules, 2022-01-01-preview). Rules
    assign an owner and a due date to recommendations, and rules of type V(ServiceNow) create tickets.
  - A rule is identified by its name on the scope that defines it. Inherited rules are not changed. Properties that are
    not set here, or that no public schema defines, are kept.
  - The public schema of Microsoft has no field for the integration and the ticket type that the portal requires.
    Without them, a rule of type V(ServiceNow) is written as far as the schema allows, and RV(manual_steps) lists the
    values to enter in the portal. Once a rule has them, other rules can copy them (O(learn_from)), or set
    O(extra_properties).
  - With O(state=absent), existing assignments and notifications are kept. Microsoft also keeps them if a rule is
    disabled.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._azure.scope
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - What the account may not read is returned in RV(unproven). Otherwise, the task fails.
  idempotent:
    support: partial
    details:
      - With O(execute=true), every run reports a change.
options:
  display_name:
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
  rule_type:
    description:
      - Type of the rule. V(Integrated) keeps assignments in Defender for Cloud, V(ServiceNow) creates tickets.
      - If not set, a new rule is V(Integrated).
    type: str
    choices: [Integrated, ServiceNow]
  priority:
    description:
      - Priority, from 0 to 1000; the lower number takes precedence. The portal starts at 1. A priority must be unique
        on a scope.
      - Required for a new rule.
    type: int
  severities:
    description:
      - Severities of the recommendations that the rule applies to.
      - A new rule requires one of this, O(risk_levels), O(categories) and O(recommendations).
    type: list
    elements: str
    choices: [Low, Medium, High, Critical]
  severity_property:
    description:
      - Property path of the severity condition. Microsoft publishes no sample of such a rule; public clients use the default below.
      - If not set, path and notation are copied from a rule of the scope with a severity condition, such as one created in
        the portal. If there is none, V(properties.metadata.severity) is used.
    type: str
  risk_levels:
    description:
      - Risk levels of the recommendations that the rule applies to.
      - Microsoft does not publish by which property such a rule selects. It is copied from a rule of the scope that selects by risk level, such as
        one created in the portal. If there is none, the condition is a manual step, and a new rule is not created.
    type: list
    elements: str
    choices: [Low, Medium, High, Critical]
  categories:
    description:
      - Categories of the recommendations that the rule applies to, as the API names them.
      - What applies to O(risk_levels) applies here, too.
    type: list
    elements: str
    choices:
      - SoftwareUpdate
      - SystemUpdate
      - HostMisconfigurations
      - ExposedSecrets
      - ServiceUpgrade
      - ApiVulnerabilities
      - CodeVulnerabilities
      - IacVulnerabilities
  recommendations:
    description:
      - Recommendations that the rule applies to, by the names (keys) of their assessments.
    type: list
    elements: str
  owner:
    description:
      - Owner of the findings. Exactly one of the suboptions is required.
      - Required for a new rule, unless O(learn_from) names a rule that has one.
    type: dict
    suboptions:
      by_tag:
        description:
          - Key of the resource tag that contains the e-mail address of the owner.
        type: str
      email:
        description:
          - E-mail address of the owner.
        type: str
  remediation_timeframe_days:
    description:
      - Days until a recommendation is due. The portal offers 7, 14, 30 and 90.
    type: int
  grace_period:
    description:
      - Whether a recommendation does not affect the secure score until it is due.
    type: bool
  disabled:
    description:
      - Whether the rule is disabled.
    type: bool
  description:
    description:
      - Description of the rule.
    type: str
  include_members:
    description:
      - Whether the rule of a management scope covers the scopes below it.
    type: bool
  excluded_scopes:
    description:
      - Ids of scopes below that the rule excludes. The portal cannot set them.
    type: list
    elements: str
  notify_owner:
    description:
      - Whether owners receive the weekly e-mail.
    type: bool
  notify_manager:
    description:
      - Whether managers of owners receive the weekly e-mail.
    type: bool
  extra_properties:
    description:
      - Properties of the rule that have no option, as named in the API. They are merged with the existing ones.
        RV(governance_rule.extra_properties) of a rule that was created in the portal contains the properties of a rule
        with tickets.
    type: dict
  learn_from:
    description:
      - Name or id of a rule on the scope that was created in the portal. Properties that no public schema defines, such
        as the integration and the ticket type, are copied from it, and its owner if this rule has none.
      - Only needed until this rule has them.
    type: str
  integration:
    description:
      - Name of the ServiceNow integration to select manually in the portal. Only used in RV(manual_steps).
      - If not set, the integration of the scope is used, if there is exactly one.
    type: str
  ticket_type:
    description:
      - Ticket type to select manually in the portal. Only used in RV(manual_steps).
    type: str
    choices: [incident, problem, change_request]
  execute:
    description:
      - Whether to run the rule once it is in sync, and wait for completion. Every run reports a change.
    type: bool
    default: false
  override:
    description:
      - Whether running the rule overrides owners and dates that were assigned before.
    type: bool
    default: false
  wait_timeout:
    description:
      - Maximum time to wait for the completion of a run or a deletion, in seconds.
    type: float
    default: 600
notes:
  - Requires Security Admin, Contributor or Owner on the scope, and Defender CSPM.
  - A rule of a management scope takes precedence over one of a single scope.
seealso:
  - module: secops.servicenow_defender.mdc_integration
  - module: secops.servicenow_defender.mdc_plan
  - name: Drive remediation with governance rules
    description: How governance rules work.
    link: https://learn.microsoft.com/en-us/azure/defender-for-cloud/governance-rules
  - name: 'Facts: Governance rules'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/defender_for_cloud.md#governance-rules
"""

EXAMPLES = r"""
- name: Assign high and critical findings to an owner with a due date of two weeks
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

- name: Create tickets like a rule that was created in the portal
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
    learn_from: Created in the portal

- name: Give what is at risk to an owner, as a rule of the scope does that was created in the portal
  secops.servicenow_defender.mdc_governance_rule:
    scope: /providers/Microsoft.Management/managementGroups/acme
    display_name: At risk
    priority: 120
    risk_levels: [Critical]
    owner:
      by_tag: owner
    remediation_timeframe_days: 7
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'subscription 00000000-0000-0000-0000-000000000003: governance rule High findings created'
governance_rule:
  description: The rule after the task; in check mode, as it would be.
  returned: success
  type: dict
  contains:
    id:
      description: Id; empty if the rule does not exist.
      type: str
    scope:
      description: Scope of the rule.
      type: str
    display_name:
      description: Name.
      type: str
    rule_type:
      description: V(Integrated) or V(ServiceNow).
      type: str
    priority:
      description: Priority.
      type: int
    severities:
      description: Severities that it applies to, if its condition contains nothing else.
      type: list
      elements: str
    risk_levels:
      description: Risk levels that it applies to, if its condition contains nothing else.
      type: list
      elements: str
    categories:
      description: Categories that it applies to, if its condition contains nothing else.
      type: list
      elements: str
    recommendations:
      description: Assessments that it applies to, if its condition contains nothing else.
      type: list
      elements: str
    condition_sets:
      description: Condition, as returned by the API.
      type: list
      elements: dict
    owner:
      description: Owner, as C(by_tag) or C(email), otherwise as returned by the API.
      type: dict
    remediation_timeframe_days:
      description: Days until a recommendation is due; a string if it is not a number of whole days.
      type: raw
    grace_period:
      description: Whether there is a grace period; null if not set.
      type: bool
    disabled:
      description: Whether it is disabled; null if not set.
      type: bool
    description:
      description: Description of the rule.
      type: str
    include_members:
      description: Whether it covers the scopes below; null if not set.
      type: bool
    excluded_scopes:
      description: Excluded scopes.
      type: list
      elements: str
    notify_owner:
      description: Whether owners receive e-mail; null if not set.
      type: bool
    notify_manager:
      description: Whether managers receive e-mail; null if not set.
      type: bool
    extra_properties:
      description: Properties that no public schema defines.
      type: dict
  sample:
    id: 3d2f0c6e-9c1a-5b44-8a54-3f6a1c9c2f10
    scope: /subscriptions/00000000-0000-0000-0000-000000000003
    display_name: High findings
    rule_type: Integrated
    priority: 100
    severities: [High, Critical]
    risk_levels: []
    categories: []
    recommendations: []
    condition_sets:
      - conditions:
          - property: properties.metadata.severity
            operator: In
            value: '["High", "Critical"]'
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
  description: Whether the rule was run; in check mode, whether it would be.
  returned: success
  type: bool
  sample: true
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
from ..module_utils.engine.prediction import reconcile_or_unproven
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
    result = reconcile_or_unproven(store, rule, noun="governance_rule")
    # A rule that waits for its condition does not do yet what is desired.
    executes = params["execute"] and params["state"] == PRESENT and not result.unproven and not rule.untaught
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
