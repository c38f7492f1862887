#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mda_policies
short_description: Manage policies of Defender for Cloud Apps
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Enables or disables existing policies, such as the built-in ones, and creates missing ones by contract.
  - Microsoft does not document an API for this. Without O(contract), this module only reads, and returns the drift as
    RV(manual_steps). With a contract, it sends the recorded requests.
  - A policy that is missing and has no contract of its own is a manual step with the template and its values. Settings of a policy other than
    its state are not compared, because the format of policies is not published.
  - A warning is issued for policies that Microsoft has replaced, moved to behaviors, or plans to retire.
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
      - The policies to manage.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the policy; case is ignored. One of name and id is required.
          - A built-in policy is also found by its name on Microsoft's page about ServiceNow, as tenants show longer names.
        type: str
      id:
        description:
          - Id of the policy, if its name is not unique.
        type: str
      state:
        description:
          - Desired state. V(disabled) is met if the policy does not exist.
        type: str
        choices: [enabled, disabled]
        default: enabled
      contract:
        description:
          - A contract with the operation C(create), learned from this policy's creation in the portal. It creates the policy if the tenant has
            none of that name. Only its own policy uses it, since it contains the filters of the template it was learned from.
        type: raw
  contract:
    description:
      - A contract with the operations C(enable) and C(disable), or V(portal_policy_routes), the contract that the
        collection includes. It sends POST requests to C(/cas/api/v1/policies/<id>/enable/) and C(.../disable/) of
        O(mda_url). Community projects use these routes, but Microsoft does not document them; by naming this contract
        you accept that.
    type: raw
notes:
  - Listing policies requires O(mda_api_token). Application permissions do not cover policies.
  - File policies retire on 2027-01-06.
seealso:
  - module: secops.servicenow_defender.mda_policy_info
  - ref: ansible_collections.secops.servicenow_defender.docsite.guide_contracts
    description: What a contract is.
  - name: 'Facts: Policy routes'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/defender_for_cloud_apps.md#policy-routes
"""

EXAMPLES = r"""
- name: Enable a policy with undocumented routes
  secops.servicenow_defender.mda_policies:
    mda_url: https://acme.us3.portal.cloudappsecurity.com
    mda_api_token: "{{ vault_mda_api_token }}"
    policies:
      - name: Activity performed by terminated user
    contract: portal_policy_routes

- name: Create a policy from a template, with a contract that was learned from its creation in the portal
  secops.servicenow_defender.mda_policies:
    mda_url: https://acme.us3.portal.cloudappsecurity.com
    mda_api_token: "{{ vault_mda_api_token }}"
    mda_portal_cookie: "{{ portal_cookie }}"
    mda_portal_xsrf_token: "{{ portal_xsrf_token }}"
    policies:
      - name: Mass download by a single user
        contract: "{{ lookup('ansible.builtin.file', 'mass_download.yml') | from_yaml }}"
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: '1 policy: in sync'
results:
  description: Result for each policy, in the order of the task.
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: The policy, as named in RV(drift).
      type: str
    name:
      description: Name.
      type: str
    id:
      description: Its id, if it was found.
      type: str
    status:
      description: V(ok), V(changed), V(drift) (must be changed manually), V(missing), or V(unknown) if the list
        of policies is refused.
      type: str
    standing:
      description:
        - Lifecycle of the policy, from the data of this collection. V(current), V(replaced) by other detections,
          V(behavior) (raises behaviors instead of alerts, disabled by default), or V(retires) on a date.
      type: str
    successors:
      description: Detections that replace it; empty if there are none or Microsoft states none.
      type: list
      elements: str
    date:
      description: Date of its retirement; empty if there is none.
      type: str
    reason:
      description: Why it is missing or unknown.
      returned: if there is a reason
      type: str
  sample:
    - object: policy Activity performed by terminated user
      name: Activity performed by terminated user
      id: 5a9e04be2f82b1bb8af51b86
      status: changed
      standing: current
      successors: []
      date: ''
ending:
  description: Policies of the tenant that retire, sorted by name; null if the list of policies is refused.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
    enabled:
      description: Whether it is enabled.
      type: bool
    date:
      description: Date of its retirement.
      type: str
    successors:
      description: What replaces it; empty if Microsoft states none.
      type: list
      elements: str
  sample:
    - name: Detect files with PII/PCI/PHI
      enabled: true
      date: '2027-01-06'
      successors: []
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

from typing import Any

from ..module_utils import ansible_module
from ..module_utils.engine.errors import InvalidInput
from ..module_utils.engine.reconcile import reconcile
from ..module_utils.microsoft.cloud_apps import TENANT_OPTIONS, CloudAppsClient, client_for, store_for
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
            "mutually_exclusive": [["name", "id"], ["id", "contract"]],
        },
        "contract": {"type": "raw"},
    },
    groups=[TENANT_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Enable, disable or create policies."""
    client = client_for(params, context)
    endpoint = PoliciesEndpoint(client, _replay(client, params["contract"]))
    for entry in params["policies"]:
        own = _replay(client, entry["contract"])
        if own and entry["name"]:
            endpoint.creators[entry["name"]] = own
    policies = Policies(params["policies"], endpoint)
    result = reconcile(store_for(client, COLLECTION, endpoint), policies)
    result.output["ending"] = policies.ending
    return result


def _replay(client: CloudAppsClient, contract: Any) -> Replay | None:
    if isinstance(contract, str):
        if contract != SHIPPED:
            raise InvalidInput(
                f"contract: {contract!r} must be a mapping, or {SHIPPED}, the name of the shipped contract"
            )
        contract = shipped_contract(client.session.base_url)
    return Replay(parse(contract, "mda_policy"), client) if contract is not None else None


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
