#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_instance
short_description: Bring a whole ServiceNow instance to its described state in one plan
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Takes roles, accounts, OAuth applications, access rules, properties, plugins and rows of an instance, reads all of
    them together, and writes what deviates. Entries have the options of the module that manages one of them.
  - The whole plan is made, every name resolved and every value checked, before the first write. A mistake in one entry
    stops a task that has written nothing.
  - Things are written in the order in which they need one another, whatever the order of the options. Roles come first,
    then accounts and their grants, applications, properties, plugins and rows. What has to go is deleted last, in the
    reverse order.
  - Only what is described is managed. Whatever else the instance holds is not touched.
  - When nothing deviates, a task costs two HTTP requests (one for a token, where the grant has one, and one for all
    reads), and one to three more for each secret.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - Whether the instance is entitled to a plugin, or gets it on request only, is known only when it is ordered.
      - Whether an access rule of the instance refuses a single property is seen only when it is written.
  idempotent:
    support: partial
    details:
      - With O(users[].update_password=always) and O(oauth_applications[].update_secret=always) the secret is written in
        every run.
options:
  roles:
    description:
      - Roles, as in M(secops.servicenow_defender.snow_role).
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the role. It is the key and is compared exactly, upper and lower case included.
        type: str
        required: true
      description:
        description:
          - What the role is for, as its form shows it.
          - If left out, it is not managed.
        type: str
      contains:
        description:
          - Names of the roles that this role contains, exactly these. What it contains beyond them is taken out of it;
            V([]) empties it.
          - Every name has to exist on the instance, or in the same task of M(secops.servicenow_defender.snow_instance).
            Otherwise the task fails before it writes anything.
          - If left out, the contained roles are not managed.
        type: list
        elements: str
      state:
        description:
          - V(present) makes sure that the role is as described.
          - V(absent) deletes the role.
        type: str
        choices: [present, absent]
        default: present
  users:
    description:
      - Service accounts, as in M(secops.servicenow_defender.snow_user).
    type: list
    elements: dict
    suboptions:
      user_name:
        description:
          - Name that the account signs in with (column C(user_name)). It is the key and is compared exactly, upper and
            lower case included.
        type: str
        required: true
      password:
        description:
          - Password of the account. It is write-only. The instance keeps a hash, so the password is never read and
            never shown. O(users[].update_password) says when it is written.
          - It is sent in a request of its own, after all other fields. Giving it also keeps the demand to change it at
            the next sign-in off, because that demand refuses the account on the API.
          - If left out, the password is not managed, and a new account has none.
        type: str
      update_password:
        description:
          - When O(users[].password) is written to an account that exists. A new account always gets it.
          - V(on_mismatch) tries the password in one sign-in and writes it when the instance refuses it. After two or
            more failed sign-ins in a row the password is not tried, so as not to lock the account, and is taken to be
            wrong.
          - V(on_mismatch) cannot decide for an account that is inactive, locked out or due to change its password. For
            an account that may sign in interactively, a refusal counts only when the task itself signs in with the
            grant V(password) (O(snow_grant_type)), because an instance can refuse Basic authentication to such accounts
            altogether. Undecided, the password is left alone, and a warning says so.
          - V(always) writes it in every run, and so reports a change in every run.
          - V(on_create) writes it for a new account only, or for one that an interrupted run created and never
            finished.
        type: str
        choices: [on_mismatch, always, on_create]
        default: on_mismatch
      first_name:
        description:
          - First name. If left out, it is not managed.
        type: str
      last_name:
        description:
          - Last name. If left out, it is not managed.
        type: str
      email:
        description:
          - E-mail address. If left out, it is not managed; an empty string removes it.
        type: str
      web_service_access_only:
        description:
          - Whether the account may use the API only and cannot sign in to the user interface.
          - Such an account keeps Basic authentication on instances that refuse it to interactive accounts.
          - This is always managed. Set it to V(false) for an account of a person.
        type: bool
        default: true
      identity_type:
        description:
          - Kind of identity, such as V(machine), on releases that have the column C(identity_type).
          - The user interface sets O(users[].web_service_access_only) together with V(machine); the API does not.
          - If left out, it is not managed. If given where the column does not exist, the task fails before it writes
            anything.
        type: str
      time_zone:
        description:
          - Time zone, as the choice list of the instance spells it, such as V(GMT) or V(Europe/Berlin).
          - If left out, it is not managed.
        type: str
      roles:
        description:
          - Names of roles that the account must have. A role that it has through a group or another role counts as
            granted.
          - Roles beyond these stay, unless O(users[].exclusive_roles=true).
          - Every name has to exist on the instance, or in the same task of M(secops.servicenow_defender.snow_instance).
            Otherwise the task fails before it writes anything. Only an administrator can grant V(admin).
          - If left out, roles are not managed.
        type: list
        elements: str
      exclusive_roles:
        description:
          - Whether direct grants that O(users[].roles) does not name are removed. Grants that follow from groups or
            from other roles are never touched.
          - Without O(users[].roles) it has no effect. With V([]) there, all direct grants are removed.
        type: bool
        default: false
      extra_fields:
        description:
          - Further columns of C(sys_user), column name to value, for what has no option here.
          - Values are compared as what they are in YAML, so write a number as a number and a boolean as a boolean. A
            reference column takes a sys_id.
          - Results and diffs show these values, so this is no place for secrets.
          - A column that has an option of its own is refused. A column that the instance does not have fails the task
            before it writes anything.
        type: dict
      state:
        description:
          - V(present) makes sure that the account is as described and active. It does not unlock an account that is
            locked out; the column C(locked_out) in O(users[].extra_fields) does.
          - V(disabled) makes sure that the account is as described and inactive. One that does not exist is created,
            inactive.
          - V(absent) deletes the account.
        type: str
        choices: [present, absent, disabled]
        default: present
  oauth_applications:
    description:
      - Entries of the Application Registry, as in M(secops.servicenow_defender.snow_oauth_application).
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the application. It is the key unless O(oauth_applications[].sys_id) is given, and is compared
            exactly, upper and lower case included.
          - Instances do not keep names unique. Two clients of this name fail the task, which names both and touches
            neither; O(oauth_applications[].sys_id) picks one.
          - Outbound providers in the registry are other things. When only a provider has this name, the task fails
            instead of changing it.
        type: str
        required: true
      sys_id:
        description:
          - The sys_id (32 hexadecimal digits) of the row that is meant. O(oauth_applications[].name) is then what the
            row is to be called.
          - A sys_id that does not exist fails the task, except with O(oauth_applications[].state=absent).
        type: str
      client_id:
        description:
          - Client id that the client signs in with.
          - If it differs from the one on the instance, it is changed there, and whoever still uses the old one is
            refused.
          - If left out, the instance makes one up for a new application, and an existing one is kept. The result tells
            it.
        type: str
      client_secret:
        description:
          - Client secret. It is write-only. The instance keeps it encrypted, so it is never read and never shown.
            O(oauth_applications[].update_secret) says when it is written.
          - It is sent in a request of its own, after all other fields, and tried out afterwards where that can be done.
          - Give one for every new application. Otherwise the instance makes up a secret that no API can read.
          - If left out, the secret is not managed.
        type: str
      update_secret:
        description:
          - When O(oauth_applications[].client_secret) is written to an application that exists. A new application
            always gets it.
          - V(on_mismatch) asks the token endpoint whether it accepts the pair of client id and secret, with a refresh
            token that cannot exist, so that no token is issued. To know the answer to a wrong secret, it first asks
            with a secret that cannot be right.
          - When an instance answers both questions alike without blaming the client, V(on_mismatch) asks for a real
            token for the calling account, provided that it signs in with a user name and a password. Where that is not
            so or does not work, and for an inactive application, the secret is left alone, and a warning says so.
          - V(always) writes it in every run, and so reports a change in every run.
          - V(on_create) writes it for a new application only, or for one that an interrupted run created and never
            finished.
        type: str
        choices: [on_mismatch, always, on_create]
        default: on_mismatch
      access_token_lifespan:
        description:
          - How long an access token is valid, in seconds.
          - If left out, it is not managed, and a new application gets the default of the platform, 1800. Defender for
            Cloud Apps needs at least V(3600).
        type: int
      refresh_token_lifespan:
        description:
          - How long a refresh token is valid, in seconds.
          - If left out, it is not managed, and a new application gets the default of the platform, 8640000 (100 days).
            Microsoft documents V(7776000) (90 days) for Defender for Cloud Apps.
        type: int
      redirect_urls:
        description:
          - Addresses that a code may be sent to, exactly these and in this order. The instance falls back to the first
            one for a request that matches none. V([]) removes all.
          - An address cannot hold a comma.
          - If left out, they are not managed. Connectors that sign in with the password grant need none.
        type: list
        elements: str
      logo_url:
        description:
          - Address of the picture that the page for approvals shows.
          - If left out, it is not managed.
        type: str
      active:
        description:
          - Whether the application is active. The token endpoint refuses an inactive one.
          - This is always managed.
        type: bool
        default: true
      comments:
        description:
          - What the application is for, as its form shows it.
          - If left out, it is not managed.
        type: str
      scope_restriction:
        description:
          - Whether tokens open every API that their user may use (V(broad)), or only APIs in scopes that are mapped to
            the application (V(restricted)). Microsoft documents V(broad) for Defender for Cloud Apps.
          - A release without the column C(scope_restriction_status) fulfils V(broad) by itself. V(restricted) fails the
            task there before it writes anything.
          - If left out, it is not managed.
        type: str
        choices: [broad, restricted]
      oauth_user:
        description:
          - User name of the account that tokens of the client credentials grant act as.
          - The account has to exist on the instance, or in the same task of M(secops.servicenow_defender.snow_instance).
            An empty string removes it.
          - The grant also takes the system property C(glide.oauth.inbound.client.credential.grant_type.enabled).
          - If left out, it is not managed.
        type: str
      default_grant_type:
        description:
          - Grant type that the row names as its default, such as V(password), V(client_credentials) or
            V(authorization_code). It is meaningful for outbound providers and harmless for clients.
          - If left out, it is not managed.
        type: str
      extra_fields:
        description:
          - Further columns of C(oauth_entity), column name to value, for what has no option here, such as
            C(client_type) or C(inbound_grant_type).
          - Values are compared as what they are in YAML, so write a number as a number and a boolean as a boolean. A
            reference column takes a sys_id.
          - Results and diffs show these values, so this is no place for secrets.
          - A column that has an option of its own is refused. A column that the instance does not have fails the task
            before it writes anything.
        type: dict
      state:
        description:
          - V(present) makes sure that the application is as described.
          - V(absent) deactivates the application, so that it gets no more tokens, and then deletes it. Whether its
            tokens end with it is not documented; M(secops.servicenow_defender.snow_token) revokes one.
        type: str
        choices: [present, absent]
        default: present
  table_acls:
    description:
      - Access rules to verify, as in M(secops.servicenow_defender.snow_table_acls). They are never written. What is
        missing comes back as manual steps.
    type: list
    elements: dict
    suboptions:
      role:
        description:
          - Name of the role that the access rules have to name.
        type: str
        required: true
      tables:
        description:
          - Names of the tables.
        type: list
        elements: str
        required: true
      operation:
        description:
          - What the role has to be allowed to do with the rows of O(table_acls[].tables).
        type: str
        choices: [read]
        default: read
  properties:
    description:
      - System properties, name to value, as in M(secops.servicenow_defender.snow_properties). A property without a row
        is created, and there is no limit to the number of writes.
    type: dict
  plugins:
    description:
      - Plugins, as in M(secops.servicenow_defender.snow_plugins). The task waits up to 30 minutes for each.
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
  records:
    description:
      - Rows of any table, as in M(secops.servicenow_defender.snow_record).
    type: list
    elements: dict
    suboptions:
      table:
        description:
          - Name of the table. C(sys_security_acl) and C(sys_security_acl_role) are refused, because no API call can
            write them; see M(secops.servicenow_defender.snow_table_acls).
        type: str
        required: true
      match:
        description:
          - Columns and values that the row is known by, at least one, none of them empty. All have to match exactly,
            upper and lower case included.
          - A new row gets these values, too.
          - More than one such row fails the task, which names all and touches none.
          - A reference column takes a sys_id.
        type: dict
        required: true
      values:
        description:
          - Further columns and the values that the row has to have. An empty string empties a column.
          - Values are compared as what they are in YAML, so write a number as a number and a boolean as a boolean. A
            list becomes text with commas. A reference column takes a sys_id.
          - Columns that are not named are not managed. A column that the table does not have fails the task.
          - Results and diffs show these values, except those of O(records[].write_only).
        type: dict
      write_only:
        description:
          - Columns of O(records[].values) that the instance keeps encrypted or hashed, so that they cannot be read
            back, such as V(password).
          - Each is sent in a request of its own when the row is created, or when an interrupted run created it and
            never finished. An existing row keeps what it has; delete the row first to change it.
          - Results and diffs do not show these values.
        type: list
        elements: str
      state:
        description:
          - V(present) makes sure that the row is as described.
          - V(absent) deletes the row that O(records[].match) finds.
        type: str
        choices: [present, absent]
        default: present
