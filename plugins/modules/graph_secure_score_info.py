#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: graph_secure_score_info
short_description: Read the ServiceNow controls of Microsoft Secure Score
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the controls of Secure Score that look at ServiceNow, each with its score, the points still to win, how it is
    marked, and the setting of ServiceNow behind it.
  - Given what M(secops.servicenow_defender.snow_hardening_info) found on instances, it says of every instance whether the
    setting is right.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  service:
    description:
      - Whose controls, by the service that owns them; upper and lower case make no difference.
      - If none has that service, the default finds controls of ServiceNow by their ids and titles.
    type: str
    default: MDA_SNOW
  settings:
    description:
      - What was found on instances, host to the list that M(secops.servicenow_defender.snow_hardening_info) returned as
        RV(secops.servicenow_defender.snow_hardening_info#module:settings).
    type: dict
notes:
  - It takes the permission C(SecurityEvents.Read.All) of Microsoft Graph.
  - Scores follow a change in up to 24 hours. Controls of ServiceNow have a score once an instance is connected to Defender
    for Cloud Apps, with Secure Score recommendations switched on for it there.
  - Ids, titles and points are known from exports of 2024 and 2026. A control that is not among them is returned all the
    same, with RV(controls[].known) false.
seealso:
  - module: secops.servicenow_defender.graph_secure_score_controls
  - module: secops.servicenow_defender.snow_hardening_info
  - name: Secure Score in Microsoft Graph
    description: The resource behind a control.
    link: https://learn.microsoft.com/graph/api/resources/securescorecontrolprofile
"""

EXAMPLES = r"""
- name: Read the score
  secops.servicenow_defender.graph_secure_score_info:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
  register: score

- name: Say where most points are to be won
  ansible.builtin.debug:
    msg: "{{ score.controls | selectattr('points_left') | map(attribute='title') | list }}"

- name: Say which instances keep the points away, where the hosts registered "posture" of snow_hardening_info
  secops.servicenow_defender.graph_secure_score_info:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    settings: "{{ dict(groups['servicenow'] | zip(groups['servicenow'] | map('extract', hostvars, ['posture', 'settings']))) }}"
  register: score
"""

RETURN = r"""
msg:
  description: The score in one line.
  returned: success
  type: str
  sample: 'MDA_SNOW: 96 of 114 points, 18 to win with 4 controls'
controls:
  description: The controls, those with most points left first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its id.
      type: str
    title:
      description: Its title, in Microsoft's words.
      type: str
    score:
      description: Points won; null where the newest snapshot has no score for it.
      type: float
    max_score:
      description: Points that can be won.
      type: float
    points_left:
      description: Points still to win; null without a score.
      type: float
    state:
      description: How it is marked, V(Default), V(Ignored), V(ThirdParty) or V(Reviewed).
      type: str
    comment:
      description: The comment of the newest mark.
      type: str
    category:
      description: Its category, such as V(Identity) or V(Apps). Microsoft has moved controls between them.
      type: str
    implementation_status:
      description: What Microsoft says of where it stands; empty where it says nothing.
      type: str
    remediation:
      description: What to do, in Microsoft's words.
      type: str
    action_url:
      description: Where to do it.
      type: str
    setting:
      description: The setting of ServiceNow behind it; null for a control that the hardening catalogue does not know.
      type: dict
      contains:
        kind:
          description: V(property), V(plugin) or V(other).
          type: str
        name:
          description: Name of the property or plugin, or table and sys_id of the row.
          type: str
        comparator:
          description: How the value is compared, such as V(eq) or V(le).
          type: str
        expected:
          description: What wins the points.
          type: raw
        hardening_id:
          description: Its id in the hardening catalogue.
          type: str
    alternatives:
      description: Settings that win the points as well, in the form of RV(controls[].setting).
      type: list
      elements: dict
    instances:
      description:
        - Host to verdict (V(compliant), V(deviating), V(unknown) or V(not_applicable)), for the hosts of O(settings) that
          looked at the setting. It goes by what Microsoft asks for, which can be less than the hardening baseline does.
        - A property that is right without a row is V(unknown), because how Microsoft judges it is not published.
      type: dict
    deprecated:
      description: Whether Microsoft has retired it.
      type: bool
    known:
      description: Whether the hardening catalogue knows what is behind it.
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
  description: What the controls add up to, and the score of the whole tenant.
  returned: success
  type: dict
  contains:
    points:
      description: Points won with these controls.
      type: float
    max_points:
      description: Points that can be won with those that have a score.
      type: float
    points_left:
      description: Points still to win.
      type: float
    controls:
      description: How many controls there are.
      type: int
    scored_controls:
      description: How many of them have a score.
      type: int
    tenant_points:
      description: Points of the tenant over all products; null where it was never scored.
      type: float
    tenant_max_points:
      description: Points that the tenant could have.
      type: float
    created:
      description: When the score was taken; empty where it never was.
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
  description: What the numbers alone do not say, such as that explicit roles have no control any more.
  returned: success
  type: list
  elements: str
  sample:
    - Microsoft's page on ServiceNow still names 'Activate the explicit role plugin', but no control of Secure Score exists
      for it any more. It wins no points. The hardening catalogue has it as plugin.explicit_roles.
api_calls:
  description: Number of HTTP requests that the task sent, as R(every module returns it,ansible_collections.secops.servicenow_defender.docsite.guide_results).
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
