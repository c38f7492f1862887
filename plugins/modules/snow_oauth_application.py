#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_oauth_application
short_description: Manage an OAuth application in the Application Registry of a ServiceNow instance
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Creates, updates and deletes a row of C(oauth_entity), the OAuth API endpoint for external clients from which a
    connector gets its tokens.
  - The client secret is a write-only secret. It cannot be read from an instance, so it is verified at the token
    endpoint, without issuing a token if the instance allows that.
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
      - With O(update_secret=always), the secret is written in every run.
options:
  name:
    description:
      - Name of the application. It is the key unless O(sys_id) is given, and is compared exactly, including case.
      - Names are not unique on an instance. If two clients have this name, the task fails, reports both and changes
        neither; O(sys_id) selects one.
      - Outbound providers in the registry are not managed. If only a provider has this name, the task fails instead of
        changing it.
    type: str
    required: true
  sys_id:
    description:
      - The sys_id (32 hexadecimal digits) of the row to manage. O(name) is then the name that the row gets.
      - A sys_id that does not exist fails the task, except with O(state=absent).
    type: str
  client_id:
    description:
      - Client id that the client signs in with.
      - If it differs from the one on the instance, it is changed there, and clients that use the old one are refused.
      - If not set, the instance generates one for a new application and an existing one is kept. The result contains
        it.
    type: str
  client_secret:
    description:
      - Client secret. It is a write-only secret. The instance stores it encrypted, so it is never read and never shown.
        O(update_secret) controls when it is written.
      - It is sent in a separate request, after all other fields, and verified afterwards if possible.
      - Set one for every new application. Otherwise the instance generates a secret that no API can read. A warning
        of the task that creates the application names both.
      - If not set, the secret is not managed.
    type: str
  update_secret:
    description:
      - When O(client_secret) is written to an application that exists. A new application always gets it.
      - V(on_mismatch) asks the token endpoint whether it accepts the pair of client id and secret, with a refresh token
        that cannot exist, so that no token is issued. An answer that rejects the client
        shows a wrong secret; to assess any other one, it then sends a secret that cannot be right.
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
      - If not set, it is not managed, and a new application gets the default of the platform, 1800. Defender for Cloud
        Apps needs at least V(3600).
    type: int
  refresh_token_lifespan:
    description:
      - Lifespan of refresh tokens, in seconds.
      - If not set, it is not managed, and a new application gets the default of the platform, 8640000 (100 days).
        Microsoft documents V(7776000) (90 days) for Defender for Cloud Apps.
    type: int
  redirect_urls:
    description:
      - Redirect URLs, exactly these and in this order. The instance uses the first one for a request that matches none.
        V([]) removes all.
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
      - Whether tokens give access to every API that their user may use (V(broad)), or only to APIs in scopes that are
        mapped to the application (V(restricted)). Microsoft documents V(broad) for Defender for Cloud Apps.
      - On a release without the column C(scope_restriction_status), V(broad) is always met, and V(restricted) fails the
        task before it writes anything.
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
      - Further columns of C(oauth_entity), column name to value, for columns without an option, such as C(client_type)
        or C(inbound_grant_type).
      - Values are compared by their YAML type, so write a number as a number and a boolean as a boolean. A reference
        column requires a sys_id.
      - Results and diffs show these values, so do not use it for secrets.
      - A column that has an option is refused. A column that the instance does not have fails the task before it writes
        anything.
    type: dict
  state:
    description:
      - V(present) creates the application or brings it to its desired state.
      - V(absent) deactivates the application, so that it gets no more tokens, and then deletes it. Whether its tokens
        become invalid is not documented; use M(secops.servicenow_defender.snow_token) to revoke one.
    type: str
    choices: [present, absent]
    default: present
