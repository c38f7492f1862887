#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mda_activity_info
short_description: List the activities of an app in Defender for Cloud Apps
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the activities of an app from the activities API, and a summary by instance and day.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_mda
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._mda
  - secops.servicenow_defender._mda.app
  - secops.servicenow_defender._transport
options:
  since_days:
    description:
      - Number of days to search.
    type: int
    default: 1
  limit:
    description:
      - Maximum number of activities to return. V(0) returns all.
      - Up to 100 are returned newest first, with one call. More are read in larger pages, in the order of the platform.
    type: int
    default: 100
notes:
  - Requires the permission C(Investigation.read) of I(Microsoft Cloud App Security), or O(mda_api_token).
  - A new connection imports the events of the last hour, and the first of them can take hours to appear. An empty
    result does not prove that a connection failed.
  - Microsoft does not document the fields of an activity. RV(summary) recognizes sign-ins, new administrators and
    uploads by the words that samples contain; activities that it does not recognize are counted as C(other).
seealso:
  - module: secops.servicenow_defender.mda_connector_info
  - module: secops.servicenow_defender.graph_hunting_info
  - name: 'Facts: Activities'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/defender_for_cloud_apps.md#activities
"""

EXAMPLES = r"""
- name: Get the newest event of ServiceNow
  secops.servicenow_defender.mda_activity_info:
    mda_url: https://acme.us3.portal.cloudappsecurity.com
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    limit: 1
  register: newest
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 1 activity of app 14509 in the last day
activities:
  description: The activities, as returned by the platform.
  returned: success
  type: list
  elements: dict
  sample:
    - _id: 0f3c9a5e
      appId: 14509
complete:
  description: Whether RV(activities) are all activities of the period. If V(false), there are more than O(limit).
  returned: success
  type: bool
  sample: true
summary:
  description: The activities that were read, by day and instance.
  returned: success
  type: list
  elements: dict
  contains:
    day:
      description: Day, UTC; empty if the activities do not show their time.
      type: str
    instance:
      description: Id of the app instance; empty if the activities do not show it.
      type: str
    instance_name:
      description: Name of the app instance, if the activities show it.
      type: str
    signed_in:
      description: Users who signed in, with the C(count) of sign-ins, the most frequent first.
      type: list
      elements: dict
    failed:
      description: Users whose sign-in failed, with the C(count) of failures, the most frequent first.
      type: list
      elements: dict
    new_administrators:
      description: Accounts that became administrators (C(name)), and who made them so (C(user)).
      type: list
      elements: dict
    uploaded_files:
      description: Files that were uploaded (C(name)), and by whom (C(user)).
      type: list
      elements: dict
    other:
      description: Number of all other activities.
      type: int
  sample:
    - day: '2026-11-29'
      instance: '1063085'
      instance_name: acme-prod
      signed_in: [{user: jane, count: 3}]
      failed: [{user: joe, count: 12}]
      new_administrators: []
      uploaded_files: [{name: report.xlsx, user: jane}]
      other: 4
api_calls:
  description: Number of HTTP requests that the task sent, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.microsoft.cloud_apps import TENANT_OPTIONS, client_for
from ..module_utils.microsoft.cloud_apps.activities import read_activities
from ..module_utils.microsoft.cloud_apps.activity_summary import summarize_activities
from ..module_utils.microsoft.cloud_apps.connectors_api import SERVICENOW

SPEC = ansible_module.ModuleSpec(
    options={
        "app_id": {"type": "int", "default": SERVICENOW},
        "since_days": {"type": "int", "default": 1},
        "limit": {"type": "int", "default": 100},
    },
    groups=[TENANT_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Return activities of an app."""
    client = client_for(params, context)
    app_id, days = params["app_id"], params["since_days"]
    found, complete = read_activities(client, app_id, days, params["limit"])
    count = f"{len(found)} activit{'y' if len(found) == 1 else 'ies'}"
    msg = f"{client.name}: {count} of app {app_id} in the last {days} day{'s' * (days != 1)}"
    if not complete:
        msg += "; there are more, set limit to read them"
    shown = summarize_activities(found, app_id)
    return ansible_module.information(msg=msg, activities=found, complete=complete, summary=shown)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