notes:
  - It takes the roles that the modules of the entries document. Where the roles of the calling account can be read, the
    task fails before it writes anything.
  - One thing described twice fails the task. O(table_acls) may name a role more than once.
  - A property or plugin that the instance refuses does not keep the others from being written. Any other refusal ends
    the task. What was written until then stays, and the next run goes on from there.
seealso:
  - module: secops.servicenow_defender.snow_role
  - module: secops.servicenow_defender.snow_user
  - module: secops.servicenow_defender.snow_oauth_application
  - module: secops.servicenow_defender.snow_table_acls
  - module: secops.servicenow_defender.snow_properties
  - module: secops.servicenow_defender.snow_plugins
  - module: secops.servicenow_defender.snow_record
  - name: Batch API
    description: How all reads go out together.
    link: https://www.servicenow.com/docs/r/api-reference/rest-apis/batch-api.html
"""

EXAMPLES = r"""
- name: Prepare one instance for Defender for Cloud Apps
  secops.servicenow_defender.snow_instance:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    roles:
      - name: defender_reader
        description: Reads what Microsoft Defender for Cloud Apps evaluates
    users:
      - user_name: svc_defender
        password: "{{ vault_defender_password }}"
        last_name: Defender connector
        roles:
          - defender_reader
    oauth_applications:
      - name: CloudAppSecurity
        client_secret: "{{ vault_defender_client_secret }}"
        access_token_lifespan: 3600
        refresh_token_lifespan: 7776000
        scope_restriction: broad
    table_acls:
      - role: defender_reader
        tables:
          - sys_user
          - sysevent
          - syslog_transaction
    properties:
      glide.oauth.inbound.ropc.grant_type.disabled: false
  register: state

