#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mda_policies
short_description: Switch policies of Defender for Cloud Apps on or off
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Switches policies on or off that are there already, such as the built-in ones.
  - Microsoft documents no API for it. Without O(contract) this module reads, and what deviates comes back in
    RV(manual_steps). With a contract it sends what that says.
  - It warns of policies that Microsoft has replaced, has moved to behaviors, or retires.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_mda
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._mda
  - secops.servicenow_defender._transport
requirements:
  - jmespath, with O(contract)
options:
  policies:
    description:
      - The policies.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the policy; upper and lower case make no difference. One of name and id is required.
        type: str
      id:
        description:
          - Id of the policy, where several have one name.
        type: str
      state:
        description:
          - What it has to be. A policy that is not there fulfils V(disabled).
        type: str
        choices: [enabled, disabled]
        default: enabled
  contract:
    description:
      - A contract with the operations C(enable) and C(disable), or the name of the one that comes with the collection,
        V(portal_policy_routes). That one posts to C(/cas/api/v1/policies/<id>/enable/) and C(.../disable/) of O(mda_url).
        Community projects use these routes, and Microsoft does not document them; giving the name accepts that.
    type: raw
notes:
  - Listing wants O(mda_api_token). Application permissions do not cover policies.
  - File policies retire on 2027-01-06.
seealso:
  - module: secops.servicenow_defender.mda_policy_info
  - ref: ansible_collections.secops.servicenow_defender.docsite.guide_contracts
    description: What a contract is.
"""

EXAMPLES = r"""
- name: Switch a policy on, by routes that Microsoft does not document
  secops.servicenow_defender.mda_policies:
    mda_url: https://acme.us3.portal.cloudappsecurity.com
    mda_api_token: "{{ vault_mda_api_token }}"
    policies:
      - name: Activity performed by terminated user
    contract: portal_policy_routes
"""

RETURN = r"""
msg:
  description: One sentence that says what was found or done.
  returned: always
  type: str
results:
  description: What became of each policy, in the order of the task.
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: The policy, as RV(drift) names it.
      type: str
    name:
      description: Its name.
      type: str
    id:
      description: Its id, where it was found.
      type: str
    status:
      description: V(ok), V(changed), V(drift) (left to a person), or V(missing).
      type: str
    standing:
      description:
        - What Microsoft says of a policy of this name, which is data of this collection. V(current); V(replaced), other
          detections took over; V(behavior), it raises behaviors instead of alerts and is off by default; V(retires), it
          ends on a date.
      type: str
  sample:
    - object: policy Activity performed by terminated user
      name: Activity performed by terminated user
      id: 5a9e04be2f82b1bb8af51b86
      status: changed
      standing: current
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
from ..module_utils.engine.errors import InvalidInput
from ..module_utils.engine.reconcile import reconcile
from ..module_utils.microsoft.cloud_apps import TENANT_OPTIONS, client_for, store_for
from ..module_utils.microsoft.cloud_apps.policies import POLICY_OPTIONS, Policies
from ..module_utils.microsoft.cloud_apps.policies_api import COLLECTION, SHIPPED, PoliciesEndpoint, shipped_contract
from ..module_utils.recorded_api.contract import parse
from ..module_utils.recorded_api.replay import Replay

SPEC = ansible_module.ModuleSpec(
    options={
        "policies": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": POLICY_OPTIONS,
            "required_one_of": [["name", "id"]],
            "mutually_exclusive": [["name", "id"]],
        },
        "contract": {"type": "raw"},
    },
    groups=[TENANT_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Enable or disable policies."""
    client = client_for(params, context)
    contract = params["contract"]
    if isinstance(contract, str):
        if contract != SHIPPED:
            raise InvalidInput(
                f"contract: {contract!r} must be a mapping, or {SHIPPED}, the name of the shipped contract"
            )
        contract = shipped_contract(client.session.base_url)
    replay = Replay(parse(contract, "mda_policy"), client) if contract is not None else None
    endpoint = PoliciesEndpoint(client, replay)
    return reconcile(store_for(client, COLLECTION, endpoint), Policies(params["policies"], endpoint))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
