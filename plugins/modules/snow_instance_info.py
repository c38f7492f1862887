#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_instance_info
short_description: Get the release, capabilities and connection problems of a ServiceNow instance
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the release, the calling account with its roles, the capabilities, and the requested properties, plugins and
    tables, in one batch of reads.
  - RV(problems) lists what prevents Microsoft Defender from connecting, or may do so, each with a remedy. The task does
    not fail for problems.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
options:
  properties:
    description:
      - Names of system properties to return.
    type: list
    elements: str
    default: []
  plugins:
    description:
      - Ids of plugins whose state to return. An inactive plugin is also reported as a problem.
    type: list
    elements: str
    default: []
  tables:
    description:
      - Names of tables that must be readable. An absent or refused table is also reported as a problem.
    type: list
    elements: str
    default: []
  ignore:
    description:
      - Ids of RV(problems) that leave nothing unproven, as they are accepted. They are returned in any case.
    type: list
    elements: str
    default: []
notes:
  - Anything that the account cannot read is reported as unknown. For an account without roles, this applies to most
    values.
seealso:
  - module: secops.servicenow_defender.snow_oauth_check
  - module: secops.servicenow_defender.snow_properties
  - module: secops.servicenow_defender.snow_plugins
  - name: Protect your ServiceNow environment
    description: Prerequisites documented by Microsoft, including supported releases.
    link: https://learn.microsoft.com/en-us/defender-cloud-apps/protect-servicenow
  - name: 'Facts: Reading the release'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_platform.md#reading-the-release
"""

EXAMPLES = r"""
- name: Check an instance
  secops.servicenow_defender.snow_instance_info:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    properties:
      - glide.oauth.access_token.expire_in.system_max_seconds
    plugins:
      - com.snc.platform.security.oauth
    tables:
      - sysevent
      - syslog_transaction
  register: facts

- name: Fail if a connection cannot work
  ansible.builtin.assert:
    that: facts.problems | selectattr('severity', 'eq', 'error') | length == 0
    fail_msg: "{{ facts.problems | selectattr('severity', 'eq', 'error') | map(attribute='message') | join('; ') }}"
"""

RETURN = r"""
msg:
  description: Instance, release and problems, in one sentence.
  returned: success
  type: str
  sample: 'acme-prod (Zurich patch2): warning multifactor_for_integrations: Multi-factor authentication is required for
    integrations: an enrolled account is refused. Keep the connector''s account out of enrolment, or set
    glide.authenticate.multifactor.for_integrations to false'
instance:
  description: The instance.
  returned: success
  type: dict
  contains:
    name:
      description: Name of the instance.
      type: str
    url:
      description: URL of the instance.
      type: str
    release:
      description: Release; empty strings if it could not be read.
      type: dict
      contains:
        family:
          description: Release family in lower case, such as V(zurich).
          type: str
        patch:
          description: Patch, such as V(patch2).
          type: str
        build:
          description: Complete build string.
          type: str
        date:
          description: Build date of the family.
          type: str
        known:
          description: Whether this collection knows the family.
          type: bool
    caller:
      description: The calling account.
      type: dict
      contains:
        user_name:
          description: User name; empty if it could not be read.
          type: str
        roles:
          description: Roles, including inherited ones; empty if they could not be read.
          type: list
          elements: str
        known:
          description: Whether the account could be read.
          type: bool
    grant_type:
      description: Grant that the task signed in with, one of the choices of O(snow_grant_type).
      type: str
    capabilities:
      description: Capabilities of the release, derived from the existence of columns. Null if unknown.
      type: dict
      contains:
        scope_restriction:
          description: Whether applications can be restricted to scopes.
          type: bool
        machine_identity_console:
          description: Whether applications have the columns of the Machine Identity Console.
          type: bool
        identity_type:
          description: Whether accounts have an identity type.
          type: bool
    properties:
      description: The requested properties, as name to value. Null if there is no row, or if it cannot be read.
      type: dict
    plugins:
      description: The requested plugins, as id to V(active), V(inactive) or V(unknown).
      type: dict
    tables:
      description:
        - The requested tables, as name to V(readable), V(empty) (no row, or none that the account can read), V(absent)
          or V(refused).
      type: dict
  sample:
    name: acme-prod
    url: https://acme-prod.service-now.com
    release:
      family: zurich
      patch: patch2
      build: glide-zurich-07-01-2025__patch2-09-10-2025
      date: '2025-07-01'
      known: true
    caller:
      user_name: svc_ansible
      roles:
        - admin
      known: true
    grant_type: basic
    capabilities:
      scope_restriction: true
      machine_identity_console: true
      identity_type: true
    properties:
      glide.oauth.access_token.expire_in.system_max_seconds: null
    plugins:
      com.snc.platform.security.oauth: active
    tables:
      sysevent: readable
      syslog_transaction: readable
problems:
  description: What prevents a connection, errors first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description:
        - Id of the problem, stable across runs. One of V(access_token_capped), V(account_unknown),
          V(address_restriction), V(basic_auth_restricted), V(cannot_write_applications), V(cannot_write_users),
          V(multifactor_for_integrations), V(oauth_inactive), V(oauth_plugin_inactive), V(password_grant_disabled),
          V(password_reset_mandatory), V(release_unknown), V(release_unsupported), V(roles_unreadable),
          V(token_parameters_in_url), or V(plugin_inactive:), V(table_absent:) or V(table_refused:) followed by the name
          of the plugin or table.
      type: str
    severity:
      description: V(error) if a connection cannot work, V(warning) if it may fail, now or later.
      type: str
    message:
      description: The instance.
      type: str
    remedy:
      description: How to fix it.
      type: str
  sample:
    - id: multifactor_for_integrations
      severity: warning
      message: 'Multi-factor authentication is required for integrations: an enrolled account is refused'
      remedy: Keep the connector's account out of enrolment, or set glide.authenticate.multifactor.for_integrations
        to false
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
from ..module_utils.snow import SNOW_OPTIONS, client_for
from ..module_utils.snow.instance_facts import INSTANCE_INFO_OPTIONS, instance_facts

SPEC = ansible_module.ModuleSpec(
    options={**INSTANCE_INFO_OPTIONS, "ignore": {"type": "list", "elements": "str", "default": []}},
    groups=[SNOW_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Return facts about an instance and the account, and the problems of a connection."""
    facts = instance_facts(client_for(params, context), **{name: params[name] for name in INSTANCE_INFO_OPTIONS})
    result = ansible_module.information(**facts)
    result.ignored = frozenset(params["ignore"])
    return result


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
