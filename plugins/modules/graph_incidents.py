#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: graph_incidents
short_description: Manage incidents of Microsoft Defender XDR
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Sets status, classification, determination, owner and tags of incidents through Microsoft Graph, adds comments, any
    number in one task, and reads them back.
  - The id of an incident that was merged stands for the incident that it ended in, after any number of merges.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  incidents:
    description:
      - The incidents to manage. Each id can be listed once. Properties that are not set are not changed.
      - If two of them were merged into one incident, their entries must not contradict each other.
    type: list
    elements: dict
    required: true
    suboptions:
      id:
        description:
          - Id of the incident, such as V(28283).
        type: str
        required: true
      status:
        description:
          - V(active), V(in_progress) or V(resolved). An unknown word is refused, and the other incidents are written.
        type: str
      classification:
        description:
          - V(unknown), V(false_positive), V(true_positive) or V(informational_expected_activity). The spelling of Microsoft
            Graph is accepted, too.
        type: str
      determination:
        description:
          - Determination, in lower case with underscores or in the spelling of Microsoft Graph, such as V(phishing) or
            V(multi_staged_attack).
        type: str
      assigned_to:
        description:
          - Owner, free text in Microsoft Graph, a user principal name in the Defender portal. An empty string removes the
            owner.
        type: str
      tags:
        description:
          - All custom tags. Other tags are removed.
        type: list
        elements: str
      comment:
        description:
          - Comment to add, unless the incident has one with exactly this text.
        type: str
notes:
  - Requires the permission C(SecurityIncident.ReadWrite.All) of Microsoft Graph.
  - A refused incident, or one that does not exist, does not prevent the others from being written. The task fails if all
    are refused.
  - Comments cannot be changed or removed.
seealso:
  - module: secops.servicenow_defender.graph_incident_info
  - module: secops.servicenow_defender.mdc_alerts
  - name: 'Facts: Alerts and incidents'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/microsoft_graph.md#alerts-and-incidents
"""

EXAMPLES = r"""
- name: Resolve an incident
  secops.servicenow_defender.graph_incidents:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    incidents:
      - id: '28283'
        status: resolved
        classification: true_positive
        determination: phishing
        comment: Handled in INC0010023
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'Microsoft Graph: 1 of 2 objects in sync; changed: Defender incident 28283'
results:
  description: Result for each incident, in the order of O(incidents).
  returned: success, and when all were refused
  type: list
  elements: dict
  contains:
    object:
      description: The incident, as named in RV(drift).
      type: str
    id:
      description: Id, as given.
      type: str
    incident:
      description: Id of the incident that it stands for after all merges; empty if there is none.
      type: str
    incident_status:
      description: Status of that incident after the task; in check mode, as it would be.
      type: str
    classification:
      description: Classification.
      type: str
    determination:
      description: Determination.
      type: str
    assigned_to:
      description: Owner; empty if there is none.
      type: str
    tags:
      description: Custom tags.
      type: list
      elements: str
    status:
      description: V(ok), V(changed), or V(refused) with RV(results[].reason).
      type: str
    reason:
      description: Reason of a refusal.
      returned: when there is one
      type: str
  sample:
    - object: Defender incident 28283
      id: '28283'
      incident: '28283'
      incident_status: resolved
      classification: true_positive
      determination: phishing
      assigned_to: ''
      tags: []
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
from ..module_utils.engine.reconcile import reconcile
from ..module_utils.engine.refusals import check_refusals
from ..module_utils.microsoft.collection_store import CollectionStore
from ..module_utils.microsoft.graph import AZURE_OPTIONS, client_for
from ..module_utils.microsoft.incidents.incident_updates import INCIDENTS_OPTIONS, IncidentUpdates
from ..module_utils.microsoft.incidents.incidents_api import COLLECTION, IncidentsEndpoint

SPEC = ansible_module.ModuleSpec(options=INCIDENTS_OPTIONS, groups=[AZURE_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring incidents to their desired properties."""
    incidents = IncidentUpdates(params["incidents"])
    client = client_for(params, context)
    endpoint = IncidentsEndpoint(client, incidents.ids)
    result = reconcile(CollectionStore(client, {COLLECTION: endpoint}), incidents)
    check_refusals(result)
    return result


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
