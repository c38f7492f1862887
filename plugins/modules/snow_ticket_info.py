#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_ticket_info
short_description: List the tickets of one source, with a file attached to them
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the incidents, problems, change requests, requested items and security incidents that one source has created, such as
    M(secops.servicenow_defender.snow_tickets), in any state.
  - All types are read in one round trip, and so are the attached files.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
options:
  types:
    description:
      - Types to read. A table that the instance does not have has no tickets; one that the account may not read is reported in
        RV(problems) and RV(unread), and the others are read.
    type: list
    elements: str
    choices: [incident, problem, change_request, sc_req_item, sn_si_incident]
    default: [incident, problem, change_request, sc_req_item, sn_si_incident]
  correlation_display:
    description:
      - Name of the source, as in M(secops.servicenow_defender.snow_tickets).
    type: str
    default: Microsoft Defender for Cloud
  attachment:
    description:
      - Name of an attached file whose content is returned with each ticket, as text. If not set, no file is read.
    type: str
  without_content:
    description:
      - Beginnings of close notes. The files of tickets that are no longer active and have such notes are returned without content, to read
        less.
    type: list
    elements: str
    default: []
notes:
  - Requires the role C(itil), or read access to the tables and to C(sys_attachment).
seealso:
  - module: secops.servicenow_defender.snow_tickets
  - module: secops.servicenow_defender.snow_record_info
  - name: 'Facts: Attachment API'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_platform.md#attachment-api
"""

EXAMPLES = r"""
- name: List the tickets of recommendations
  secops.servicenow_defender.snow_ticket_info:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    attachment: findings.csv
  register: known
"""

RETURN = r"""
msg:
  description: What was found, in one sentence.
  returned: always
  type: str
  sample: 'acme-prod: 57 tickets'
tickets:
  description: The tickets.
  returned: success
  type: list
  elements: dict
  contains:
    type:
      description: Table of the ticket.
      type: str
    correlation_id:
      description: Correlation id.
      type: str
    number:
      description: Ticket number.
      type: str
    sys_id:
      description: The sys_id.
      type: str
    link:
      description: Link to the ticket.
      type: str
    state:
      description: Value of the column C(state).
      type: str
    active:
      description: Whether it has not ended, V(true) or V(false).
      type: str
    short_description:
      description: Short description.
      type: str
    description:
      description: Description.
      type: str
    close_notes:
      description: Close notes.
      type: str
    attachment:
      description: The newest file of this name, with C(sys_id), C(name), C(hash) (SHA-256) and C(content), which is null if it was not
        read; null if there is none.
      type: dict
  sample:
    - type: incident
      correlation_id: mdc-b89fab3ba6ead357517ab01a940d39909f460341
      number: INC0010023
      sys_id: 6d3c3bd2c3a103003ea1d53f6d50ddd8
      link: https://acme-prod.service-now.com/nav_to.do?uri=%2Fincident.do%3Fsys_id%3D6d3c3bd2c3a103003ea1d53f6d50ddd8
      state: '1'
      active: 'true'
unread:
  description: Types whose table the account may not read.
  returned: success
  type: list
  elements: str
  sample: []
problems:
  description: Problems. C(table_refused:...) contains a table that could not be read.
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
from ..module_utils.snow import SNOW_OPTIONS, client_for
from ..module_utils.snow.tickets.ticket_info import TICKET_INFO_OPTIONS, read_tickets

SPEC = ansible_module.ModuleSpec(options=TICKET_INFO_OPTIONS, groups=[SNOW_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Return the tickets of one source."""
    client = client_for(params, context)
    found = read_tickets(client, params)
    return ansible_module.information(
        msg=f"{client.name}: {len(found.tickets)} tickets",
        tickets=found.tickets,
        unread=found.unread,
        problems=[problem.as_dict() for problem in found.problems],
    )


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
