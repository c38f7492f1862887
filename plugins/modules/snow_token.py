#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_token
short_description: Manage an access token of a ServiceNow instance
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Gets an access token, to use it in later tasks as O(snow_access_token), or revokes a token that is no longer needed.
  - All other modules of this collection sign in by themselves. Use this module for many consecutive tasks on an
    instance, or for tools outside this collection.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    support: full
    details:
      - With O(state=present), the token is also requested in check mode, because later tasks require it.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - With O(state=absent), every run reports a change, because the platform does not return whether the token was
        still valid.
options:
  state:
    description:
      - V(present) gets a token with the grant in O(snow_grant_type), or the grant that follows from the other options.
        It must be a grant with tokens, V(password), V(client_credentials), V(refresh_token) or V(jwt_bearer).
      - V(absent) revokes the token of O(snow_access_token).
    type: str
    choices: [present, absent]
    default: present
notes:
  - The result contains the token in clear text. It is hidden from the screen, from logs and from callbacks, but not
    from a registered variable. Do not print that variable, and do not cache it as a fact.
  - An instance returns an existing valid token again. Revoking it invalidates it for all its users.
seealso:
  - module: secops.servicenow_defender.snow_oauth_check
  - name: Revoke an OAuth token
    description: How the platform revokes a token.
    link: https://www.servicenow.com/docs/r/platform-security/authentication/t_RevokeOAuthToken.html
  - name: 'Facts: Token endpoint'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_platform.md#token-endpoint
"""

EXAMPLES = r"""
- name: Get a token
  secops.servicenow_defender.snow_token:
    snow_url: https://acme-prod.service-now.com
    snow_client_id: "{{ vault_ansible_client_id }}"
    snow_client_secret: "{{ vault_ansible_client_secret }}"
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
  register: token

- name: Use the token
  secops.servicenow_defender.snow_record_info:
    snow_url: https://acme-prod.service-now.com
    snow_access_token: "{{ token.access_token }}"
    table: sys_user_group
    fields:
      - name

- name: Revoke the token
  secops.servicenow_defender.snow_token:
    snow_url: https://acme-prod.service-now.com
    snow_access_token: "{{ token.access_token }}"
    state: absent
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'acme-prod: token issued, valid for 1799 seconds'
access_token:
  description: The token. It is hidden from output, but not from a registered variable.
  returned: success, with O(state=present)
  type: str
  sample: a1B2c3D4e5F6g7H8i9J0
expires_in:
  description: Remaining lifespan of the token, in seconds.
  returned: success, with O(state=present)
  type: int
  sample: 1799
api_calls:
  description: Number of HTTP requests that the task sent, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.snow import SNOW_OPTIONS
from ..module_utils.snow.token import revoke_token, token_for_later

SPEC = ansible_module.ModuleSpec(
    options={"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}},
    groups=[SNOW_OPTIONS],
    hides_results_with="access_token",
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Fetch a token for later tasks, or revoke the one that is given."""
    return token_for_later(params, context) if params["state"] == "present" else revoke_token(params, context)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
