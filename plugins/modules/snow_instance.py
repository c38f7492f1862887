#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_instance
short_description: Manage the desired state of a ServiceNow instance in one plan
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Reads roles, accounts, OAuth applications, access rules, properties, plugins and rows of an instance together, and
    writes the differences to their desired state. Entries have the options of the module that manages a single object.
  - The whole plan is built before the first write; every name is resolved and every value validated. An invalid entry
    fails the task before anything is written.
  - Objects are written in the order of their dependencies, regardless of the order of the options. Roles come first,
    then accounts and their grants, applications, properties, plugins and rows. Deletions come last, in the reverse
    order.
  - Only the listed objects are managed. Other objects of the instance are not changed.
  - If the instance is in sync, a task sends two HTTP requests (one for a token, if the grant uses one, and one for all
    reads), and one to three more for each write-only secret.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - Whether the instance is entitled to a plugin, or gets it only on request, is only known when the activation is
        requested.
      - Whether an access rule of the instance refuses a property is only known when it is written.
  idempotent:
    support: partial
    details:
      - With O(users[].update_password=always) and O(oauth_applications[].update_secret=always), the secret is written
        in every run.
options:
  roles:
    description:
      - Roles, as in M(secops.servicenow_defender.snow_role).
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the role. It is the key and is compared exactly, including case.
        type: str
        required: true
      description:
        description:
          - Description of the role, as shown in its form.
          - If not set, it is not managed.
        type: str
      contains:
        description:
          - Names of the roles that this role contains, exactly these. Any other contained role is removed; V([])
            removes all.
          - Every role must exist on the instance, or be created by the same task of
            M(secops.servicenow_defender.snow_instance). Otherwise the task fails before it writes anything.
          - If not set, the contained roles are not managed.
        type: list
        elements: str
      state:
        description:
          - V(present) creates the role or brings it to its desired state.
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
          - Name that the account signs in with (column C(user_name)). It is the key and is compared exactly, including
            case.
        type: str
        required: true
      password:
        description:
          - Password of the account. It is a write-only secret. The instance stores a hash, so the password is never
            read and never shown. O(users[].update_password) controls when it is written.
          - It is sent in a separate request, after all other fields. Setting it also clears the flag that demands a new
            password at the next sign-in, because that flag blocks the account on the API.
          - If not set, the password is not managed, and a new account has no password.
        type: str
      update_password:
        description:
          - When O(users[].password) is written to an account that exists. A new account always gets it.
          - V(on_mismatch) verifies the password with one sign-in and writes it if the instance refuses it. After two or
            more consecutive failed sign-ins the password is not tried, to avoid locking the account, and is considered
            wrong.
          - V(on_mismatch) cannot decide for an account that is inactive, locked out or due to change its password. For
            an account that may sign in interactively, a refusal counts only when the task itself signs in with the
            grant V(password) (O(snow_grant_type)), because an instance can refuse Basic authentication for all such
            accounts. If it cannot decide, the password is not changed and a warning is issued.
          - V(always) writes it in every run and reports a change each time.
          - V(on_create) writes it only for a new account, or for one that an interrupted run created and did not
            finish.
        type: str
        choices: [on_mismatch, always, on_create]
        default: on_mismatch
      first_name:
        description:
          - First name. If not set, it is not managed.
        type: str
      last_name:
        description:
          - Last name. If not set, it is not managed.
        type: str
      email:
        description:
          - E-mail address. If not set, it is not managed; an empty string removes it.
        type: str
      web_service_access_only:
        description:
          - Whether the account can only use the API and cannot sign in to the user interface.
          - Such an account can use Basic authentication on instances that refuse it for interactive accounts.
          - If not set, it is V(true) for a new account, and is not managed on an existing one.
        type: bool
      identity_type:
        description:
          - Identity type, such as V(machine), on releases that have the column C(identity_type).
          - The user interface sets O(users[].web_service_access_only) together with V(machine); the API does not.
          - If not set, it is not managed. If set on a release without that column, the task fails before it writes
            anything.
        type: str
      time_zone:
        description:
          - Time zone, as spelled in the choice list of the instance, such as V(GMT) or V(Europe/Berlin).
          - If not set, it is not managed.
        type: str
      roles:
        description:
          - Names of roles that the account must have. A role that is inherited from a group or another role counts as
            granted.
          - Other roles are kept, unless O(users[].exclusive_roles=true).
          - Every role must exist on the instance, or be created by the same task of
            M(secops.servicenow_defender.snow_instance). Otherwise the task fails before it writes anything. Only an
            administrator can grant V(admin).
          - If not set, roles are not managed.
        type: list
        elements: str
      exclusive_roles:
        description:
          - Whether to remove direct grants of roles that O(users[].roles) does not list. Grants inherited from groups
            or other roles are never changed.
          - Without O(users[].roles) it has no effect. If that is V([]), all direct grants are removed.
        type: bool
        default: false
      extra_fields:
        description:
          - Further columns of C(sys_user), column name to value, for columns without an option.
          - Values are compared by their YAML type, so write a number as a number and a boolean as a boolean. A
            reference column requires a sys_id.
          - Results and diffs show these values, so do not use it for secrets.
          - A column that has an option is refused. A column that the instance does not have fails the task before it
            writes anything.
        type: dict
      state:
        description:
          - V(present) creates the account or brings it to its desired state, active. It does not unlock an account that
            is locked out; the column C(locked_out) in O(users[].extra_fields) does.
          - If not set, the account is created if it does not exist, and is active then. Whether an existing account is
            active is not managed.
          - V(disabled) brings the account to its desired state, inactive. An account that does not exist is created as
            inactive.
          - V(absent) deletes the account.
        type: str
        choices: [present, absent, disabled]
  oauth_applications:
    description:
      - Entries of the Application Registry, as in M(secops.servicenow_defender.snow_oauth_application).
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the application. It is the key unless O(oauth_applications[].sys_id) is given, and is compared
            exactly, including case.
          - Names are not unique on an instance. If two clients have this name, the task fails, reports both and changes
            neither; O(oauth_applications[].sys_id) selects one.
          - Outbound providers in the registry are not managed. If only a provider has this name, the task fails instead
            of changing it.
        type: str
        required: true
      sys_id:
        description:
          - The sys_id (32 hexadecimal digits) of the row to manage. O(oauth_applications[].name) is then the name that
            the row gets.
          - A sys_id that does not exist fails the task, except with O(oauth_applications[].state=absent).
        type: str
      client_id:
        description:
          - Client id that the client signs in with.
          - If it differs from the one on the instance, it is changed there, and clients that use the old one are
            refused.
          - If not set, the instance generates one for a new application and an existing one is kept. The result
            contains it.
        type: str
      own_client_id:
        description:
          - Client id that services sign in with. An existing application with another one gets it, such as that of a clone, which has the
            client id of its source; its tokens, which are valid on the source, too, are revoked first.
          - A new application keeps the client id that the instance generates. Ignored with O(oauth_applications[].client_id).
          - If not set, the client id of an existing application is not managed.
        type: str
      foreign_client_ids:
        description:
          - Client ids of other instances. O(oauth_applications[].own_client_id) replaces only these.
          - If not set, it replaces any other client id.
        type: list
        elements: str
      read_token_end:
        description: Whether to return until when a refresh token of the application is valid, as C(refresh_token_expires_at) in RV(results).
        type: bool
        default: false
      client_secret:
        description:
          - Client secret. It is a write-only secret. The instance stores it encrypted, so it is never read and never
            shown. O(oauth_applications[].update_secret) controls when it is written.
          - It is sent in a separate request, after all other fields, and verified afterwards if possible.
          - Set one for every new application. Otherwise the instance generates a secret that no API can read. A warning
            of the task that creates the application names both.
          - If not set, the secret is not managed.
        type: str
      update_secret:
        description:
          - When O(oauth_applications[].client_secret) is written to an application that exists. A new application
            always gets it.
          - V(on_mismatch) asks the token endpoint whether it accepts the pair of client id and secret, with a refresh
            token that cannot exist, so that no token is issued. An answer that rejects the
            client shows a wrong secret; to assess any other one, it then sends a secret that cannot be right.
          - If an instance responds to both requests alike without rejecting the client, V(on_mismatch) requests a real
            token for the calling account, provided that it signs in with a user name and a password. If that is not
            possible, and for an inactive application, the secret is not changed and a warning is issued.
          - V(always) writes it in every run and reports a change each time.
          - V(on_create) writes it only for a new application, or for one that an interrupted run created and did not
            finish.
        type: str
        choices: [on_mismatch, always, on_create]
        default: on_mismatch
      access_token_lifespan:
        description:
          - Lifespan of access tokens, in seconds.
          - If not set, it is not managed, and a new application gets the default of the platform, 1800. Defender for
            Cloud Apps needs at least V(3600).
        type: int
      refresh_token_lifespan:
        description:
          - Lifespan of refresh tokens, in seconds.
          - If not set, it is not managed, and a new application gets the default of the platform, 8640000 (100 days).
            Microsoft documents V(7776000) (90 days) for Defender for Cloud Apps.
        type: int
      redirect_urls:
        description:
          - Redirect URLs, exactly these and in this order. The instance uses the first one for a request that matches
            none. V([]) removes all.
          - A URL cannot contain a comma.
          - If not set, they are not managed. Connectors that sign in with the password grant need none.
        type: list
        elements: str
      logo_url:
        description:
          - URL of the logo on the approval page.
          - If not set, it is not managed.
        type: str
      active:
        description:
          - Whether the application is active. The token endpoint refuses an inactive one.
          - If not set, a new application is active, and whether an existing one is active is not managed.
        type: bool
      comments:
        description:
          - Comments on the application, as shown in its form.
          - If not set, it is not managed.
        type: str
      scope_restriction:
        description:
          - Whether tokens give access to every API that their user may use (V(broad)), or only to APIs in scopes that
            are mapped to the application (V(restricted)). Microsoft documents V(broad) for Defender for Cloud Apps.
          - On a release without the column C(scope_restriction_status), V(broad) is always met, and V(restricted) fails
            the task before it writes anything.
          - If not set, it is not managed.
        type: str
        choices: [broad, restricted]
      oauth_user:
        description:
          - User name of the account that tokens of the client credentials grant act as.
          - The account must exist on the instance, or be created by the same task of
            M(secops.servicenow_defender.snow_instance). An empty string removes it.
          - The grant also requires the system property C(glide.oauth.inbound.client.credential.grant_type.enabled).
          - If not set, it is not managed.
        type: str
      default_grant_type:
        description:
          - Grant type that the row names as its default, such as V(password), V(client_credentials) or
            V(authorization_code). It is meaningful for outbound providers and harmless for clients.
          - If not set, it is not managed.
        type: str
      extra_fields:
        description:
          - Further columns of C(oauth_entity), column name to value, for columns without an option, such as
            C(client_type) or C(inbound_grant_type).
          - Values are compared by their YAML type, so write a number as a number and a boolean as a boolean. A
            reference column requires a sys_id.
          - Results and diffs show these values, so do not use it for secrets.
          - A column that has an option is refused. A column that the instance does not have fails the task before it
            writes anything.
        type: dict
      state:
        description:
          - V(present) creates the application or brings it to its desired state.
          - V(absent) deactivates the application, so that it gets no more tokens, and then deletes it. Whether its
            tokens become invalid is not documented; use M(secops.servicenow_defender.snow_token) to revoke one.
        type: str
        choices: [present, absent]
        default: present
  table_acls:
    description:
      - Access rules to verify, as in M(secops.servicenow_defender.snow_table_acls). Missing ones are returned as manual steps
        and as an update set to import, or taken over from another instance.
    type: list
    elements: dict
    suboptions:
      role:
        description:
          - Name of the role that the access rules must grant access to.
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
          - Operation that the role must be allowed to perform on rows of O(table_acls[].tables).
        type: str
        choices: [read]
        default: read
      update_set_file:
        description:
          - Name of the file to which you save RV(update_set). The manual step names it then. This module does not write it.
        type: str
      source:
        description:
          - Name of the instance on which the rules were created manually. Its update set is taken over from there, as
            M(secops.servicenow_defender.snow_update_set) does.
          - What is still missing afterwards remains a manual step, and so does everything while the source has no
            completed update set, or while its preview finds problems. Nothing is taken over if no rule is missing.
        type: str
      source_options:
        description:
          - Connection options of O(table_acls[].source), as a dictionary. The source is only read.
          - Required with O(table_acls[].source).
        type: dict
      update_set:
        description:
          - Name of the update set on O(table_acls[].source).
          - The default is the name that the file in RV(update_set) gives it.
        type: str
  properties:
    description:
      - System properties, name to value, as in M(secops.servicenow_defender.snow_properties). A property without a row
        is created, and the number of writes is not limited.
    type: dict
  plugins:
    description:
      - Plugins, as in M(secops.servicenow_defender.snow_plugins). The task waits up to 30 minutes for each plugin.
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
  records:
    description:
      - Rows of any table, as in M(secops.servicenow_defender.snow_record).
    type: list
    elements: dict
    suboptions:
      table:
        description:
          - Name of the table. C(sys_security_acl) and C(sys_security_acl_role) are refused, because they cannot be
            written through an API; see M(secops.servicenow_defender.snow_table_acls).
        type: str
        required: true
      match:
        description:
          - Columns and values that identify the row, at least one, none of them empty. All must match exactly,
            including case.
          - A new row also gets these values.
          - If more than one row matches, the task fails, reports all of them and changes none.
          - A reference column requires a sys_id.
        type: dict
        required: true
      values:
        description:
          - Further columns and their desired values. An empty string clears a column.
          - Values are compared by their YAML type, so write a number as a number and a boolean as a boolean. A list is
            joined with commas. A reference column requires a sys_id.
          - Other columns are not managed. A column that the table does not have fails the task.
          - Results and diffs show these values, except those of O(records[].write_only).
        type: dict
      write_only:
        description:
          - Columns of O(records[].values) that hold a write-only secret (the instance stores it encrypted or hashed, so
            it cannot be read back), such as V(password).
          - Each is sent in a separate request when the row is created, or when an interrupted run created it and did
            not finish. An existing row keeps its value; delete the row first to change it.
          - Results and diffs do not show these values.
        type: list
        elements: str
      state:
        description:
          - V(present) creates the row or brings it to its desired state.
          - V(absent) deletes the row that O(records[].match) finds.
        type: str
        choices: [present, absent]
        default: present
  revoke_tokens:
    description:
      - Names of entries of the Application Registry whose access and refresh tokens are revoked, after all other changes. Every token
        that exists is revoked, so that a run with this option changes something whenever a client has signed in.
      - A token itself cannot be read by any API; its row of C(oauth_credential) is deleted. Without the role C(oauth_admin),
        C(mi_admin) or C(admin), the revocation is a manual step.
      - While a token is valid, the instance returns it again to a client that signs in. A connector whose details are entered again
        gets a new refresh token, with a new lifespan, only after the old one was revoked.
    type: list
    elements: str
