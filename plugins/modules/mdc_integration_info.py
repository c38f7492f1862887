#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_integration_info
short_description: List the integrations of Defender for Cloud with ServiceNow
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the integrations that work on a scope, its own and those that it inherits. Credentials are never among them.
  - B(Experimental). Microsoft has not published this API; see M(secops.servicenow_defender.mdc_integration).
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  scope:
    description:
      - Where, V(/subscriptions/<id>), V(/providers/Microsoft.Management/managementGroups/<name>), or the resource id of a
        security connector.
      - If left out, it is the subscription O(azure_subscription_id).
    type: str
  api_version:
    description:
      - Version of the API. If left out, it is found as O(secops.servicenow_defender.mdc_integration#module:api_version) says.
    type: str
seealso:
  - module: secops.servicenow_defender.mdc_integration
"""

EXAMPLES = r"""
- name: Read what is connected
  secops.servicenow_defender.mdc_integration_info:
    azure_tenant_id: 00000000-0000-0000-0000-000000000001
    azure_client_id: 00000000-0000-0000-0000-000000000002
    azure_client_secret: "{{ vault_azure_client_secret }}"
    azure_subscription_id: 00000000-0000-0000-0000-000000000003
  register: found

- name: Show what is inherited
  ansible.builtin.debug:
    msg: "{{ found.integrations | selectattr('inherited_from') | map(attribute='display_name') }}"
"""

RETURN = r"""
msg:
  description: One sentence that says what was found or done.
  returned: always
  type: str
integrations:
  description: The integrations, the scope's own first, then by name.
  returned: success
  type: list
  elements: dict
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
  description: The version of the API that was used.
  returned: success
  type: str
  sample: 2023-07-01-preview
api_calls:
  description: Number of HTTP requests that the task sent, as R(every module returns it,ansible_collections.secops.servicenow_defender.docsite.guide_results).
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
