#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_plugins
short_description: Manage plugins and applications of a ServiceNow instance
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Activates missing plugins, and installs or upgrades applications of the ServiceNow Store, one after the other,
    through the CI/CD API of the instance.
  - A plugin cannot be deactivated, so this module does not support it.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._polling
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - Whether the instance is entitled to an application, or gets a plugin only on request, is only known when it is
        requested.
  idempotent:
    support: partial
    details:
      - With O(wait=false), a run that starts before the previous request has finished sends it again.
options:
  plugins:
    description:
      - Plugins that must be active. At least one of O(plugins) and O(applications) is required.
    type: list
    elements: dict
    suboptions:
      id:
        description:
          - Id of the plugin, such as V(com.snc.platform.security.oauth).
        type: str
        required: true
      state:
        description:
          - Desired state of the plugin. A plugin cannot be deactivated, so there is no other choice.
        type: str
        choices: [active]
        default: active
  applications:
    description:
      - Applications of the ServiceNow Store that must be installed.
    type: list
    elements: dict
    suboptions:
      scope:
        description:
          - Scope of the application, such as V(sn_vul_msft_tvm).
        type: str
        required: true
      version:
        description:
          - Version to install, such as V(2.1.0). An older one is upgraded. A newer one fails the task before it writes
            anything.
          - If not set, any version is accepted, and a missing application is installed in the version that the instance
            selects.
        type: str
  wait:
    description:
      - Whether to wait until activations and installations have finished.
      - With V(false), the task reports a change as soon as the instance has accepted the request. Another run before it
        has finished sends it again.
    type: bool
    default: true
notes:
  - Activating requires the role C(sn_cicd.sys_ci_automation) or C(admin). If the roles of the calling account can be
    read, missing roles fail the task before it starts anything.
  - Progress is shown while the task waits, one line for each change, if the module runs in the worker process (see the
    attribute C(action)).
  - An activation can take many minutes, and the instance runs one at a time. Adjust O(wait_timeout) if needed.
  - Most accounts cannot read the tables that list plugins. A plugin that cannot be read is considered inactive.
seealso:
  - module: secops.servicenow_defender.snow_instance_info
  - module: secops.servicenow_defender.snow_instance
  - name: CI/CD API
    description: The API that this module uses.
    link: https://www.servicenow.com/docs/r/api-reference/rest-apis/cicd-api.html
  - name: 'Facts: CI/CD API'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_platform.md#cicd-api
"""

EXAMPLES = r"""
- name: Ensure that OAuth is active
  secops.servicenow_defender.snow_plugins:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    plugins:
      - id: com.snc.platform.security.oauth

- name: Install an application, and wait for up to one hour
  secops.servicenow_defender.snow_plugins:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    applications:
      - scope: sn_vul_msft_tvm
        version: 2.1.0
    wait_timeout: 3600
    poll_interval: 30
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'acme-prod: 3 plugins and applications: 1 activated, 1 in sync, 1 on request only'
results:
  description: Result for each plugin and application, plugins first.
  returned: success, and when an activation failed
  type: list
  elements: dict
  contains:
    object:
      description: The plugin or application, as named in RV(drift).
      type: str
    name:
      description: Id of the plugin, or scope of the application.
      type: str
    status:
      description:
        - V(ok) if it is in sync, and V(changed) if it was requested, or would be in check mode.
        - V(request_only) if ServiceNow activates it only on request, and V(not_entitled) if the instance is not
          entitled to it. Both have a manual step.
        - V(unknown) if the account may not read the table of plugins or applications. It is not written then, and a
          warning names it.
        - V(refused) if the account may not request it, and V(failed) if it failed. V(failed) fails the task, and so
          does V(refused) if nothing else was done.
      type: str
    version:
      description: Version that was found; only for applications, empty if there was none.
      type: str
    reason:
      description: Reason why it is missing; only if it is.
      type: str
  sample:
    - object: plugin com.snc.vulc
      name: com.snc.vulc
      status: changed
    - object: plugin com.glide.explicit_roles
      name: com.glide.explicit_roles
      status: request_only
      reason: 'acme-prod: plugin com.glide.explicit_roles ended with Failed: Plugin com.glide.explicit_roles
        can only be activated by ServiceNow support. ServiceNow activates it on request
        only'
    - object: application sn_vsc
      name: sn_vsc
      status: ok
      version: 3.2.1
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
from ..module_utils.engine.reconcile import reconcile
from ..module_utils.snow import SNOW_OPTIONS, store_for
from ..module_utils.snow.options import entries
from ..module_utils.snow.resources.plugins import APPLICATION_OPTIONS, PLUGIN_OPTIONS, Plugins
from ..module_utils.transport.polling import WAIT_OPTIONS

SPEC = ansible_module.ModuleSpec(
    options={"plugins": entries(PLUGIN_OPTIONS), "applications": entries(APPLICATION_OPTIONS), **WAIT_OPTIONS},
    groups=[SNOW_OPTIONS],
    rules={"required_one_of": [["plugins", "applications"]]},
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Activate plugins and install store applications that are missing."""
    return reconcile(store_for(params, context), Plugins.from_params(params))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
