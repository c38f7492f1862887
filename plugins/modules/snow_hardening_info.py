#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_hardening_info
short_description: Compare a ServiceNow instance with the hardening catalogue
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Compares an instance with the hardening settings that ServiceNow documents, or with those that Microsoft Secure
    Score evaluates, in one batch of reads.
  - Returns a verdict on each setting. Settings that the account cannot read are V(unknown).
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._hardening
  - secops.servicenow_defender._transport
notes:
  - Rows that access rules hide cannot be distinguished from missing rows by the response alone. A setting is only
    considered missing if the account has the role C(admin), or if the count of rows before access rules apply
    (C(X-Total-Count)) is zero. Only then its default is evaluated.
  - If rows are hidden, one more batch of reads determines which. For an account without roles, most settings are
    V(unknown).
  - It is not published how Microsoft evaluates a property without a row. RV(posture.secure_score.points) only counts
    points that are certain.
seealso:
  - module: secops.servicenow_defender.snow_hardening
  - module: secops.servicenow_defender.snow_instance_info
  - name: Instance security hardening settings
    description: Documentation of ServiceNow. Each setting has a separate page; this one covers the High Security
      plugin.
    link: https://www.servicenow.com/docs/r/platform-security/instance-security-hardening-settings/sc-high-security-plugin.html
  - name: 'Facts: Evaluation rules'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_hardening.md#evaluation-rules
"""

EXAMPLES = r"""
- name: Evaluate the Secure Score baseline
  secops.servicenow_defender.snow_hardening_info:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
  register: posture

- name: Show the drift
  ansible.builtin.debug:
    msg: "{{ posture.settings | selectattr('verdict', 'eq', 'deviating') | map(attribute='id') | list }}"

- name: Evaluate the whole catalogue
  secops.servicenow_defender.snow_hardening_info:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    baseline: all
    production: true
"""

RETURN = r"""
msg:
  description: Posture of the instance, in one sentence.
  returned: success
  type: str
  sample: 'acme-prod: 18/22 Secure Score settings, 96 of 114 points'
settings:
  description: The settings that were evaluated, in the order of the catalogue.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id in the catalogue.
      type: str
    name:
      description: Name of the property or plugin, or table and sys_id of the row.
      type: str
    title:
      description: Title, which states the recommended configuration.
      type: str
    category:
      description: Category in the documentation of ServiceNow.
      type: str
    severity:
      description: V(critical), V(high), V(medium), V(low) or V(unrated).
      type: str
    actual:
      description: Actual value, a list if several rows contain it; null if there is none.
      type: raw
    expected:
      description: The recommended value, or the limit.
      type: raw
    comparator:
      description: Comparison of both, such as V(eq), V(le) or V(contains_all).
      type: str
    verdict:
      description:
        - V(compliant) or V(deviating).
        - V(not_applicable) if the release or the instance does not have it.
        - V(unknown) if it could not be read, if the effect of a missing row is not published, or if it must be
          evaluated manually.
      type: str
    reason:
      description: Reason of the verdict, if needed.
      type: str
    write_class:
      description:
        - How it can be written. V(ordinary) as a system property, V(elevated) only with the elevated role
          C(security_admin), V(scoped) as a property of an application, which can refuse it, V(locked) not at all,
          V(plugin) by activating a plugin, V(table_row) as a record of a table.
      type: str
    irreversible:
      description: Whether the change is irreversible.
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
  description: Posture of the instance, the sum of the verdicts.
  returned: success
  type: dict
  contains:
    baseline:
      description: Baseline that was evaluated; empty if only O(ids) were selected.
      type: str
    settings:
      description: Number of settings for each verdict.
      type: dict
    by_category:
      description: Number of settings for each category and verdict.
      type: dict
    by_severity:
      description: Number of settings for each severity and verdict.
      type: dict
    secure_score:
      description: Microsoft Secure Score controls among the settings.
      type: dict
      contains:
        controls:
          description: Number of controls that were evaluated.
          type: int
        compliant:
          description: Number of compliant controls.
          type: int
        points:
          description: Points achieved.
          type: int
        unknown_points:
          description: Points of controls that could not be evaluated.
          type: int
        possible_points:
          description: Points of all controls that were evaluated.
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
  description: Number of HTTP requests that the task sent, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.hardening.assessment import assess_instance
from ..module_utils.hardening.baseline import BASELINES, select
from ..module_utils.hardening.posture import posture_of, summary
from ..module_utils.hardening.write_policy import as_result, withheld_by_default
from ..module_utils.snow import SNOW_OPTIONS, store_for

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
    store = store_for(params, context)
    assessed = assess_instance(store, selection, params["production"])
    posture = posture_of(selection.baseline, assessed)
    return ansible_module.information(
        msg=f"{store.name}: {summary(posture)}",
        settings=[as_result(entry, withheld_by_default(entry)) for entry in assessed],
        posture=posture,
    )


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
