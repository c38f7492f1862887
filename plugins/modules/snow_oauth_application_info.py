#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_oauth_application_info
short_description: List OAuth applications of a ServiceNow instance and when their tokens expire
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns entries of the Application Registry (C(oauth_entity)), each with the expiry of its latest refresh token.
  - A connector that uses a refresh token stops when that token expires.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
options:
  name:
    description:
      - Name of the applications to return, compared exactly. All entries of this name are returned, outbound providers
        included.
      - If neither this nor O(names) is set, all entries for external clients are returned (type C(client)).
    type: str
  names:
    description:
      - Further names, as O(name). All are read in one request.
    type: list
    elements: str
    default: []
  user_names:
    description:
      - User names of accounts to return as RV(accounts), read in the same request, such as those that sign in with the applications.
    type: list
    elements: str
    default: []
notes:
  - Reading the registry requires the role C(oauth_admin), C(mi_admin) or C(admin). Entries that the account cannot read
    are omitted without an error.
seealso:
  - module: secops.servicenow_defender.snow_oauth_application
  - module: secops.servicenow_defender.snow_oauth_check
  - name: Protect your ServiceNow environment
    description: Why a connector requires a new refresh token every 90 days.
    link: https://learn.microsoft.com/en-us/defender-cloud-apps/protect-servicenow
  - name: 'Facts: Related OAuth tables'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_platform.md#related-oauth-tables
"""

EXAMPLES = r"""
- name: Get the application of Defender for Cloud Apps
  secops.servicenow_defender.snow_oauth_application_info:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    name: CloudAppSecurity
  register: registry

- name: Fail if its refresh token expires in less than two weeks
  ansible.builtin.assert:
    that: (item.refresh_token_expires_at | ansible.builtin.to_datetime('%Y-%m-%dT%H:%M:%SZ') - now(utc=true)).days >= 14
    fail_msg: "The refresh token of {{ item.name }} expires at {{ item.refresh_token_expires_at }}"
  loop: "{{ registry.oauth_applications | selectattr('refresh_token_expires_at') }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
msg:
  description: Instance and applications found, in one sentence.
  returned: success
  type: str
  sample: "acme-prod: 'CloudAppSecurity' has client id b796665dd6d0a6c5b014fc9964f6887a"
oauth_applications:
  description:
    - The entries, sorted by name. Client secrets are never returned. A column that the release does not have, or that
      the account cannot read, is omitted.
  returned: success
  type: list
  elements: dict
  contains:
    sys_id:
      description: The sys_id of the row.
      type: str
    type:
      description: V(client) for external clients, V(oauth_provider) for outbound providers.
      type: str
    name:
      description: Name.
      type: str
    client_id:
      description: Client id.
      type: str
    access_token_lifespan:
      description: Lifespan of access tokens, in seconds.
      type: int
    refresh_token_lifespan:
      description: Lifespan of refresh tokens, in seconds.
      type: int
    redirect_urls:
      description: Redirect URLs.
      type: list
      elements: str
    logo_url:
      description: URL of the logo.
      type: str
    active:
      description: Whether it is active.
      type: bool
    comments:
      description: Description.
      type: str
    scope_restriction:
      description: V(broad), V(restricted), or another value of the instance; empty if not set.
      type: str
    oauth_user:
      description: User name of the OAuth application user.
      type: str
    default_grant_type:
      description: Grant type that the row names as its default.
      type: str
    refresh_token_expires_at:
      description:
        - Expiry of its latest refresh token (UTC, ISO 8601). Null if there is none, or if the account cannot read the
          tokens (C(oauth_credential)).
      type: str
  sample:
    - sys_id: 14fb402b4740738f5cd166628d585301
      type: client
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
      refresh_token_expires_at: '2027-02-19T10:38:24Z'
accounts:
  description: Those of the accounts in O(user_names) that exist and that the account can read, sorted by user name.
  returned: success
  type: list
  elements: dict
  contains:
    user_name:
      description: User name.
      type: str
    active:
      description: Whether it is active.
      type: bool
    locked_out:
      description: Whether it is locked out.
      type: bool
  sample:
    - user_name: svc_defender_cloud_apps
      active: true
      locked_out: false
api_calls:
  description: Number of HTTP requests that the task sent, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.snow import SNOW_OPTIONS, client_for
from ..module_utils.snow.oauth_application_info import oauth_applications, summary, with_accounts

SPEC = ansible_module.ModuleSpec(
    options={
        "name": {"type": "str"},
        "names": {"type": "list", "elements": "str", "default": []},
        "user_names": {"type": "list", "elements": "str", "default": []},
    },
    groups=[SNOW_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """List entries of the Application Registry, and accounts if they are asked for."""
    client = client_for(params, context)
    names = list(dict.fromkeys([params["name"]] * bool(params["name"]) + params["names"]))
    users = list(dict.fromkeys(params["user_names"]))
    if users:
        found, known = with_accounts(client, names, users)
    else:
        found, known = oauth_applications(client, *names), []
    return ansible_module.information(msg=summary(client.name, names, found), oauth_applications=found, accounts=known)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
