#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_record
short_description: Manage one row of any table of a ServiceNow instance
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates, updates and deletes one row, identified by the columns in O(match), through the Table API.
  - Use it for tables without a specific module. The specific modules validate more.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
options:
  table:
    description:
      - Name of the table. C(sys_security_acl) and C(sys_security_acl_role) are refused, because they cannot be written
        through an API; see M(secops.servicenow_defender.snow_table_acls).
    type: str
    required: true
  match:
    description:
      - Columns and values that identify the row, at least one, none of them empty. All must match exactly, including
        case.
      - A new row also gets these values.
      - If more than one row matches, the task fails, reports all of them and changes none.
      - A reference column requires a sys_id.
    type: dict
    required: true
  values:
    description:
      - Further columns and their desired values. An empty string clears a column.
      - Values are compared by their YAML type, so write a number as a number and a boolean as a boolean. A list is
        joined with commas. A reference column requires a sys_id.
      - Other columns are not managed. A column that the table does not have fails the task.
      - Results and diffs show these values, except those of O(write_only) and of columns that are named like a secret, such as
        V(user_password) or V(client_secret).
    type: dict
  write_only:
    description:
      - Columns of O(values) that hold a write-only secret (the instance stores it encrypted or hashed, so it cannot be
        read back), such as V(password).
      - Each is sent in a separate request when the row is created, or when an interrupted run created it and did not
        finish. An existing row keeps its value; delete the row first to change it.
      - Results and diffs do not show these values.
    type: list
    elements: str
  state:
    description:
      - V(present) creates the row or brings it to its desired state.
      - V(absent) deletes the row that O(match) finds.
    type: str
    choices: [present, absent]
    default: present
notes:
  - The required roles are those of the table.
  - After a write the row is read again. If the instance returned a different value, the task fails and reports it.
seealso:
  - module: secops.servicenow_defender.snow_record_info
  - module: secops.servicenow_defender.snow_instance
  - name: Table API
    description: The API that this module uses.
    link: https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html
  - name: 'Facts: Write safety'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_platform.md#write-safety
"""

EXAMPLES = r"""
- name: Ensure that a group for tickets of Microsoft Defender exists
  secops.servicenow_defender.snow_record:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    table: sys_user_group
    match:
      name: Cloud Security
    values:
      description: Works on recommendations of Microsoft Defender for Cloud
      email: cloud-security@acme.example
      active: true

- name: Manage credentials for an outbound connection
  secops.servicenow_defender.snow_record:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    table: sys_auth_profile_basic
    match:
      name: Acme asset service
    values:
      username: svc_servicenow
      password: "{{ vault_asset_service_password }}"
    write_only:
      - password
  # The values of this task contain a secret.
  no_log: true

- name: Remove a group
  secops.servicenow_defender.snow_record:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    table: sys_user_group
    match:
      name: Cloud Security (old)
    state: absent
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'acme-prod: sys_user_group Cloud Security in sync'
record:
  description:
    - The row after the task; in check mode, as it would be, with the columns of O(match) and O(values). Columns in
      O(write_only) are never returned. Empty with O(state=absent).
  returned: success
  type: dict
  contains:
    sys_id:
      description: The sys_id of the row; omitted in check mode for a row that would be created.
      type: str
  sample:
    sys_id: bfbb8d139b290c8216b8c159a1eb289f
    description: Works on recommendations of Microsoft Defender for Cloud
    email: cloud-security@acme.example
    active: true
    name: Cloud Security
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
from ..module_utils.snow.resources.record import RECORD_OPTIONS, Record, write_only_values

SPEC = ansible_module.ModuleSpec(options=RECORD_OPTIONS, groups=[SNOW_OPTIONS], secrets=write_only_values)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring one record to the desired state."""
    return reconcile(store_for(params, context), Record.from_params(params), noun="record")


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
