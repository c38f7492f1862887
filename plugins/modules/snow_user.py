#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_user
short_description: Manage a service account of a ServiceNow instance and its roles
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates, updates, disables and deletes a row of C(sys_user), and manages its roles (C(sys_user_has_role)) and its
    password.
  - The password is a write-only secret. It cannot be read from an instance, so it is verified with a sign-in, in a way
    that does not lock the account.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - In check mode, objects that an earlier task of the same run would create do not exist. Manage objects that
        depend on one another in one task of M(secops.servicenow_defender.snow_instance).
  idempotent:
    support: partial
    details:
      - With O(update_password=always), the password is written in every run.
options:
  user_name:
    description:
      - Name that the account signs in with (column C(user_name)). It is the key and is compared exactly, including
        case.
    type: str
    required: true
  password:
    description:
      - Password of the account. It is a write-only secret. The instance stores a hash, so the password is never read
        and never shown. O(update_password) controls when it is written.
      - It is sent in a separate request, after all other fields. Setting it also clears the flag that demands a new
        password at the next sign-in, because that flag blocks the account on the API.
      - If not set, the password is not managed, and a new account has no password.
    type: str
  update_password:
    description:
      - When O(password) is written to an account that exists. A new account always gets it.
      - V(on_mismatch) verifies the password with one sign-in and writes it if the instance refuses it. After two or
        more consecutive failed sign-ins the password is not tried, to avoid locking the account, and is considered
        wrong.
      - V(on_mismatch) cannot decide for an account that is inactive, locked out or due to change its password. For an
        account that may sign in interactively, a refusal counts only when the task itself signs in with the grant
        V(password) (O(snow_grant_type)), because an instance can refuse Basic authentication for all such accounts. If
        it cannot decide, the password is not changed and a warning is issued.
      - V(always) writes it in every run and reports a change each time.
      - V(on_create) writes it only for a new account, or for one that an interrupted run created and did not finish.
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
      - The user interface sets O(web_service_access_only) together with V(machine); the API does not.
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
      - Other roles are kept, unless O(exclusive_roles=true).
      - Every role must exist on the instance, or be created by the same task of
        M(secops.servicenow_defender.snow_instance). Otherwise the task fails before it writes anything. Only an
        administrator can grant V(admin).
      - If not set, roles are not managed.
    type: list
    elements: str
  exclusive_roles:
    description:
      - Whether to remove direct grants of roles that O(roles) does not list. Grants inherited from groups or other
        roles are never changed.
      - Without O(roles) it has no effect. If that is V([]), all direct grants are removed.
    type: bool
    default: false
  extra_fields:
    description:
      - Further columns of C(sys_user), column name to value, for columns without an option.
      - Values are compared by their YAML type, so write a number as a number and a boolean as a boolean. A reference
        column requires a sys_id.
      - Results and diffs show these values, so do not use it for secrets.
      - A column that has an option is refused. A column that the instance does not have fails the task before it writes
        anything.
    type: dict
  state:
    description:
      - V(present) creates the account or brings it to its desired state, active. It does not unlock an account that is
        locked out; the column C(locked_out) in O(extra_fields) does.
      - If not set, the account is created if it does not exist, and is active then. Whether an existing account is
        active is not managed.
      - V(disabled) brings the account to its desired state, inactive. An account that does not exist is created as
        inactive.
      - V(absent) deletes the account.
    type: str
    choices: [present, absent, disabled]
notes:
  - Writing accounts and granting roles requires the role C(user_admin) or C(admin); granting V(admin) requires
    C(admin). If the roles of the calling account can be read, missing roles fail the task before it writes anything.
  - Verifying the password is one sign-in as the account. If it is wrong, the instance counts a failed sign-in. A
    successful sign-in resets the count.
  - The password is also verified in check mode, so that a password that was changed outside Ansible is detected.
seealso:
  - module: secops.servicenow_defender.snow_role
  - module: secops.servicenow_defender.snow_oauth_application
  - module: secops.servicenow_defender.snow_oauth_check
  - module: secops.servicenow_defender.snow_instance
  - name: Basic authentication restriction
    description: Accounts that an instance still accepts with Basic authentication.
    link: https://www.servicenow.com/docs/r/platform-security/authentication/basic-auth-restriction.html
  - name: Role Management V2
    description: How the platform stores granted and inherited roles.
    link: https://www.servicenow.com/docs/r/platform-security/access-control/Role-Mgmt-V2.html
  - name: 'Facts: Users'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_platform.md#users
"""

EXAMPLES = r"""
- name: Ensure that the service account exists and has its role
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

- name: Manage an account with a different password on each instance of the inventory
  secops.servicenow_defender.snow_user:
    snow_url: "https://{{ inventory_hostname }}.service-now.com"
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    user_name: svc_defender
    # The lookup generates the password once and stores it in a file that only you can read.
    password: "{{ lookup('ansible.builtin.password', secrets ~ '/svc_defender', length=32) }}"
    roles:
      - defender_reader
    exclusive_roles: true
  vars:
    secrets: "secrets/{{ inventory_hostname }}"

- name: Disable an account, but keep it for the records that refer to it
  secops.servicenow_defender.snow_user:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    user_name: svc_defender_old
    state: disabled
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'acme-prod: user svc_defender in sync'
user:
  description:
    - The account after the task; in check mode, as it would be. Empty with O(state=absent). The password is never
      returned.
    - A column that the release does not have is omitted. Columns of O(extra_fields) are added by their names.
  returned: success
  type: dict
  contains:
    sys_id:
      description: The sys_id of its row; omitted in check mode for an account that would be created.
      type: str
    user_name:
      description: User name.
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
      description: Whether it can only use the API.
      type: bool
    identity_type:
      description: Identity type.
      type: str
    time_zone:
      description: Time zone.
      type: str
    active:
      description: Whether it is active.
      type: bool
    password_needs_reset:
      description: Whether it must change its password at the next sign-in.
      type: bool
    roles:
      description: Roles listed in O(roles); only if it is set.
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
from ..module_utils.snow.resources.user import USER_OPTIONS, User

SPEC = ansible_module.ModuleSpec(options=USER_OPTIONS, groups=[SNOW_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring one service account and its roles to the desired state."""
    return reconcile(store_for(params, context), User.from_params(params), noun="user")


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
