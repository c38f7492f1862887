#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mda_connectors
short_description: Manage the ServiceNow connectors of Defender for Cloud Apps
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Brings the app connectors of ServiceNow instances in a tenant of Defender for Cloud Apps to their desired state, all
    connectors of a play in one task, and returns the status of each.
  - Microsoft does not document an API to manage app connectors. Without O(contract), this module reads the connectors,
    returns the manual steps in RV(manual_steps), and with O(wait=true) waits until they are done. With a contract, it
    sends the recorded requests and no others.
  - The list of connectors is read from the route that the portal uses. If that is refused, the status is derived from
    the documented APIs (activities, accounts and advanced hunting), and RV(results[].evidence) lists the sources. What they do
    not show is returned in RV(unproven); unless it is recorded in O(connectors[].accepted), RV(manual_steps) has a step to look.
  - If the list has entries that cannot be recognized, because the portal has changed, nothing is written for a connector that is
    not found in it.
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
      - Only reads. No route that writes is called, neither a documented one nor one of a contract.
  idempotent:
    support: partial
    details:
      - With a contract, a connector that is in error or disabled is written again in every run until it is connected.
requirements:
  - jmespath, with O(contract)
options:
  connectors:
    description:
      - The connectors to manage. Two connectors for the same instance fail the task.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Connection name in the portal. It identifies the connector; a name that is not unique in the tenant fails
            the task.
        type: str
        required: true
      instance_url:
        description:
          - URL of the instance. Case and a trailing slash are ignored. Required with O(connectors[].state=present).
        type: str
      mode:
        description:
          - How the connector signs in to the instance.
        type: str
        choices:
          oauth: User name, password, client id and client secret. Microsoft recommends it.
          password: User name and password only (legacy).
        default: oauth
      username:
        description:
          - User name of the account on the instance.
        type: str
      password:
        description:
          - Password of O(connectors[].username). It is only sent to the portal, by a contract, and never returned.
        type: str
      client_id:
        description:
          - Client id of the OAuth application on the instance.
        type: str
      client_secret:
        description:
          - Client secret of O(connectors[].client_id). It is only sent to the portal, by a contract, and never
            returned.
        type: str
      accepted:
        description:
          - What the connector accepted last, as an earlier run returned it in RV(results[].accepted). An empty value means
            that it is not known.
          - It holds the address, user name and client id, and keyed digests (HMAC-SHA256) of the secrets.
        type: json
      accepted_key:
        description:
          - Key of the digests in O(connectors[].accepted), a random secret that is stored next to it.
          - If set, the credentials of a connected connector are compared with what it accepted. If they differ, or if it is
            not known, they are written with a contract that has the operation C(update); without one, a difference is a
            manual step, and what is not known is returned in RV(unproven).
        type: str
      credentials_entered:
        description:
          - Whether these credentials were entered manually in the portal. If the connector is connected, they are then
            taken as accepted.
          - It is only needed where that cannot be seen. A connector that did not exist when the manual step was returned, or
            that was connected again later, has the credentials of that step.
        type: bool
        default: false
      refresh_token_lifespan:
        description:
          - Lifespan of refresh tokens of the OAuth application on the instance, in seconds. The connector's token expires after
            that time, and after 90 days at the latest.
        type: int
      refresh_token_expires_at:
        description:
          - Latest expiry of a refresh token of that application, as M(secops.servicenow_defender.snow_oauth_application_info)
            returns it. The connector's token expires by then.
        type: str
      secure_score:
        description:
          - Whether the posture of the instance counts in Microsoft Secure Score, which is the switch I(Turn on Secure Score
            recommendations) of the connector. Only with O(connectors[].state=present).
          - It is written by O(contract) if that has the operation C(secure_score); otherwise a difference is a manual step.
        type: str
        choices: [unmanaged, enabled, disabled]
        default: unmanaged
      state:
        description:
          - V(present) ensures that it is connected. The credentials of a connected connector cannot be read back; they are
            compared with O(connectors[].accepted).
          - V(disabled) and V(absent) are met if the connector does not exist.
        type: str
        choices: [present, disabled, absent]
        default: present
  contract:
    description:
      - Requests to send to the portal, as recorded by the playbook C(learn_contract) from one manual connection. Load
        it from its file with C(lookup('file', path) | from_yaml), so that its placeholders are not templated.
      - It requires O(mda_portal_cookie) and O(mda_portal_xsrf_token) if it refers to them.
      - If a response lacks a field that the contract declares, the task fails and sends no further requests.
    type: dict
  wait:
    description:
      - Whether to wait until every connector is in its desired state. The task fails after O(wait_timeout), or if a
        connector stays in error.
    type: bool
    default: false
  wait_timeout:
    description:
      - Maximum time to wait, in seconds.
    type: float
    default: 3600
  poll_interval:
    description:
      - Interval between two polls, in seconds. Each poll is one of the 30 calls per minute, regardless of the number of
        connectors.
    type: float
    default: 30
  events_since_days:
    description:
      - Number of days for which to count the events of each connector, up to the newest 5,000 events; V(0) counts none.
        It sends one call to the activities API and, with C(azure_*) credentials, one to advanced hunting, regardless of
        the number of connectors.
    type: int
    default: 0
