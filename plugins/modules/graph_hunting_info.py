#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: graph_hunting_info
short_description: Get the results of a Microsoft Defender advanced hunting query
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Runs a query in the Kusto Query Language over the hunting tables of the tenant, through Microsoft Graph, and returns
    the rows.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  query:
    description:
      - Query to run. The events of connected apps are in the table C(CloudAppEvents); the application id of ServiceNow
        is V(14509).
    type: str
    required: true
  timespan:
    description:
      - Period to search, as an ISO 8601 duration such as V(P1D) for one day, or as start and end.
      - If not set, Microsoft Graph searches the last 30 days, which is also the retention period.
    type: str
notes:
  - Requires the permission C(ThreatHunting.Read.All) of Microsoft Graph.
  - A query may run for three minutes and return 100000 rows; adjust O(timeout) if needed. The quota of a tenant is
    renewed every 15 minutes.
  - A connected instance without activity has no events, and the first events cover only the hour before the connection.
    An empty result does not prove that a connection failed.
seealso:
  - module: secops.servicenow_defender.mda_activity_info
  - module: secops.servicenow_defender.mda_connector_info
  - name: CloudAppEvents
    description: Columns of the table.
    link: https://learn.microsoft.com/defender-xdr/advanced-hunting-cloudappevents-table
  - name: 'Facts: Advanced hunting'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/microsoft_graph.md#advanced-hunting
"""

EXAMPLES = r"""
- name: Count the events of ServiceNow by instance
  secops.servicenow_defender.graph_hunting_info:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    query: |
      CloudAppEvents
      | where ApplicationId == 14509
      | summarize Events=count(), Last=max(Timestamp) by AppInstanceId
    timespan: P1D
  register: hunting
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 2 rows in 3 columns
results:
  description: Rows of the result, as column name to value.
  returned: success
  type: list
  elements: dict
  sample:
    - AppInstanceId: 0
      Events: 42
      Last: '2026-11-21T10:12:00Z'
schema:
  description: Columns of the result, in order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the column.
      type: str
    type:
      description: Type of the column, as named by Microsoft.
      type: str
  sample:
    - name: AppInstanceId
      type: Int32
api_calls:
  description: Number of HTTP requests that the task sent, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.microsoft.graph import AZURE_OPTIONS, client_for

SPEC = ansible_module.ModuleSpec(
    options={"query": {"type": "str", "required": True}, "timespan": {"type": "str"}},
    groups=[AZURE_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Return the rows of a hunting query."""
    client = client_for(params, context)
    found = client.hunt(params["query"], params["timespan"])
    msg = f"{client.name}: the query returned {len(found.rows)} rows"
    return ansible_module.information(msg=msg, results=found.rows, schema=found.schema)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
