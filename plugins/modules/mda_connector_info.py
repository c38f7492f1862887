#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mda_connector_info
short_description: List the app connectors of Defender for Cloud Apps and their health
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the connectors of an app with their health and the expiry of their refresh tokens.
  - If the list of connectors is refused, it returns evidence from the documented APIs instead, and lists its sources in
    RV(evidence).
  - If entries of the list cannot be recognized, RV(evidence) says so, and connectors may be missing.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_mda
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._mda
  - secops.servicenow_defender._mda.app
  - secops.servicenow_defender._transport
notes:
  - Listing connectors requires O(mda_api_token). Application permissions do not cover it.
seealso:
  - module: secops.servicenow_defender.mda_connectors
  - module: secops.servicenow_defender.mda_activity_info
  - name: 'Facts: Reading connectors'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/defender_for_cloud_apps.md#reading-connectors
"""

EXAMPLES = r"""
- name: Get the health of the ServiceNow connectors
  secops.servicenow_defender.mda_connector_info:
    mda_url: https://acme.us3.portal.cloudappsecurity.com
    mda_api_token: "{{ vault_mda_api_token }}"
  register: health
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: '2 connectors of app 14509: 1 connected, 1 with an error'
connectors:
  description: The connectors, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id in the tenant, or the number of the app instance if only evidence is available.
      type: str
    name:
      description: Connection name; empty if only evidence is available.
      type: str
    instance_url:
      description: URL of the instance, if the tenant returns it.
      type: str
    status:
      description: V(connected), V(warning), V(error), V(disabled), V(absent), or V(unknown) while it is connecting.
      type: str
    message:
      description: Message of the vendor, or the evidence.
      type: str
    accounts:
      description: Number of accounts found on the instance.
      type: int
    secure_score:
      description:
        - Whether its Secure Score recommendations are V(enabled) or V(disabled); empty if the list does not show it, or
          only evidence is available.
      type: str
    last_connected:
      description: Time of the connection, UTC.
      type: str
    refresh_token_expires_at:
      description: Expiry of the refresh token, UTC, 90 days after the connection; empty if unknown.
      type: str
    days_left:
      description: Days until the refresh token ends, 0 once it has ended; null if unknown.
      type: int
    ended_days_ago:
      description: Days since the refresh token has ended; null if it has not, or if that is unknown.
      type: int
  sample:
    - id: 63dd5f272b9cbba7bb29d703
      name: acme-prod
      instance_url: ''
      status: connected
      message: ''
      accounts: 898
      secure_score: enabled
      last_connected: '2026-11-21T09:00:00+00:00'
      refresh_token_expires_at: '2027-02-19T09:00:00+00:00'
      days_left: 89
      ended_days_ago: null
evidence:
  description: APIs that were used instead of the list of connectors, with the result; empty if the list was available.
  returned: success
  type: list
  elements: str
  sample: []
problems:
  description: Current and upcoming problems of connectors.
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
      description: The problem, including the vendor's message.
      type: str
    remedy:
      description: How to fix it.
      type: str
  sample:
    - id: connector_token:acme-prod
      severity: warning
      message: 'connector acme-prod: its refresh token expires in 9 days (2026-11-30T09:00:00+00:00); the connection
        stops then'
      remedy: 'Revoke the old refresh token in ServiceNow (System OAuth > Manage Tokens), then enter the same details
        again: Edit settings of the connector'
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
from ..module_utils.microsoft.cloud_apps import TENANT_OPTIONS, client_for
from ..module_utils.microsoft.cloud_apps.connector_info import read_connectors
from ..module_utils.microsoft.cloud_apps.connectors_api import SERVICENOW, ConnectorsEndpoint

SPEC = ansible_module.ModuleSpec(options={"app_id": {"type": "int", "default": SERVICENOW}}, groups=[TENANT_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Return the connectors of an app with their problems."""
    client = client_for(params, context)
    return ansible_module.information(**read_connectors(ConnectorsEndpoint(client, app_id=params["app_id"])))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
