#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_oauth_check
short_description: Check that a client and a user get a token of a ServiceNow instance that opens its API
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Signs in the way a connector does, with the client id, client secret, user name and password that the connector is
    given, and reads one row through the Table API with the token that it gets.
  - An instance refuses a token with one and the same answer for many reasons. With an account of your own in the
    connection options the causes are looked up on the instance. Without one, the documented causes are listed.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
options:
  client_id:
    description:
      - Client id to check.
    type: str
    required: true
  client_secret:
    description:
      - Client secret to check.
    type: str
    required: true
  username:
    description:
      - User name to check. Required with O(grant_type=password).
    type: str
  password:
    description:
      - Password of O(username). Required with O(grant_type=password).
    type: str
  grant_type:
    description:
      - How to ask for the token. Connectors of Microsoft Defender use V(password).
    type: str
    choices:
      password: With the client and a user.
      client_credentials: With the client alone; the token acts as the OAuth application user of the application.
    default: password
  fail_on_unverified:
    description:
      - Whether the task fails when the check does. What it found is returned either way.
    type: bool
    default: true
notes:
  - Of the connection options only O(snow_url) is required. Credentials there are those of an administrator who looks
    causes up, not those that are checked.
  - This is a real sign-in. The instance issues a token, or counts a failed sign-in of O(username).
seealso:
  - module: secops.servicenow_defender.snow_oauth_application
  - module: secops.servicenow_defender.snow_user
  - module: secops.servicenow_defender.snow_instance_info
  - name: OAuth on ServiceNow instances
    description: How an instance issues tokens to external clients.
    link: https://www.servicenow.com/docs/r/platform-security/authentication/oauth-inbound-and-outbound.html
"""

EXAMPLES = r"""
- name: Prove that the connector will get its token
  secops.servicenow_defender.snow_oauth_check:
    snow_url: https://acme-prod.service-now.com
    client_id: "{{ application.oauth_application.client_id }}"
    client_secret: "{{ vault_defender_client_secret }}"
    username: svc_defender
    password: "{{ vault_defender_password }}"

- name: Find out why the connector gets no token
  secops.servicenow_defender.snow_oauth_check:
    snow_url: https://acme-prod.service-now.com
    # This account looks the causes up on the instance.
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
  description: One sentence that says what was found or done.
  returned: always
  type: str
verified:
  description: Whether a token was issued and opened the API.
  returned: when the instance answered
  type: bool
  sample: true
expires_in:
  description: How long the token is valid, in seconds; V(0) when none was issued. An instance returns a token that is
    still alive once more, so this can be less than the lifespan of the application.
  returned: when the instance answered
  type: int
  sample: 3600
refresh_token_issued:
  description: Whether a refresh token came with it.
  returned: when the instance answered
  type: bool
  sample: true
api_access:
  description: Whether the Table API accepted the token.
  returned: when the instance answered
  type: bool
  sample: true
likely_causes:
  description: What is probably wrong, when RV(verified) is false. Causes that were looked up on the instance replace
    the documented ones.
  returned: when the instance answered
  type: list
  elements: str
  sample:
    - the application CloudAppSecurity is inactive
    - svc_defender is locked out
answer:
  description: The words with which the instance refused; empty when it did not.
  returned: when the instance answered
  type: str
  sample: 'POST /oauth_token.do -> 401 server_error: access_denied'
api_calls:
  description: Number of HTTP requests that the task sent, as R(every module returns it,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.snow import SNOW_OPTIONS
from ..module_utils.snow.token_check import verify_token

SPEC = ansible_module.ModuleSpec(
    options={
        "client_id": {"type": "str", "required": True},
        "client_secret": {"type": "str", "required": True, "no_log": True},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "grant_type": {"type": "str", "choices": ["password", "client_credentials"], "default": "password"},
        "fail_on_unverified": {"type": "bool", "default": True},
    },
    groups=[SNOW_OPTIONS],
    rules={"required_if": [["grant_type", "password", ["username", "password"]]]},
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Prove that a client and a user get a token that may use the API."""
    return ansible_module.information(**verify_token(params, context))


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
