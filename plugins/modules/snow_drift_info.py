#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_drift_info
short_description: Compare a ServiceNow instance with its complete desired state
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Combines M(secops.servicenow_defender.snow_instance_info) with the check mode of
    M(secops.servicenow_defender.snow_instance) and M(secops.servicenow_defender.snow_hardening) in one task that never
    changes anything. Each instance requires one task and one batch of reads, which scales to hundreds of instances.
  - RV(drift) contains the drift of all parts.
  - A read-only account is sufficient.
  - The playbook C(drift) of this collection uses this module.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
options:
  preflight:
    description:
      - What to check in addition to the release, the account and the sign-in settings. It accepts the options of
        M(secops.servicenow_defender.snow_instance_info), except for the connection options.
    type: dict
  instance:
    description:
      - Desired state of roles, accounts, OAuth applications and other objects. It accepts the options of
        M(secops.servicenow_defender.snow_instance), except for the connection options.
    type: dict
  hardening:
    description:
      - Desired state of the hardening settings. It accepts the options of M(secops.servicenow_defender.snow_hardening),
        except for the connection options; an empty dictionary uses their defaults.
      - If not set, no hardening setting is checked.
    type: dict
  fail_on:
    description:
      - Severities of RV(problems) for which the task fails. Results are returned in any case.
    type: list
    elements: str
    choices: [error, warning]
    default: [error]
  ignore:
    description:
      - Ids of RV(problems) for which the task does not fail.
    type: list
    elements: str
    default: []
notes:
  - Each write-only secret in O(instance) is verified as by M(secops.servicenow_defender.snow_instance), which requires
    one to three more requests.
seealso:
  - module: secops.servicenow_defender.snow_instance_info
  - module: secops.servicenow_defender.snow_instance
  - module: secops.servicenow_defender.snow_hardening
"""

EXAMPLES = r"""
- name: Compare an instance with its desired state and with the Secure Score baseline
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

- name: Show the drift
  ansible.builtin.debug:
    msg: "{{ found.drift | map(attribute='object') | unique }}"
"""

RETURN = r"""
msg:
  description: Instance, release, problems and posture, in one sentence.
  returned: success
  type: str
  sample: 'acme-prod (Zurich patch2): ready to connect; 18/22 Secure Score settings, 96 of 114 points'
instance:
  description: The instance, as returned in RV(secops.servicenow_defender.snow_instance_info#module:instance).
  returned: always, when the instance responded
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
    - What prevents a connection, errors first, as returned in
      RV(secops.servicenow_defender.snow_instance_info#module:problems).
  returned: always, when the instance responded
  type: list
  elements: dict
  sample:
    - id: multifactor_for_integrations
      severity: warning
      message: 'Multi-factor authentication is required for integrations: an enrolled account is refused'
      remedy: Keep the connector's account out of enrolment, or set glide.authenticate.multifactor.for_integrations
        to false
results:
  description:
    - Result for each object. First those of O(instance), as returned in
      RV(secops.servicenow_defender.snow_instance#module:results), then the settings, as returned in
      RV(secops.servicenow_defender.snow_hardening#module:results). A setting that is in sync has no other columns than those of the
      last entry below.
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: The object, as named in RV(drift).
      type: str
    status:
      description: V(ok) if it is in sync, V(changed) if its module would write it, or the reason why it would not.
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
    - object: setting auth.no_blank_password
      status: ok
      id: auth.no_blank_password
      name: glide.login.no_blank_password
      actual: true
      verdict: compliant
posture:
  description: Posture of the instance, as returned in RV(secops.servicenow_defender.snow_hardening#module:posture).
  returned: success, when O(hardening) is given
  type: dict
  sample:
    baseline: secure_score
    settings: {compliant: 19, deviating: 4, unknown: 0, not_applicable: 0}
writes_left:
  description: Number of settings that M(secops.servicenow_defender.snow_hardening) would leave for later runs.
  returned: success, when O(hardening) is given
  type: int
  sample: 0
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
from ..module_utils.instance_drift import DRIFT_OPTIONS, compare
from ..module_utils.snow import SNOW_OPTIONS

SPEC = ansible_module.ModuleSpec(options=DRIFT_OPTIONS, groups=[SNOW_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Compare an instance with its desired state."""
    return compare(params, context)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