- name: Show what a person has to do
  ansible.builtin.debug:
    var: state.manual_steps
  when: state.manual_steps | length > 0

- name: Keep every instance of the inventory as described
  module_defaults:
    group/secops.servicenow_defender.snow:
      snow_url: "https://{{ inventory_hostname }}.service-now.com"
      snow_client_id: "{{ vault_ansible_client_id }}"
      snow_client_secret: "{{ vault_ansible_client_secret }}"
      snow_username: svc_ansible
      snow_password: "{{ vault_snow_password }}"
  block:
    - name: Bring the instance to its state
      secops.servicenow_defender.snow_instance:
        users:
          - user_name: svc_defender
            # The lookup makes a secret up once and keeps it in a file that only you can read.
            password: "{{ lookup('ansible.builtin.password', secrets ~ '/svc_defender', length=32) }}"
            roles:
              - defender_reader
            exclusive_roles: true
        oauth_applications:
          - name: CloudAppSecurity
            client_secret: "{{ lookup('ansible.builtin.password', secrets ~ '/client_secret', length=40) }}"
            access_token_lifespan: 3600
            refresh_token_lifespan: 7776000
            scope_restriction: broad
      vars:
        secrets: "secrets/{{ inventory_hostname }}"
"""

RETURN = r"""
msg:
  description: One sentence that says what was found or done.
  returned: always
  type: str
