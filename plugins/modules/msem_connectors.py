#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: msem_connectors
short_description: Manage the ServiceNow data connectors of Exposure Management
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Compares the ServiceNow CMDB data connectors of Microsoft Security Exposure Management with the instances, all connectors of a play
    in one task.
  - Microsoft documents no API that lists or writes data connectors. Without O(contract), a connector that is not known to be connected
    is returned as a manual step with the values to enter in the Defender portal. With a contract, this module sends the recorded
    requests and no others. What was entered or sent is recorded, so that later changes are found.
  - Advanced hunting shows whether assets of ServiceNow arrive in the tenant.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - Only reads. Of a contract, no operation but C(list) is sent.
requirements:
  - jmespath, with O(contract)
options:
  connectors:
    description:
      - The connectors to compare. Two connectors of one name or instance fail the task.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the connector in results. The portal has none.
        type: str
        required: true
      instance_url:
        description:
          - URL of the instance. Case and a trailing slash are ignored.
        type: str
        required: true
      mode:
        description:
          - How the connector signs in to the instance.
        type: str
        choices:
          client_credentials: With an OAuth application that acts as an account of the instance.
          basic: With user name and password.
        default: client_credentials
      username:
        description:
          - User name, with O(connectors[].mode=basic).
        type: str
      password:
        description:
          - Password, with O(connectors[].mode=basic). It is compared with the record, sent by O(contract) only, and never returned.
        type: str
      client_id:
        description:
          - Client id of the OAuth application, with O(connectors[].mode=client_credentials).
        type: str
      client_secret:
        description:
          - Client secret of the OAuth application, with O(connectors[].mode=client_credentials). It is compared with the record, sent by
            O(contract) only, and never returned.
        type: str
      accepted:
        description:
          - What was entered last, as an earlier run returned it in RV(results[].accepted). An empty value means that it is not known.
          - It holds the address, user name or client id, and keyed digests (HMAC-SHA256) of the secrets.
        type: json
      accepted_key:
        description:
          - Key of the digests in O(connectors[].accepted), a random secret that is stored next to it. Required with O(contract), except
            in check mode.
        type: str
      credentials_entered:
        description:
          - Whether these credentials were entered in the portal. They are then recorded as entered.
          - It is not needed for a single connector whose first assets arrive after the manual step was returned.
        type: bool
        default: false
      connected:
        description:
          - Whether the connector was connected before, with credentials that are not recorded. While they are not known here either, no
            manual step is returned.
        type: bool
        default: false
      state:
        description:
          - V(absent) disconnects the instance. Where neither the contract has the operation C(delete) nor its list shows that the connector
            does not exist, that is a manual step.
        type: str
        choices: [present, absent]
        default: present
  contract:
    description:
      - Requests to send to the portal, as recorded by the playbook C(learn_contract) from one manual connection. Load it from its
        file with C(lookup('file', path) | from_yaml), so that its placeholders are not templated.
      - It requires O(mda_portal_cookie) and O(mda_portal_xsrf_token) if it refers to them.
      - With the operation C(list), the list shows which connectors exist. A connector that is missing there is connected although
        a record of its credentials exists, and one that exists without a record gets the credentials with the operation C(update).
      - An operation that the contract lacks remains a manual step.
      - If the answer to the request that connects an instance is lost, the list shows what became of it. Without the operation C(list),
        it is not sent again, and there is a manual step to look.
    type: dict
  mda_portal_cookie:
    description:
      - Value of the header C(Cookie) of a signed-in session of the Defender portal. Only used with O(contract).
    type: str
  mda_portal_xsrf_token:
    description:
      - Value of the header C(X-XSRF-TOKEN) of the same session, which is the decoded cookie C(XSRF-TOKEN). Only used with O(contract).
    type: str
  complete:
    description:
      - Whether O(connectors) has all ServiceNow connectors of the tenant. If not, assets may come from another one, so that they do not show
        that a connector was connected.
    type: bool
    default: true
notes:
  - Requires the permission C(ThreatHunting.Read.All) of Microsoft Graph. Without it, connectors remain unproven.
  - Which instance delivered an asset is not documented. With several connectors, assets prove that some of them deliver.
