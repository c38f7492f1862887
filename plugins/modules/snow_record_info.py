#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_record_info
short_description: Read rows of a table of a ServiceNow instance
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the rows of a table that a query finds, page by page until all are there or O(limit) is reached.
  - Values are returned as the platform keeps them, as text. References are the sys_id of the row they point to, times
    are UTC.
  - Columns that hold a password, a secret, a token or a private key by their name are masked.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
options:
  table:
    description:
      - Name of the table.
    type: str
    required: true
  query:
    description:
      - Which rows to return.
      - A dictionary names columns and the value that each has to have. A list of values means any of them, an empty
        string means empty, and an empty list fails the task. Its values are escaped.
      - Text is an encoded query, such as V(active=true^nameSTARTSWITHsvc_), and is sent as it is. Never build it from
        text that you do not trust, because the instance runs what follows C(javascript:).
      - An instance ignores a condition on a column that it does not know, and then finds more rows. Without O(fields),
        a dictionary that names such a column fails the task.
      - If left out, all rows are returned, up to O(limit).
    type: raw
  fields:
    description:
      - Columns to return. A column of a referenced row is reached with a dot, such as V(user.user_name). A column that
        does not exist is missing from the result.
      - If left out, all columns are returned, which is slow on wide tables.
    type: list
    elements: str
    default: []
  limit:
    description:
      - How many rows to return at most. V(0) means all.
    type: int
    default: 100
notes:
  - Rows and columns that the calling account may not read are missing without a word.
  - Rows are sorted by sys_id, after the C(ORDERBY) of a query that is text and has one.
seealso:
  - module: secops.servicenow_defender.snow_record
  - module: secops.servicenow_defender.snow_instance_info
  - name: Table API
    description: The interface that this module works through.
    link: https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html
"""

EXAMPLES = r"""
- name: Read the accounts that can use the API only
  secops.servicenow_defender.snow_record_info:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    table: sys_user
    query:
      web_service_access_only: true
      active: true
    fields:
      - user_name
      - last_login_time
    limit: 0
  register: accounts

- name: Read who has the role admin, with an encoded query
  secops.servicenow_defender.snow_record_info:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    table: sys_user_has_role
    query: role.name=admin^user.active=true^ORDERBYuser.user_name
    fields:
      - user.user_name
      - inherited
"""

RETURN = r"""
msg:
  description: One sentence that says what was found or done.
  returned: always
  type: str
records:
  description: The rows, column name to value.
  returned: success
  type: list
  elements: dict
  sample:
    - last_login_time: '2026-11-21 10:35:13'
      user_name: svc_defender
    - last_login_time: ''
      user_name: mid_server
api_calls:
  description: Number of HTTP requests that the task sent, as R(every module returns it,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.snow import SNOW_OPTIONS, client_for
from ..module_utils.snow.record_info import records

SPEC = ansible_module.ModuleSpec(
    options={
        "table": {"type": "str", "required": True},
        "query": {"type": "raw"},
        "fields": {"type": "list", "elements": "str", "default": []},
        "limit": {"type": "int", "default": 100},
    },
    groups=[SNOW_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Return rows of a table."""
    client = client_for(params, context)
    found = records(client, params["table"], params["query"], params["fields"], params["limit"])
    return ansible_module.information(msg=f"{client.name}: {len(found)} records of {params['table']}", records=found)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
