#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_plan
short_description: Manage a plan of Defender for Cloud and its extensions
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Sets the tier of a plan and its extensions (Microsoft.Security/pricings, 2024-01-01). Connecting ServiceNow requires
    the plan V(CloudPosture), which the portal calls Defender CSPM.
  - A subscription accepts one update at a time. While another update is in progress (status 409), this module waits and
    tries again, up to O(wait_timeout).
  - If the plan was set but one of its extensions failed, the task fails and reports the extension, the message of the
    platform and the resulting state.
  - Plans are billed by Microsoft, except V(FoundationalCspm) (Foundational CSPM), which new subscriptions have to turn on and without which a
    subscription has no recommendations. What costs more, such as to turn on a plan that is off, is done only with O(accept_costs=true).
  - When a plan is turned on, the platform enables extensions of its own choice. The plan is then read again, and a second
    request corrects what deviates from the desired state.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - What the account may not read is returned in RV(unproven). Otherwise, the task fails.
options:
  scope:
    description:
      - Scope of the plan, V(/subscriptions/<id>), or the resource id of a machine for plans that support it.
      - If not set, the subscription O(azure_subscription_id) is used.
    type: str
  name:
    description:
      - Name of the plan in the API, such as V(CloudPosture).
    type: str
    default: CloudPosture
  tier:
    description:
      - V(Standard) is on, V(Free) is off. When a plan is turned off, a warning lists the features that stop.
      - If not set, it is not managed, and O(extensions) and O(sub_plan) require a plan that is on.
    type: str
    choices: [Standard, Free]
  sub_plan:
    description:
      - Sub plan, for plans that have one, such as V(P1) or V(P2) of V(VirtualMachines).
      - If not set, it is not managed.
    type: str
  extensions:
    description:
      - Extensions of the plan. Other extensions are not changed while the plan is on.
      - When a plan is turned on, the platform decides on extensions that are not listed; in the example of Microsoft,
        all of them are enabled. List those that must be off.
      - The properties of an extension that is turned off are not sent, as the platform refuses them.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the extension. V(CloudPosture) has V(AgentlessVmScanning), V(AgentlessDiscoveryForKubernetes),
            V(SensitiveDataDiscovery), V(ContainerRegistriesVulnerabilityAssessments) and V(EntraPermissionsManagement).
        type: str
        required: true
      enabled:
        description:
          - Whether the extension is enabled. To list an extension is to enable it, unless this is V(false).
        type: bool
        default: true
      properties:
        description:
          - Additional properties of the extension, such as tags of machines that are not scanned. Only those listed are
            managed.
        type: dict
  accept_costs:
    description:
      - Whether a plan that is off may be turned on, which Microsoft bills for each resource that the plan covers. V(FoundationalCspm) is free
        of charge and needs no consent.
      - If V(false), the plan stays off. The deviation is in RV(drift), and the decision is a manual step.
      - The same applies to what costs more on a plan that is on, another O(sub_plan) (except V(P1) in place of V(P2)), and the extension
        V(OnUploadMalwareScanning), which Microsoft bills in addition to its plan. Other changes are made.
    type: bool
    default: false
  wait_timeout:
    description:
      - Maximum time to wait for another update of the subscription to complete, in seconds.
    type: float
    default: 900
notes:
  - Requires Security Admin, Contributor or Owner on the subscription; some extensions require Owner.
seealso:
  - module: secops.servicenow_defender.mdc_access_info
  - name: What Defender CSPM is
    description: Features of the plan, and supported clouds.
    link: https://learn.microsoft.com/en-us/azure/defender-for-cloud/concept-cloud-security-posture-management
  - name: 'Facts: Plans'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/defender_for_cloud.md#plans
"""

EXAMPLES = r"""
- name: Turn on Defender CSPM without agentless scanning of machines
  secops.servicenow_defender.mdc_plan:
    azure_tenant_id: 00000000-0000-0000-0000-000000000001
    azure_client_id: 00000000-0000-0000-0000-000000000002
    azure_client_secret: "{{ vault_azure_client_secret }}"
    azure_subscription_id: 00000000-0000-0000-0000-000000000003
    tier: Standard
    accept_costs: true
    extensions:
      - name: AgentlessVmScanning
        enabled: false
      - name: SensitiveDataDiscovery

