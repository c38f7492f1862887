#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: entra_application
short_description: Manage the Entra application that ServiceNow signs in with
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates an application of one tenant in Microsoft Entra with its service principal, gives it a role in Azure, and requests its secret.
  - Entra generates the secret and returns it once, in RV(client_secret). Store it, and RV(application.key_id), before anything else.
  - A secret with the name O(secret_name) whose key id is not among O(key_ids) is one that a run requested and did not live to store.
    It is removed.
  - The role P(secops.servicenow_defender.mdc_configuration_compliance#role) uses this module for the import into Configuration Compliance.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  display_name:
    description:
      - Name of the application. Two applications with this name are an error that lists both.
    type: str
    required: true
  state:
    description:
      - Whether the application exists. V(absent) deletes only an application that this module created, and its roles on O(scope).
      - A deleted application can be restored in Entra for 30 days.
    type: str
    choices: [present, absent]
    default: present
  role:
    description:
      - Role in Azure that the application has on O(scope), by its name, such as V(Security Reader).
      - If not set, roles are not managed.
    type: str
  scope:
    description:
      - Where it has O(role), as V(/subscriptions/<id>) or V(/providers/Microsoft.Management/managementGroups/<name>). A role that is
        inherited from a scope above counts. Other roles and scopes are left as they are.
      - If not set, the subscription O(azure_subscription_id) is used.
    type: list
    elements: str
  secret_name:
    description:
      - Display name of the secret. Each user of the application has a name of its own; secrets with other names are left as they are.
    type: str
    default: secops.servicenow_defender
  removable_secrets:
    description:
      - With O(state=absent), display names of the secrets that are not needed any more. An application that has another valid secret or a
        certificate, or that this module did not create, is kept then, and only the secrets with these names are removed;
        RV(results) says why.
      - If not set, an application that this module created is deleted whoever uses it, and any other is refused.
    type: list
    elements: str
  secret_lifetime_days:
    description:
      - How long a new secret is valid, in days.
    type: int
    default: 180
  key_ids:
    description:
      - Key ids of the secrets that are stored. A new secret is requested if none of them is valid, and all others with the name
        O(secret_name) are removed.
      - If not set, every valid secret with that name counts as stored.
    type: list
    elements: str
  client_secret:
    description:
      - The secret in use. Before another one is removed, the application signs in with it; if Entra refuses that, none is removed.
    type: str
  max_age_days:
    description:
      - Age in days from which the secret gets a successor. V(0) requests a new secret in every run.
      - The secret that is replaced stays until it is no longer among O(key_ids).
    type: float
  renew_before_days:
    description:
      - Days before its end from which the secret gets a successor.
    type: float
    default: 0
notes:
  - Requires the permission C(Application.ReadWrite.OwnedBy) of Microsoft Graph, or C(Application.ReadWrite.All) for an application that the
    caller does not own. Assigning O(role) requires Owner or User Access Administrator on O(scope).
  - A result with a secret is hidden from output, but not from a registered variable.
  - With O(max_age_days=0), every run changes something.
seealso:
  - module: secops.servicenow_defender.snow_configuration_compliance
  - name: Create application
    description: The API that this module uses.
    link: https://learn.microsoft.com/graph/api/application-post-applications
  - name: 'Facts: Applications'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/entra.md#applications
"""

EXAMPLES = r"""
- name: Create the application that ServiceNow reads Defender for Cloud with
  secops.servicenow_defender.entra_application:
    azure_tenant_id: 00000000-0000-0000-0000-000000000001
    azure_client_id: 00000000-0000-0000-0000-000000000002
    azure_client_certificate: /etc/ansible/automation.pem
    display_name: ServiceNow Configuration Compliance
    role: Security Reader
    scope: /subscriptions/00000000-0000-0000-0000-000000000003
  register: entra

- name: Delete the application
  secops.servicenow_defender.entra_application:
    azure_tenant_id: 00000000-0000-0000-0000-000000000001
    azure_client_id: 00000000-0000-0000-0000-000000000002
    azure_client_certificate: /etc/ansible/automation.pem
    display_name: ServiceNow Configuration Compliance
    role: Security Reader
    scope: /subscriptions/00000000-0000-0000-0000-000000000003
    state: absent
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'Microsoft Entra: created entra_application ServiceNow Configuration Compliance'
application:
  description: The application after the task; in check mode, as far as it is known. With O(state=absent), only its names.
  returned: success
  type: dict
  contains:
    display_name:
      description: Name.
      type: str
    client_id:
      description: Client id (appId), empty until it exists.
      type: str
    object_id:
      description: Object id of the application.
      type: str
    principal_id:
      description: Object id of the service principal, empty if it was not read, which only roles and a first secret need.
      type: str
    role:
      description: Role in Azure that is managed, empty for none.
      type: str
    scope:
      description: Where it has the role.
      type: list
      elements: str
    key_id:
      description: Key id of the newest secret in use, empty if there is none.
      type: str
    expires_at:
      description: When that secret ends (UTC), empty if there is none.
      type: str
    days_left:
      description: Whole days until then, V(null) if there is none.
      type: int
  sample:
    display_name: ServiceNow Configuration Compliance
    client_id: 0b8f8a3e-3a5f-4b0e-8f0e-5a4c5a1d2e33
    object_id: 7d4bb2a0-9a0e-4a30-8a33-6f2d8a1c5b11
    principal_id: 2b1f63b5-0d6f-4a6c-9d2e-1f1f5f6c7d88
    role: Security Reader
    scope: [/subscriptions/00000000-0000-0000-0000-000000000003]
    key_id: 3c5f0f3e-6f0b-4f5e-8f64-9a5f6f1b7a22
    expires_at: '2027-05-28T09:00:00+00:00'
    days_left: 180
results:
  description: The application, if O(removable_secrets) keep it, with the reason.
  returned: when it is kept
  type: list
  elements: dict
  sample:
    - object: entra_application ServiceNow Configuration Compliance
      status: kept
      reason: 'others use it: it has the secret reporting'
client_secret:
  description: The new secret, with the key id RV(application.key_id). No later task can read it.
  returned: when one was requested
  type: str
  sample: a1B8Q~c2D3e4F5g6H7i8J9k0
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
from ..module_utils.microsoft.arm import AZURE_OPTIONS
from ..module_utils.microsoft.entra_applications.application import APPLICATION_OPTIONS
from ..module_utils.microsoft.entra_applications.task import manage

SPEC = ansible_module.ModuleSpec(
    options=APPLICATION_OPTIONS,
    groups=[AZURE_OPTIONS],
    rules={"required_by": {"scope": ["role"]}},
    hides_results_with="client_secret",
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring one application to its desired state."""
    return manage(params, context)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
