#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_properties
short_description: Manage system properties of a ServiceNow instance
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates and updates rows of C(sys_properties), any number in one task. Other properties are not changed, and none is
    ever deleted.
  - Every change flushes the property cache on all nodes of the instance, which affects its performance for minutes.
    Therefore only differences are written, and O(max_writes) limits their number.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - Whether an access rule of the instance refuses a property is only known when it is written.
  idempotent:
    support: partial
    details:
      - With O(max_writes), several runs can be required until the properties are in sync.
options:
  properties:
    description:
      - The properties, as name to desired value.
      - Instead of a value, use a dictionary with C(value), and optionally C(type) and C(description), to also manage
        these columns.
      - Values are compared by the type of the property, so V(true) and C(True) are equal for a boolean.
      - A new property without C(type) becomes a boolean, an integer or a string, according to the YAML type of its
        value.
    type: dict
    required: true
  create_missing:
    description:
      - Whether a property without a row is created.
      - With V(false), it is reported as missing. Without a row, the default of the platform is effective.
    type: bool
    default: true
  max_writes:
    description:
      - Maximum number of properties to write in one run, in the order of O(properties). The others are reported as
        refused and written by the next run.
      - If not set, or with V(0), there is no limit.
    type: int
notes:
  - Creating properties requires the role C(admin). Updating one requires one of its write roles, or C(admin).
  - A property with the write role C(security_admin) cannot be changed through an API. It becomes a manual step, and
    counts as drift until the step is done.
  - A property of the type C(password) or C(password2) is refused, because its value cannot be compared. Use
    O(secops.servicenow_defender.snow_record#module:write_only) of M(secops.servicenow_defender.snow_record).
seealso:
  - module: secops.servicenow_defender.snow_instance_info
  - module: secops.servicenow_defender.snow_record
  - module: secops.servicenow_defender.snow_instance
  - name: Add a system property
    description: Effects of a change on the instance.
    link: https://www.servicenow.com/docs/r/platform-administration/t_AddAPropertyUsingSysPropsList.html
  - name: 'Facts: Property rows'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_platform.md#property-rows
"""

EXAMPLES = r"""
- name: Ensure the properties that a connector requires
  secops.servicenow_defender.snow_properties:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    properties:
      com.snc.platform.security.oauth.is.active: true
      glide.oauth.inbound.ropc.grant_type.disabled: false

- name: Allow the client credentials grant, and describe the property
  secops.servicenow_defender.snow_properties:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    properties:
      glide.oauth.inbound.client.credential.grant_type.enabled:
        value: true
        type: boolean
        description: Tokens for applications that act as a service account

- name: Correct the drift, up to five properties in each run
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
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'acme-prod: 3 properties: 1 updated, 1 in sync, 1 manual step'
results:
  description: Result for each property, in the order of O(properties).
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: The property, as named in RV(drift).
      type: str
    name:
      description: Name of the property.
      type: str
    status:
      description:
        - V(ok) if it is in sync, V(changed) if it was written, or would be in check mode, V(missing) if it has no row
          and O(create_missing=false), V(needs_elevation) if it must be set manually, and V(refused) if it was not
          written, with RV(results[].reason).
      type: str
    value:
      description: Value after the task; in check mode, as it would be.
      type: str
    reason:
      description: Reason why it was not written; only if it was not.
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
    """Bring system properties to their desired values."""
    return reconcile(store_for(params, context), Properties.from_params(params))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
