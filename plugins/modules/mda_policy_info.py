#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mda_policy_info
short_description: List the policies of Defender for Cloud Apps
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the policies of a tenant, each with its lifecycle (current, replaced, retired), which of them retire, and what is true of the policies
    and templates that Microsoft's page about ServiceNow lists.
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
      - Types of policies to return. If not set, all types are returned.
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
  - Listing policies requires O(mda_api_token). Application permissions do not cover policies.
seealso:
  - module: secops.servicenow_defender.mda_policies
  - name: 'Facts: Policy lifecycle'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/defender_for_cloud_apps.md#policy-lifecycle
"""

EXAMPLES = r"""
- name: List the anomaly detection policies
  secops.servicenow_defender.mda_policy_info:
    mda_url: https://acme.us3.portal.cloudappsecurity.com
    mda_api_token: "{{ vault_mda_api_token }}"
    types: [ANOMALY_DETECTION]
  register: policies
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 12 policies, 9 enabled
policies:
  description: The policies, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id of the policy.
      type: str
    name:
      description: Name.
      type: str
    type:
      description: Type, as named by Microsoft; V(AUDIT) is an activity policy.
      type: str
    severity:
      description: Severity; empty if the tenant does not return it.
      type: str
    enabled:
      description: Whether it is enabled; null if the tenant does not return it.
      type: bool
    standing:
      description:
        - Lifecycle of the policy, from the data of this collection. V(current), V(replaced) by other detections,
          V(behavior) (raises behaviors instead of alerts, disabled by default), or V(retires) on a date.
      type: str
    successors:
      description: Detections that replace it.
      type: list
      elements: str
    date:
      description: Date of its retirement; empty if there is none.
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
ending:
  description: Policies of the tenant that retire, sorted by name.
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
servicenow_policies:
  description: The policies and templates of Microsoft's page about ServiceNow, in its order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name on the page.
      type: str
    kind:
      description: V(built_in), V(activity_template) or V(file_template).
      type: str
    standing:
      description: As that of a policy.
      type: str
    successors:
      description: Detections that replace it; empty if nothing does.
      type: list
      elements: str
    date:
      description: Date of its retirement; empty if there is none.
      type: str
    note:
      description: What else is known about it.
      type: str
    grade:
      description: How certain that is, as in the facts of this collection.
      type: str
    source:
      description: Page of Microsoft with the fact.
      type: str
    policies:
      description: Policies of the tenant with this name or created from this template under its name, with id, name, and whether they are enabled.
      type: list
      elements: dict
  sample:
    - name: Mass download by a single user
      kind: activity_template
      standing: current
      successors: []
      date: ''
      note: more than 50 downloads in one minute
      grade: confirmed
      source: https://learn.microsoft.com/en-us/defender-cloud-apps/policy-template-reference
      policies: []
api_calls:
  description: Number of HTTP requests that the task sent, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.microsoft.cloud_apps import TENANT_OPTIONS, client_for
from ..module_utils.microsoft.cloud_apps.policies_api import TYPES, PoliciesEndpoint
from ..module_utils.microsoft.cloud_apps.policy_lifecycle import ending, list_policies, page_report

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
    return ansible_module.information(
        msg=msg, policies=list_policies(rows), ending=ending(rows), servicenow_policies=page_report(rows)
    )


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
