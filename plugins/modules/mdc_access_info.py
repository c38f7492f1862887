#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_access_info
short_description: Tell what stands in the way of connecting Defender for Cloud with ServiceNow
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Reads what the identity may do on a scope, whether the provider C(Microsoft.Security) is registered, and whether Defender
    CSPM is on, and judges it together with the cloud. RV(problems) lists what keeps the connection from working, or may do
    so, each with its remedy. This task does not fail for them.
  - It fails for a subscription that is not there, or of which the identity may read nothing.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  scope:
    description:
      - Where, V(/subscriptions/<id>), V(/providers/Microsoft.Management/managementGroups/<name>), or the resource id of a
        security connector. For a connector, provider and plan are those of its subscription. For a management group neither
        is looked at.
      - If left out, it is the subscription O(azure_subscription_id).
    type: str
notes:
  - What is checked are effective permissions. A role that was inherited, or that comes by a group, counts.
  - Microsoft names Security Admin, Contributor or Owner as the roles that may connect ServiceNow.
seealso:
  - module: secops.servicenow_defender.mdc_plan
  - module: secops.servicenow_defender.mdc_integration
  - name: Connect ServiceNow to Defender for Cloud
    description: What Microsoft documents as prerequisites.
    link: https://learn.microsoft.com/en-us/azure/defender-for-cloud/connect-servicenow
"""

EXAMPLES = r"""
- name: Look what is missing
  secops.servicenow_defender.mdc_access_info:
    azure_tenant_id: 00000000-0000-0000-0000-000000000001
    azure_client_id: 00000000-0000-0000-0000-000000000002
    azure_client_secret: "{{ vault_azure_client_secret }}"
    azure_subscription_id: 00000000-0000-0000-0000-000000000003
  register: found

- name: Stop where a connection cannot work
  ansible.builtin.assert:
    that: found.problems | selectattr('severity', 'eq', 'error') | length == 0
    fail_msg: "{{ found.problems | selectattr('severity', 'eq', 'error') | map(attribute='message') | join('; ') }}"
"""

RETURN = r"""
msg:
  description: Scope, cloud and problems in one line.
  returned: success
  type: str
  sample: 'subscription 00000000-0000-0000-0000-000000000003 (AzureCloud): error plan_off: Defender CSPM (CloudPosture) is off:
    governance rules and the ServiceNow integration need it. Switch it on (mdc_plan, or Environment settings > Defender plans);
    it is billed'
access:
  description: What was found.
  returned: success
  type: dict
  contains:
    scope:
      description: Where was looked.
      type: str
    cloud:
      description: The cloud, one of the choices of O(azure_cloud).
      type: str
    caller:
      description: Who the access token was issued for; empty texts where it does not tell.
      type: dict
      contains:
        object_id:
          description: Object id of the identity.
          type: str
        application_id:
          description: Client id of the application.
          type: str
        name:
          description: Name of the user, for a person.
          type: str
        tenant_id:
          description: Id of the tenant.
          type: str
    capabilities:
      description:
        - What was checked, to V(allowed), V(denied) or V(unknown). The keys are C(read_recommendations), C(write_plan),
          C(write_integration), C(delete_integration), C(write_governance_rules) and C(write_assignments).
      type: dict
    actions:
      description: The actions behind them, to the same.
      type: dict
    provider:
      description: State of the provider, such as V(Registered), V(unknown), or V(not_applicable) for a management group.
      type: str
    plan:
      description: Defender CSPM.
      type: dict
      contains:
        name:
          description: Its name in the API.
          type: str
        tier:
          description: V(Standard) is on, V(Free) is off; also V(unknown), or V(not_applicable) for a management group.
          type: str
        extensions:
          description: Its extensions, as RV(secops.servicenow_defender.mdc_plan#module:plan.extensions) has them.
          type: list
          elements: dict
    integration_api_versions:
      description: Versions of the API of integrations that the subscription knows; empty where that was not told.
      type: list
      elements: str
  sample:
    scope: /subscriptions/00000000-0000-0000-0000-000000000003
    cloud: AzureCloud
    caller:
      object_id: 00000000-0000-0000-0000-000000000004
      application_id: 00000000-0000-0000-0000-000000000002
      name: ''
      tenant_id: 00000000-0000-0000-0000-000000000001
    capabilities:
      read_recommendations: allowed
      write_plan: allowed
      write_integration: allowed
      delete_integration: allowed
      write_governance_rules: allowed
      write_assignments: allowed
    actions:
      Microsoft.Security/assessments/read: allowed
      Microsoft.Security/pricings/write: allowed
    provider: Registered
    plan:
      name: CloudPosture
      tier: Free
      extensions: []
    integration_api_versions:
      - 2023-07-01-preview
problems:
  description: What stands in the way, errors first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description:
        - What it is, the same in every run. One of V(cloud_unsupported), V(not_owner), V(permissions_unknown), V(plan_off),
          V(plan_unknown), V(provider_not_registered), V(provider_unknown), or V(cannot_) (denied) or V(may_not_) (unclear)
          before a key of RV(access.capabilities).
      type: str
    severity:
      description: V(error) when a connection cannot work, V(warning) when it may not, or not in full.
      type: str
    message:
      description: What was found.
      type: str
    remedy:
      description: What to do about it.
      type: str
  sample:
    - id: plan_off
      severity: error
      message: 'Defender CSPM (CloudPosture) is off: governance rules and the ServiceNow integration need it'
      remedy: Switch it on (mdc_plan, or Environment settings > Defender plans); it is billed
api_calls:
  description: Number of HTTP requests that the task sent, as R(every module returns it,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.microsoft.arm import AZURE_OPTIONS, client_for
from ..module_utils.microsoft.arm.scopes import CONNECTOR, MANAGEMENT_GROUP, SUBSCRIPTION, scope_of
from ..module_utils.microsoft.defender_cloud.access_check import access_facts

SPEC = ansible_module.ModuleSpec(options={"scope": {"type": "str"}}, groups=[AZURE_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Return what the identity may do on a scope, and which permissions are missing."""
    scope = scope_of(params, SUBSCRIPTION, MANAGEMENT_GROUP, CONNECTOR)
    client = client_for(params, context)
    return ansible_module.information(**access_facts(client, scope))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
