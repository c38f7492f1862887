#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mda_ip_ranges
short_description: Manage the IP ranges of Defender for Cloud Apps
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates, updates and deletes IP ranges, by which policies of the tenant recognise corporate, risky or VPN addresses.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_mda
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._mda
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - What the account may not read is returned in RV(unproven). Otherwise, the task fails.
options:
  ip_ranges:
    description:
      - The ranges to manage, identified by name. A name that is not unique in the tenant fails the task.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the range.
        type: str
        required: true
      category:
        description:
          - Category of the addresses.
          - If not set, it is V(other) for a new range, and is not managed on an existing one.
        type: str
        choices: [corporate, administrative, risky, vpn, cloud_provider, other]
      subnets:
        description:
          - Subnets, such as V(192.0.2.0/24). A single address is allowed.
        type: list
        elements: str
        required: true
      tags:
        description:
          - Tags of the range. If not set, they are not changed.
        type: list
        elements: str
      organization:
        description:
          - Registered owner of the addresses. If not set, it is not changed.
        type: str
  purge:
    description:
      - Whether to delete all other ranges. Ranges provided by Microsoft are kept.
    type: bool
    default: false
notes:
  - Requires C(Settings.manage) or C(Investigation.manage) of I(Microsoft Cloud App Security), or O(mda_api_token).
seealso:
  - name: Data enrichment API
    description: The API that this module uses.
    link: https://learn.microsoft.com/defender-cloud-apps/api-data-enrichment
  - name: 'Facts: IP ranges'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/defender_for_cloud_apps.md#ip-ranges
"""

EXAMPLES = r"""
- name: Manage the corporate addresses
  secops.servicenow_defender.mda_ip_ranges:
    mda_url: https://acme.us3.portal.cloudappsecurity.com
    mda_api_token: "{{ vault_mda_api_token }}"
    ip_ranges:
      - name: Head office
        category: corporate
        subnets:
          - 192.0.2.0/24
          - 198.51.100.7
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: '3 IP ranges: 1 changed, 2 in sync'
results:
  description: Result for each range.
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: The range, as named in RV(drift).
      type: str
    name:
      description: Name.
      type: str
    id:
      description: Id; omitted for a new range.
      type: str
    status:
      description: V(ok) or V(changed).
      type: str
  sample:
    - object: ip_range Head office
      name: Head office
      id: 5a9e04be2f82b1bb8af51b86
      status: changed
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
from ..module_utils.microsoft.cloud_apps import TENANT_OPTIONS, client_for, store_for
from ..module_utils.microsoft.cloud_apps.ip_ranges import IP_RANGE_OPTIONS, IpRanges, label_of
from ..module_utils.microsoft.cloud_apps.ip_ranges_api import COLLECTION, IpRangesEndpoint

SPEC = ansible_module.ModuleSpec(
    options={
        "ip_ranges": {"type": "list", "elements": "dict", "required": True, "options": IP_RANGE_OPTIONS},
        "purge": {"type": "bool", "default": False},
    },
    groups=[TENANT_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring IP ranges to their desired state."""
    client = client_for(params, context)
    store = store_for(client, COLLECTION, IpRangesEndpoint(client))
    ranges = IpRanges(params["ip_ranges"], purge=params["purge"])
    return reconcile_or_unproven(store, ranges, objects=map(label_of, ranges.desired))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
