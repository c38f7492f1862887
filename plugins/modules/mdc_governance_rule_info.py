#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List governance rules."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_governance_rule_info
short_description: List governance rules of Defender for Cloud
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the governance rules of a scope, its own and inherited ones, each with the options of
    M(secops.servicenow_defender.mdc_governance_rule) that describe it.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._azure.scope
  - secops.servicenow_defender._transport
seealso:
  - module: secops.servicenow_defender.mdc_governance_rule
"""

EXAMPLES = r"""
- name: List the governance rules of a subscription
  secops.servicenow_defender.mdc_governance_rule_info:
    scope: /subscriptions/00000000-0000-0000-0000-000000000003
  register: found
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'subscription 00000000-0000-0000-0000-000000000003: 2 governance rules, 0 of them inherited'
governance_rules:
  description:
    - The rules, the scope's own first, then by name. Each has the keys of
      RV(secops.servicenow_defender.mdc_governance_rule#module:governance_rule), and those below.
  returned: success
  type: list
  elements: dict
  contains:
    inherited_from:
      description: Scope that defines it, if it is inherited; otherwise empty.
      type: str
    options:
      description:
        - Options of M(secops.servicenow_defender.mdc_governance_rule) with which the rule is in sync. Empty if the module cannot manage the
          rule, because its name is not unique, or because it creates tickets and has no integration.
      type: dict
    not_described:
      description: Properties of the rule that no option expresses, such as a condition on something else than severities or recommendations.
      type: list
      elements: str
  sample:
    - display_name: High findings
      rule_type: Integrated
      priority: 100
      inherited_from: ''
      options:
        display_name: High findings
        rule_type: Integrated
        priority: 100
      not_described: [conditionSets]
api_calls:
  description: Number of HTTP requests that the task sent, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.microsoft.arm import AZURE_OPTIONS, client_for
from ..module_utils.microsoft.arm.scopes import CONNECTOR, MANAGEMENT_GROUP, SUBSCRIPTION, scope_of
from ..module_utils.microsoft.defender_cloud.governance_rule_description import described_rules
from ..module_utils.microsoft.defender_cloud.governance_rules_api import VERSION, GovernanceRulesEndpoint

SPEC = ansible_module.ModuleSpec(options={"scope": {"type": "str"}}, groups=[AZURE_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Return the rules in effect on a scope, and the options that describe them."""
    scope = scope_of(params, SUBSCRIPTION, MANAGEMENT_GROUP, CONNECTOR)
    found = described_rules(GovernanceRulesEndpoint(client_for(params, context), scope, VERSION, 0), scope)
    inherited = sum(bool(rule["inherited_from"]) for rule in found)
    msg = f"{scope}: {len(found)} governance rules, {inherited} of them inherited"
    return ansible_module.information(msg=msg, governance_rules=found)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
