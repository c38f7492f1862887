#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mda_policy_info
short_description: Read the policies of Defender for Cloud Apps
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the policies of a tenant, each with what has become of it since.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_mda
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._mda
  - secops.servicenow_defender._transport
options:
  types:
    description:
      - Types of policies to return. If left out, all are.
    type: list
    elements: str
    choices:
      - ACCESS
      - ANOMALY_DETECTION
      - ANOMALY_DISCOVERY
      - APP_PERMISSION
      - APP_PERMISSION_ANOMALY
      - AUDIT
      - FILE
      - INLINE
      - MALWARE
      - NEW_SERVICE
      - SESSION
    default: []
notes:
  - Listing wants O(mda_api_token). Application permissions do not cover policies.
seealso:
  - module: secops.servicenow_defender.mda_policies
"""

EXAMPLES = r"""
- name: Read the anomaly detection policies
  secops.servicenow_defender.mda_policy_info:
    mda_url: https://acme.us3.portal.cloudappsecurity.com
    mda_api_token: "{{ vault_mda_api_token }}"
    types: [ANOMALY_DETECTION]
  register: policies
"""

RETURN = r"""
msg:
  description: One sentence that says what was found or done.
  returned: always
  type: str
policies:
  description: The policies, by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id of the policy.
      type: str
    name:
      description: Its name.
      type: str
    type:
      description: Its type, in Microsoft's words; V(AUDIT) is an activity policy.
      type: str
    severity:
      description: Its severity, where the tenant tells it.
      type: str
    enabled:
      description: Whether it is on; null where the tenant does not tell.
      type: bool
    standing:
      description:
        - What Microsoft says of a policy of this name, which is data of this collection. V(current); V(replaced), other
          detections took over; V(behavior), it raises behaviors instead of alerts and is off by default; V(retires), it
          ends on a date.
      type: str
    successors:
      description: What took over.
      type: list
      elements: str
    date:
      description: When it ends, where that is known.
      type: str
  sample:
    - id: 5a9e04be2f82b1bb8af51b86
      name: Ransomware detection
      type: ANOMALY_DETECTION
      severity: ''
      enabled: false
      standing: replaced
      successors:
        - Ransomware payment instruction file uploaded to {Application}
      date: ''
api_calls:
  description: Number of HTTP requests that the task sent, as R(every module returns it,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.microsoft.cloud_apps import TENANT_OPTIONS, client_for
from ..module_utils.microsoft.cloud_apps.policies_api import TYPES, PoliciesEndpoint
from ..module_utils.microsoft.cloud_apps.policy_lifecycle import list_policies

SPEC = ansible_module.ModuleSpec(
    options={"types": {"type": "list", "elements": "str", "choices": list(TYPES), "default": []}},
    groups=[TENANT_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Return the policies of a tenant."""
    client = client_for(params, context)
    rows = PoliciesEndpoint(client, types=tuple(params["types"])).read().rows
    enabled = sum(row["enabled"] is True for row in rows)
    msg = f"{client.name}: {len(rows)} polic{'y' if len(rows) == 1 else 'ies'}, {enabled} enabled"
    return ansible_module.information(msg=msg, policies=list_policies(rows))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
