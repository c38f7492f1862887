#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_tickets
short_description: Manage incidents, change requests and other tickets of a ServiceNow instance
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates, updates, resolves, closes and cancels tickets, any number in one task. Other tickets are not changed, and
    none is ever deleted.
  - A ticket is identified by its type and O(tickets[].correlation_id), for example the id of a finding. All tickets of
    a task are read together, and written together through the Batch API if the instance has it.
  - No ticket is created twice, even if a response is lost, a run is interrupted, or two runs overlap. Runs on one
    machine wait for each other while they create tickets. If runs on different machines created the same ticket, the
    older one is kept, and the newer one is canceled if it has not been changed; its close notes refer to the other one.
  - Manual changes of the state take precedence. A ticket that was resolved, closed or canceled manually is kept, and
    reported with its actual state.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - Whether the instance refuses a write, for example because the state model of a change request does not allow the
        desired state, is only known when it is attempted. In check mode, such a ticket is reported as changed.
  idempotent:
    details:
      - If the instance refuses to close a change request, every run tries again, reports the same manual step, and
        indicates no change.
options:
  tickets:
    description:
      - The tickets to manage. Type and correlation id must be unique.
    type: list
    elements: dict
    required: true
    suboptions:
      type:
        description:
          - Table of the ticket.
          - Change requests are written through the Change Management API, or through the Table API if the instance does not have it; all
            others through the Table API.
          - V(sc_req_item) is a requested item, V(sn_si_incident) a security incident of Security Incident Response.
          - If the instance has other states than the type usually has, such a change of the state is refused, with the states that it has.
        type: str
        choices: [incident, problem, change_request, sc_req_item, sn_si_incident]
        default: incident
      correlation_id:
        description:
          - Correlation id that identifies the ticket, at most 100 characters.
          - Longer ids, such as the resource id of an assessment, would be truncated by the instance. Use a digest of
            them.
        type: str
        required: true
      short_description:
        description:
          - Short description, in one line. Required for a new ticket.
          - A text of more than 160 characters, the length of the column, is truncated and ends in three dots.
        type: str
      description:
        description:
          - Description of the ticket.
        type: str
      impact:
        description:
          - Impact, a choice of the instance, as its value (V(1)), its label (V(1 - High)) or the word in its label
            (V(high)).
          - The priority of incidents and problems is calculated from impact and urgency and cannot be set. A change request keeps the
            priority that the instance gives it.
        type: str
      urgency:
        description:
          - Urgency, a choice of the instance, in the same forms as O(tickets[].impact).
        type: str
      assignment_group:
        description:
          - Name or C(sys_id) of the assignment group.
        type: str
      caller:
        description:
          - User name or C(sys_id) of the caller. For a change request it is C(requested_by). A problem and a requested item have no caller.
        type: str
      assigned_to:
        description:
          - User name or C(sys_id) of the assignee.
        type: str
      state:
        description:
          - V(open) ensures that the ticket exists. A missing ticket is created; a ticket that was resolved or closed is
            not reopened (see O(tickets[].reopen)).
          - V(resolved), V(closed) and V(canceled) apply to an existing open ticket. A missing ticket is not created.
          - A change request has no state between review and closed, so V(resolved) is the same as V(closed).
          - On most instances only C(itil_admin) and C(admin) may close an incident. The instance closes resolved
            incidents after some days.
          - Since the Rome release, the Table API cannot change the state of a problem. For a problem, these states
            become a manual step that counts as drift until it is done.
        type: str
        choices: [open, resolved, closed, canceled]
        default: open
      begin:
        description:
          - With O(tickets[].state=open), whether a ticket that is new is put into the state of one that people work on, C(In Progress)
            of an incident, C(Analysis) of a security incident, C(Work in Progress) of a requested item. A ticket in any other state
            keeps it.
          - Where the instance has no such state, nothing of the ticket is written, and the result has the reason. Problems and change
            requests keep their state.
        type: bool
        default: false
      reopen:
        description:
          - With O(tickets[].state=open), whether to reopen a resolved incident. A closed or canceled incident is never
            reopened.
          - For a resolved problem it is a manual step.
        type: bool
        default: false
      close_code:
        description:
          - Resolution code of an incident or problem, or close code of a change request, a choice of the instance, as
            value or label.
          - If not set, the default is the first of V(Solution provided) and V(Solved (Permanently)) that the instance
            has for an incident, V(fix_applied) or V(canceled) for a problem, and V(successful) for a change request.
        type: str
      close_notes:
        description:
          - Close notes. If not set, a note states that Ansible closed the ticket.
          - With O(tickets[].reopen), an empty text removes those that a ticket has.
        type: str
      template:
        description:
          - Name or C(sys_id) of a standard change template. A new change request is then a standard change from this template.
          - Description, implementation, backout and test plan of a standard change are those of its template; do not set them.
          - Requires the Change Management API. An existing change request keeps its type.
        type: str
      change_type:
        description:
          - Type of a new change request without O(tickets[].template). If not set, the instance creates a normal change.
        type: str
        choices: [normal, emergency]
      cloud_resource:
        description:
          - Id of a cloud resource. The configuration item whose C(object_id) it is, among those that cloud discovery has found
            (C(cmdb_ci_vm_object)), becomes the configuration item of a new ticket. If there is none, or more than one, the ticket has none.
        type: str
      attachment:
        description:
          - File that is attached to the ticket while it is open. A file of this name with another content is replaced.
        type: dict
        suboptions:
          name:
            description:
              - Name of the file.
            type: str
            required: true
          content:
            description:
              - Content, as text.
            type: str
            required: true
      work_note:
        description:
          - Work note. It is only written when the ticket is created or updated, so a run without changes adds none.
        type: str
      extra_fields:
        description:
          - Further columns of the table, as column name to value; references by C(sys_id).
          - A column with choices requires one of them, as value or label.
          - Journal fields such as C(comments) are refused, because their content cannot be compared.
        type: dict
  skip_invalid:
    description:
      - Whether tickets that the instance cannot have are left out, and the others written. These are tickets that name a group, user,
        template or choice that it does not have, that are of a type whose table the account may not read, or whose key several open
        tickets have. Their C(status) is V(refused), with the reason. By default, one such ticket fails the task before anything is
        written.
    type: bool
    default: false
  correlation_display:
    description:
      - Name of the source of the tickets, written to each new ticket, at most 100 characters.
    type: str
    default: Microsoft Defender for Cloud
