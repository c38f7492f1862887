#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mda_connectors
short_description: Connect ServiceNow instances to Defender for Cloud Apps
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Brings the app connectors of ServiceNow instances in a tenant of Defender for Cloud Apps to their described state, all
    of a play in one task, and tells how each stands.
  - Microsoft documents no API that writes app connectors. Without O(contract) this module reads, returns what a person
    has to enter in RV(manual_steps), and with O(wait=true) waits until it is done. With a contract it sends what that
    says, and nothing else.
  - The list of connectors is read by the route that the portal itself uses. Where that is refused, the module judges by
    what the documented APIs show, which are activities, accounts and advanced hunting, and says so in
    RV(results[].evidence).
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_mda
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._mda
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - Reads only. No route that writes is called, whether it is documented or in a contract.
  idempotent:
    support: partial
    details:
      - A connector that is in error or disabled is entered again by every run with a contract, until it is connected.
requirements:
  - jmespath, with O(contract)
options:
  connectors:
    description:
      - The connectors. Two that lead to one instance fail the task.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Connection name in the portal, which is the key. Two connectors of one name in the tenant fail the task.
        type: str
        required: true
      instance_url:
        description:
          - Address of the instance. Upper and lower case and a trailing slash make no difference. Required with
            O(connectors[].state=present).
        type: str
      mode:
        description:
          - How the connector signs in to the instance.
        type: str
        choices:
          oauth: User name, password, client id and client secret. Microsoft recommends it.
          password: User name and password only, the older way.
        default: oauth
      username:
        description:
          - User name of the account on the instance.
        type: str
      password:
        description:
          - Password of O(connectors[].username). It goes to the portal by contract only, and is never shown.
        type: str
      client_id:
        description:
          - Client id of the OAuth application on the instance.
        type: str
      client_secret:
        description:
          - Client secret of O(connectors[].client_id). It goes to the portal by contract only, and is never shown.
        type: str
      state:
        description:
          - V(present) means connected. A connector that is connected is left alone, since what it was given cannot be
            read back.
          - V(disabled) and V(absent) are fulfilled where there is no such connector.
        type: str
        choices: [present, disabled, absent]
        default: present
  contract:
    description:
      - What to send to which route of the portal, as the playbook C(learn_contract) makes it from a capture of one manual
        connection. Load it from its file, C(lookup('file', path) | from_yaml), so that nothing evaluates its placeholders.
      - It needs O(mda_portal_cookie) and O(mda_portal_xsrf_token) where it names them.
      - An answer that lacks a field which the contract declares ends the task, and nothing more is sent.
    type: dict
  wait:
    description:
      - Whether to wait until every connector is as described. After O(wait_timeout), or when a connector stays in error,
        the task fails.
    type: bool
    default: false
  wait_timeout:
    description:
      - How long to wait, in seconds.
    type: float
    default: 3600
  poll_interval:
    description:
      - Seconds between two looks. Each costs a call of the thirty a minute, however many connectors there are.
    type: float
    default: 30
  events_since_days:
    description:
      - Count the events of each connector over so many days, at most the newest 5,000; V(0) counts none. Costs one call of
        activities and, where O(azure_client_id) or the like is given, one of advanced hunting, however many connectors there are.
    type: int
    default: 0
notes:
  - The list of connectors wants O(mda_api_token), or a contract with the operation C(list). Application permissions do not
    cover it.
  - A new connection delivers the events of the last hour, and the first of them can take hours. Documents that promise
    seven or sixty days are out of date.
  - The refresh token of a connector lives 90 days from the connection. Its end is told from the time that the tenant
    calls last connected, and warned of from day 75.
seealso:
  - module: secops.servicenow_defender.mda_connector_info
  - module: secops.servicenow_defender.snow_oauth_check
  - ref: ansible_collections.secops.servicenow_defender.docsite.guide_contracts
    description: What a contract is, and how to learn one.
  - name: How Defender for Cloud Apps protects ServiceNow
    description: What the portal asks for.
    link: https://learn.microsoft.com/defender-cloud-apps/protect-servicenow
"""

EXAMPLES = r"""
- name: Say what to enter for two instances, and wait until somebody did
  secops.servicenow_defender.mda_connectors:
    mda_url: https://acme.us3.portal.cloudappsecurity.com
    mda_api_token: "{{ vault_mda_api_token }}"
    connectors:
      - name: acme-dev
        instance_url: https://acme-dev.service-now.com
        username: svc_defender_cloud_apps
        client_id: "{{ acme_dev_client_id }}"
      - name: acme-prod
        instance_url: https://acme-prod.service-now.com
        username: svc_defender_cloud_apps
        client_id: "{{ acme_prod_client_id }}"
    wait: true
    wait_timeout: 7200

