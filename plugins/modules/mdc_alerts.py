#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_alerts
short_description: Manage the statuses of security alerts of Defender for Cloud
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Sets the statuses of security alerts, any number in one task, and reads them back.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  alerts:
    description:
      - The alerts to manage. Each can be listed once.
    type: list
    elements: dict
    required: true
    suboptions:
      id:
        description:
          - Resource id of the alert, as returned in
            RV(secops.servicenow_defender.mdc_alert_info#module:alerts[].id). Case is ignored.
        type: str
        required: true
      status:
        description:
          - Desired status. V(dismissed) marks a false positive, V(resolved) an alert that was handled.
        type: str
        required: true
        choices: [active, in_progress, resolved, dismissed]
notes:
  - Requires Security Admin, Contributor or Owner on the subscription.
  - Alerts have no assignee and no comments in this API. Incidents of Defender XDR have both, see
    M(secops.servicenow_defender.graph_incidents).
  - A refused alert, or one that does not exist, does not prevent the others from being written. The task fails if all are
    refused.
seealso:
  - module: secops.servicenow_defender.mdc_alert_info
  - module: secops.servicenow_defender.graph_incidents
  - name: 'Facts: Alerts'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/defender_for_cloud.md#alerts
"""

EXAMPLES = r"""
- name: Dismiss a false positive
  secops.servicenow_defender.mdc_alerts:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    alerts:
      - id: "{{ found.alerts[0].id }}"
        status: dismissed
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'Defender for Cloud: 14 of 15 objects in sync; changed: alert 2518'
results:
  description: Result for each alert, in the order of O(alerts).
  returned: success, and when all were refused
  type: list
  elements: dict
  contains:
    object:
      description: The alert, as named in RV(drift).
      type: str
    id:
      description: Id, as given.
      type: str
    state:
      description: Status of the alert after the task; in check mode, as it would be. Empty if it was not found.
      type: str
    status:
      description: V(ok), V(changed), or V(refused) with RV(results[].reason).
      type: str
    reason:
      description: Reason of a refusal.
      returned: when there is one
      type: str
  sample:
    - object: alert 2518
      id: /subscriptions/1/resourceGroups/prod/providers/Microsoft.Security/locations/westeurope/alerts/2518
      state: dismissed
      status: changed
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
from ..module_utils.microsoft.defender_cloud.alert_statuses import (
    ALERTS_OPTIONS,
    COLLECTION,
    AlertsEndpoint,
    AlertStatuses,
)

SPEC = ansible_module.ModuleSpec(options=ALERTS_OPTIONS, groups=[AZURE_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring alerts to their desired status."""
    client = client_for(params, context)
    endpoint = AlertsEndpoint(client, [entry["id"].strip() for entry in params["alerts"]])
    result = reconcile(CollectionStore(client, {COLLECTION: endpoint}), AlertStatuses(params["alerts"], endpoint))
    check_refusals(result)
    return result


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
