#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_plugins
short_description: Activate plugins and install applications on a ServiceNow instance
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Activates plugins and installs or upgrades applications of the ServiceNow Store that are not there yet, one after
    the other, through the CI/CD API of the instance.
  - The platform has no way to deactivate a plugin, so this module has none either.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - Whether the instance is entitled to something, or gets it on request only, is known only when it is ordered.
  idempotent:
    support: partial
    details:
      - With O(wait=false) a run that begins before the last one's order has ended orders it again.
options:
  plugins:
    description:
      - Plugins that have to be active. At least one of O(plugins) and O(applications) is required.
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
          - The plugin has to be active. The platform has no way back, so there is no other choice.
        type: str
        choices: [active]
        default: active
  applications:
    description:
      - Applications of the ServiceNow Store that have to be installed.
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
          - Version that has to be installed, such as V(2.1.0). An older one is upgraded. A newer one fails the task
            before it writes anything.
          - If left out, any version will do, and an application that is not there is installed in the version that the
            instance chooses.
        type: str
  wait:
    description:
      - Whether to wait until what was started has ended.
      - With V(false) the task reports a change as soon as the instance has taken the order. Another run before the end
        orders it again.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait for each plugin or application, in seconds. After that the task fails; the instance goes on all
        the same, and a later run sees how it ended.
    type: float
    default: 1800
  poll_interval:
    description:
      - Seconds before the progress is asked for the first time. The pauses grow from there to at most 60 seconds.
    type: float
    default: 10
notes:
  - Activating takes the role C(sn_cicd.sys_ci_automation) or C(admin). Where the roles of the calling account can be
    read, the task fails before it starts anything.
  - Progress is shown while the task waits, one line for each change, where the module runs in the worker (see the
    attribute C(action)).
  - An activation can take many minutes, and the instance does one at a time. Mind O(wait_timeout).
  - The tables that list plugins are closed to most accounts. A plugin that cannot be seen is taken to be inactive.
seealso:
  - module: secops.servicenow_defender.snow_instance_info
  - module: secops.servicenow_defender.snow_instance
  - name: CI/CD API
    description: What the instance does with the order.
    link: https://www.servicenow.com/docs/r/api-reference/rest-apis/cicd-api.html
"""

EXAMPLES = r"""
- name: Make sure that OAuth is active
  secops.servicenow_defender.snow_plugins:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    plugins:
      - id: com.snc.platform.security.oauth

- name: Install an application, and give it an hour
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
  description: One sentence that says what was found or done.
  returned: always
  type: str
results:
  description: What became of each plugin and application, plugins first.
  returned: success, and when an activation failed
  type: list
  elements: dict
  contains:
    object:
      description: The plugin or application, as RV(drift) names it.
      type: str
    name:
      description: Id of the plugin, or scope of the application.
      type: str
    status:
      description:
        - V(ok) when it was there, and V(changed) when it was ordered, or would be.
        - V(request_only) when ServiceNow activates it on request only, and V(not_entitled) when the instance is not
          entitled to it. Both come with a manual step.
        - V(refused) when the account may not order it, and V(failed) when it did not end well. V(failed) fails the
          task, and so does V(refused) where nothing else was done.
      type: str
    version:
      description: The version that was found; of applications only, empty where there was none.
      type: str
    reason:
      description: Why it is not there; only where it is not.
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
    """Activate plugins and install store applications that are not there yet."""
    return reconcile(store_for(params, context), Plugins.from_params(params))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
