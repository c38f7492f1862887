#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: entra_user_actions
short_description: Manage the sign-in of Microsoft Entra users (revoke sessions, suspend, notify)
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Performs the governance actions that Defender for Cloud Apps offers for ServiceNow. They apply to the linked account
    in Microsoft Entra, not to the account in ServiceNow.
  - All users are read before any action. If one action is refused, none is performed, and RV(results) lists all of
    them. Check mode lists exactly which users would be affected, and how.
  - Users in O(protected) are excluded. Holders of a directory role, directly or through a group, and the account that
    the task signs in with are refused. No option allows them.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - Whether Microsoft Graph accepts an action on a user that is synced from on premises is only known when it is
        performed.
  idempotent:
    support: partial
    details:
      - Without O(since), V(require_sign_in) revokes the sessions in every run. V(notify) sends a message in every run.
options:
  users:
    description:
      - The actions to perform, each on one user. A user can be listed more than once.
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
          - Action to perform.
        type: str
        required: true
        choices:
          require_sign_in: Revokes the sessions, so that the user must sign in again everywhere. This is effective
            within minutes.
          suspend: Disables the account.
          unsuspend: Enables the account.
          notify: Sends O(notify_message) by mail.
  protected:
    description:
      - Object ids and user principal names of users excluded from all actions. Case is ignored. List break-glass
        accounts here.
    type: list
    elements: str
    default: []
  max_users:
    description:
      - Maximum number of users in O(users), protected ones included. If there are more, the task fails before it reads
        anything.
    type: int
    default: 10
  since:
    description:
      - Time in ISO 8601, such as V(2026-11-21T10:00:00Z); without a time zone, UTC. V(require_sign_in) skips users
        whose sessions were revoked at that time or later.
    type: str
  notify_sender:
    description:
      - Object id or user principal name of the user whose mailbox sends the message. Required with V(notify).
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
  - Requires these permissions of Microsoft Graph. C(User.Read.All) to read users, C(User.RevokeSessions.All) for
    V(require_sign_in), C(User.EnableDisableAccount.All) for V(suspend) and V(unsuspend), C(Mail.Send) for V(notify).
    The broader C(User.ReadWrite.All) replaces all but C(Mail.Send).
  - C(Mail.Send) lets an application send as any user. Restrict it to some mailboxes in Exchange.
  - Revoking sessions has no effect on guests, who sign in through their home tenant. Suspend guests instead.
  - An on-premises directory can revert the suspension of a user that is synced from it.
  - Eligible roles that are not activated (Privileged Identity Management) cannot be seen. Add such accounts to
    O(protected).
  - Delivery of a message is not verified. If the response to a message is lost, the message is not sent again.
seealso:
  - module: secops.servicenow_defender.graph_hunting_info
  - ref: ansible_collections.secops.servicenow_defender.docsite.guide_response
    description: The playbook respond, which can find the users by a hunting query.
  - name: Governance actions
    description: Governance actions of Defender for Cloud Apps.
    link: https://learn.microsoft.com/defender-cloud-apps/governance-actions
  - name: 'Facts: User actions'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/microsoft_graph.md#user-actions
"""

EXAMPLES = r"""
- name: Suspend a user, revoke the sessions and notify the user
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

- name: Require all users of a list to sign in again, but only once
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
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'acme: 2 users: 2 changed, 1 in sync'
results:
  description: Result for each action, in the order of the task.
  returned: success, or when an action was refused
  type: list
  elements: dict
  contains:
    object:
      description: User and action, as named in RV(drift).
      type: str
    id:
      description: Object id of the user; the id from O(users) if the user does not exist.
      type: str
    user_principal_name:
      description: User principal name.
      type: str
    display_name:
      description: Display name.
      type: str
    action:
      description: The action.
      type: str
    status:
      description:
        - V(ok) if already in the desired state, V(changed), V(protected) if excluded by O(protected), V(absent) if the
          tenant has no such user, V(manual) if it must be done manually (see RV(manual_steps)), V(refused) if not
          allowed or refused by Microsoft Graph, V(failed) if it is unclear whether a message was sent.
        - V(skipped) if not performed because another action of the task was refused.
      type: str
    reason:
      description: Reason for any status except V(ok), V(changed) and V(skipped).
      type: str
  sample:
    - object: 'user jane@acme.example: suspend'
      id: 6e7b768e-07e2-4810-8459-485f84f8f204
      user_principal_name: jane@acme.example
      display_name: Jane Doe
      action: suspend
      status: changed
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
