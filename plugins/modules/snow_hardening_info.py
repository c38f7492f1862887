#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_hardening_info
short_description: Tell where a ServiceNow instance stands against the hardening catalogue
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Compares an instance with the settings that ServiceNow documents for hardening, or with those that Microsoft Secure
    Score looks at, in one round trip however many there are.
  - Judges each setting. What the account may not see is V(unknown), never guessed.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
options:
  baseline:
    description:
      - Which settings to look at.
      - V(secure_score) are the 23 settings behind the 22 ServiceNow controls of Microsoft Secure Score.
      - V(recommended) are those that count in the current hardening baseline of ServiceNow.
      - V(all) is the whole catalogue, with settings that left the baseline but may still work.
      - If left out, the settings of O(ids) alone, or V(secure_score) where there are none.
    type: str
    choices: [secure_score, recommended, all]
  ids:
    description:
      - Settings to look at beside those of O(baseline), by their ids in the catalogue.
      - An unknown id fails the task and names similar ones; so does the name of a property, with the id that it has.
    type: list
    elements: str
    default: []
  production:
    description:
      - Whether this is a production instance. The setting C(instance.production) can be judged only where that is said.
    type: bool
notes:
  - Rows that access rules hide cannot be told from missing ones by a look at the answer. A setting counts as missing
    only if the account is C(admin), or if the instance counts rows before it hides some (C(X-Total-Count)) and counts
    none. Only then is it judged by the value that is in force without a row.
  - Where rows are hidden, one more round trip finds out which. An account without roles sees little and gets
    V(unknown) for most.
  - How Microsoft judges a property without a row is not published. RV(posture.secure_score.points) counts what is
    certain.
seealso:
  - module: secops.servicenow_defender.snow_hardening
  - module: secops.servicenow_defender.snow_instance_info
  - name: Instance security hardening settings
    description: What ServiceNow documents; each setting has a page of its own, this one is about the most important plugin.
    link: https://www.servicenow.com/docs/r/platform-security/instance-security-hardening-settings/sc-high-security-plugin.html
"""

EXAMPLES = r"""
- name: Look at what Secure Score looks at
  secops.servicenow_defender.snow_hardening_info:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
  register: posture

- name: Show what deviates
  ansible.builtin.debug:
    msg: "{{ posture.settings | selectattr('verdict', 'eq', 'deviating') | map(attribute='id') | list }}"

- name: Look at the whole catalogue
  secops.servicenow_defender.snow_hardening_info:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    baseline: all
    production: true
"""

RETURN = r"""
msg:
  description: Where the instance stands, in one line.
  returned: success
  type: str
  sample: 'acme-prod: 18/22 Secure Score settings, 96 of 114 points'
settings:
  description: Each setting that was looked at, in the order of the catalogue.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its id in the catalogue.
      type: str
    name:
      description: Name of the property or plugin, or table and sys_id of the row.
      type: str
    title:
      description: What is true when it is as recommended.
      type: str
    category:
      description: Its category in the documentation of ServiceNow.
      type: str
    severity:
      description: V(critical), V(high), V(medium), V(low) or V(unrated).
      type: str
    actual:
      description: What was found, a list where several rows hold it; null where nothing was.
      type: raw
    expected:
      description: The recommended value, or the limit.
      type: raw
    comparator:
      description: How both are compared, such as V(eq), V(le) or V(contains_all).
      type: str
    verdict:
      description:
        - V(compliant), or V(deviating).
        - V(not_applicable) where the release or the instance does not have it.
        - V(unknown) where it could not be read, where nothing is published about a missing row, or where only a person
          can judge.
      type: str
    reason:
      description: Why, where the values alone do not tell.
      type: str
    write_class:
      description:
        - How it can be written. V(ordinary) as a system property, V(elevated) only with the elevated role
          C(security_admin), V(scoped) as a property of an application, which can refuse it, V(locked) not at all,
          V(plugin) by activating a plugin, V(table_row) as a record of a table.
      type: str
    irreversible:
      description: Whether the value cannot be changed back once it was changed.
      type: bool
    side_effects:
      description: Known side effects of the recommended value.
      type: str
    secure_score_control:
      description: The control of Microsoft Secure Score that evaluates it; empty for most.
      type: str
    points:
      description: Points that Secure Score awards for the control; V(0) without one.
      type: int
    withheld_by:
      description:
        - What withholds the setting in M(secops.servicenow_defender.snow_hardening) without further options; empty if it does not
          deviate, or is written. Connections are not considered here.
        - V(irreversible), V(plugin), V(side_effects), V(max_writes), V(connection), V(baseline) and V(stricter), V(locked) by
          ServiceNow, V(elevation) and V(manual) for a manual step.
      type: str
    switch:
      description: The option that has it written; empty if there is none.
      type: str
  sample:
    - id: session.idle_timeout
      name: glide.ui.session_timeout
      title: Idle sessions end
      category: Session management
      severity: high
      actual: 120
      expected: 60
      comparator: le
      verdict: deviating
      reason: ''
      write_class: ordinary
      irreversible: false
      side_effects: ''
      secure_score_control: MDA_SNOW_uiSessionTimeout
      points: 4
      withheld_by: ''
      switch: ''