notes:
  - Listing connectors requires O(mda_api_token), or a contract with the operation C(list). Application permissions do
    not cover it.
  - A new connection imports the events of the last hour, and the first of them can take hours to appear. Documents that
    mention seven or sixty days are outdated.
  - The refresh token of a connector expires 90 days after the connection, or earlier by
    O(connectors[].refresh_token_lifespan). The expiry is calculated from the time of the last connection. A problem is
    reported 15 days before, and an expired token is an error.
seealso:
  - module: secops.servicenow_defender.mda_connector_info
  - module: secops.servicenow_defender.snow_oauth_check
  - ref: ansible_collections.secops.servicenow_defender.docsite.guide_contracts
    description: What a contract is, and how to record one.
  - name: How Defender for Cloud Apps protects ServiceNow
    description: The values that the portal requires.
    link: https://learn.microsoft.com/defender-cloud-apps/protect-servicenow
  - name: 'Facts: Writing a connector'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/defender_for_cloud_apps.md#writing-a-connector
"""

EXAMPLES = r"""
- name: Show the values to enter for two instances, and wait until both are connected
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
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: '2 connectors: 1 connected, 1 manual step'
results:
  description: Status of each connector, in the order of the task.
  returned: success, and when waiting failed or a name was refused
  type: list
  elements: dict
  contains:
    object:
      description: The connector, as named in RV(drift).
      type: str
    name:
      description: Name.
      type: str
    id:
      description: Id in the tenant, or the number of the app instance if only evidence is available.
      type: str
    instance_url:
      description: Normalised URL of the instance.
      type: str
    status:
      description:
        - V(connected), V(warning) (connected with problems), V(error), V(disabled) or V(absent).
        - V(unknown) while it is connecting, if the evidence is not conclusive, if every list is refused, or if entries of the list
          cannot be recognized.
      type: str
    message:
      description: Message of the vendor, or the evidence.
      type: str
    evidence:
      description: Sources of the status.
      type: list
      elements: str
    refresh_token_expires_at:
      description: Expiry of the refresh token, UTC, with O(connectors[].mode=oauth); empty if unknown.
      type: str
    days_left:
      description: Days until the refresh token ends, 0 once it has ended; null if unknown.
      type: int
    ended_days_ago:
      description: Days since the refresh token has ended; null if it has not, or if that is unknown.
      type: int
    accounts:
      description: Number of accounts that the connector imported, as counted by the tenant.
      type: int
    secure_score:
      description: Whether its Secure Score recommendations are V(enabled) or V(disabled); empty if that is not shown.
      type: str
    events:
      description:
        - Number of its events in the last O(events_since_days) days; null if the events do not identify their
          connector. Only with O(events_since_days).
      type: int
    accepted:
      description: What the connector has accepted, or the credentials of the manual step that was returned; only if it is to be stored and given
        as O(connectors[].accepted) in the next run.
      type: str
    reason:
      description: Reason of a refusal, or why the status is V(unknown); only then.
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
      ended_days_ago: null
      accounts: 412
      secure_score: enabled
      events: 37
problems:
  description: Current and upcoming problems of connectors.
  returned: success, and when waiting failed
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
from ..module_utils.microsoft.cloud_apps import TENANT_OPTIONS, client_for, store_for
from ..module_utils.microsoft.cloud_apps.connector_entry import CONNECTOR_OPTIONS
from ..module_utils.microsoft.cloud_apps.connector_wait import connect_instances
from ..module_utils.microsoft.cloud_apps.connectors import Connectors
from ..module_utils.microsoft.cloud_apps.connectors_api import COLLECTION, SERVICENOW, ConnectorsEndpoint
from ..module_utils.microsoft.cloud_apps.evidence import count_events
from ..module_utils.option_names import named_option
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
    waiting = Wait(
        params["wait"], params["wait_timeout"], params["poll_interval"], named_option("wait_timeout", "mda_connection")
    )
    connectors = Connectors(params["connectors"], endpoint)
    result = connect_instances(store_for(client, COLLECTION, endpoint), connectors, waiting)
    if params["events_since_days"] > 0:
        connectors.add_event_counts(count_events(client, SERVICENOW, params["events_since_days"]))
    return result


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
