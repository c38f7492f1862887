#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: graph_session_control
short_description: Manage session control of ServiceNow with Conditional Access
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Manages the Conditional Access policy that routes sign-ins to the enterprise applications of ServiceNow through Defender for Cloud Apps, which
    can then monitor a session or block downloads in it.
  - A new policy only reports what it would do, until O(mode=enabled) is set.
  - The policy never has a grant control. It requires a break-glass account or group that it does not apply to, and refuses a policy with the grant
    control C(block).
  - The policy is recognized by its name with the marker C([servicenow_defender]) after it. Other policies are not changed.
  - An option that is not set is not managed on an existing policy. A condition for which there is no option, such as platforms, leaves the
    policy unproven.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  display_name:
    description:
      - Name of the policy, without the marker.
    type: str
    default: ServiceNow session control
  applications:
    description:
      - Enterprise applications with which users sign in to ServiceNow, each by its application id or its exact name. The policy applies to these
        and no others.
    type: list
    elements: str
    required: true
  include:
    description:
      - Users to whom the policy applies, as user principal names, object ids, and display names of groups. V(all) stands for all users, V(guests) for
        guests and external users.
      - A new policy applies to V(all).
    type: list
    elements: str
  exclude:
    description:
      - Users and groups to whom the policy does not apply, in the same form. At least one has to be an enabled account or a group with
        members, as a break-glass account.
    type: list
    elements: str
    required: true
  control:
    description:
      - What Defender for Cloud Apps does in a session. V(custom) leaves it to the session policies of Defender for Cloud Apps.
      - A new policy has V(monitor).
    type: str
    choices:
      monitor: C(monitorOnly), sessions are monitored.
      block_downloads: C(blockDownloads), downloads are blocked.
      custom: C(mcasConfigured), session policies decide.
  mode:
    description:
      - Whether the policy is in effect. A new policy has V(report_only).
    type: str
    choices:
      report_only: C(enabledForReportingButNotEnforced), sign-in logs show what the policy would do; no session is routed.
      enabled: Sessions are routed.
      disabled: The policy has no effect.
  location_condition:
    description:
      - Where from users have to sign in for the policy to apply.
      - A new policy applies V(everywhere).
    type: str
    choices:
      everywhere: The policy applies everywhere.
      outside: The policy applies outside O(named_locations).
      inside: The policy applies in O(named_locations) only.
  named_locations:
    description:
      - Named locations of Entra with IP ranges. Missing ones are created, with the marker after their names, and not as trusted locations. Required
        by O(location_condition=outside) and O(location_condition=inside).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - Name of the location, without the marker.
        type: str
        required: true
      subnets:
        description:
          - Public subnets of the location, such as V(198.51.100.0/24) or V(2001:db8::/48), and single addresses. IPv4 ranges are V(/9) or smaller;
            up to 2000 of them.
        type: list
        elements: str
        required: true
  instances:
    description:
      - URLs of the instances that have to be routed. Each is compared with the enterprise application that has its address, and with all
        policies. What is not routed is drift, what has no application is unproven; neither is changed.
    type: list
    elements: str
    default: []
notes:
  - Reading requires the application permissions C(Policy.Read.All), C(Application.Read.All), C(User.Read.All) and C(GroupMember.Read.All) of Microsoft
    Graph, writing C(Policy.ReadWrite.ConditionalAccess) as well. Users need a license with Conditional Access (Microsoft Entra ID P1) and one for
    Defender for Cloud Apps.
  - In check mode, a list that Microsoft Graph refuses leaves the objects unproven. Otherwise, the task fails before it writes.
  - To remove the policy, set O(mode=disabled) and delete it under C(Entra > Conditional Access > Policies).
seealso:
  - module: secops.servicenow_defender.mda_policies
  - ref: ansible_collections.secops.servicenow_defender.docsite.guide_protection
    description: How to protect sessions and files.
  - name: 'Facts: Session control'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/microsoft_graph.md#session-control
"""

EXAMPLES = r"""
- name: Report which sessions would be monitored
  secops.servicenow_defender.graph_session_control:
    azure_tenant_id: 5c1e7d0a-6f5b-4d7f-9a55-0c9f1f2f8a11
    azure_client_id: "{{ vault_azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    applications: [ServiceNow]
    exclude: [breakglass@acme.com]

