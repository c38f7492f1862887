#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_offboarding
short_description: Manage the removal of connections from a ServiceNow instance
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Removes what the connection to a Microsoft Defender service needed on an instance, in the reverse order of its creation. The
    application is deactivated, its tokens are revoked, then the application, the account and the role are deleted.
  - An object that others use is kept, and RV(results[].reason) names the use. These are an application of which other accounts have
    tokens; an account with further roles, groups or applications; and a role that other accounts, groups or roles have. An object is
    also kept if the calling account may not read who uses it, or signs in with it.
  - A role that access rules require is kept until they no longer do, with a manual step, because access rules can only be written in a
    session with the elevated role C(security_admin).
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
options:
  connections:
    description:
      - The connections to remove. A name that is not set or empty stands for no object.
    type: list
    elements: dict
    required: true
    suboptions:
      application_name:
        description:
          - Name of the OAuth application. Its tokens are revoked, as far as they are of O(connections[].user_name).
        type: str
      user_name:
        description:
          - User name of the service account.
        type: str
      user_roles:
        description:
          - Names of the roles that the account has for the connection. A direct grant of any other role is use by others.
        type: list
        elements: str
      role_name:
        description:
          - Name of the custom role.
        type: str
      keep:
        description:
          - Why nothing of this connection is removed, for example because it was not created for it. It is the reason in the results.
        type: str
      waits_for:
        description:
          - What has to happen before this connection is removed, for example on the side of Microsoft. Nothing is written until then,
            and what exists is drift.
        type: str
notes:
  - Reading who uses an object requires the role C(admin).
seealso:
  - module: secops.servicenow_defender.snow_instance
  - ref: ansible_collections.secops.servicenow_defender.docsite.guide_offboarding
    description: How to take an instance out of a fleet.
  - name: 'Facts: Related OAuth tables'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_platform.md#related-oauth-tables
"""

EXAMPLES = r"""
- name: Remove the connection to Defender for Cloud Apps
  secops.servicenow_defender.snow_offboarding:
    snow_url: https://acme-test.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    connections:
      - application_name: Microsoft Defender for Cloud Apps
        user_name: svc_defender_cloud_apps
        user_roles: [defender_cloud_apps_reader]
        role_name: defender_cloud_apps_reader
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'acme-test: deleted oauth_application Microsoft Defender for Cloud Apps, user svc_defender_cloud_apps; manual: role
    defender_cloud_apps_reader; 1 manual step'
results:
  description: Status of each object, in the order of the task.
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: The object, as named in RV(drift).
      type: str
    status:
      description: V(ok) (it does not exist), V(changed) (removed), V(kept), V(manual) or V(waiting).
      type: str
    reason:
      description: Why it was not removed; only if it was not.
      type: str
    sys_id:
      description: The sys_id of its row; only if it was removed.
      type: str
    tokens:
      description: Number of tokens; only of tokens.
      type: int
  sample:
    - object: token Microsoft Defender for Cloud Apps
      status: changed
      tokens: 2
    - object: oauth_application Microsoft Defender for Cloud Apps
      status: changed
      sys_id: 3f1b4a8adcd777ef32b582535f88aab4
    - object: user svc_defender_cloud_apps
      status: kept
      reason: it has the further role itil
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
  sample: {read: 1, write: 4}
"""

from ..module_utils import ansible_module
from ..module_utils.engine.reconcile import reconcile
from ..module_utils.snow import SNOW_OPTIONS, store_for
from ..module_utils.snow.resources.connection_removal import OFFBOARDING_OPTIONS, removals

SPEC = ansible_module.ModuleSpec(options=OFFBOARDING_OPTIONS, groups=[SNOW_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Remove the connections, in one plan."""
    return reconcile(store_for(params, context), *removals(params))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
