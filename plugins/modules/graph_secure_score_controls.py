#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: graph_secure_score_controls
short_description: Manage the state of Microsoft Secure Score controls
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Sets controls to reviewed, ignored or resolved by a third party, with a comment, or resets them.
  - This changes nothing on any instance. It records, for users and for Secure Score, why a recommendation stays open.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  controls:
    description:
      - The controls to manage. An unknown id fails the task before anything is written, and similar ids are suggested.
    type: list
    elements: dict
    required: true
    suboptions:
      id:
        description:
          - Id of the control, such as V(MDA_SNOW_uiSessionTimeout).
            M(secops.servicenow_defender.graph_secure_score_info) lists them.
        type: str
        required: true
      state:
        description:
          - Desired state, in Microsoft's spelling. V(Default) resets the control.
        type: str
        choices: [Default, Ignored, ThirdParty, Reviewed]
        required: true
      comment:
        description:
          - Comment on the state. It is compared with the latest comment; an empty string removes it.
          - If not set, the comment is not compared, and a new state is written without one.
        type: str
notes:
  - Requires the permission C(SecurityEvents.ReadWrite.All) of Microsoft Graph.
  - Not available in the cloud V(AzureChinaCloud).
seealso:
  - module: secops.servicenow_defender.graph_secure_score_info
  - name: Update secureScoreControlProfile
    description: The API that this module uses.
    link: https://learn.microsoft.com/graph/api/securescorecontrolprofile-update
  - name: 'Facts: Marking a control'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/microsoft_graph.md#marking-a-control
"""

EXAMPLES = r"""
- name: Record controls that are handled elsewhere or were reviewed
  secops.servicenow_defender.graph_secure_score_controls:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    controls:
      - id: MDA_SNOW_authenticateMultifactor
        state: ThirdParty
        comment: All users sign in through single sign-on with a second factor
      - id: MDA_SNOW_loginNoBlankPassword
        state: Reviewed
        comment: No effect since the Australia release
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: '2 Secure Score controls: 1 changed, 1 in sync'
results:
  description: Result for each control, in the order of the task.
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: The control, as named in RV(drift).
      type: str
    id:
      description: Id.
      type: str
    title:
      description: Title of the control.
      type: str
    state:
      description: State after the task.
      type: str
    comment:
      description: Comment on the state.
      type: str
    status:
      description: V(ok) or V(changed).
      type: str
  sample:
    - object: control MDA_SNOW_authenticateMultifactor
      id: MDA_SNOW_authenticateMultifactor
      title: Enable multi-factor authentication
      state: ThirdParty
      comment: All users sign in through single sign-on with a second factor
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
from ..module_utils.microsoft.graph import AZURE_OPTIONS, client_for
from ..module_utils.microsoft.secure_score.control_profiles_api import COLLECTION, ControlProfilesEndpoint
from ..module_utils.microsoft.secure_score.controls import CONTROLS_OPTIONS, SecureScoreControls

SPEC = ansible_module.ModuleSpec(options=CONTROLS_OPTIONS, groups=[AZURE_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring controls to their desired state."""
    controls = SecureScoreControls(params["controls"])
    client = client_for(params, context)
    return reconcile(CollectionStore(client, {COLLECTION: ControlProfilesEndpoint(client)}), controls)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