- name: Connect an instance by contract
  secops.servicenow_defender.mda_connectors:
    mda_url: https://acme.us3.portal.cloudappsecurity.com
    mda_api_token: "{{ vault_mda_api_token }}"
    mda_portal_cookie: "{{ portal_cookie }}"
    mda_portal_xsrf_token: "{{ portal_xsrf_token }}"
    contract: "{{ lookup('ansible.builtin.file', 'contract.yml') | from_yaml }}"
    connectors:
      - name: acme-test
        instance_url: https://acme-test.service-now.com
        username: svc_defender_cloud_apps
        password: "{{ vault_password }}"
        client_id: "{{ acme_test_client_id }}"
        client_secret: "{{ vault_client_secret }}"
"""

RETURN = r"""
msg:
  description: One sentence that says what was found or done.
  returned: always
  type: str
results:
  description: How each connector stands, in the order of the task.
  returned: success, and when waiting failed
  type: list
  elements: dict
  contains:
    object:
      description: The connector, as RV(drift) names it.
      type: str
    name:
      description: Its name.
      type: str
    id:
      description: Its id in the tenant, or the number of the app instance where evidence is all there is.
      type: str
    instance_url:
      description: Address of the instance, in the form that addresses are compared in.
      type: str
    status:
      description:
        - V(connected), V(warning) (data arrive, and something is amiss), V(error), V(disabled), V(absent).
        - V(unknown) while it is connecting, and where evidence does not tell.
      type: str
    message:
      description: The vendor's message, or what the evidence is.
      type: str
    evidence:
      description: What the status rests on.
      type: list
      elements: str
    refresh_token_expires_at:
      description: When the refresh token ends, UTC, with O(connectors[].mode=oauth); empty where it is not known.
      type: str
    days_left:
      description: Days until then; null where it is not known.
      type: int
    accounts:
      description: How many accounts the connector has brought, as the tenant counts them.
      type: int
    events:
      description:
        - How many of its events the tenant holds of the last O(events_since_days) days; null where the records do not
          say which connector they belong to. Only with O(events_since_days).
      type: int
    reason:
      description: Why it was refused; only where it was.
      type: str
  sample:
    - object: connector acme-dev
      name: acme-dev
      id: 63dd5f272b9cbba7bb29d703
      instance_url: https://acme-dev.service-now.com
      status: connected
      message: ''
      evidence:
        - the list of connectors
      refresh_token_expires_at: '2027-02-19T09:00:00+00:00'
      days_left: 89
      accounts: 412
      events: 37
problems:
  description: What is wrong with a connector, or will be.
  returned: success, and when waiting failed
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
from ..module_utils.microsoft.cloud_apps import TENANT_OPTIONS, client_for, store_for
from ..module_utils.microsoft.cloud_apps.connector_wait import connect_instances
from ..module_utils.microsoft.cloud_apps.connectors import CONNECTOR_OPTIONS, Connectors
from ..module_utils.microsoft.cloud_apps.connectors_api import COLLECTION, SERVICENOW, ConnectorsEndpoint
from ..module_utils.microsoft.cloud_apps.evidence import count_events
from ..module_utils.recorded_api.contract import parse
from ..module_utils.recorded_api.replay import Replay
from ..module_utils.transport.polling import Wait

SPEC = ansible_module.ModuleSpec(
    options={
        "connectors": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": CONNECTOR_OPTIONS,
            "required_if": [["state", "present", ["instance_url"]]],
        },
        "contract": {"type": "dict"},
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "float", "default": 3600.0},
        "poll_interval": {"type": "float", "default": 30.0},
        "events_since_days": {"type": "int", "default": 0},
    },
    groups=[TENANT_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring the connectors of ServiceNow instances to their desired state."""
    contract = parse(params["contract"], "mda_connector") if params["contract"] is not None else None
    client = client_for(params, context)
    endpoint = ConnectorsEndpoint(client, Replay(contract, client) if contract else None)
    waiting = Wait(params["wait"], params["wait_timeout"], params["poll_interval"])
    connectors = Connectors(params["connectors"], endpoint)
    result = connect_instances(store_for(client, COLLECTION, endpoint), connectors, waiting)
    if params["events_since_days"] > 0:
        connectors.add_event_counts(count_events(client, SERVICENOW, params["events_since_days"]))
    return result


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
