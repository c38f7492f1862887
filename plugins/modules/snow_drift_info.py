#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_drift_info
short_description: Compare a whole ServiceNow instance with everything that is described of it, in one round trip
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Does in one task, and changes nothing, what M(secops.servicenow_defender.snow_instance_info) and, in check mode,
    M(secops.servicenow_defender.snow_instance) and M(secops.servicenow_defender.snow_hardening) do. Of hundreds of
    instances, each then costs one task and one batch of reads.
  - Every deviation is in RV(drift), whatever part it belongs to.
  - An account that may read, but not write, is enough.
  - The playbook C(drift) of this collection uses it.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
options:
  preflight:
    description:
      - What to look at beside the release, the account and the sign-in settings. Takes the options of
        M(secops.servicenow_defender.snow_instance_info), its connection options excepted.
    type: dict
  instance:
    description:
      - Roles, accounts, OAuth applications and more as they should be. Takes the options of
        M(secops.servicenow_defender.snow_instance), its connection options excepted.
    type: dict
  hardening:
    description:
      - The settings as they should be. Takes the options of M(secops.servicenow_defender.snow_hardening), its connection
        options excepted; an empty dictionary stands for their defaults.
      - If left out, no setting is looked at.
    type: dict
  fail_on:
    description:
      - The task fails for RV(problems) of these severities. What was found is returned all the same.
    type: list
    elements: str
    choices: [error, warning]
    default: [error]
  ignore:
    description:
      - Ids of RV(problems) for which the task never fails.
    type: list
    elements: str
    default: []
notes:
  - Each secret in O(instance) is tried out as M(secops.servicenow_defender.snow_instance) does it, which costs one to three
    requests more.
seealso:
  - module: secops.servicenow_defender.snow_instance_info
  - module: secops.servicenow_defender.snow_instance
  - module: secops.servicenow_defender.snow_hardening
"""

EXAMPLES = r"""
- name: Compare one instance with its description and with the Secure Score baseline
  secops.servicenow_defender.snow_drift_info:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    preflight:
      tables:
        - sysevent
    instance:
      roles:
        - name: defender_reader
      users:
        - user_name: svc_defender
          roles:
            - defender_reader
    hardening:
      baseline: secure_score
      exclude:
        - auth.mfa_enabled
  register: found

- name: Show what deviates
  ansible.builtin.debug:
    msg: "{{ found.drift | map(attribute='object') | unique }}"
"""

RETURN = r"""
msg:
  description: Instance, release, problems and posture in one line.
  returned: success
  type: str
  sample: 'acme-prod (Zurich patch2): nothing stands in the way of a connection; 18/22 Secure Score settings, 96 of
    114 points'
instance:
  description: What was found, as RV(secops.servicenow_defender.snow_instance_info#module:instance).
  returned: always, when the instance answered
  type: dict
  sample:
    name: acme-prod
    url: https://acme-prod.service-now.com
    release:
      family: zurich
      patch: patch2
      build: glide-zurich-07-01-2025__patch2-09-10-2025
      date: '2025-07-01'
      known: true
problems:
  description:
    - What stands in the way of a connection, errors first, as
      RV(secops.servicenow_defender.snow_instance_info#module:problems).
  returned: always, when the instance answered
  type: list
  elements: dict
  sample:
    - id: multifactor_for_integrations
      severity: warning
      message: 'Multi-factor authentication is demanded of integrations: an enrolled account
        is refused'
      remedy: Keep the connector's account out of enrolment, or set glide.authenticate.multifactor.for_integrations
        to false
results:
  description:
    - How each thing stands. First those of O(instance), as RV(secops.servicenow_defender.snow_instance#module:results), then
      the settings, as RV(secops.servicenow_defender.snow_hardening#module:results).
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: What it is about, as RV(drift) names it.
      type: str
    status:
      description: V(ok) when it is as described, V(changed) when its module would write it, or why it would not.
      type: str
  sample:
    - object: role defender_reader
      status: ok
      name: defender_reader
    - object: setting session.idle_timeout
      status: changed
      id: session.idle_timeout
      name: glide.ui.session_timeout
      actual: 120
      expected: 60
      verdict: deviating
posture:
  description: What the verdicts on the settings add up to, as RV(secops.servicenow_defender.snow_hardening#module:posture).
  returned: success, when O(hardening) is given
  type: dict
  sample:
    baseline: secure_score
    settings: {compliant: 19, deviating: 4, unknown: 0, not_applicable: 0}
writes_left:
  description: How many settings the module C(snow_hardening) would leave for further runs.
  returned: success, when O(hardening) is given
  type: int
  sample: 0
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
from ..module_utils.instance_drift import DRIFT_OPTIONS, compare
from ..module_utils.snow import SNOW_OPTIONS

SPEC = ansible_module.ModuleSpec(options=DRIFT_OPTIONS, groups=[SNOW_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Compare an instance with everything that is described of it."""
    return compare(params, context)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
