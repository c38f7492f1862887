#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_integration
short_description: Manage the ServiceNow integration of Defender for Cloud
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates, updates or deletes the integration that allows Defender for Cloud to create tickets in ServiceNow
    (Microsoft.Security/integrations).
  - B(Experimental). Microsoft has not published this API. Its type and API versions are confirmed by lists of
    Microsoft, the body is taken from a draft specification that was never merged. O(api_version) and O(contract)
    override them.
  - An integration is identified by its name on the scope that defines it. Inherited integrations are not changed.
    Unknown properties that Microsoft returns are sent unchanged.
  - Credentials are never returned. They are written to a new integration, and compared with what was accepted last with
    O(update_credentials=on_mismatch). Whether an update without credentials keeps or clears them is not known, so every
    update requires all of them.
  - Before the first write, the module verifies that the cloud is the commercial one, that Defender CSPM is on, and that
    ServiceNow accepts the credentials. After a write, the credentials are verified again. If the subscription has no
    connection test, a warning is issued.
  - Deleting an integration also deletes all assignments that it created, which can take Microsoft up to 24 hours.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._azure.scope
  - secops.servicenow_defender._transport
requirements:
  - jmespath, with O(contract)
attributes:
  check_mode:
    details:
      - What the account may not read is returned in RV(unproven). Otherwise, the task fails.
  idempotent:
    support: partial
    details:
      - With O(update_credentials=always), every run writes the credentials and reports a change.