posture:
  description: What the verdicts add up to.
  returned: success
  type: dict
  contains:
    baseline:
      description: The baseline that was looked at; empty for chosen settings alone.
      type: str
    settings:
      description: How many settings got each verdict.
      type: dict
    by_category:
      description: The same for each category.
      type: dict
    by_severity:
      description: The same for each severity.
      type: dict
    secure_score:
      description: The controls of Secure Score among them.
      type: dict
      contains:
        controls:
          description: How many were looked at.
          type: int
        compliant:
          description: How many are won.
          type: int
        points:
          description: Points won.
          type: int
        unknown_points:
          description: Points that may be won or not.
          type: int
        possible_points:
          description: Points of all controls that were looked at.
          type: int
  sample:
    baseline: secure_score
    settings: {compliant: 19, deviating: 4, unknown: 0, not_applicable: 0}
    by_category:
      Authentication: {compliant: 5, deviating: 1, unknown: 0, not_applicable: 0}
    by_severity:
      high: {compliant: 10, deviating: 2, unknown: 0, not_applicable: 0}
    secure_score: {controls: 22, compliant: 18, points: 96, unknown_points: 0, possible_points: 114}
api_calls:
  description: How many HTTP requests the task sent, repeated ones included.
  returned: always
  type: dict
  contains:
    read:
      description: Requests that cannot change anything, requests for a token among them.
      type: int
    write:
      description: Requests that can.
      type: int
  sample:
    read: 1
    write: 0
warnings:
  description: What deserves attention although the task went well.
  returned: when there is any
  type: list
  elements: str
  sample:
    - 'https://acme-prod.service-now.com: attempt 1 of 6 failed, next one in 0.4 s. POST
      /api/now/v1/batch -> 503'
"""

from ..module_utils import ansible_module
from ..module_utils.hardening.assessment import assess_instance
from ..module_utils.hardening.baseline import BASELINES, select
from ..module_utils.hardening.posture import posture_of, summary
from ..module_utils.hardening.write_policy import as_result, withheld_by_default
from ..module_utils.snow import SNOW_OPTIONS, connect

SPEC = ansible_module.ModuleSpec(
    options={
        "baseline": {"type": "str", "choices": list(BASELINES)},
        "ids": {"type": "list", "elements": "str", "default": []},
        "production": {"type": "bool"},
    },
    groups=[SNOW_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Evaluate the settings of a baseline on one instance."""
    selection = select(params["baseline"], params["ids"])
    with connect(params, context) as instance:
        assessed = assess_instance(instance, selection, params["production"])
        posture = posture_of(selection.baseline, assessed)
        return ansible_module.information(
            msg=f"{instance.name}: {summary(posture)}",
            settings=[as_result(entry, withheld_by_default(entry)) for entry in assessed],
            posture=posture,
        )


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