- name: Turn off Defender CSPM
  secops.servicenow_defender.mdc_plan:
    scope: /subscriptions/00000000-0000-0000-0000-000000000003
    tier: Free

- name: Turn on Foundational CSPM, which is free of charge
  secops.servicenow_defender.mdc_plan:
    azure_tenant_id: 00000000-0000-0000-0000-000000000001
    azure_client_id: 00000000-0000-0000-0000-000000000002
    azure_client_secret: "{{ vault_azure_client_secret }}"
    azure_subscription_id: 00000000-0000-0000-0000-000000000003
    name: FoundationalCspm
    tier: Standard
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'subscription 00000000-0000-0000-0000-000000000003: plan CloudPosture updated'
plan:
  description: The plan after the task; in check mode, as it would be.
  returned: success
  type: dict
  contains:
    name:
      description: Name.
      type: str
    scope:
      description: Scope of the plan.
      type: str
    tier:
      description: V(Standard) or V(Free).
      type: str
    sub_plan:
      description: Sub plan; empty if there is none.
      type: str
    extensions:
      description: Extensions.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the extension.
          type: str
        enabled:
          description: Whether it is enabled; null if not returned.
          type: bool
        properties:
          description: Additional properties.
          type: dict
        status:
          description: Result of its last update, V(Succeeded) or V(Failed), if returned.
          type: str
        message:
          description: Message of the platform on that result.
          type: str
    enforced:
      description: Whether resources cannot override it.
      type: bool
    coverage:
      description: V(FullyCovered), V(PartiallyCovered) or V(NotCovered), if returned.
      type: str
    enabled_at:
      description: Time when it was last turned on, if returned.
      type: str
    deprecated:
      description: Whether Microsoft has replaced the plan.
      type: bool
    replaced_by:
      description: The plans that replace it.
      type: list
      elements: str
  sample:
    name: CloudPosture
    scope: /subscriptions/00000000-0000-0000-0000-000000000003
    tier: Standard
    sub_plan: ''
    extensions:
      - name: AgentlessVmScanning
        enabled: false
        properties: {}
        status: Succeeded
        message: Successfully disabled extension
      - name: SensitiveDataDiscovery
        enabled: true
        properties: {}
        status: Succeeded
        message: Successfully enabled extension
    enforced: false
    coverage: FullyCovered
    enabled_at: '2026-11-21T10:00:00Z'
    deprecated: false
    replaced_by: []
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
from ..module_utils.microsoft.arm import AZURE_OPTIONS, client_for
from ..module_utils.microsoft.arm.scopes import RESOURCE, SUBSCRIPTION, scope_of
from ..module_utils.microsoft.collection_store import CollectionStore
from ..module_utils.microsoft.defender_cloud.defender_plan import PLAN_OPTIONS, DefenderPlan
from ..module_utils.microsoft.defender_cloud.integrations_api import names_of
from ..module_utils.microsoft.defender_cloud.pricings_api import CLOUD_POSTURE, COLLECTION, PricingsEndpoint

SPEC = ansible_module.ModuleSpec(options=PLAN_OPTIONS, groups=[AZURE_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring one plan to its desired state."""
    scope = scope_of(params, SUBSCRIPTION, RESOURCE)
    client = client_for(params, context)
    endpoint = PricingsEndpoint(client, scope, params["name"], params["wait_timeout"])

    def what_stops() -> list[str]:
        if params["name"] != CLOUD_POSTURE:
            return []
        named = [f"the ServiceNow integration {name} with its tickets" for name in names_of(client, scope)]
        return ["governance rules", *(named or ["the ServiceNow integration with its tickets"])]

    return reconcile_or_unproven(
        CollectionStore(client, {COLLECTION: endpoint}), DefenderPlan(params, scope, what_stops), noun="plan"
    )


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