- name: Block downloads outside the offices
  secops.servicenow_defender.graph_session_control:
    azure_tenant_id: 5c1e7d0a-6f5b-4d7f-9a55-0c9f1f2f8a11
    azure_client_id: "{{ vault_azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    applications: [ServiceNow]
    exclude: [Break-glass accounts]
    control: block_downloads
    mode: enabled
    location_condition: outside
    named_locations:
      - name: Head office
        subnets: [198.51.100.0/24]
    instances: [https://acme.service-now.com]
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'Microsoft Graph: created session_control ServiceNow session control'
results:
  description: Result for each named location, then for the policy, then for each instance of O(instances).
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: The object, as named in RV(drift).
      type: str
    name:
      description: Name of the location or policy, or URL of the instance.
      type: str
    status:
      description: V(ok), V(changed), or V(unknown) if it could not be read. For an instance also V(not_routed) and V(report_only), if that is less than
        O(mode) of the policy.
      type: str
    reason:
      description: Why the status is not V(ok).
      returned: if there is a reason
      type: str
    id:
      description: Id of the location or policy in Entra.
      returned: if it exists
      type: str
    subnets:
      description: Subnets of a location.
      returned: for a location
      type: list
      elements: str
    mode:
      description: As O(mode).
      returned: for the policy
      type: str
    control:
      description: As O(control), V(none) if session control was removed.
      returned: for the policy
      type: str
    applications:
      description: Names of the enterprise applications of the policy, or of those with the address of the instance.
      returned: for the policy and for an instance
      type: list
      elements: str
    include:
      description: Users and groups to whom the policy applies.
      returned: for the policy
      type: list
      elements: str
    exclude:
      description: Users and groups to whom the policy does not apply.
      returned: for the policy
      type: list
      elements: str
    locations:
      description: V(everywhere), or V(outside) or V(inside) with the names of locations.
      returned: for the policy
      type: str
    routing:
      description: Effect of all policies on sign-ins to the instance, V(routed), V(report_only) or V(not_routed).
      returned: for an instance with an application
      type: str
    policies:
      description: Names of the policies that apply to the applications of the instance.
      returned: for an instance
      type: list
      elements: str
  sample:
    - object: session_control ServiceNow session control
      name: ServiceNow session control
      id: 7359d0e0-d8a9-4afa-8a93-e23e099d7be8
      status: changed
      mode: report_only
      control: monitor
      applications: [ServiceNow]
      include: [all]
      exclude: [breakglass@acme.com]
drift:
  description: Differences to the desired state, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: success
  type: list
  elements: dict
manual_steps:
  description: Always empty, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
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
  sample: {read: 6, write: 1}
"""

from ..module_utils import ansible_module
from ..module_utils.engine.reconcile import reconcile
from ..module_utils.microsoft.collection_store import CollectionStore
from ..module_utils.microsoft.conditional_access import directory_api, named_locations_api, session_control_api
from ..module_utils.microsoft.conditional_access.named_locations import NAMED_LOCATION_OPTIONS, NamedLocations
from ..module_utils.microsoft.conditional_access.routing import Routing
from ..module_utils.microsoft.conditional_access.session_control import SESSION_CONTROL_OPTIONS, SessionControl
from ..module_utils.microsoft.graph import AZURE_OPTIONS, client_for

SPEC = ansible_module.ModuleSpec(
    options={
        **SESSION_CONTROL_OPTIONS,
        "named_locations": {"type": "list", "elements": "dict", "default": [], "options": NAMED_LOCATION_OPTIONS},
        "instances": {"type": "list", "elements": "str", "default": []},
    },
    groups=[AZURE_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring the policy and its locations to their desired state, and compare what is routed."""
    tolerant = context.check_mode
    locations = NamedLocations(params["named_locations"], tolerant=tolerant)
    control = SessionControl(params, list(locations.desired), tolerant=tolerant)
    client = client_for(params, context)
    endpoint = named_locations_api.NamedLocationsEndpoint(client)
    store = CollectionStore(
        client,
        {
            named_locations_api.COLLECTION: endpoint,
            session_control_api.COLLECTION: session_control_api.SessionControlEndpoint(client, endpoint),
            directory_api.APPLICATIONS: directory_api.ApplicationsEndpoint(client),
            directory_api.PRINCIPALS: directory_api.PrincipalsEndpoint(client, control.principals),
        },
    )
    return reconcile(store, locations, control, Routing(params["instances"], control))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