results:
  description:
    - What became of each thing. Roles, users, OAuth applications and rows return what their modules return
      (RV(secops.servicenow_defender.snow_role#module:role), RV(secops.servicenow_defender.snow_user#module:user),
      RV(secops.servicenow_defender.snow_oauth_application#module:oauth_application),
      RV(secops.servicenow_defender.snow_record#module:record)).
    - Access rules, properties and plugins have one entry for each table, property or plugin, as their modules return it
      (RV(secops.servicenow_defender.snow_table_acls#module:results),
      RV(secops.servicenow_defender.snow_properties#module:results),
      RV(secops.servicenow_defender.snow_plugins#module:results)).
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: What it is about, as RV(drift) names it.
      type: str
    status:
      description:
        - V(ok) when it was as described, V(changed) when it was or would be written. Access rules, properties and
          plugins have further ones, see their modules.
      type: str
  sample:
    - object: role defender_reader
      status: ok
      sys_id: 4a28878b5f7d3a02ec4613fb395402fd
      name: defender_reader
      description: Reads what Microsoft Defender for Cloud Apps evaluates
    - object: oauth_application CloudAppSecurity
      status: changed
      sys_id: 14fb402b4740738f5cd166628d585301
      name: CloudAppSecurity
      client_id: b796665dd6d0a6c5b014fc9964f6887a
      access_token_lifespan: 3600
      refresh_token_lifespan: 7776000
      redirect_urls: []
      logo_url: ''
      active: true
      comments: ''
      scope_restriction: broad
      oauth_user: ''
      default_grant_type: ''
    - object: table_acl sysevent (defender_reader)
      table: sysevent
      role: defender_reader
      status: needs_elevation
    - object: property glide.oauth.inbound.ropc.grant_type.disabled
      name: glide.oauth.inbound.ropc.grant_type.disabled
      status: ok
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
from ..module_utils.snow.resources.instance import INSTANCE_OPTIONS, resources_of, secrets_of

SPEC = ansible_module.ModuleSpec(options=INSTANCE_OPTIONS, groups=[SNOW_OPTIONS], secrets=secrets_of)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring everything that is described of an instance to its state, in one plan."""
    return reconcile(store_for(params, context), *resources_of(params))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