notes:
  - Requires the roles that the modules of the entries document. If the roles of the calling account can be read,
    missing roles fail the task before it writes anything.
  - An object that is listed twice fails the task. O(table_acls) may list a role more than once.
  - A refused property or plugin does not prevent the others from being written. Any other refusal fails the task;
    changes made before are kept, and the next run continues from there.
seealso:
  - module: secops.servicenow_defender.snow_role
  - module: secops.servicenow_defender.snow_user
  - module: secops.servicenow_defender.snow_oauth_application
  - module: secops.servicenow_defender.snow_table_acls
  - module: secops.servicenow_defender.snow_properties
  - module: secops.servicenow_defender.snow_plugins
  - module: secops.servicenow_defender.snow_record
  - name: Batch API
    description: The API that combines all reads in one request.
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
        description: Reads the tables that Microsoft Defender for Cloud Apps requires
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

- name: Show the manual steps
  ansible.builtin.debug:
    var: state.manual_steps
  when: state.manual_steps | length > 0

- name: Keep every instance of the inventory in sync
  module_defaults:
    group/secops.servicenow_defender.snow:
      snow_url: "https://{{ inventory_hostname }}.service-now.com"
      snow_client_id: "{{ vault_ansible_client_id }}"
      snow_client_secret: "{{ vault_ansible_client_secret }}"
      snow_username: svc_ansible
      snow_password: "{{ vault_snow_password }}"
  block:
    - name: Bring the instance to its desired state
      secops.servicenow_defender.snow_instance:
        users:
          - user_name: svc_defender
            # The lookup generates the secret once and stores it in a file that only you can read.
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
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'acme-prod: 1 of 20 objects updated; 1 manual step'
results:
  description:
    - Result for each object. Roles, users, OAuth applications and rows have the keys that their modules return
      (RV(secops.servicenow_defender.snow_role#module:role), RV(secops.servicenow_defender.snow_user#module:user),
      RV(secops.servicenow_defender.snow_oauth_application#module:oauth_application),
      RV(secops.servicenow_defender.snow_record#module:record)).
    - With O(oauth_applications[].read_token_end), an application also has C(refresh_token_expires_at), the latest expiry of a refresh token
      (UTC), null if none is issued or the account may not read them.
    - Access rules, properties and plugins have one entry for each table, property or plugin, as returned by their
      modules (RV(secops.servicenow_defender.snow_table_acls#module:results),
      RV(secops.servicenow_defender.snow_properties#module:results),
      RV(secops.servicenow_defender.snow_plugins#module:results)).
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: The object, as named in RV(drift).
      type: str
    status:
      description:
        - V(ok) if it is in sync, V(changed) if it was written, or would be in check mode. Access rules, properties and
          plugins have further values, see their modules.
      type: str
  sample:
    - object: role defender_reader
      status: ok
      sys_id: 4a28878b5f7d3a02ec4613fb395402fd
      name: defender_reader
      description: Reads the tables that Microsoft Defender for Cloud Apps requires
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
update_set:
  description:
    - Update set with exactly the missing access rules, as XML, see M(secops.servicenow_defender.snow_table_acls). Empty if
      none is missing.
  returned: success
  type: str
  sample: ''
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
from ..module_utils.snow.resources.instance import (
    INSTANCE_OPTIONS,
    resources_of,
    rules_to_import,
    secrets_of,
    unproven_secrets,
    without_unknown_secrets,
    writes_in_any_case,
)
from ..module_utils.snow.resources.table_acls import take_over_of

SPEC = ansible_module.ModuleSpec(options=INSTANCE_OPTIONS, groups=[SNOW_OPTIONS], secrets=secrets_of)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring all objects of the task to their desired state, in one plan."""
    known, unknown = without_unknown_secrets(params) if context.check_mode else (params, {})
    store = store_for(params, context)
    if writes_in_any_case(known):
        store.prefetch_account()
    resources = resources_of(known, lambda entry: take_over_of(entry, params, context))
    result = reconcile(store, *resources)
    result.output["update_set"] = rules_to_import(store.client.session.base_url, resources)
    result.unproven += unproven_secrets(result, unknown)
    return result


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
