#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_user
short_description: Manage a service account of a ServiceNow instance and its roles
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates, changes, disables and deletes a row of C(sys_user), grants it roles (C(sys_user_has_role)), and keeps its
    password as described.
  - The password cannot be read from an instance. It is tried out instead, in a way that does not lock the account.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - What an earlier task of the same run would create does not exist in check mode. Describe things that need one
        another in one task of M(secops.servicenow_defender.snow_instance).
  idempotent:
    support: partial
    details:
      - With O(update_password=always) the password is written in every run.
options:
  user_name:
    description:
      - Name that the account signs in with (column C(user_name)). It is the key and is compared exactly, upper and
        lower case included.
    type: str
    required: true
  password:
    description:
      - Password of the account. It is write-only. The instance keeps a hash, so the password is never read and never
        shown. O(update_password) says when it is written.
      - It is sent in a request of its own, after all other fields. Giving it also keeps the demand to change it at the
        next sign-in off, because that demand refuses the account on the API.
      - If left out, the password is not managed, and a new account has none.
    type: str
  update_password:
    description:
      - When O(password) is written to an account that exists. A new account always gets it.
      - V(on_mismatch) tries the password in one sign-in and writes it when the instance refuses it. After two or more
        failed sign-ins in a row the password is not tried, so as not to lock the account, and is taken to be wrong.
      - V(on_mismatch) cannot decide for an account that is inactive, locked out or due to change its password. For an
        account that may sign in interactively, a refusal counts only when the task itself signs in with the grant
        V(password) (O(snow_grant_type)), because an instance can refuse Basic authentication to such accounts
        altogether. Undecided, the password is left alone, and a warning says so.
      - V(always) writes it in every run, and so reports a change in every run.
      - V(on_create) writes it for a new account only, or for one that an interrupted run created and never finished.
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
      - The user interface sets O(web_service_access_only) together with V(machine); the API does not.
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
      - Names of roles that the account must have. A role that it has through a group or another role counts as granted.
      - Roles beyond these stay, unless O(exclusive_roles=true).
      - Every name has to exist on the instance, or in the same task of M(secops.servicenow_defender.snow_instance).
        Otherwise the task fails before it writes anything. Only an administrator can grant V(admin).
      - If left out, roles are not managed.
    type: list
    elements: str
  exclusive_roles:
    description:
      - Whether direct grants that O(roles) does not name are removed. Grants that follow from groups or from other
        roles are never touched.
      - Without O(roles) it has no effect. With V([]) there, all direct grants are removed.
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
      - V(present) makes sure that the account is as described and active. It does not unlock an account that is locked
        out; the column C(locked_out) in O(extra_fields) does.
      - V(disabled) makes sure that the account is as described and inactive. One that does not exist is created,
        inactive.
      - V(absent) deletes the account.
    type: str
    choices: [present, absent, disabled]
    default: present
notes:
  - Writing accounts and granting roles takes the role C(user_admin) or C(admin); granting V(admin) takes C(admin).
    Where the roles of the calling account can be read, the task fails before it writes anything.
  - Trying the password is one sign-in as the account. If it is wrong, the instance counts a failed sign-in. A correct
    one resets the count.
  - In check mode the password is tried as well, so that a password that was changed behind your back is found.
seealso:
  - module: secops.servicenow_defender.snow_role
  - module: secops.servicenow_defender.snow_oauth_application
  - module: secops.servicenow_defender.snow_oauth_check
  - module: secops.servicenow_defender.snow_instance
  - name: Basic authentication restriction
    description: Which accounts an instance still accepts over Basic authentication.
    link: https://www.servicenow.com/docs/r/platform-security/authentication/basic-auth-restriction.html
  - name: Role Management V2
    description: How the platform keeps granted and inherited roles.
    link: https://www.servicenow.com/docs/r/platform-security/access-control/Role-Mgmt-V2.html
"""

EXAMPLES = r"""
- name: Make sure that the service account exists and has its role
  secops.servicenow_defender.snow_user:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    user_name: svc_defender
    password: "{{ vault_defender_password }}"
    first_name: Defender
    last_name: Connector
    email: defender@acme.example
    roles:
      - defender_reader

- name: Give every instance of the inventory an account with a password of its own
  secops.servicenow_defender.snow_user:
    snow_url: "https://{{ inventory_hostname }}.service-now.com"
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    user_name: svc_defender
    # The lookup makes the password up once and keeps it in a file that only you can read.
    password: "{{ lookup('ansible.builtin.password', secrets ~ '/svc_defender', length=32) }}"
    roles:
      - defender_reader
    exclusive_roles: true
  vars:
    secrets: "secrets/{{ inventory_hostname }}"

- name: Disable an account, but keep it for the records that name it
  secops.servicenow_defender.snow_user:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    user_name: svc_defender_old
    state: disabled
"""

RETURN = r"""
msg:
  description: One sentence that says what was found or done.
  returned: always
  type: str
user:
  description:
    - The account as it is, or would be outside check mode. Empty with O(state=absent). The password is never part of
      it.
    - A column that the release does not have is left out. Columns of O(extra_fields) are added by their names.
  returned: success
  type: dict
  contains:
    sys_id:
      description: The sys_id of its row; left out in check mode for an account that would be created.
      type: str
    user_name:
      description: Name that it signs in with.
      type: str
    first_name:
      description: First name.
      type: str
    last_name:
      description: Last name.
      type: str
    email:
      description: E-mail address.
      type: str
    web_service_access_only:
      description: Whether it may use the API only.
      type: bool
    identity_type:
      description: Kind of identity.
      type: str
    time_zone:
      description: Time zone.
      type: str
    active:
      description: Whether it is active.
      type: bool
    password_needs_reset:
      description: Whether it has to change its password at the next sign-in.
      type: bool
    roles:
      description: The roles that O(roles) names; only where it is given.
      type: list
      elements: str
  sample:
    sys_id: 6b7f8dd6d75786892339761c9e7887b9
    user_name: svc_defender
    first_name: ''
    last_name: Defender connector
    email: defender@acme.example
    web_service_access_only: true
    identity_type: human
    time_zone: GMT
    active: true
    password_needs_reset: false
    roles:
      - defender_reader
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
from ..module_utils.snow.resources.user import USER_OPTIONS, User

SPEC = ansible_module.ModuleSpec(options=USER_OPTIONS, groups=[SNOW_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring one service account and its roles to the described state."""
    return reconcile(store_for(params, context), User.from_params(params), noun="user")


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
