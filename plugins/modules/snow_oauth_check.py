#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_oauth_check
short_description: Verify the sign-in of a service to a ServiceNow instance
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Signs in as a connector does, with the client id, client secret, user name and password of the connector, and reads
    one row through the Table API with the token.
  - An instance returns the same error for many causes. With credentials in the connection options, the causes are
    looked up on the instance. Otherwise the documented causes are listed.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
options:
  client_id:
    description:
      - Client id to verify. Either it or O(application) is required, except with O(grant_type=basic).
    type: str
  application:
    description:
      - Name of the OAuth application, whose client id is read from the instance if O(client_id) is not set or empty. This requires
        credentials in the connection options.
    type: str
  client_secret:
    description:
      - Client secret to verify. Required, except with O(grant_type=basic).
    type: str
  username:
    description:
      - User name to verify. Required with O(grant_type=password) and O(grant_type=basic).
    type: str
  password:
    description:
      - Password of O(username). Required with O(grant_type=password) and O(grant_type=basic).
    type: str
  grant_type:
    description:
      - Grant of the token request. Defender for Cloud Apps and Defender for Cloud use V(password), Exposure Management
        V(client_credentials) or V(basic).
    type: str
    choices:
      password: With the client and a user.
      client_credentials: With the client alone; the token acts as the OAuth application user of the application.
      basic: Without a client and a token; user name and password are sent with the call.
    default: password
  table:
    description:
      - Table to read one row of.
    type: str
    default: sys_user
  fail_on_unverified:
    description:
      - Whether the task fails if the verification fails. Results are returned in any case.
    type: bool
    default: true
notes:
  - Of the connection options, only O(snow_url) is required. Their credentials are used to look up causes; they are not
    verified.
  - This is a real sign-in. The instance issues a token, or counts a failed sign-in of O(username).
seealso:
  - module: secops.servicenow_defender.snow_oauth_application
  - module: secops.servicenow_defender.snow_user
  - module: secops.servicenow_defender.snow_instance_info
  - name: OAuth on ServiceNow instances
    description: How an instance issues tokens to external clients.
    link: https://www.servicenow.com/docs/r/platform-security/authentication/oauth-inbound-and-outbound.html
  - name: 'Facts: Token errors'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_platform.md#token-errors
"""

EXAMPLES = r"""
- name: Verify that the connector gets a token
  secops.servicenow_defender.snow_oauth_check:
    snow_url: https://acme-prod.service-now.com
    client_id: "{{ application.oauth_application.client_id }}"
    client_secret: "{{ vault_defender_client_secret }}"
    username: svc_defender
    password: "{{ vault_defender_password }}"

- name: Find out why the connector gets no token
  secops.servicenow_defender.snow_oauth_check:
    snow_url: https://acme-prod.service-now.com
    # This account is used to look up the causes on the instance.
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    client_id: "{{ application.oauth_application.client_id }}"
    client_secret: "{{ vault_defender_client_secret }}"
    username: svc_defender
    password: "{{ vault_defender_password }}"
    fail_on_unverified: false
  register: check

- name: Show the causes
  ansible.builtin.debug:
    var: check.likely_causes
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'acme-prod: svc_defender gets a token of CloudAppSecurity and can use the API'
verified:
  description: Whether a token was issued and accepted by the API.
  returned: when the instance responded
  type: bool
  sample: true
expires_in:
  description: Remaining lifespan of the token, in seconds; V(0) if none was issued. An instance returns an existing
    valid token again, so this can be less than the lifespan of the application.
  returned: when the instance responded
  type: int
  sample: 3600
refresh_token_issued:
  description: Whether a refresh token was issued with it.
  returned: when the instance responded
  type: bool
  sample: true
api_access:
  description: Whether the Table API accepted the token.
  returned: when the instance responded
  type: bool
  sample: true
row_read:
  description: Whether the Table API returned a row of O(table), of C(sys_user) another one than that of the account. Without the access
    rules or the role that it requires, an account is signed in and reads none.
  returned: when the instance responded
  type: bool
  sample: true
likely_causes:
  description: Likely causes, if RV(verified) is V(false). Causes that were found on the instance replace the documented
    ones.
  returned: when the instance responded
  type: list
  elements: str
  sample:
    - the application CloudAppSecurity is inactive
    - svc_defender is locked out
answer:
  description: The refusal, as worded by the instance; empty if there was none.
  returned: when the instance responded
  type: str
  sample: 'POST /oauth_token.do -> 401 server_error: access_denied'
api_calls:
  description: Number of HTTP requests that the task sent, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.snow import SNOW_OPTIONS
from ..module_utils.snow.token_check import verify_token

SPEC = ansible_module.ModuleSpec(
    options={
        "client_id": {"type": "str"},
        "application": {"type": "str"},
        "client_secret": {"type": "str", "no_log": True},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "grant_type": {"type": "str", "choices": ["password", "client_credentials", "basic"], "default": "password"},
        "table": {"type": "str", "default": "sys_user"},
        "fail_on_unverified": {"type": "bool", "default": True},
    },
    groups=[SNOW_OPTIONS],
    rules={
        "required_if": [
            ["grant_type", "password", ["client_secret", "username", "password"]],
            ["grant_type", "password", ["client_id", "application"], True],
            ["grant_type", "client_credentials", ["client_secret"]],
            ["grant_type", "client_credentials", ["client_id", "application"], True],
            ["grant_type", "basic", ["username", "password"]],
        ],
    },
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Verify that the sign-in of a service may use the API."""
    return ansible_module.information(**verify_token(params, context))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
