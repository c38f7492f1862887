#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: entra_user_actions
short_description: Require sign-in of, suspend, or notify users of Microsoft Entra
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Does to users what Defender for Cloud Apps offers as governance of ServiceNow. That acts on the linked account of
    Microsoft Entra, not on the one of ServiceNow.
  - All users are read before anything is done. When one action must not be done, nothing is done to anybody, and
    RV(results) says to whom it would have been. Check mode names exactly who would be hit, and how.
  - Never hit are the users of O(protected). Refused are holders of a directory role, also through a group, and the account
    that the task itself signs in with. There is no option to allow them.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - Whether Microsoft Graph takes back what is done to a user who is synced from on premises shows only when it is
        done.
  idempotent:
    support: partial
    details:
      - Without O(since), V(require_sign_in) ends the sessions in every run. V(notify) sends a message in every run.
options:
  users:
    description:
      - The actions, each on one user. One user can get several.
    type: list
    elements: dict
    required: true
    suboptions:
      id:
        description:
          - Object id or user principal name of the user.
        type: str
        required: true
      action:
        description:
          - What to do.
        type: str
        required: true
        choices:
          require_sign_in: Revokes the sessions, so that the user has to sign in again everywhere. It takes some minutes.
          suspend: Disables the account.
          unsuspend: Enables the account.
          notify: Sends O(notify_message) by mail.
  protected:
    description:
      - Object ids and user principal names of users that are never hit, whoever names them. Upper and lower case make no
        difference. Break-glass accounts belong here.
    type: list
    elements: str
    default: []
  max_users:
    description:
      - How many users the task may describe, protected ones included. With more it is refused before anything is read.
    type: int
    default: 10
  since:
    description:
      - A moment, such as V(2026-11-21T10:00:00Z); without a time zone it is UTC. V(require_sign_in) leaves a user alone
        whose sessions were revoked at that moment or later.
    type: str
  notify_sender:
    description:
      - Object id or user principal name of the user whose mailbox sends. Required with V(notify).
    type: str
  notify_subject:
    description:
      - Subject of the message. Required with V(notify).
    type: str
  notify_message:
    description:
      - Text of the message. Required with V(notify).
    type: str
notes:
  - To read users takes the permission C(User.Read.All) of Microsoft Graph, V(require_sign_in) takes
    C(User.RevokeSessions.All), V(suspend) and V(unsuspend) take C(User.EnableDisableAccount.All), V(notify) takes
    C(Mail.Send). That one lets an application send as anybody; Exchange can restrict it to some mailboxes. The broader
    C(User.ReadWrite.All) stands in for all but C(Mail.Send).
  - Revoking sessions has no effect on guests, who sign in through their home tenant. A guest can be suspended.
  - The directory on premises wins over Entra. It can revert the suspension of a user who is synced from there.
  - Roles that somebody is only eligible for (Privileged Identity Management) and has not activated do not show. Put such
    accounts into O(protected).
  - Whether a message that was sent arrives is not known. When the answer to sending it was lost, it is not sent again.
seealso:
  - module: secops.servicenow_defender.graph_hunting_info
  - ref: ansible_collections.secops.servicenow_defender.docsite.guide_response
    description: The playbook respond, which can find the users by a hunting query.
  - name: Governance actions
    description: What Defender for Cloud Apps offers.
    link: https://learn.microsoft.com/defender-cloud-apps/governance-actions
"""

EXAMPLES = r"""
- name: Suspend a user, end the sessions, and say so
  secops.servicenow_defender.entra_user_actions:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    users:
      - id: jane@acme.example
        action: suspend
      - id: jane@acme.example
        action: require_sign_in
      - id: jane@acme.example
        action: notify
    protected:
      - breakglass@acme.example
    notify_sender: soc@acme.example
    notify_subject: Your account is suspended
    notify_message: Please call the service desk.

- name: Let everybody of a list sign in again, but only once
  secops.servicenow_defender.entra_user_actions:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    users: "{{ dict(suspects | zip(suspects | map('ternary', 'require_sign_in'))) | dict2items('id', 'action') }}"
    since: '2026-11-21T10:00:00Z'
    max_users: 50
"""

RETURN = r"""
msg:
  description: One sentence that says what was found or done.
  returned: always
  type: str
results:
  description: What became of each action, in the order of the task.
  returned: success, or when an action was refused
  type: list
  elements: dict
  contains:
    object:
      description: User and action, as RV(drift) names it.
      type: str
    id:
      description: Object id of the user; what the task gave where there is no such user.
      type: str
    user_principal_name:
      description: The user principal name.
      type: str
    display_name:
      description: The name.
      type: str
    action:
      description: The action.
      type: str
    status:
      description:
        - V(ok), it was so already; V(changed); V(protected), left alone because of O(protected); V(absent), the tenant
          has no such user; V(manual), left to a person (RV(manual_steps)); V(refused), must not be done, or Microsoft
          Graph refused it; V(failed), it is not clear whether a message was sent.
        - V(skipped), not done because another action of the task must not be done.
      type: str
    reason:
      description: Why, for all but V(ok), V(changed) and V(skipped).
      type: str
  sample:
    - object: 'user jane@acme.example: suspend'
      id: 6e7b768e-07e2-4810-8459-485f84f8f204
      user_principal_name: jane@acme.example
      display_name: Jane Doe
      action: suspend
      status: changed
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
from ..module_utils.microsoft.collection_store import CollectionStore
from ..module_utils.microsoft.entra_users.user_actions import USER_ACTIONS_OPTIONS, actions_of
from ..module_utils.microsoft.entra_users.users_api import COLLECTION
from ..module_utils.microsoft.graph import AZURE_OPTIONS, client_for

SPEC = ansible_module.ModuleSpec(options=USER_ACTIONS_OPTIONS, groups=[AZURE_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Carry out actions on users."""
    client = client_for(params, context)
    actions = actions_of(params, client)
    return reconcile(CollectionStore(client, {COLLECTION: actions.endpoint}), actions)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
