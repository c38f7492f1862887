#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_record_info
short_description: List rows of a table of a ServiceNow instance
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the rows of a table that match a query, page by page, up to O(limit).
  - Values are returned as stored on the platform, as strings. References are the sys_id of the referenced row, times
    are UTC.
  - Columns whose name indicates a password, a secret, a token or a private key are masked.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
options:
  table:
    description:
      - Name of the table. Either this or O(queries) is required.
    type: str
  query:
    description:
      - Query that selects the rows.
      - A dictionary contains columns and the values to match. A list matches any of its values, an empty string matches
        empty columns, and an empty list fails the task. Values are escaped.
      - A string is an encoded query, such as V(active=true^nameSTARTSWITHsvc_), and is sent unchanged. Never build it
        from untrusted input, because the instance executes C(javascript:) expressions.
      - An instance ignores conditions on unknown columns, and then returns more rows. Without O(fields), a dictionary
        with such a column fails the task. See
        U(https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_platform.md#encoded-queries).
      - If not set, all rows are returned, up to O(limit).
    type: raw
  fields:
    description:
      - Columns to return. Use a dot for a column of a referenced row, such as V(user.user_name). A column that does not
        exist is omitted from the result.
      - If not set, all columns are returned, which is slow on wide tables.
    type: list
    elements: str
    default: []
  limit:
    description:
      - Maximum number of rows to return. V(0) returns all.
    type: int
    default: 100
  queries:
    description:
      - Queries of several tables, which are sent as one request.
    type: list
    elements: dict
    suboptions:
      table:
        description: See O(table).
        type: str
        required: true
      query:
        description: See O(query).
        type: raw
      fields:
        description: See O(fields).
        type: list
        elements: str
        default: []
      limit:
        description: See O(limit).
        type: int
        default: 100
      optional:
        description: Whether a table that the instance refuses to read does not fail the task.
        type: bool
        default: false
notes:
  - Rows and columns that the calling account cannot read are omitted without an error.
  - Rows are sorted by sys_id, after the C(ORDERBY) of an encoded query, if it has one.
seealso:
  - module: secops.servicenow_defender.snow_record
  - module: secops.servicenow_defender.snow_instance_info
  - name: Table API
    description: The API that this module uses.
    link: https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html
  - name: 'Facts: Encoded queries'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_platform.md#encoded-queries
"""

EXAMPLES = r"""
- name: List the accounts that can only use the API
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

- name: List the accounts with the role admin, with an encoded query
  secops.servicenow_defender.snow_record_info:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    table: sys_user_has_role
    query: role.name=admin^user.active=true^ORDERBYuser.user_name
    fields:
      - user.user_name
      - inherited

- name: Read accounts and roles in one request
  secops.servicenow_defender.snow_record_info:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    queries:
      - table: sys_user
        query: user_nameSTARTSWITHsvc_
        fields: [user_name, active]
      - table: sys_user_has_role
        query: user.user_nameSTARTSWITHsvc_
        fields: [user.user_name, role.name]
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'acme-prod: 2 records of sys_user'
records:
  description: The rows, as column name to value.
  returned: success, without O(queries)
  type: list
  elements: dict
  sample:
    - last_login_time: '2026-11-21 10:35:13'
      user_name: svc_defender
    - last_login_time: ''
      user_name: mid_server
results:
  description: The rows of each of O(queries), in their order.
  returned: success, with O(queries)
  type: list
  elements: dict
  contains:
    table:
      description: Name of the table.
      type: str
    records:
      description: The rows, as in RV(records).
      type: list
      elements: dict
    refused:
      description: Message of the instance if it refused to read the table, else empty.
      type: str
  sample:
    - table: sys_user
      records:
        - active: 'true'
          user_name: svc_defender
      refused: ''
api_calls:
  description: Number of HTTP requests that the task sent, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.snow import SNOW_OPTIONS, client_for
from ..module_utils.snow.record_info import RECORD_INFO_OPTIONS, records, records_of_all

SPEC = ansible_module.ModuleSpec(
    options=RECORD_INFO_OPTIONS,
    groups=[SNOW_OPTIONS],
    rules={"required_one_of": [["table", "queries"]], "mutually_exclusive": [["table", "queries"]]},
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Return records of a table, or of several."""
    client = client_for(params, context)
    if params["queries"] is None:
        found = records(client, params)
        return ansible_module.information(
            msg=f"{client.name}: {len(found)} records of {params['table']}", records=found
        )
    results = records_of_all(client, params["queries"])
    counts = ", ".join(f"{len(each['records'])} records of {each['table']}" for each in results)
    return ansible_module.information(msg=f"{client.name}: {counts}", results=results)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
