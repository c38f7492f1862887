#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: graph_secure_score_controls
short_description: Mark controls of Microsoft Secure Score
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Marks controls as reviewed, ignored or handled by a third party, with a comment, or takes the mark away.
  - A mark changes nothing on any instance. It tells people, and Secure Score, why a recommendation stays open.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  controls:
    description:
      - The controls to mark. An unknown id is refused with similar ones, before anything is written.
    type: list
    elements: dict
    required: true
    suboptions:
      id:
        description:
          - Its id, such as V(MDA_SNOW_uiSessionTimeout). The module M(secops.servicenow_defender.graph_secure_score_info)
            lists them.
        type: str
        required: true
      state:
        description:
          - How it has to be marked, in Microsoft's spelling. V(Default) takes a mark away.
        type: str
        choices: [Default, Ignored, ThirdParty, Reviewed]
        required: true
      comment:
        description:
          - Comment of the mark. It is compared with the one of the newest mark; an empty text takes it away.
          - If left out, the comment is not compared, and a new mark is sent without one.
        type: str
notes:
  - It takes the permission C(SecurityEvents.ReadWrite.All) of Microsoft Graph.
  - Microsoft Graph does not offer it in the cloud V(AzureChinaCloud).
seealso:
  - module: secops.servicenow_defender.graph_secure_score_info
  - name: Update secureScoreControlProfile
    description: The call behind it.
    link: https://learn.microsoft.com/graph/api/securescorecontrolprofile-update
"""

EXAMPLES = r"""
- name: Say what is done elsewhere, and what was decided against
  secops.servicenow_defender.graph_secure_score_controls:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    controls:
      - id: MDA_SNOW_authenticateMultifactor
        state: ThirdParty
        comment: Everybody signs in through single sign-on with a second factor
      - id: MDA_SNOW_loginNoBlankPassword
        state: Reviewed
        comment: Without function from Australia on
"""

RETURN = r"""
msg:
  description: One sentence that says what was found or done.
  returned: always
  type: str
results:
  description: What became of each control, in the order of the task.
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: The control, as RV(drift) names it.
      type: str
    id:
      description: Its id.
      type: str
    title:
      description: Its title.
      type: str
    state:
      description: How it is marked, or would be.
      type: str
    comment:
      description: The comment of the mark.
      type: str
    status:
      description: V(ok) or V(changed).
      type: str
  sample:
    - object: control MDA_SNOW_authenticateMultifactor
      id: MDA_SNOW_authenticateMultifactor
      title: Enable multi-factor authentication
      state: ThirdParty
      comment: Everybody signs in through single sign-on with a second factor
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