notes:
  - Writing applications requires the role C(oauth_admin), C(mi_admin) or C(admin). If the roles of the calling account
    can be read, missing roles fail the task before it writes anything.
  - The secret is also verified in check mode, so that a secret that was changed outside Ansible is detected.
  - A new secret must be stored before it is sent. The lookup P(ansible.builtin.password#lookup) generates one and
    stores it in a file.
  - ServiceNow moved the forms for these rows to the Machine Identity Console in the Zurich release. The rows are the
    same.
seealso:
  - module: secops.servicenow_defender.snow_oauth_application_info
  - module: secops.servicenow_defender.snow_oauth_check
  - module: secops.servicenow_defender.snow_user
  - module: secops.servicenow_defender.snow_instance
  - name: Create an endpoint for clients to access the instance
    description: Documentation of ServiceNow on each field of an application.
    link: https://www.servicenow.com/docs/r/platform-security/authentication/t_CreateEndpointforExternalClients.html
  - name: Protect your ServiceNow environment
    description: Lifespans and scope that Microsoft documents for Defender for Cloud Apps.
    link: https://learn.microsoft.com/en-us/defender-cloud-apps/protect-servicenow
  - name: 'Facts: Application registry'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_platform.md#application-registry
"""

EXAMPLES = r"""
- name: Register Defender for Cloud Apps on one instance
  secops.servicenow_defender.snow_oauth_application:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    name: CloudAppSecurity
    client_secret: "{{ vault_defender_client_secret }}"
    access_token_lifespan: 3600
    refresh_token_lifespan: 7776000
    scope_restriction: broad
  register: application

- name: Show the client id to enter in the portal
  ansible.builtin.debug:
    var: application.oauth_application.client_id

- name: Register Defender for Cloud Apps on every instance of the inventory
  module_defaults:
    group/secops.servicenow_defender.snow:
      snow_url: "https://{{ inventory_hostname }}.service-now.com"
      snow_username: svc_ansible
      snow_password: "{{ vault_snow_password }}"
  block:
    - name: Register the application, with a different secret on each instance
      secops.servicenow_defender.snow_oauth_application:
        name: CloudAppSecurity
        # The lookup generates the secret once and stores it in a file that only you can read.
        client_secret: "{{ lookup('ansible.builtin.password', secrets ~ '/client_secret', length=40) }}"
        access_token_lifespan: 3600
        refresh_token_lifespan: 7776000
        scope_restriction: broad
      vars:
        secrets: "secrets/{{ inventory_hostname }}"

- name: Register a client whose tokens act as a service account
  secops.servicenow_defender.snow_oauth_application:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    name: Ticket reports
    client_id: acme-ticket-reports
    client_secret: "{{ vault_ticket_reports_client_secret }}"
    oauth_user: svc_ticket_reports
    extra_fields:
      client_type: integration_as_a_user

- name: Remove one of two applications that share a name
  secops.servicenow_defender.snow_oauth_application:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    name: CloudAppSecurity
    sys_id: 5b8d2f0c1b3e4a10a1c2d3e4f5061728
    state: absent
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'acme-prod: OAuth application CloudAppSecurity created'
oauth_application:
  description:
    - The application after the task; in check mode, as it would be. Empty with O(state=absent). The client secret is
      never returned.
    - A column that the release does not have is omitted. Columns of O(extra_fields) are added by their names.
  returned: success
  type: dict
  contains:
    sys_id:
      description: The sys_id of its row; omitted in check mode for an application that would be created.
      type: str
    name:
      description: Name.
      type: str
    client_id:
      description: Client id; omitted in check mode if the instance would generate it.
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
  sample:
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
from ..module_utils.snow.resources.oauth_application import OAUTH_APPLICATION_OPTIONS, OAuthApplication

SPEC = ansible_module.ModuleSpec(options=OAUTH_APPLICATION_OPTIONS, groups=[SNOW_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring one entry of the Application Registry to the desired state."""
    return reconcile(store_for(params, context), OAuthApplication.from_params(params), noun="oauth_application")


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
