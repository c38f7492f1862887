#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_instance_info
short_description: Tell what a ServiceNow instance is and what stands in the way of a connection
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns release, calling account and its roles, capabilities, and the properties, plugins and tables that are asked
    for, in one round trip.
  - Judges what was read. RV(problems) lists what keeps Microsoft Defender from connecting, or may do so, each with its
    remedy. This task does not fail for them.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
options:
  properties:
    description:
      - Names of system properties whose values to return.
    type: list
    elements: str
    default: []
  plugins:
    description:
      - Ids of plugins whose state to return. One that is inactive is also a problem.
    type: list
    elements: str
    default: []
  tables:
    description:
      - Names of tables that have to be readable. One that is absent or refused is also a problem.
    type: list
    elements: str
    default: []
notes:
  - An account without roles sees little. What it may not read is reported as unknown, never guessed.
seealso:
  - module: secops.servicenow_defender.snow_oauth_check
  - module: secops.servicenow_defender.snow_properties
  - module: secops.servicenow_defender.snow_plugins
  - name: Protect your ServiceNow environment
    description: What Microsoft documents as prerequisites, supported releases included.
    link: https://learn.microsoft.com/en-us/defender-cloud-apps/protect-servicenow
"""

EXAMPLES = r"""
- name: Look at an instance
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

- name: Stop where a connection cannot work
  ansible.builtin.assert:
    that: facts.problems | selectattr('severity', 'eq', 'error') | length == 0
    fail_msg: "{{ facts.problems | selectattr('severity', 'eq', 'error') | map(attribute='message') | join('; ') }}"
"""

RETURN = r"""
msg:
  description: Instance, release and problems in one line.
  returned: success
  type: str
  sample: 'acme-prod (Zurich patch2): warning multifactor_for_integrations: Multi-factor
    authentication is demanded of integrations: an enrolled account is refused. Keep the
    connector''s account out of enrolment, or set glide.authenticate.multifactor.for_integrations
    to false'
instance:
  description: What was found.
  returned: success
  type: dict
  contains:
    name:
      description: What people call the instance.
      type: str
    url:
      description: Its address.
      type: str
    release:
      description: Its release; empty texts where it could not be read.
      type: dict
      contains:
        family:
          description: The family in lower case, such as V(zurich).
          type: str
        patch:
          description: The patch, such as V(patch2).
          type: str
        build:
          description: The whole build string.
          type: str
        date:
          description: Date of the build of the family.
          type: str
        known:
          description: Whether this collection knows the family.
          type: bool
    caller:
      description: The account that called.
      type: dict
      contains:
        user_name:
          description: Its user name; empty where it could not be read.
          type: str
        roles:
          description: Its roles, those that follow from others included; empty where they could not be read.
          type: list
          elements: str
        known:
          description: Whether the account could be read.
          type: bool
    grant_type:
      description: How the task signed in, one of the choices of O(snow_grant_type).
      type: str
    capabilities:
      description: What the release can do, judged by whether a column exists. Null where that could not be seen.
      type: dict
      contains:
        scope_restriction:
          description: Whether applications can be restricted to scopes.
          type: bool
        machine_identity_console:
          description: Whether applications have the columns of the Machine Identity Console.
          type: bool
        identity_type:
          description: Whether accounts have a kind of identity.
          type: bool
    properties:
      description: The properties that were asked for, name to value. Null where there is no row, or where it may not be
        read.
      type: dict
    plugins:
      description: The plugins that were asked for, id to V(active), V(inactive) or V(unknown).
      type: dict
    tables:
      description:
        - The tables that were asked for, name to V(readable), V(empty) (no row, or none that the account may see),
          V(absent) or V(refused).
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
  description: What stands in the way of a connection, errors first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description:
        - What it is, the same in every run. One of V(access_token_capped), V(account_unknown), V(address_restriction),
          V(basic_auth_restricted), V(cannot_write_applications), V(cannot_write_users),
          V(multifactor_for_integrations), V(oauth_inactive), V(oauth_plugin_inactive), V(password_grant_disabled),
          V(password_reset_mandatory), V(release_unknown), V(release_unsupported), V(roles_unreadable),
          V(token_parameters_in_url), or V(plugin_inactive:), V(table_absent:) or V(table_refused:) with the name of the
          plugin or table behind the colon.
      type: str
    severity:
      description: V(error) when a connection cannot work, V(warning) when it may not, or not for long.
      type: str
    message:
      description: What was found.
      type: str
    remedy:
      description: What to do about it.
      type: str
  sample:
    - id: multifactor_for_integrations
      severity: warning
      message: 'Multi-factor authentication is demanded of integrations: an enrolled account
        is refused'
      remedy: Keep the connector's account out of enrolment, or set glide.authenticate.multifactor.for_integrations
        to false
api_calls:
  description: Number of HTTP requests that the task sent, as R(every module returns it,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.snow import SNOW_OPTIONS, client_for
from ..module_utils.snow.instance_facts import INSTANCE_INFO_OPTIONS, instance_facts

SPEC = ansible_module.ModuleSpec(options=INSTANCE_INFO_OPTIONS, groups=[SNOW_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Tell what an instance is, who is calling, and what stands in the way of a connection."""
    facts = instance_facts(client_for(params, context), **{name: params[name] for name in INSTANCE_INFO_OPTIONS})
    return ansible_module.information(**facts)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
