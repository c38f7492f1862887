#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_properties
short_description: Manage system properties of a ServiceNow instance
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates and changes rows of C(sys_properties), many in one task. Properties that are not named are not touched, and
    none is ever deleted.
  - Every change makes all nodes of the instance drop their cached properties, which costs it minutes. So only
    differences are written, and O(max_writes) limits how many.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - Whether an access rule of the instance refuses a single property is seen only when it is written.
  idempotent:
    support: partial
    details:
      - With O(max_writes) it takes as many runs as there are differences left.
options:
  properties:
    description:
      - Names of properties, and for each the value that it has to have.
      - Instead of a value, a dictionary with C(value), and optionally C(type) and C(description), describes these
        columns, too.
      - A value compares as what the type of the property says it is, so that V(true) and C(True) are the same for a
        boolean.
      - A new property without C(type) becomes a boolean, an integer or a string, as its value is in YAML.
    type: dict
    required: true
  create_missing:
    description:
      - Whether a property without a row is created.
      - With V(false) it is reported as missing. A property without a row is not unset. The default of the platform is
        in force.
    type: bool
    default: true
  max_writes:
    description:
      - How many properties to write in one run at most, in the order of O(properties). The others are reported as
        refused and wait for the next run.
      - If left out, or with V(0), there is no limit.
    type: int
notes:
  - Creating properties takes the role C(admin). Changing one takes a role that its write roles name, or C(admin).
  - A property whose write roles name C(security_admin) cannot be changed by an API call. It becomes a manual step, and
    counts as drift until it is done.
  - A property of the type C(password) or C(password2) is refused, because its value cannot be compared. Use
    M(secops.servicenow_defender.snow_record) with its option
    O(secops.servicenow_defender.snow_record#module:write_only).
seealso:
  - module: secops.servicenow_defender.snow_instance_info
  - module: secops.servicenow_defender.snow_record
  - module: secops.servicenow_defender.snow_instance
  - name: Add a system property
    description: What a change costs the instance.
    link: https://www.servicenow.com/docs/r/platform-administration/t_AddAPropertyUsingSysPropsList.html
"""

EXAMPLES = r"""
- name: Keep open what a connector needs
  secops.servicenow_defender.snow_properties:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    properties:
      com.snc.platform.security.oauth.is.active: true
      glide.oauth.inbound.ropc.grant_type.disabled: false

- name: Allow the client credentials grant, with a property that says what it is for
  secops.servicenow_defender.snow_properties:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    properties:
      glide.oauth.inbound.client.credential.grant_type.enabled:
        value: true
        type: boolean
        description: Tokens for applications that act as a service account

- name: Change what deviates, a few properties in each run
  secops.servicenow_defender.snow_properties:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    properties: "{{ acme_snow_properties }}"
    create_missing: false
    max_writes: 5
"""

RETURN = r"""
msg:
  description: One sentence that says what was found or done.
  returned: always
  type: str
results:
  description: What became of each property, in the order of O(properties).
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: The property, as RV(drift) names it.
      type: str
    name:
      description: Name of the property.
      type: str
    status:
      description:
        - V(ok) when it was as described, V(changed) when it was or would be written, V(missing) when it has no row and
          O(create_missing=false), V(needs_elevation) when a person has to set it, and V(refused) when it was not
          written for the reason that RV(results[].reason) tells.
      type: str
    value:
      description: The value that it has now, or would have once written.
      type: str
    reason:
      description: Why it was not written; only where it was not.
      type: str
  sample:
    - object: property com.snc.platform.security.oauth.is.active
      name: com.snc.platform.security.oauth.is.active
      status: ok
      value: 'true'
    - object: property glide.authenticate.multifactor.for_integrations
      name: glide.authenticate.multifactor.for_integrations
      status: changed
      value: 'false'
    - object: property glide.authenticate.basic_auth.restriction.enforce
      name: glide.authenticate.basic_auth.restriction.enforce
      status: needs_elevation
      value: 'false'
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
from ..module_utils.snow.resources.properties import Properties, encrypted_values

SPEC = ansible_module.ModuleSpec(
    options={
        "properties": {"type": "dict", "required": True},
        "create_missing": {"type": "bool", "default": True},
        "max_writes": {"type": "int"},
    },
    groups=[SNOW_OPTIONS],
    secrets=lambda params: encrypted_values(params["properties"]),
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring system properties to their described values."""
    return reconcile(store_for(params, context), Properties.from_params(params))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
