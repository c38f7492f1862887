#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_assignments
short_description: Manage governance assignments of Defender for Cloud and their tickets
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates, updates and deletes governance assignments of recommendations (owner, due date, estimated completion,
    number, link and status of a ticket), any number in one task.
  - An assignment is identified by its recommendation and resource, even if a governance rule or the portal created it.
    Properties that are not set here are kept, including those that this module does not know.
  - Writing a ticket to an assignment does not make Defender for Cloud create or track that ticket.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  assignments:
    description:
      - The assignments to manage, each for one recommendation and one resource. If more than one exists for a pair, it
        is refused, unless one of them was created by this module.
      - An empty string removes a value. Values that are not set are not changed.
    type: list
    elements: dict
    required: true
    suboptions:
      recommendation:
        description:
          - Name of the assessment, such as V(1195afff-c881-495e-9bc5-1486211ae03f). Case is ignored.
        type: str
        required: true
      resource_id:
        description:
          - Id of the assessed resource, as returned in
            RV(secops.servicenow_defender.mdc_recommendation_info#module:recommendations[].resource_id). Case is
            ignored.
        type: str
        required: true
      owner:
        description:
          - E-mail address of the owner.
        type: str
      due_date:
        description:
          - Due date, as a date (start of the day, UTC) or a date-time, such as V(2026-12-31) or
            V(2026-12-31T17:00:00Z).
        type: str
      eta:
        description:
          - Estimated completion, as a date or a date-time. Requires O(assignments[].eta_justification).
        type: str
      eta_justification:
        description:
          - Justification of the estimated completion.
        type: str
      grace_period:
        description:
          - Whether the finding is excluded from the secure score until it is due.
        type: bool
      ticket_number:
        description:
          - Number of the ticket, such as V(INC0010023). An assignment can only store integers up to 2147483647, so the
            trailing digits are written.
          - A number with letters requires O(assignments[].ticket_link). A number that is too large is not written, and
            a warning is issued; link and status are written.
        type: str
      ticket_link:
        description:
          - Link to the ticket.
        type: str
      ticket_status:
        description:
          - Status of the ticket, free text.
        type: str
      create:
        description:
          - Whether to create the assignment if it does not exist. With V(false), only existing ones are updated.
        type: bool
        default: true
      state:
        description:
          - Desired state of the assignment.
        type: str
        choices: [present, absent]
        default: present
  default_due_days:
    description:
      - Days from today (UTC) until a new assignment without O(assignments[].due_date) is due. Later runs do not change
        the date.
    type: int
    default: 90
notes:
  - Requires Security Admin, Contributor or Owner on the subscription or the security connector, and Defender CSPM.
  - Assignments are read with one list for each subscription (or security connector) and recommendation. Before one is
    created, it is also looked up on the resource itself.
  - A refused assignment does not prevent the others from being written. The task fails if all are refused.
  - Resource Manager accepts 200 writes at once and 10 more per second, for each subscription and identity. The task
    waits as requested by C(Retry-After).
seealso:
  - module: secops.servicenow_defender.mdc_recommendation_info
  - plugin: secops.servicenow_defender.assignments_for_tickets
    plugin_type: filter
  - name: 'Facts: Governance assignments'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/defender_for_cloud.md#governance-assignments
"""

EXAMPLES = r"""
- name: Write a ticket to its assignment
  secops.servicenow_defender.mdc_assignments:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    assignments:
      - recommendation: 1195afff-c881-495e-9bc5-1486211ae03f
        resource_id: /subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/prod/providers/Microsoft.Compute/virtualMachines/vm1
        owner: owner@example.com
        due_date: 2026-12-31
        ticket_number: INC0010023
        ticket_link: https://acme-prod.service-now.com/incident.do?sysparm_query=number=INC0010023
        ticket_status: open
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: '120 assignments: 3 changed, 117 in sync'
results:
  description: Result for each assignment, in the order of O(assignments).
  returned: success, and when all were refused
  type: list
  elements: dict
  contains:
    object:
      description: The assignment, as named in RV(drift).
      type: str
    recommendation:
      description: Name of the assessment.
      type: str
    resource_id:
      description: Id of the resource.
      type: str
    status:
      description:
        - V(ok), V(changed), V(absent) if none existed and O(assignments[].create=false), or V(refused) with
          RV(results[].reason).
      type: str
    id:
      description: Id of the assignment; empty if it does not exist.
      type: str
    ticket_number:
      description: Ticket number; null if there is none.
      type: int
    ticket_link:
      description: Ticket link; null if there is none.
      type: str
    ticket_status:
      description: Ticket status; null if there is none.
      type: str
    reason:
      description: Reason of a refusal, or the values that could not be written.
      returned: when there is one
      type: str
  sample:
    - object: assignment 1195afff on /subscriptions/1
      recommendation: 1195afff
      resource_id: /subscriptions/1
      status: changed
      id: /subscriptions/1/providers/Microsoft.Security/assessments/1195afff/governanceAssignments/6634ff9f-127b-4bf2-8e6e-b1737f5e789c
      ticket_number: 10023
      ticket_link: https://acme-prod.service-now.com/incident.do?sysparm_query=number=INC0010023
      ticket_status: open
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
from ..module_utils.microsoft.defender_cloud.assignment_preflight import AssignmentPreflight
from ..module_utils.microsoft.defender_cloud.governance_assignment import desired_assignments
from ..module_utils.microsoft.defender_cloud.governance_assignments import ASSIGNMENTS_OPTIONS, Assignments
from ..module_utils.microsoft.defender_cloud.governance_assignments_api import COLLECTION, AssignmentsEndpoint

SPEC = ansible_module.ModuleSpec(options=ASSIGNMENTS_OPTIONS, groups=[AZURE_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring governance assignments to their desired state."""
    desired = desired_assignments(params["assignments"])
    client = client_for(params, context)
    creating = [assignment.pair for assignment in desired.values() if assignment.may_create]
    endpoint = AssignmentsEndpoint(client, [assignment.pair for assignment in desired.values()], creating)
    preflight = AssignmentPreflight(client) if context.check_mode else None
    assignments = Assignments(desired, params["default_due_days"], endpoint, preflight)
    result = reconcile(CollectionStore(client, {COLLECTION: endpoint}), assignments)
    check_refusals(result)
    return result


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
