#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_access_info
short_description: Get what prevents a connection of Defender for Cloud with ServiceNow
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Reads the permissions of the identity on a scope, the registration of the provider C(Microsoft.Security), the plan
    Defender CSPM and the cloud. RV(problems) lists what prevents the connection, or may do so, each with a remedy. The
    task does not fail for problems.
  - The task fails if the subscription does not exist or the identity has no access to it.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  scope:
    description:
      - Scope to check, V(/subscriptions/<id>), V(/providers/Microsoft.Management/managementGroups/<name>), or the
        resource id of a security connector. For a connector, provider and plan of its subscription are checked. For a
        management group, neither is checked.
      - If not set, the subscription O(azure_subscription_id) is used.
    type: str
notes:
  - Effective permissions are checked, including roles that are inherited or assigned through a group.
  - Microsoft documents Security Admin, Contributor or Owner as the roles that may connect ServiceNow.
seealso:
  - module: secops.servicenow_defender.mdc_plan
  - module: secops.servicenow_defender.mdc_integration
  - name: Connect ServiceNow to Defender for Cloud
    description: Prerequisites documented by Microsoft.
    link: https://learn.microsoft.com/en-us/azure/defender-for-cloud/connect-servicenow
  - name: 'Facts: Permissions'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/defender_for_cloud.md#permissions
"""

EXAMPLES = r"""
- name: Check access to the subscription
  secops.servicenow_defender.mdc_access_info:
    azure_tenant_id: 00000000-0000-0000-0000-000000000001
    azure_client_id: 00000000-0000-0000-0000-000000000002
    azure_client_secret: "{{ vault_azure_client_secret }}"
    azure_subscription_id: 00000000-0000-0000-0000-000000000003
  register: found

- name: Fail if a connection cannot work
  ansible.builtin.assert:
    that: found.problems | selectattr('severity', 'eq', 'error') | length == 0
    fail_msg: "{{ found.problems | selectattr('severity', 'eq', 'error') | map(attribute='message') | join('; ') }}"
"""

RETURN = r"""
msg:
  description: Scope, cloud and problems, in one sentence.
  returned: success
  type: str
  sample: 'subscription 00000000-0000-0000-0000-000000000003 (AzureCloud): error plan_off: Defender CSPM (CloudPosture) is off:
    governance rules and the ServiceNow integration need it. Switch it on (mdc_plan, or Environment settings > Defender plans);
    it is billed'
access:
  description: The problem.
  returned: success
  type: dict
  contains:
    scope:
      description: Scope that was checked.
      type: str
    cloud:
      description: The cloud, one of the choices of O(azure_cloud).
      type: str
    caller:
      description: Identity that the access token was issued for; empty strings if the token does not contain it.
      type: dict
      contains:
        object_id:
          description: Object id of the identity.
          type: str
        application_id:
          description: Client id of the application.
          type: str
        name:
          description: Name of the user, if the identity is a user.
          type: str
        tenant_id:
          description: Id of the tenant.
          type: str
    capabilities:
      description:
        - Capability to V(allowed), V(denied) or V(unknown). The keys are C(read_recommendations), C(write_plan),
          C(write_integration), C(delete_integration), C(write_governance_rules) and C(write_assignments).
      type: dict
    actions:
      description: Action of Resource Manager to V(allowed), V(denied) or V(unknown).
      type: dict
    provider:
      description: State of the provider, such as V(Registered), V(unknown), or V(not_applicable) for a management group.
      type: str
    plan:
      description: Defender CSPM.
      type: dict
      contains:
        name:
          description: Name in the API.
          type: str
        tier:
          description: V(Standard) (on), V(Free) (off), V(unknown), or V(not_applicable) for a management group.
          type: str
        extensions:
          description: Extensions, with the keys of RV(secops.servicenow_defender.mdc_plan#module:plan.extensions).
          type: list
          elements: dict
    foundational_plan:
      description: Foundational CSPM, the free plan without which a subscription has no recommendations.
      type: dict
      contains:
        name:
          description: Name in the API.
          type: str
        tier:
          description:
            - V(Standard) (on), V(Free) (off), V(unknown) (also if the subscription does not list the plan), or V(not_applicable) for a management
              group.
          type: str
    integration_api_versions:
      description: API versions of integrations that the subscription supports; empty if unknown.
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
  description: Problems, errors first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description:
        - Id of the problem, stable across runs. One of V(cloud_unsupported), V(foundational_off), V(foundational_unknown), V(not_owner),
          V(permissions_unknown), V(plan_off), V(plan_unknown), V(provider_not_registered), V(provider_unknown), or V(cannot_) (denied) or
          V(may_not_) (unclear) before a key of RV(access.capabilities).
      type: str
    severity:
      description: V(error) if a connection cannot work, V(warning) if it may fail or be incomplete.
      type: str
    message:
      description: The problem.
      type: str
    remedy:
      description: How to fix it.
      type: str
  sample:
    - id: plan_off
      severity: error
      message: 'Defender CSPM (CloudPosture) is off: governance rules and the ServiceNow integration need it'
      remedy: Switch it on (mdc_plan, or Environment settings > Defender plans); it is billed
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
