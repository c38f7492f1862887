#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_plan
short_description: Switch a plan of Defender for Cloud on or off, with its extensions
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Sets the tier of a plan and its extensions (Microsoft.Security/pricings, 2024-01-01). Connecting ServiceNow takes the
    plan V(CloudPosture), which the portal calls Defender CSPM.
  - One update at a time is accepted for a subscription. While another one settles (status 409), this module waits and tries
    again, up to O(wait_timeout).
  - An answer can say that the plan was set and that one of its extensions failed. That is a failure of the task, which
    names the extension with the platform's words, and says what was kept.
  - Plans cost money. Microsoft bills for what is switched on.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  scope:
    description:
      - What the plan is for, V(/subscriptions/<id>), or the resource id of a machine for plans that can be set there.
      - If left out, it is the subscription O(azure_subscription_id).
    type: str
  name:
    description:
      - Name of the plan in the API, such as V(CloudPosture).
    type: str
    default: CloudPosture
  tier:
    description:
      - V(Standard) is on, V(Free) is off. Switching off warns of what stops.
    type: str
    choices: [Standard, Free]
    default: Standard
  sub_plan:
    description:
      - Sub plan, for plans that have some, such as V(P1) or V(P2) of V(VirtualMachines).
      - If left out, it stays as it is.
    type: str
  extensions:
    description:
      - Extensions of the plan. One that is not named here is left alone while the plan is on.
      - When a plan is switched on, what is not named is up to the platform. Microsoft's own example then gets every
        extension. Name those that must be off.
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
          - Whether it is on.
        type: bool
        default: true
      properties:
        description:
          - Further settings of the extension, such as tags of machines not to scan. Only those named are managed.
        type: dict
  wait_timeout:
    description:
      - How long to wait for another update of the subscription to settle, in seconds.
    type: float
    default: 900
notes:
  - It takes Security Admin, Contributor or Owner on the subscription; some extensions need Owner.
seealso:
  - module: secops.servicenow_defender.mdc_access_info
  - name: What Defender CSPM is
    description: What the plan brings, and in which clouds.
    link: https://learn.microsoft.com/en-us/azure/defender-for-cloud/concept-cloud-security-posture-management
"""

EXAMPLES = r"""
- name: Switch Defender CSPM on, without the scan of machines
  secops.servicenow_defender.mdc_plan:
    azure_tenant_id: 00000000-0000-0000-0000-000000000001
    azure_client_id: 00000000-0000-0000-0000-000000000002
    azure_client_secret: "{{ vault_azure_client_secret }}"
    azure_subscription_id: 00000000-0000-0000-0000-000000000003
    extensions:
      - name: AgentlessVmScanning
        enabled: false
      - name: SensitiveDataDiscovery

- name: Switch it off again
  secops.servicenow_defender.mdc_plan:
    scope: /subscriptions/00000000-0000-0000-0000-000000000003
    tier: Free
"""

RETURN = r"""
msg:
  description: One sentence that says what was found or done.
  returned: always
  type: str
plan:
  description: The plan as it is now, or would be outside check mode.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
    scope:
      description: What it is for.
      type: str
    tier:
      description: V(Standard) or V(Free).
      type: str
    sub_plan:
      description: Its sub plan; empty where it has none.
      type: str
    extensions:
      description: Its extensions.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the extension.
          type: str
        enabled:
          description: Whether it is on; null where the platform does not say.
          type: bool
        properties:
          description: Further settings.
          type: dict
        status:
          description: How its last change ended, V(Succeeded) or V(Failed), where the platform says so.
          type: str
        message:
          description: The platform's words on that.
          type: str
    enforced:
      description: Whether resources cannot override it.
      type: bool
    coverage:
      description: V(FullyCovered), V(PartiallyCovered) or V(NotCovered), where the platform says so.
      type: str
    enabled_at:
      description: When it was last switched on, where the platform says so.
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

    return reconcile(
        CollectionStore(client, {COLLECTION: endpoint}), DefenderPlan(params, scope, what_stops), noun="plan"
    )


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
