#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_integration
short_description: Connect Defender for Cloud with a ServiceNow instance
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates, changes or removes the integration that lets Defender for Cloud make tickets in ServiceNow
    (Microsoft.Security/integrations).
  - B(Experimental). Microsoft has published neither this API nor its body. Type and api-version are confirmed by Microsoft's
    own lists, the body comes from a draft specification that was never merged. O(api_version) and O(contract) override both.
  - An integration is known by its name on the scope that it is defined on. Integrations that a scope inherits are left alone.
    What Microsoft returns and nobody knows is sent back as it was.
  - Credentials are never returned, so they cannot be compared. They are written when an integration is new, and with
    O(update_credentials=always) in every run. Whether a change without them keeps or empties them is not known, so every
    change takes all of them, and is refused without.
  - Before the first write it makes sure that the cloud is the commercial one, that Defender CSPM is on, and that ServiceNow
    accepts the credentials. After a write they are tried once more. Where the subscription has no connection test, a warning
    says so.
  - Removing an integration also removes all assignments that it made, which can take Microsoft up to 24 hours.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
requirements:
  - jmespath, with O(contract)
attributes:
  idempotent:
    support: partial
    details:
      - With O(update_credentials=always) every run writes, and reports a change.
options:
  scope:
    description:
      - What the integration is for, V(/subscriptions/<id>), V(/providers/Microsoft.Management/managementGroups/<name>), or the
        resource id of a security connector.
      - Findings of AWS and GCP are covered by an integration on their connector only. One on the subscription does not cover
        them.
      - If left out, it is the subscription O(azure_subscription_id).
    type: str
  display_name:
    description:
      - Name of the integration.
    type: str
    required: true
  state:
    description:
      - Whether the integration is to be there. V(absent) takes O(confirm_assignment_loss=true).
    type: str
    choices: [present, absent]
    default: present
  instance_url:
    description:
      - Address of the ServiceNow instance, such as V(https://acme-prod.service-now.com).
    type: str
  username:
    description:
      - User name of the account in ServiceNow. Microsoft asks for an administrator.
    type: str
  password:
    description:
      - Password of O(username).
    type: str
  client_id:
    description:
      - Client id of the application registry entry in ServiceNow.
    type: str
  client_secret:
    description:
      - Client secret that goes with O(client_id).
    type: str
  update_credentials:
    description:
      - When to write the credentials.
    type: str
    choices:
      on_create: When the integration is new, and with every other change.
      always: In every run, which reports a change each time. Use it after a rotation.
    default: on_create
  disabled:
    description:
      - Whether the integration is switched off.
      - If left out, a new one is on.
    type: bool
  excluded_scopes:
    description:
      - Scopes below that it leaves out, as ids.
    type: list
    elements: str
  include_members:
    description:
      - Whether the integration of a management scope covers the scopes below it.
    type: bool
  api_version:
    description:
      - Version of the API.
      - If left out, the newest version of the subscription that the draft fits is used (V(2024-01-31), V(2023-07-01-preview)),
        else its newest preview. Where the subscription cannot be asked, it is V(2023-07-01-preview).
    type: str
  contract:
    description:
      - A contract for the target V(mdc_integration). Its operations C(create), C(update), C(delete) and C(test) take the place of
        what this module sends.
      - Beside the placeholders of every contract it knows C(scope) (without the slash in front), C(api_version), C(disabled),
        C(excluded_scopes), C(include_members), and C(properties), which is all that this module would send.
      - C(test) may declare the fields C(succeeded), C(error_type) and C(error).
    type: dict
  confirm_assignment_loss:
    description:
      - Whether the assignments of the integration may go with it.
    type: bool
    default: false
  validate_credentials:
    description:
      - Whether to see before the first write that the plan is on and that ServiceNow accepts the credentials.
      - V(false) is for check mode, where an earlier task of the same run would have made them so and did not.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait for the end of a removal, in seconds.
    type: float
    default: 600
notes:
  - It takes Security Admin, Contributor or Owner on the scope.
  - Microsoft offers the integration in the commercial cloud only. Elsewhere this module refuses to write.
  - The connection test sends the credentials to Microsoft, in check mode, too.
seealso:
  - module: secops.servicenow_defender.mdc_access_info
  - module: secops.servicenow_defender.mdc_integration_info
  - module: secops.servicenow_defender.mdc_governance_rule
  - module: secops.servicenow_defender.snow_oauth_check
  - ref: ansible_collections.secops.servicenow_defender.docsite.guide_contracts
    description: What a contract is.
  - name: Connect ServiceNow to Defender for Cloud
    description: The same by hand.
    link: https://learn.microsoft.com/en-us/azure/defender-for-cloud/connect-servicenow
"""

EXAMPLES = r"""
- name: Connect a subscription
  secops.servicenow_defender.mdc_integration:
    azure_tenant_id: 00000000-0000-0000-0000-000000000001
    azure_client_id: 00000000-0000-0000-0000-000000000002
    azure_client_secret: "{{ vault_azure_client_secret }}"
    azure_subscription_id: 00000000-0000-0000-0000-000000000003
    display_name: prod-itsm
    instance_url: https://acme-prod.service-now.com
    username: svc_defender_for_cloud
    password: "{{ vault_mdc_password }}"
    client_id: "{{ vault_mdc_client_id }}"
    client_secret: "{{ vault_mdc_client_secret }}"

- name: Connect an AWS account
  secops.servicenow_defender.mdc_integration:
    scope: "/subscriptions/00000000-0000-0000-0000-000000000003/resourceGroups/connectors/providers/\
      Microsoft.Security/securityConnectors/aws-prod"
    display_name: prod-itsm
    instance_url: https://acme-prod.service-now.com
    username: svc_defender_for_cloud
    password: "{{ vault_mdc_password }}"
    client_id: "{{ vault_mdc_client_id }}"
    client_secret: "{{ vault_mdc_client_secret }}"

- name: Disconnect a subscription
  secops.servicenow_defender.mdc_integration:
    scope: /subscriptions/00000000-0000-0000-0000-000000000003
    display_name: prod-itsm
    state: absent
    confirm_assignment_loss: true
"""

RETURN = r"""
msg:
  description: One sentence that says what was found or done.
  returned: always
  type: str
integration:
  description: The integration as it is now, or would be outside check mode.
  returned: success
  type: dict
  contains:
    id:
      description: Its id, a GUID.
      type: str
    scope:
      description: The scope that was asked.
      type: str
    display_name:
      description: Its name.
      type: str
    integration_type:
      description: V(ServiceNow), or what else Microsoft connects.
      type: str
    disabled:
      description: Whether it is switched off.
      type: bool
    excluded_scopes:
      description: Scopes below that it leaves out.
      type: list
      elements: str
    include_members:
      description: Whether it covers the scopes below a management scope.
      type: bool
    inherited_from:
      description: The scope that it is defined on, where it is inherited; empty otherwise.
      type: str
    tables_configurations:
      description: Columns of ServiceNow that it fills, as Microsoft returns them.
      type: list
      elements: dict
    created_at:
      description: When it was made, where that is told.
      type: str
    updated_at:
      description: When it was last changed, where that is told.
      type: str
    extra_properties:
      description: Its properties that the draft does not know.
      type: dict
  sample:
    id: 8d0d9c50-3d35-5f0d-9a43-2f6b9e6f1f0e
    scope: /subscriptions/00000000-0000-0000-0000-000000000003
    display_name: prod-itsm
    integration_type: ServiceNow
    disabled: false
    excluded_scopes: []
    include_members: false
    inherited_from: ''
    tables_configurations:
      - table: Incident
        displayName: Assignee
        serviceNowKey: assigned_to
        isMandatory: true
    created_at: '2026-11-21T10:00:00Z'
    updated_at: '2026-11-21T10:00:00Z'
    extra_properties: {}
connection_test:
  description: What came of trying the credentials.
  returned: success
  type: dict
  contains:
    status:
      description: V(succeeded), V(unavailable) where the subscription has no connection test, or V(skipped) where nothing was written.
      type: str
    message:
      description: More on that.
      type: str
  sample:
    status: succeeded
    message: ''
api_version:
  description: The version of the API that was used.
  returned: success
  type: str
  sample: 2023-07-01-preview
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
from ..module_utils.engine.errors import InvalidInput
from ..module_utils.engine.reconcile import reconcile
from ..module_utils.engine.result import PRESENT
from ..module_utils.microsoft.arm import AZURE_OPTIONS, ArmClient, client_for
from ..module_utils.microsoft.arm.scopes import CONNECTOR, MANAGEMENT_GROUP, SUBSCRIPTION, Scope, scope_of
from ..module_utils.microsoft.collection_store import CollectionStore
from ..module_utils.microsoft.defender_cloud.integration import INTEGRATION_OPTIONS, Integration, credentials_of
from ..module_utils.microsoft.defender_cloud.integration_preflight import SUCCEEDED, IntegrationPreflight
from ..module_utils.microsoft.defender_cloud.integrations_api import COLLECTION, IntegrationsEndpoint, version_for
from ..module_utils.recorded_api.contract import parse
from ..module_utils.recorded_api.replay import Replay

SPEC = ansible_module.ModuleSpec(options=INTEGRATION_OPTIONS, groups=[AZURE_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring one integration to its desired state."""
    scope = scope_of(params, SUBSCRIPTION, MANAGEMENT_GROUP, CONNECTOR)
    client = client_for(params, context)
    if params["state"] == PRESENT and not client.is_commercial:
        raise InvalidInput(
            f"Microsoft offers the ServiceNow integration in the commercial cloud only, not in {params['azure_cloud']}. Nothing was written; "
            f"tickets can be written without it (mdc_assignments, snow_tickets)"
        )
    endpoint = _endpoint(params, client, scope)
    preflight = IntegrationPreflight(endpoint, wanted=params["validate_credentials"])
    integration = Integration(params, endpoint, preflight)
    result = reconcile(CollectionStore(client, {COLLECTION: endpoint}), integration, noun="integration")
    if preflight.outcome["status"] == SUCCEEDED and not context.check_mode:
        preflight.test(integration.label, "The integration was written nevertheless")
    result.output.update(connection_test=preflight.outcome, api_version=endpoint.version)
    return result


def _endpoint(params: ansible_module.Params, client: ArmClient, scope: Scope) -> IntegrationsEndpoint:
    contract = params["contract"]
    replay = Replay(parse(contract, "mdc_integration"), client) if contract is not None else None
    return IntegrationsEndpoint(
        client,
        scope,
        version_for(client, scope, params["api_version"]),
        wait_timeout=params["wait_timeout"],
        credentials=credentials_of(params),
        replay=replay,
    )


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
