#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: graph_secure_score_info
short_description: List the ServiceNow controls of Microsoft Secure Score
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the Secure Score controls for ServiceNow, each with its score, the points left, its state, and the
    ServiceNow setting that it evaluates.
  - With the results of M(secops.servicenow_defender.snow_hardening_info) in O(settings), it also returns whether each
    instance complies.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  service:
    description:
      - Service that owns the controls to return; case is ignored.
      - If no control has the default service, the controls of ServiceNow are found by their ids and titles.
    type: str
    default: MDA_SNOW
  settings:
    description:
      - Settings of the instances, as host to the list that M(secops.servicenow_defender.snow_hardening_info) returned
        in RV(secops.servicenow_defender.snow_hardening_info#module:settings).
    type: dict
notes:
  - Requires the permission C(SecurityEvents.Read.All) of Microsoft Graph.
  - Scores are updated within 24 hours of a change. ServiceNow controls have a score once an instance is connected to
    Defender for Cloud Apps and Secure Score recommendations are turned on for it there.
  - Ids, titles and points are known from exports of 2024 and 2026. Other controls are also returned, with
    RV(controls[].known) set to V(false).
seealso:
  - module: secops.servicenow_defender.graph_secure_score_controls
  - module: secops.servicenow_defender.snow_hardening_info
  - name: Secure Score in Microsoft Graph
    description: The resource type of a control.
    link: https://learn.microsoft.com/graph/api/resources/securescorecontrolprofile
  - name: 'Facts: Secure Score controls'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_hardening.md#secure-score-controls
"""

EXAMPLES = r"""
- name: List the controls with their scores
  secops.servicenow_defender.graph_secure_score_info:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
  register: score

- name: Show the controls with points left
  ansible.builtin.debug:
    msg: "{{ score.controls | selectattr('points_left') | map(attribute='title') | list }}"

- name: Join the controls with the results of snow_hardening_info that the hosts registered as "posture"
  secops.servicenow_defender.graph_secure_score_info:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    settings: "{{ dict(groups['servicenow'] | zip(groups['servicenow'] | map('extract', hostvars, ['posture', 'settings']))) }}"
  register: score
"""

RETURN = r"""
msg:
  description: The score, in one sentence.
  returned: success
  type: str
  sample: 'MDA_SNOW: 96 of 114 points, 18 left in 4 controls'
controls:
  description: The controls, sorted by points left.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id.
      type: str
    title:
      description: Title, as worded by Microsoft.
      type: str
    score:
      description: Points achieved; null if the latest score does not include it.
      type: float
    max_score:
      description: Maximum points.
      type: float
    points_left:
      description: Points left; null without a score.
      type: float
    state:
      description: State, one of V(Default), V(Ignored), V(ThirdParty) or V(Reviewed).
      type: str
    comment:
      description: Latest comment on the state.
      type: str
    category:
      description: Category, such as V(Identity) or V(Apps). Microsoft has moved controls between categories.
      type: str
    implementation_status:
      description: Implementation status, as worded by Microsoft; empty if there is none.
      type: str
    remediation:
      description: Remediation, as worded by Microsoft.
      type: str
    action_url:
      description: URL of the remediation.
      type: str
    setting:
      description: The ServiceNow setting that the control evaluates; null if the hardening catalogue does not know it.
      type: dict
      contains:
        kind:
          description: V(property), V(plugin) or V(other).
          type: str
        name:
          description: Name of the property or plugin, or table and sys_id of the row.
          type: str
        comparator:
          description: Comparison, such as V(eq) or V(le).
          type: str
        expected:
          description: Value that achieves the points.
          type: raw
        hardening_id:
          description: Id in the hardening catalogue.
          type: str
    alternatives:
      description: Alternative settings that also achieve the points, with the keys of RV(controls[].setting).
      type: list
      elements: dict
    instances:
      description:
        - Host to verdict (V(compliant), V(deviating), V(unknown) or V(not_applicable)), for the hosts of O(settings)
          that checked the setting. It follows the requirement of Microsoft, which can be less strict than the hardening
          baseline.
        - A property that complies by its default, without a row, is V(unknown), because it is not published how
          Microsoft evaluates it.
      type: dict
    deprecated:
      description: Whether Microsoft has retired it.
      type: bool
    known:
      description: Whether the hardening catalogue knows the control.
      type: bool
  sample:
    - id: MDA_SNOW_uiSessionTimeout
      title: Enable session activity timeout
      score: 0.0
      max_score: 4.0
      points_left: 4.0
      state: Default
      comment: ''
      category: Identity
      implementation_status: ''
      remediation: ''
      action_url: https://security.microsoft.com/securescore
      setting:
        kind: property
        name: glide.ui.session_timeout
        comparator: le
        expected: 60
        hardening_id: session.idle_timeout
      alternatives: []
      instances: {acme-prod: compliant, acme-test: deviating}
      deprecated: false
      known: true
score:
  description: Sum of the controls, and score of the whole tenant.
  returned: success
  type: dict
  contains:
    points:
      description: Points achieved with these controls.
      type: float
    max_points:
      description: Maximum points of the controls that have a score.
      type: float
    points_left:
      description: Points left.
      type: float
    controls:
      description: Number of controls.
      type: int
    scored_controls:
      description: Number of controls that have a score.
      type: int
    tenant_points:
      description: Points of the tenant across all products; null if it was never scored.
      type: float
    tenant_max_points:
      description: Maximum points of the tenant.
      type: float
    created:
      description: Time of the score; empty if the tenant was never scored.
      type: str
  sample:
    points: 96.0
    max_points: 114.0
    points_left: 18.0
    controls: 22
    scored_controls: 22
    tenant_points: 310.5
    tenant_max_points: 512.0
    created: '2026-11-21T00:00:00Z'
notes:
  description: Remarks on the score, such as that no control exists for explicit roles any more.
  returned: success
  type: list
  elements: str
  sample:
    - Microsoft's page on ServiceNow still names 'Activate the explicit role plugin', but no control of Secure Score exists
      for it any more. It wins no points. The hardening catalogue has it as plugin.explicit_roles.
api_calls:
  description: Number of HTTP requests that the task sent, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.microsoft.graph import AZURE_OPTIONS, client_for
from ..module_utils.microsoft.secure_score.control_profiles_api import newest_score, profiles_of
from ..module_utils.microsoft.secure_score.scores import SERVICE, Hosts, join_scores, notes_of, select_controls, summary

SPEC = ansible_module.ModuleSpec(
    options={"service": {"type": "str", "default": SERVICE}, "settings": {"type": "dict"}},
    groups=[AZURE_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Return the controls of one service with scores and settings."""
    hosts, service = Hosts.of(params["settings"]), params["service"]
    client = client_for(params, context)
    profiles, by_name = select_controls(profiles_of(client), service)
    if by_name:
        context.warn(f"no control has the service {service}; those of ServiceNow were found by their ids and titles")
    controls, score = join_scores(profiles, newest_score(client), hosts)
    notes = notes_of(controls, hosts, service)
    return ansible_module.information(
        msg=summary(service, score, controls), controls=controls, score=score, notes=notes
    )


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
