#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_exemptions
short_description: Manage exemptions of recommendations of Defender for Cloud
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Exempts resources from recommendations of Defender for Cloud, with an end and a reason, any number in one task.
  - An exemption is identified by its recommendation and resource, even if the portal created it. Properties that are not set
    here are kept, including those that this module does not know.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  exemptions:
    description:
      - The exemptions to manage, each for one recommendation and one resource. If more than one exists for a pair, it is
        refused, unless one of them was created by this module.
    type: list
    elements: dict
    required: true
    suboptions:
      recommendation:
        description:
          - Name of the assessment, such as V(151e82c5-5341-a74b-1eb0-bc38d2c84bb5). Case is ignored.
        type: str
        required: true
      resource_id:
        description:
          - Id of the resource, as returned in
            RV(secops.servicenow_defender.mdc_recommendation_info#module:recommendations[].resource_id), or of a resource
            group, a subscription or a management group with all that is in it. Case is ignored.
        type: str
        required: true
      category:
        description:
          - V(waiver) accepts the risk, V(mitigated) states that another measure covers it. Required for a new exemption.
        type: str
        choices: [waiver, mitigated]
      expires_at:
        description:
          - End of the exemption, as a date (start of the day, UTC) or a date-time, such as V(2026-12-31) or
            V(2026-12-31T17:00:00Z). An empty string removes it.
          - A new exemption that has ended already is not created. Such an exemption, and one that exists and has ended, has the status
            V(expired).
        type: str
      reason:
        description:
          - Reason, as shown in the portal.
        type: str
      state:
        description:
          - Desired state of the exemption.
        type: str
        choices: [present, absent]
        default: present
  standard:
    description:
      - Standard that new exemptions name, as GUID or resource id. The default is the Microsoft cloud security benchmark.
        Recommendations of another standard only need that one.
    type: str
    default: 1f3afdf9-d0c9-4c3d-847f-89da613e70a8
notes:
  - Requires Security Admin, Contributor or Owner on the subscription.
  - The resource is shown as not applicable after the next assessment, which can take a day.
  - Exemptions of Azure Policy are other objects. They name an assignment of policies and are neither read nor changed.
  - A refused exemption does not prevent the others from being written. The task fails if all are refused.
seealso:
  - module: secops.servicenow_defender.mdc_recommendation_info
  - module: secops.servicenow_defender.mdc_assignments
  - name: 'Facts: Exemptions'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/defender_for_cloud.md#exemptions
"""

EXAMPLES = r"""
- name: Accept a finding until the end of the year
  secops.servicenow_defender.mdc_exemptions:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    exemptions:
      - recommendation: 151e82c5-5341-a74b-1eb0-bc38d2c84bb5
        resource_id: /subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/prod/providers/Microsoft.Compute/virtualMachines/vm1
        category: waiver
        expires_at: '2026-12-31'
        reason: Replaced in December, CHG0030001
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'Defender for Cloud: 3 of 4 objects in sync; changed: exemption 151e82c5 on /subscriptions/1'
results:
  description: Result for each exemption, in the order of O(exemptions).
  returned: success, and when all were refused
  type: list
  elements: dict
  contains:
    object:
      description: The exemption, as named in RV(drift).
      type: str
    recommendation:
      description: Name of the assessment.
      type: str
    resource_id:
      description: Id of the resource.
      type: str
    status:
      description: V(ok), V(changed), V(expired), or V(refused). The last two have RV(results[].reason).
      type: str
    id:
      description: Id of the exemption; empty if it does not exist.
      type: str
    category:
      description: Category; null if there is none.
      type: str
    expires_at:
      description: End; null if there is none.
      type: str
    reason:
      description: Why it was not written.
      returned: when there is one
      type: str
  sample:
    - object: exemption 151e82c5 on /subscriptions/1
      recommendation: 151e82c5
      resource_id: /subscriptions/1
      status: changed
      id: /subscriptions/1/providers/Microsoft.Security/standardAssignments/6634ff9f-127b-4bf2-8e6e-b1737f5e789c
      category: waiver
      expires_at: '2026-12-31T00:00:00Z'
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
from ..module_utils.engine.refusals import check_refusals
from ..module_utils.microsoft.arm import AZURE_OPTIONS, client_for
from ..module_utils.microsoft.collection_store import CollectionStore
from ..module_utils.microsoft.defender_cloud.exemptions import EXEMPTIONS_OPTIONS, Exemptions, desired_exemptions
from ..module_utils.microsoft.defender_cloud.exemptions_api import COLLECTION, ExemptionsEndpoint

SPEC = ansible_module.ModuleSpec(options=EXEMPTIONS_OPTIONS, groups=[AZURE_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring exemptions to their desired state."""
    desired = desired_exemptions(params)
    client = client_for(params, context)
    endpoint = ExemptionsEndpoint(client, desired)
    result = reconcile(CollectionStore(client, {COLLECTION: endpoint}), Exemptions(desired, endpoint))
    check_refusals(result)
    return result


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