notes:
  - Requires the role C(itil), or C(sn_incident_write), C(sn_problem_write) and C(sn_change_write) for the respective
    types. The Change Management API requires C(itil) or C(change_manager).
  - O(tickets[].short_description), O(tickets[].description), O(tickets[].impact), O(tickets[].urgency),
    O(tickets[].assignment_group), O(tickets[].caller), O(tickets[].assigned_to) and O(tickets[].extra_fields) are only
    compared and updated on open tickets.
  - If two open tickets have the same type and correlation id and were not created by overlapping runs of this module,
    the task fails and reports both before anything is written.
  - Progress is shown every few seconds if the module runs in the worker process (see the attribute C(action)).
seealso:
  - module: secops.servicenow_defender.snow_record
  - module: secops.servicenow_defender.snow_record_info
  - name: Change Management API
    description: How change requests are created and updated.
    link: https://www.servicenow.com/docs/r/api-reference/rest-apis/change-management-api.html
  - name: 'Facts: Task columns'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_tickets.md#task-columns
"""

EXAMPLES = r"""
- name: Create an incident for each finding
  secops.servicenow_defender.snow_tickets:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    tickets:
      - correlation_id: 4d1c8a1e-2f0b-3c55-a9c5-1f7a1d9a2d11
        short_description: Management ports of virtual machines should be closed
        description: Found by Defender for Cloud on vm-web-1.
        impact: medium
        urgency: high
        assignment_group: Cloud Security
      - correlation_id: 9b7e3f52-6a0d-3e5c-8f5e-7d1b3c0a4e22
        short_description: Storage accounts should restrict network access
        assignment_group: Cloud Security

