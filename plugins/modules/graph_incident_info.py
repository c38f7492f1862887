#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: graph_incident_info
short_description: List the incidents of Microsoft Defender XDR
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns incidents of Microsoft Defender XDR through Microsoft Graph, the newest first, each with the incident that it was
    merged into.
  - All pages are read. Merges are followed to their end, also where the other incident is not selected, which is then
    returned, too.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  filter:
    description:
      - OData filter over C(assignedTo), C(classification), C(createdDateTime), C(determination), C(lastUpdateDateTime),
        C(severity) and C(status), in the spelling of Microsoft Graph, such as V(severity eq 'high' and status ne 'resolved').
    type: str
  since:
    description:
      - Time in ISO 8601, such as V(2026-11-21T10:00:00Z); without a time zone, UTC. Incidents that were last updated
        before are not listed.
    type: str
  ids:
    description:
      - Ids of incidents to return in addition to those that O(filter) and O(since) select. If neither is set, only these
        are read.
    type: list
    elements: str
  optional_ids:
    description:
      - Further ids, like O(ids), of incidents that the tenant may not have any more. One that is missing is no problem.
    type: list
    elements: str
  alerts:
    description:
      - Whether to return the alerts of each incident. They make the response many times larger.
    type: bool
    default: false
notes:
  - Requires the permission C(SecurityIncident.Read.All) of Microsoft Graph.
  - A page has at most 50 incidents. Without O(filter) and O(since), everything that the tenant retains is read.
seealso:
  - module: secops.servicenow_defender.graph_incidents
  - module: secops.servicenow_defender.mdc_alert_info
  - name: 'Facts: Alerts and incidents'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/microsoft_graph.md#alerts-and-incidents
"""

EXAMPLES = r"""
- name: List the severe incidents of November
  secops.servicenow_defender.graph_incident_info:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    filter: severity eq 'high'
    since: '2026-11-01'
  register: found
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: '14 incidents, 2 of them merged into others'
incidents:
  description: The incidents, the newest first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id.
      type: str
    key:
      description: C(incident-) and the first 40 hex digits of the SHA-256 of tenant and id. It never changes and is the
        C(correlation_id) of the ticket.
      type: str
    display_name:
      description: Name in the portal.
      type: str
    status:
      description: V(active), V(in_progress), V(resolved), V(redirected) for one that was merged, or V(awaiting_action).
      type: str
    merged_into:
      description: Id of the incident that it ended in, after all merges; empty if it was not merged, or if that is not
        known (see RV(problems)).
      type: str
    redirect_incident_id:
      description: Id of the incident that it was merged into at first; empty if it was not merged.
      type: str
    severity:
      description: V(high), V(medium), V(low), V(informational) or V(unknown).
      type: str
    classification:
      description: V(unknown), V(false_positive), V(true_positive) or V(informational_expected_activity).
      type: str
    determination:
      description: Determination, in lower case with underscores.
      type: str
    assigned_to:
      description: Owner; empty if there is none.
      type: str
    tags:
      description: Custom tags.
      type: list
      elements: str
    system_tags:
      description: Tags of the system.
      type: list
      elements: str
    description:
      description: Description.
      type: str
    created_at:
      description: Time of creation, as returned by the platform, UTC.
      type: str
    updated_at:
      description: Time of the last update, as returned by the platform, UTC.
      type: str
    portal_url:
      description: URL in the Defender portal.
      type: str
    comments:
      description: Comments, each with C(comment), C(created_by) and C(created_at).
      type: list
      elements: dict
    alerts:
      description: Alerts, each with C(id), C(provider_alert_id), C(title), C(severity), C(status) and C(source). Empty
        without O(alerts).
      type: list
      elements: dict
  sample:
    - id: '28284'
      key: incident-6f2bb0d3f3d4bd7b1e9e1a0f1a3ee6a8c5d9f0aa
      display_name: Impossible travel activity
      status: redirected
      merged_into: '28283'
      severity: medium
problems:
  description:
    - Problems; C(incident_missing:...) contains an id of O(ids) that does not exist, C(merge_unknown:...)
      an incident whose merges lead nowhere.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id of the problem, stable across runs.
      type: str
    severity:
      description: V(warning) or V(error).
      type: str
    message:
      description: The problem.
      type: str
    remedy:
      description: How to fix it.
      type: str
  sample: []
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
from ..module_utils.microsoft.graph import AZURE_OPTIONS, client_for
from ..module_utils.microsoft.incidents.incident_list import list_incidents

SPEC = ansible_module.ModuleSpec(
    options={
        "filter": {"type": "str"},
        "since": {"type": "str"},
        "ids": {"type": "list", "elements": "str"},
        "optional_ids": {"type": "list", "elements": "str"},
        "alerts": {"type": "bool", "default": False},
    },
    groups=[AZURE_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Return incidents."""
    client = client_for(params, context)
    rows, problems = list_incidents(client, params)
    merged = sum(bool(row["redirect_incident_id"]) for row in rows)
    return ansible_module.information(
        msg=f"{client.name}: {len(rows)} incidents, {merged} of them merged into others",
        incidents=rows,
        problems=[problem.as_dict() for problem in problems],
    )


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
