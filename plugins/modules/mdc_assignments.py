#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_assignments
short_description: Manage governance assignments of Defender for Cloud and their tickets
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates, changes and removes the governance assignments of recommendations (owner, due date, estimated end, number, link and
    status of a ticket), all of them in one task.
  - An assignment is known by its recommendation and its resource, whoever made it, a governance rule or the portal included.
    What is not described of it stays, properties that this module does not know included.
  - That a ticket is written here does not make Defender for Cloud create or follow it.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  assignments:
    description:
      - The assignments, each for one recommendation and one resource. Two that are there for one pair are refused, unless one of
        them is this module's.
      - An empty text takes a value away, and what is left out is left alone.
    type: list
    elements: dict
    required: true
    suboptions:
      recommendation:
        description:
          - Name of the assessment, such as V(1195afff-c881-495e-9bc5-1486211ae03f). Case makes no difference.
        type: str
        required: true
      resource_id:
        description:
          - Id of the assessed resource, as RV(secops.servicenow_defender.mdc_recommendation_info#module:recommendations[].resource_id)
            tells it. Case makes no difference.
        type: str
        required: true
      owner:
        description:
          - E-mail address of the owner.
        type: str
      due_date:
        description:
          - When it has to be remedied, a date (its beginning, UTC) or a date-time, such as V(2026-12-31) or
            V(2026-12-31T17:00:00Z).
        type: str
      eta:
        description:
          - When it is expected to be remedied, a date or a date-time. Takes O(assignments[].eta_justification).
        type: str
      eta_justification:
        description:
          - Why it is expected then.
        type: str
      grace_period:
        description:
          - Whether the finding does not count in Secure Score until it is due.
        type: bool
      ticket_number:
        description:
          - Number of the ticket, such as V(INC0010023). An assignment holds whole numbers up to 2147483647 only, so its last digits
            are written.
          - O(assignments[].ticket_link) is required beside a number with letters, and has to lead to the ticket. A number that is
            too large is left out with a warning; link and status are written.
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
          - Whether to create the assignment where there is none. With V(false) only one that is there is changed.
        type: bool
        default: true
      state:
        description:
          - Whether there is to be an assignment.
        type: str
        choices: [present, absent]
        default: present
  default_due_days:
    description:
      - In how many days an assignment is due that is created without O(assignments[].due_date), from today on, UTC. Later runs
        leave the date alone.
    type: int
    default: 90
notes:
  - It takes Security Admin, Contributor or Owner on the subscription or the security connector, and Defender CSPM.
  - Assignments are read in lists, one for each subscription (or security connector) and recommendation, however many there are.
    Before one is created, it is also looked for on the resource itself.
  - An assignment that is refused does not keep the others from being written. The task fails when all are refused.
  - Resource Manager admits 200 writes at a time, and 10 more a second (each subscription and identity); the task waits as it is
    told to.
seealso:
  - module: secops.servicenow_defender.mdc_recommendation_info
  - plugin: secops.servicenow_defender.assignments_for_tickets
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write a ticket to its finding
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
  description: One sentence that says what was found or done.
  returned: always
  type: str
results:
  description: What became of each assignment, in the order of O(assignments).
  returned: success, and when all were refused
  type: list
  elements: dict
  contains:
    object:
      description: The assignment, as RV(drift) names it.
      type: str
    recommendation:
      description: Name of the assessment.
      type: str
    resource_id:
      description: Id of the resource.
      type: str
    status:
      description:
        - V(ok); V(changed); V(absent) where there was none and none was to be made; V(refused) with RV(results[].reason).
      type: str
    id:
      description: Id of the assignment; empty where there is none (yet).
      type: str
    ticket_number:
      description: The number that it holds, null where there is none.
      type: int
    ticket_link:
      description: The link that it holds, null where there is none.
      type: str
    ticket_status:
      description: The status that it holds, null where there is none.
      type: str
    reason:
      description: Why it was refused, or what of it could not be written.
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
from ..module_utils.microsoft.arm import AZURE_OPTIONS, client_for
from ..module_utils.microsoft.collection_store import CollectionStore
from ..module_utils.microsoft.defender_cloud.governance_assignment import desired_assignments
from ..module_utils.microsoft.defender_cloud.governance_assignments import (
    ASSIGNMENTS_OPTIONS,
    Assignments,
    check_refusals,
)
from ..module_utils.microsoft.defender_cloud.governance_assignments_api import COLLECTION, AssignmentsEndpoint

SPEC = ansible_module.ModuleSpec(options=ASSIGNMENTS_OPTIONS, groups=[AZURE_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring governance assignments to their desired state."""
    desired = desired_assignments(params["assignments"])
    client = client_for(params, context)
    creating = [assignment.pair for assignment in desired.values() if assignment.may_create]
    endpoint = AssignmentsEndpoint(client, [assignment.pair for assignment in desired.values()], creating)
    assignments = Assignments(desired, params["default_due_days"], endpoint)
    result = reconcile(CollectionStore(client, {COLLECTION: endpoint}), assignments)
    check_refusals(result)
    return result


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