options:
  display_name:
    description:
      - Name of the integration.
    type: str
    required: true
  state:
    description:
      - Desired state of the integration. V(absent) requires O(confirm_assignment_loss=true).
    type: str
    choices: [present, absent]
    default: present
  instance_url:
    description:
      - URL of the ServiceNow instance, such as V(https://acme-prod.service-now.com).
    type: str
  username:
    description:
      - User name of the account in ServiceNow. Microsoft requires an administrator.
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
      on_create: When the integration is created, and with every other change.
      on_mismatch: In addition, when they differ from those that were accepted last (O(accepted)), and when these are not known.
      always: In every run, which reports a change each time.
    default: on_create
  accepted:
    description:
      - What the integration accepted last, as an earlier run returned it in RV(accepted). An empty value means that it is not known.
      - It holds the address, user name and client id, and keyed digests (HMAC-SHA256) of the secrets.
    type: json
  accepted_key:
    description:
      - Key of the digests in O(accepted), a random secret that is stored next to it. Required for O(update_credentials=on_mismatch).
    type: str
  refresh_token_lifespan:
    description:
      - Lifespan of refresh tokens of the OAuth application on the instance, in seconds. With O(accepted), which holds when the integration
        accepted its credentials, it bounds until when its refresh token is valid.
    type: int
  refresh_token_expires_at:
    description:
      - Latest expiry of a refresh token of the application, as
        RV(secops.servicenow_defender.snow_oauth_application_info#module:oauth_applications) holds it. The token of the integration is valid
        no longer.
    type: str
  disabled:
    description:
      - Whether the integration is disabled.
      - If not set, a new integration is enabled.
    type: bool
  excluded_scopes:
    description:
      - Ids of scopes below that the integration excludes.
    type: list
    elements: str
  include_members:
    description:
      - Whether the integration of a management scope covers the scopes below it.
    type: bool
  api_version:
    description:
      - Version of the API.
      - If not set, the newest version of the subscription that is compatible with the draft (V(2024-01-31),
        V(2023-07-01-preview)) is used, otherwise its newest preview. If the versions cannot be read,
        V(2023-07-01-preview) is used.
    type: str
  contract:
    description:
      - A contract for the target V(mdc_integration). Its operations C(create), C(update), C(delete) and C(test) replace
        the requests of this module.
      - In addition to the placeholders of every contract, it supports C(scope) (without the leading slash),
        C(api_version), C(disabled), C(excluded_scopes), C(include_members), and C(properties), the complete properties
        that this module would send.
      - C(test) may declare the fields C(succeeded), C(error_type) and C(error).
    type: dict
  confirm_assignment_loss:
    description:
      - Confirms that the assignments of the integration are deleted with it.
    type: bool
    default: false
  validate_credentials:
    description:
      - Whether to verify before the first write that the plan is on and that ServiceNow accepts the credentials.
      - In check mode, what is refused is a warning, as an earlier task of the same run may correct the plan or the credentials.
    type: bool
    default: true
  wait_timeout:
    description:
      - Maximum time to wait for the completion of a deletion, in seconds.
    type: float
    default: 600
notes:
  - Requires Security Admin, Contributor or Owner on the scope.
  - Microsoft offers the integration only in the commercial cloud. In other clouds this module refuses to write.
  - The connection test sends the credentials to Microsoft, also in check mode.
seealso:
  - module: secops.servicenow_defender.mdc_access_info
  - module: secops.servicenow_defender.mdc_integration_info
  - module: secops.servicenow_defender.mdc_governance_rule
  - module: secops.servicenow_defender.snow_oauth_check
  - ref: ansible_collections.secops.servicenow_defender.docsite.guide_contracts
    description: What a contract is.
  - name: Connect ServiceNow to Defender for Cloud
    description: How to connect manually.
    link: https://learn.microsoft.com/en-us/azure/defender-for-cloud/connect-servicenow
  - name: 'Facts: Integration body'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/defender_for_cloud.md#integration-body
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
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'subscription 00000000-0000-0000-0000-000000000003: integration prod-itsm in sync'
integration:
  description: The integration after the task; in check mode, as it would be.
  returned: success
  type: dict
  contains:
    id:
      description: Id, a GUID.
      type: str
    scope:
      description: Scope that was queried.
      type: str
    display_name:
      description: Name.
      type: str
    integration_type:
      description: V(ServiceNow), or another type of Microsoft.
      type: str
    disabled:
      description: Whether it is disabled.
      type: bool
    excluded_scopes:
      description: Excluded scopes.
      type: list
      elements: str
    include_members:
      description: Whether it covers the scopes below a management scope.
      type: bool
    inherited_from:
      description: Scope that defines it, if it is inherited; otherwise empty.
      type: str
    tables_configurations:
      description: ServiceNow columns that it fills, as returned by Microsoft.
      type: list
      elements: dict
    created_at:
      description: Time of creation, if returned.
      type: str
    updated_at:
      description: Time of the last update, if returned.
      type: str
    extra_properties:
      description: Properties that the draft does not define.
      type: dict
    refresh_token_expires_at:
      description: Until when its refresh token can be valid, from O(refresh_token_expires_at) and O(refresh_token_lifespan); empty if unknown.
      type: str
    days_left:
      description: Days until then, 0 once it has passed; null if unknown.
      type: int
    ended_days_ago:
      description: Days since then; null if it has not passed, or is unknown.
      type: int
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
    refresh_token_expires_at: '2036-11-19T10:00:00+00:00'
    days_left: 3649
    ended_days_ago: null
connection_test:
  description: Result of the connection test.
  returned: success
  type: dict
  contains:
    status:
      description: V(succeeded), V(unavailable) if the subscription has no connection test, or V(skipped) if nothing was
        written.
      type: str
    message:
      description: Details of the result.
      type: str
  sample:
    status: succeeded
    message: ''
api_version:
  description: API version that was used.
  returned: success
  type: str
  sample: 2023-07-01-preview
accepted:
  description: What the integration has accepted, to be stored and given as O(accepted) in the next run; empty once it is deleted.
  returned: when O(accepted_key) is given, and it is to be stored
  type: str
  sample: '{"client_id":"0f1e2d3c","digest":"5d41","instance_url":"https://acme-prod.service-now.com","key":"9a0b1c2d","version":1}'
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
from ..module_utils.engine.errors import InvalidInput
from ..module_utils.engine.prediction import reconcile_or_unproven
from ..module_utils.engine.result import PRESENT
from ..module_utils.microsoft.arm import AZURE_OPTIONS, ArmClient, client_for
from ..module_utils.microsoft.arm.scopes import CONNECTOR, MANAGEMENT_GROUP, SUBSCRIPTION, Scope, scope_of
from ..module_utils.microsoft.collection_store import CollectionStore
from ..module_utils.microsoft.defender_cloud.access_check import SOVEREIGN
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
            f"{SOVEREIGN}"
        )
    endpoint = _endpoint(params, client, scope)
    preflight = IntegrationPreflight(endpoint, wanted=params["validate_credentials"])
    integration = Integration(params, endpoint, preflight)
    result = reconcile_or_unproven(CollectionStore(client, {COLLECTION: endpoint}), integration, noun="integration")
    if preflight.outcome["status"] == SUCCEEDED and not context.check_mode:
        preflight.test(integration.label, "The integration was written nevertheless")
    result.output.update(connection_test=preflight.outcome, api_version=endpoint.version)
    if result.changed and not context.check_mode and params["accepted_key"]:
        accepted = integration.accepted(str((result.output.get("integration") or {}).get("id") or ""))
        if accepted != (params["accepted"] or ""):
            result.output["accepted"] = accepted
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