- name: Resolve the incident of a remediated finding
  secops.servicenow_defender.snow_tickets:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    tickets:
      - correlation_id: 4d1c8a1e-2f0b-3c55-a9c5-1f7a1d9a2d11
        state: resolved
        close_code: Solution provided
        close_notes: Defender for Cloud reports the resource as healthy.
        work_note: Resolved with the recommendation.

- name: Create a problem and a normal change request
  secops.servicenow_defender.snow_tickets:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    tickets:
      - type: problem
        correlation_id: acme-identity-1
        short_description: Accounts without multi-factor authentication keep coming back
        assigned_to: problem.manager
      - type: change_request
        correlation_id: acme-network-1
        short_description: Close the management ports of all virtual machines
        assignment_group: Cloud Security
        extra_fields:
          risk: "4"
          justification: Recommended by Defender for Cloud
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'acme-prod: 57 tickets: 2 created, 1 resolved, 54 in sync'
results:
  description: Result for each ticket, in the order of O(tickets).
  returned: success, and when writes were refused
  type: list
  elements: dict
  contains:
    object:
      description: The ticket, as named in RV(drift).
      type: str
    type:
      description: Table of the ticket.
      type: str
    correlation_id:
      description: Correlation id.
      type: str
    status:
      description:
        - V(ok) if it is in sync, V(changed) if it was written, or would be in check mode, V(absent) if it does not
          exist and is not required, V(manual) if it must be completed manually (see RV(manual_steps)), V(refused) if
          the instance refused or discarded the change, and V(failed) if the result is unclear.
      type: str
    action:
      description: V(created), V(updated), V(resolved), V(closed), V(canceled) or V(reopened), what was done to it or would be; empty for
        nothing.
      type: str
    short_description:
      description: Short description.
      type: str
    number:
      description: Ticket number. Empty for a ticket that does not exist, such as one that would be created in check
        mode.
      type: str
    sys_id:
      description: The sys_id; empty if the ticket does not exist.
      type: str
    link:
      description: Link to the ticket; empty if the ticket does not exist.
      type: str
    state:
      description: V(open), V(resolved), V(closed), V(canceled) or V(absent), after the task; in check mode, as it would
        be.
      type: str
    platform_state:
      description: The label of its state on the instance, or the value where the labels cannot be read.
      type: str
    reason:
      description: Reason why it was not written, or is not in its desired state; only if it is not.
      type: str
  sample:
    - object: incident 4d1c8a1e-2f0b-3c55-a9c5-1f7a1d9a2d11
      type: incident
      correlation_id: 4d1c8a1e-2f0b-3c55-a9c5-1f7a1d9a2d11
      status: changed
      number: INC0010023
      sys_id: 6d3c3bd2c3a103003ea1d53f6d50ddd8
      link: https://acme-prod.service-now.com/nav_to.do?uri=%2Fincident.do%3Fsys_id%3D6d3c3bd2c3a103003ea1d53f6d50ddd8
      state: open
      platform_state: New
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
from ..module_utils.snow import SNOW_OPTIONS, store_for
from ..module_utils.snow.options import entries
from ..module_utils.snow.tickets.ticket import TICKET_OPTIONS
from ..module_utils.snow.tickets.tickets import DISPLAY, Tickets

SPEC = ansible_module.ModuleSpec(
    options={
        "tickets": {**entries(TICKET_OPTIONS), "required": True},
        "correlation_display": {"type": "str", "default": DISPLAY},
        "skip_invalid": {"type": "bool", "default": False},
    },
    groups=[SNOW_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring tickets to their desired state."""
    store = store_for(params, context)
    return reconcile(store, Tickets.from_params(params, store.client.session.base_url))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