seealso:
  - module: secops.servicenow_defender.graph_hunting_info
  - module: secops.servicenow_defender.mda_connectors
  - ref: ansible_collections.secops.servicenow_defender.docsite.guide_contracts
    description: What a contract is, and how to record one.
  - name: ServiceNow data connector
    description: What the connector needs on the instance, and what it reads.
    link: https://learn.microsoft.com/security-exposure-management/servicenow-data-connector
  - name: 'Facts: Data connector'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/exposure_management.md#data-connector
"""

EXAMPLES = r"""
- name: Verify the data connector of an instance
  secops.servicenow_defender.msem_connectors:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    connectors:
      - name: acme-prod
        instance_url: https://acme-prod.service-now.com
        client_id: 6f1c0b7a52e94d0c8f6b3f0f1a2b3c4d
        client_secret: "{{ vault_msem_client_secret }}"
        accepted: "{{ vault_msem_accepted | default('') }}"
        accepted_key: "{{ vault_accepted_key }}"
  register: exposure_management

- name: Connect an instance by contract
  secops.servicenow_defender.msem_connectors:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    mda_portal_cookie: "{{ portal_cookie }}"
    mda_portal_xsrf_token: "{{ portal_xsrf_token }}"
    contract: "{{ lookup('ansible.builtin.file', 'contract.yml') | from_yaml }}"
    connectors:
      - name: acme-prod
        instance_url: https://acme-prod.service-now.com
        client_id: 6f1c0b7a52e94d0c8f6b3f0f1a2b3c4d
        client_secret: "{{ vault_msem_client_secret }}"
        accepted_key: "{{ vault_accepted_key }}"
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'Exposure Management: 1 data connectors: 1 in sync'
assets:
  description: Number of assets of ServiceNow in the exposure graph of the tenant; V(none) if it could not be read.
  returned: success
  type: int
  sample: 1840
results:
  description: Result for each connector.
  returned: success, and when a request of O(contract) failed
  type: list
  elements: dict
  contains:
    object:
      description: The connector, as named in RV(drift).
      type: str
    name:
      description: Name.
      type: str
    instance_url:
      description: Normalized address of the instance.
      type: str
    status:
      description:
        - V(ok), V(manual) if its credentials have to be entered again, or V(unknown).
        - With O(contract) also V(changed) if it was or would be written, V(failed) if that failed, and V(absent) if the list does not
          show it and O(connectors[].state=absent).
      type: str
    field:
      description: V(credentials) if it is not known whether those are the ones that were entered; omitted otherwise.
      type: str
    reason:
      description: Why the status is unknown or failed; omitted otherwise.
      type: str
    accepted:
      description: Record of the credentials to store for the next run; omitted if it has not changed.
      type: str
  sample:
    - object: data_connector acme-prod
      name: acme-prod
      instance_url: https://acme-prod.service-now.com
      status: ok
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
from ..module_utils.microsoft.exposure_management.assets import Assets, read_assets
from ..module_utils.microsoft.exposure_management.connectors_by_contract import connect_by_contract
from ..module_utils.microsoft.exposure_management.data_connectors import CONNECTOR_OPTIONS, data_connectors
from ..module_utils.microsoft.exposure_management.portal_client import PORTAL_OPTIONS
from ..module_utils.microsoft.graph import AZURE_OPTIONS, client_for

SPEC = ansible_module.ModuleSpec(
    options={
        "connectors": {"type": "list", "elements": "dict", "required": True, "options": CONNECTOR_OPTIONS},
        "contract": {"type": "dict"},
        "complete": {"type": "bool", "default": True},
    },
    groups=[AZURE_OPTIONS, PORTAL_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Compare the ServiceNow data connectors of a tenant with the instances; connect them by contract."""
    client = client_for(params, context)
    assets = read_assets(client) if params["connectors"] else Assets()
    if params["contract"] is not None:
        return connect_by_contract(
            client, params["contract"], params["connectors"], assets, complete=params["complete"]
        )
    place = params.get("azure_tenant_id") or ""
    return data_connectors(params["connectors"], assets, place, complete=params["complete"])


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
