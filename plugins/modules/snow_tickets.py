#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_tickets
short_description: Manage incidents, problems and change requests of a ServiceNow instance
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates, changes, resolves, closes and cancels tickets, any number in one task. Tickets that are not named are not
    touched, and none is ever deleted.
  - A ticket is known by its type and its O(tickets[].correlation_id), for example the ID of the finding that it is
    about. All tickets of a task are looked up together, and written together through the Batch API where the instance
    has it.
  - Nothing is created twice, also when an answer gets lost, a run is killed in the middle, or two runs overlap. Runs on
    one machine take turns while they create tickets. Where runs on different machines created the same ticket, the
    older one stays, and the younger one is canceled if nobody has touched it yet; its close notes name the other one.
  - What people do with a ticket comes first. One that they resolved, closed or canceled stays as it is and is reported
    with its real state.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - Whether the instance refuses a write, for example because the state model of a change request does not lead to
        the wanted state, is seen only when it is tried. In check mode such a ticket is reported as changed.
  idempotent:
    details:
      - Where the instance refuses to end a change request, every run tries again, reports the same manual step, and
        indicates no change.
options:
  tickets:
    description:
      - The tickets, each as a dictionary. No two may have the same type and correlation ID.
    type: list
    elements: dict
    required: true
    suboptions:
      type:
        description:
          - The table that the ticket is a row of.
          - Incidents and problems are written through the Table API, change requests through the Change Management API
            (as normal changes), or through the Table API where the instance does not have the other one.
        type: str
        choices: [incident, problem, change_request]
        default: incident
      correlation_id:
        description:
          - What the ticket is known by, at most 100 characters.
          - Longer IDs, such as the resource ID of an assessment, would be cut off by the instance. Use a digest of them.
        type: str
        required: true
      short_description:
        description:
          - What the ticket is about, in one line. Required for a ticket that has to be created.
          - A text of more than 160 characters is cut, since the column holds no more, and ends in three dots.
        type: str
      description:
        description:
          - All about it.
        type: str
      impact:
        description:
          - A choice of the instance, as its value (V(1)), its label (V(1 - High)) or the word in its label (V(high)).
          - The priority follows from impact and urgency and cannot be set.
        type: str
      urgency:
        description:
          - A choice of the instance, like O(tickets[].impact).
        type: str
      assignment_group:
        description:
          - Name or C(sys_id) of the group that works on it.
        type: str
      caller:
        description:
          - User name or C(sys_id) of who asked for it. For a change request it is C(requested_by). A problem has no caller.
        type: str
      assigned_to:
        description:
          - User name or C(sys_id) of who works on it.
        type: str
      state:
        description:
          - V(open) means that the ticket exists. If it does not, it is created; if people ended it since, it stays so
            (see O(tickets[].reopen)).
          - V(resolved), V(closed) and V(canceled) end an existing ticket, unless it has ended already. For a ticket that does
            not exist there is nothing to do.
          - A change request knows no state between its review and its end, so for it V(resolved) is the same as
            V(closed).
          - On most instances only C(itil_admin) and C(admin) may close an incident. The instance itself closes resolved ones
            after some days.
          - Since the release Rome, the Table API moves no problem from state to state. For a problem these states become
            a manual step that counts as drift until it is done.
        type: str
        choices: [open, resolved, closed, canceled]
        default: open
      reopen:
        description:
          - With O(tickets[].state=open), whether a resolved incident is put back in progress. A closed or canceled one
            stays so in any case.
          - For a resolved problem it is a manual step.
        type: bool
        default: false
      close_code:
        description:
          - Why the ticket ends, a choice of the instance, as value or label. It is the resolution code of an incident or problem,
            and the close code of a change request.
          - If left out, it is for an incident the first one of V(Solution provided) and V(Solved (Permanently)) that the
            instance has, V(fix_applied) or V(canceled) for a problem, and V(successful) for a change request.
        type: str
      close_notes:
        description:
          - How the ticket ends, in words. If left out, it says that Ansible ended it.
        type: str
      work_note:
        description:
          - A note to the people who work on the ticket. It is written when the ticket is created or changed, never alone,
            so a run that changes nothing adds none.
        type: str
      extra_fields:
        description:
          - Further columns of the table and their values; references by C(sys_id).
          - A column that has choices takes one of them, as value or label.
          - Journal fields such as C(comments) are refused, since what they hold cannot be compared.
        type: dict
  correlation_display:
    description:
      - The name of what the tickets come from, written with each new ticket, at most 100 characters.
    type: str
    default: Microsoft Defender for Cloud
notes:
  - Takes the role C(itil), or C(sn_incident_write), C(sn_problem_write) and C(sn_change_write) for the types at hand. The
    Change Management API wants C(itil) or C(change_manager).
  - O(tickets[].short_description), O(tickets[].description), O(tickets[].impact), O(tickets[].urgency),
    O(tickets[].assignment_group), O(tickets[].caller), O(tickets[].assigned_to) and O(tickets[].extra_fields) are
    compared and changed on open tickets only.
  - Where two open tickets have one key and were not made by overlapping runs of this module, the task fails and names both
    before anything is written.
  - A long run shows its progress every few seconds when it runs inside the worker of Ansible, as it does with the
    connection V(local).
seealso:
  - module: secops.servicenow_defender.snow_record
  - module: secops.servicenow_defender.snow_record_info
  - name: Change Management API
    description: How change requests are created and changed.
    link: https://www.servicenow.com/docs/r/api-reference/rest-apis/change-management-api.html
"""

EXAMPLES = r"""
- name: One incident for each finding
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

- name: Resolve what has healed
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

- name: A problem and a normal change request
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
  description: One sentence that says what was found or done.
  returned: always
  type: str
results:
  description: What became of each ticket, in the order of O(tickets).
  returned: success, and when writes were refused
  type: list
  elements: dict
  contains:
    object:
      description: The ticket, as RV(drift) names it.
      type: str
    type:
      description: The table it is a row of.
      type: str
    correlation_id:
      description: What it is known by.
      type: str
    status:
      description:
        - V(ok) when it was as described, V(changed) when it was or would be written, V(absent) when it does not exist and
          need not, V(manual) when a person has to do the rest (RV(manual_steps)), V(refused) when the instance would not
          take what was written or did not keep it, and V(failed) when it stayed unclear what became of it.
      type: str
    number:
      description: Its number. Empty for a ticket that does not exist, such as one that would be created in check mode.
      type: str
    sys_id:
      description: Its ID; empty like the number.
      type: str
    link:
      description: Where people find it; empty like the number.
      type: str
    state:
      description: V(open), V(resolved), V(closed), V(canceled) or V(absent), as it is now or would be.
      type: str
    platform_state:
      description: The label of its state on the instance, or the value where the labels cannot be read.
      type: str
    reason:
      description: Why it was not written, or not brought to the described state; only where that is so.
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
from ..module_utils.snow import SNOW_OPTIONS, store_for
from ..module_utils.snow.options import entries
from ..module_utils.snow.tickets.ticket import TICKET_OPTIONS
from ..module_utils.snow.tickets.tickets import DISPLAY, Tickets

SPEC = ansible_module.ModuleSpec(
    options={
        "tickets": {**entries(TICKET_OPTIONS), "required": True},
        "correlation_display": {"type": "str", "default": DISPLAY},
    },
    groups=[SNOW_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring tickets to their described states."""
    store = store_for(params, context)
    return reconcile(store, Tickets.from_params(params, store.client.session.base_url))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
