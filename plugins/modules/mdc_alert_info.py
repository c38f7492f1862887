#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_alert_info
short_description: List the security alerts of Defender for Cloud
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the security alerts of subscriptions, resource groups or management groups, the newest first.
  - All pages are read, for any number of scopes in one task.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  scope:
    description:
      - Scope to read, a subscription (V(/subscriptions/<id>)), a resource group or a management group
        (V(/providers/Microsoft.Management/managementGroups/<name>)), of which each subscription is read.
      - If not set, the subscription O(azure_subscription_id) is used.
    type: str
  scopes:
    description:
      - Scopes to read, instead of O(scope). A refused scope is reported in RV(problems) and the others are read; the
        task fails if all are refused.
    type: list
    elements: str
  severities:
    description:
      - Severities to select, V(High), V(Medium), V(Low) or V(Informational), in upper or lower case. If not set, all are
        selected.
    type: list
    elements: str
  status:
    description:
      - Statuses to select. An empty list selects all.
    type: list
    elements: str
    choices: [active, in_progress, resolved, dismissed]
    default: [active, in_progress]
  since:
    description:
      - Time in ISO 8601, such as V(2026-11-21T10:00:00Z); without a time zone, UTC. Alerts that were generated before are
        left out.
    type: str
  changes_since:
    description:
      - Times in ISO 8601 by RV(alerts[].key). Of each of these alerts that is active or in progress, the activity log of the
        subscription is read from its time on, with one request, for RV(alerts[].status_set_at).
    type: dict
notes:
  - Requires Security Reader on the scope, and for O(changes_since) Reader on the subscription.
  - The list of alerts does not support filters, so every page is read and filtered locally.
seealso:
  - module: secops.servicenow_defender.mdc_alerts
  - module: secops.servicenow_defender.graph_incident_info
  - name: 'Facts: Alerts'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/defender_for_cloud.md#alerts
"""

EXAMPLES = r"""
- name: List the severe alerts that are open
  secops.servicenow_defender.mdc_alert_info:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    scopes:
      - /subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23
      - /subscriptions/c32e05d9-7207-4e22-bdf4-4f7d9c72e5fd
    severities: [High]
    since: '2026-11-01'
  register: found
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: '2 alerts selected of 14 in 2 scopes'
alerts:
  description: The alerts, the newest first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Resource id.
      type: str
    key:
      description: C(alert-) and the first 40 hex digits of the SHA-256 of the id, in lower case and without leading and
        trailing slashes. It never changes and is the C(correlation_id) of the ticket.
      type: str
    name:
      description: Name, the last part of the id in most cases.
      type: str
    system_alert_id:
      description: Id of the alert in all products of Microsoft, the same as the name in most cases.
      type: str
    display_name:
      description: Name in the portal.
      type: str
    alert_type:
      description: Name of the detection.
      type: str
    severity:
      description: V(High), V(Medium), V(Low) or V(Informational).
      type: str
    status:
      description: V(active), V(in_progress), V(resolved) or V(dismissed).
      type: str
    description:
      description: What was detected.
      type: str
    resource_id:
      description: Id of the Azure resource; empty if there is none.
      type: str
    resource_name:
      description: Name of the compromised resource.
      type: str
    intent:
      description: Stage of an attack, as named by the platform.
      type: str
    started_at:
      description: Time of the first event, as returned by the platform, UTC.
      type: str
    generated_at:
      description: Time of the alert, as returned by the platform, UTC.
      type: str
    remediation:
      description: Steps to take.
      type: list
      elements: str
    portal_url:
      description: URL in the portal.
      type: str
    product:
      description: Product that raised the alert.
      type: str
    subscription_id:
      description: Id of the subscription.
      type: str
    status_set_at:
      description: Time at which its status was last set, since that of O(changes_since), by the activity log. Empty if it was
        not set since; null if the log may not be read, see RV(alerts[].status_set_refused).
      returned: for alerts of O(changes_since) that are active or in progress
      type: str
    status_set_refused:
      description: Why the activity log could not be read.
      returned: when it could not
      type: str
  sample:
    - id: /subscriptions/1/resourceGroups/prod/providers/Microsoft.Security/locations/westeurope/alerts/2518
      key: alert-3bbcc5e72ac94f4cc1d5c7c9e3b3a1ba5e9e3d2d
      name: '2518'
      display_name: A process of a cryptocurrency miner was found
      severity: High
      status: active
      resource_name: vm1
scopes_read:
  description: Scopes that were read completely, with the subscriptions of a management group instead of the group.
  returned: success
  type: list
  elements: str
  sample: [/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23]
problems:
  description:
    - Problems; C(scope_refused:...) contains a scope that could not be read.
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
from ..module_utils.microsoft.arm import AZURE_OPTIONS, client_for
from ..module_utils.microsoft.defender_cloud.alert_history import add_changes, times_of
from ..module_utils.microsoft.defender_cloud.alerts import (
    ACTIVE,
    IN_PROGRESS,
    STATUSES,
    AlertFilter,
    AlertReader,
    scopes_of,
)

SPEC = ansible_module.ModuleSpec(
    options={
        "scope": {"type": "str"},
        "scopes": {"type": "list", "elements": "str"},
        "severities": {"type": "list", "elements": "str"},
        "status": {"type": "list", "elements": "str", "choices": list(STATUSES), "default": [ACTIVE, IN_PROGRESS]},
        "since": {"type": "str"},
        "changes_since": {"type": "dict"},
    },
    groups=[AZURE_OPTIONS],
    rules={"mutually_exclusive": [("scope", "scopes")]},
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Return security alerts."""
    scopes, wanted = scopes_of(params), AlertFilter.of(params)
    since = times_of("changes_since", params["changes_since"] or {})
    client = client_for(params, context)
    reader = AlertReader(client, scopes, wanted)
    rows = reader.read()
    add_changes(client, rows, since)
    return ansible_module.information(
        msg=reader.summary(),
        alerts=rows,
        scopes_read=reader.scopes_read,
        problems=[problem.as_dict() for problem in reader.problems],
    )


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
