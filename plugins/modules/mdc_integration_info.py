#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_integration_info
short_description: List the integrations of Defender for Cloud with ServiceNow
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the integrations of a scope, its own and inherited ones. Credentials are never returned.
  - B(Experimental). Microsoft has not published this API; see M(secops.servicenow_defender.mdc_integration).
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._azure.scope
  - secops.servicenow_defender._transport
options:
  api_version:
    description:
      - Version of the API. If not set, it is determined as for
        O(secops.servicenow_defender.mdc_integration#module:api_version).
    type: str
seealso:
  - module: secops.servicenow_defender.mdc_integration
  - name: 'Facts: Integration operations'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/defender_for_cloud.md#integration-operations
"""

EXAMPLES = r"""
- name: List the integrations
  secops.servicenow_defender.mdc_integration_info:
    azure_tenant_id: 00000000-0000-0000-0000-000000000001
    azure_client_id: 00000000-0000-0000-0000-000000000002
    azure_client_secret: "{{ vault_azure_client_secret }}"
    azure_subscription_id: 00000000-0000-0000-0000-000000000003
  register: found

- name: Show the inherited integrations
  ansible.builtin.debug:
    msg: "{{ found.integrations | selectattr('inherited_from') | map(attribute='display_name') }}"
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'subscription 00000000-0000-0000-0000-000000000003: 2 integrations, 1 inherited'
integrations:
  description: The integrations, the scope's own first, then by name.
  returned: success
  type: list
  elements: dict
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
  sample:
    - id: 8d0d9c50-3d35-5f0d-9a43-2f6b9e6f1f0e
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
api_version:
  description: API version that was used.
  returned: success
  type: str
  sample: 2023-07-01-preview
api_calls:
  description: Number of HTTP requests that the task sent, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.microsoft.arm import AZURE_OPTIONS, client_for
from ..module_utils.microsoft.arm.json_properties import document_of
from ..module_utils.microsoft.arm.scopes import CONNECTOR, MANAGEMENT_GROUP, SUBSCRIPTION, scope_of
from ..module_utils.microsoft.defender_cloud.integration import integration_as_result
from ..module_utils.microsoft.defender_cloud.integrations_api import IntegrationsEndpoint, version_for

SPEC = ansible_module.ModuleSpec(
    options={"scope": {"type": "str"}, "api_version": {"type": "str"}}, groups=[AZURE_OPTIONS]
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Return the integrations in effect on a scope."""
    scope = scope_of(params, SUBSCRIPTION, MANAGEMENT_GROUP, CONNECTOR)
    client = client_for(params, context)
    endpoint = IntegrationsEndpoint(client, scope, version_for(client, scope, params["api_version"]))
    found = [integration_as_result(document_of(row), endpoint) for row in endpoint.read().rows]
    found.sort(key=lambda entry: (entry["inherited_from"], entry["display_name"], entry["id"]))
    inherited = sum(bool(entry["inherited_from"]) for entry in found)
    msg = f"{scope}: {len(found)} integrations in effect, {inherited} of them inherited"
    return ansible_module.information(msg=msg, integrations=found, api_version=endpoint.version)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
