#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mda_connector_info
short_description: Read the app connectors of Defender for Cloud Apps and their health
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the connectors of an app with their health, and when their refresh tokens end.
  - Where the list is refused, returns what the documented APIs show of the app's instances instead, and says so.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_mda
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._mda
  - secops.servicenow_defender._transport
options:
  app_id:
    description:
      - Number of the app. ServiceNow is V(14509).
    type: int
    default: 14509
notes:
  - The list of connectors wants O(mda_api_token). Application permissions do not cover it.
seealso:
  - module: secops.servicenow_defender.mda_connectors
  - module: secops.servicenow_defender.mda_activity_info
"""

EXAMPLES = r"""
- name: Read how the ServiceNow connectors are
  secops.servicenow_defender.mda_connector_info:
    mda_url: https://acme.us3.portal.cloudappsecurity.com
    mda_api_token: "{{ vault_mda_api_token }}"
  register: health
"""

RETURN = r"""
msg:
  description: One sentence that says what was found or done.
  returned: always
  type: str
connectors:
  description: The connectors, by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id in the tenant, or the number of the app instance where evidence is all there is.
      type: str
    name:
      description: Connection name; empty where evidence is all there is.
      type: str
    instance_url:
      description: Address of the instance, where the tenant tells it.
      type: str
    status:
      description: V(connected), V(warning), V(error), V(disabled), V(absent), or V(unknown) while it is connecting.
      type: str
    message:
      description: The vendor's message, or what the evidence is.
      type: str
    accounts:
      description: How many accounts were found in the instance.
      type: int
    last_connected:
      description: When the connection was made, UTC.
      type: str
    refresh_token_expires_at:
      description: When the refresh token ends, UTC, 90 days after the connection; empty where that is not known.
      type: str
    days_left:
      description: Days until then; null where it is not known.
      type: int
  sample:
    - id: 63dd5f272b9cbba7bb29d703
      name: acme-prod
      instance_url: ''
      status: connected
      message: ''
      accounts: 898
      last_connected: '2026-11-21T09:00:00+00:00'
      refresh_token_expires_at: '2027-02-19T09:00:00+00:00'
      days_left: 89
evidence:
  description: What was asked instead of the list, and what came of it; empty where the list was given.
  returned: success
  type: list
  elements: str
  sample: []
problems:
  description: What is wrong with a connector, or will be.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Name of the problem, the same in every run.
      type: str
    severity:
      description: V(warning) or V(error).
      type: str
    message:
      description: What it is, with the vendor's message.
      type: str
    remedy:
      description: What to do.
      type: str
  sample:
    - id: connector_token:acme-prod
      severity: warning
      message: 'connector acme-prod: its refresh token ends in 9 days (2026-11-30T09:00:00+00:00); then the connection
        stops'
      remedy: 'Revoke the old refresh token in ServiceNow (System OAuth > Manage Tokens), then enter the same details
        again: Edit settings of the connector'
api_calls:
  description: Number of HTTP requests that the task sent, as R(every module returns it,ansible_collections.secops.servicenow_defender.docsite.guide_results).
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
