#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mda_ip_ranges
short_description: Manage the IP ranges of Defender for Cloud Apps
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates, changes and removes IP ranges, which tell the tenant's policies which addresses are corporate, risky or a
    VPN, all of them in one task.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_mda
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._mda
  - secops.servicenow_defender._transport
options:
  ip_ranges:
    description:
      - The ranges, known by their names. Two of one name in the tenant fail the task.
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
          - What the addresses are.
        type: str
        choices: [corporate, administrative, risky, vpn, cloud_provider, other]
        default: other
      subnets:
        description:
          - The subnets, such as V(192.0.2.0/24). A single address is a subnet of its own.
        type: list
        elements: str
        required: true
      tags:
        description:
          - Tags of the range. If left out, they are left alone.
        type: list
        elements: str
      organization:
        description:
          - Registered owner of the addresses. If left out, it is left alone.
        type: str
  purge:
    description:
      - Whether to remove every other range. Those that Microsoft provides stay.
    type: bool
    default: false
notes:
  - It takes C(Settings.manage) or C(Investigation.manage) of I(Microsoft Cloud App Security), or O(mda_api_token).
seealso:
  - name: Data enrichment API
    description: The interface that this module works through.
    link: https://learn.microsoft.com/defender-cloud-apps/api-data-enrichment
"""

EXAMPLES = r"""
- name: Say which addresses are ours
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
  description: One sentence that says what was found or done.
  returned: always
  type: str
results:
  description: What became of each range.
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: The range, as RV(drift) names it.
      type: str
    name:
      description: Its name.
      type: str
    id:
      description: Its id, unless it was created just now.
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
from ..module_utils.microsoft.cloud_apps import TENANT_OPTIONS, client_for, store_for
from ..module_utils.microsoft.cloud_apps.ip_ranges import IP_RANGE_OPTIONS, IpRanges
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
    return reconcile(store, IpRanges(params["ip_ranges"], purge=params["purge"]))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
