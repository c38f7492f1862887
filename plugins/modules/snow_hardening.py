#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_hardening
short_description: Bring a ServiceNow instance to a hardening baseline, safely
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Compares an instance with a baseline in one round trip, and writes what deviates and may be written. Run it in check
    mode first, with C(--check --diff).
  - Writes only differences, never loosens a value that is stricter, and writes a few settings at a time, since every
    write of a property flushes caches on all nodes of the instance.
  - What cannot be changed back, plugins, and what is known to break something are written only when their switch
    allows it. What would cut off a connection that is there, or this automation, is refused.
  - What takes the elevated role C(security_admin), or ServiceNow support, comes back in RV(manual_steps) with every
    value, and as an update set to import in RV(update_set).
  - Signs in anew after each group of writes. When that fails, the group is put back and the task fails.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - Whether ServiceNow activates a plugin on request only, and whether an application forbids to write its
        properties, is known only when it is tried.
options:
  baseline:
    description:
      - Which settings to bring to their recommended values.
      - V(secure_score) are the 23 settings behind the 22 ServiceNow controls of Microsoft Secure Score.
      - V(recommended) are those that count in the current hardening baseline of ServiceNow.
      - V(all) is the whole catalogue. What left the baseline is reported and written only if O(ids) names it.
      - If left out, the settings of O(ids) alone, or V(secure_score) where there are none.
    type: str
    choices: [secure_score, recommended, all]
  ids:
    description:
      - Settings to take beside those of O(baseline), by their ids in the catalogue; M(secops.servicenow_defender.snow_hardening_info)
        lists them.
    type: list
    elements: str
    default: []
  exclude:
    description:
      - Settings to leave alone.
    type: list
    elements: str
    default: []
  overrides:
    description:
      - Values to use in place of the recommended ones, by id. The value has the type of the setting. For a limit it is
        the limit, and for a list that should be empty it is what the list may hold.
      - An unknown id, a value of another type, and an id that O(exclude) names too or nothing selects fail the task
        before anything is written.
    type: dict
    default: {}
  max_writes:
    description:
      - How many settings to write at most in this run; V(0) for no limit. What is left over is said and waits for the
        next run.
    type: int
    default: 10
  allow_irreversible:
    description:
      - Whether to write settings that cannot be changed back, which the documentation marks with a safe harbor warning.
    type: bool
    default: false
  allow_plugins:
    description:
      - Whether to activate plugins. The platform has no way to deactivate one.
    type: bool
    default: false
  accept_side_effects:
    description:
      - Ids of settings whose known side effects are accepted. RV(results[].side_effects) lists them.
      - A setting that would disconnect one of O(services) is not written even then.
    type: list
    elements: str
    default: []
  services:
    description:
      - Connections that have to go on working. A setting that would cut one off is refused as long as its OAuth
        application is on the instance. With an empty list only this automation's own way in is looked after.
      - With O(services[].client_secret) and O(services[].password) it is also made sure after each group of
        writes that the connection still gets a token that opens the API.
    type: list
    elements: dict
    default:
      - application: Microsoft Defender for Cloud Apps
        user_name: svc_defender_cloud_apps
      - application: Microsoft Defender for Cloud
        user_name: svc_defender_cloud
    suboptions:
      application:
        description:
          - Name of the entry in the Application Registry.
        type: str
        required: true
      user_name:
        description:
          - User name of its account.
        type: str
        required: true
      client_secret:
        description:
          - Client secret of the application.
        type: str
      password:
        description:
          - Password of the account.
        type: str
  create_for_score:
    description:
      - Whether to write rows only because Microsoft Secure Score reads rows, such as properties that a newer release no
        longer uses, or whose value without a row is the recommended one anyway.
    type: bool
    default: false
  production:
    description:
      - Whether this is a production instance. The setting C(instance.production) is written only where that is said.
    type: bool
  wait:
    description:
      - Whether to wait until the activation of a plugin has ended.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait for each plugin, in seconds.
    type: float
    default: 1800
  poll_interval:
    description:
      - Seconds before the progress of an activation is asked for the first time. The pauses grow from there to at most
        60 seconds.
    type: float
    default: 10
notes:
  - Writing takes the role C(admin). What an account may not see is V(unknown) and never written.
  - The order is, ordinary settings first, then those about signing in, then what has no way back, one by one, plugins
    last.
  - Progress is shown after each write where the module runs in the worker (see the attribute C(action)).
  - With Basic authentication a session is opened before the first write, so that a group can be put back although the
    password is no longer accepted. With a token, the token that is still alive does that.
  - Secure Score follows within a day.
seealso:
  - module: secops.servicenow_defender.snow_hardening_info
  - module: secops.servicenow_defender.snow_properties
  - module: secops.servicenow_defender.snow_plugins
  - name: Instance security hardening settings
    description: What ServiceNow documents; each setting has a page of its own, this one is about the most important plugin.
    link: https://www.servicenow.com/docs/r/platform-security/instance-security-hardening-settings/sc-high-security-plugin.html
"""

EXAMPLES = r"""
- name: Say what the Secure Score baseline would change
  secops.servicenow_defender.snow_hardening:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    baseline: secure_score
  check_mode: true
  diff: true

- name: Bring an instance to the Secure Score baseline
  secops.servicenow_defender.snow_hardening:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    baseline: secure_score
    overrides:
      session.idle_timeout: 30
    exclude:
      - auth.mfa_enabled
    allow_irreversible: true
    accept_side_effects:
      - soap.content_type
      - acl.ccsi_public
    max_writes: 5
"""

RETURN = r"""
msg:
  description: Where the instance stands, and what was done, in one line.
  returned: success
  type: str
  sample: 'acme-prod: 18/22 Secure Score settings, 96 of 114 points; 3 changed, 1 need elevation, 2 withheld'
results:
  description: What became of each setting, in the order of the catalogue.
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: The setting, as RV(drift) names it.
      type: str
    status:
      description:
        - V(ok) when nothing had to be done, and V(changed) when it was written, or would be.
        - V(needs_elevation), V(manual) and V(request_only) when only a person can do it; each comes with a manual step.
        - V(withheld) when its switch is off or O(max_writes) was reached.
        - V(refused) when it would cut off a connection, or when the instance refused to write it.
        - V(noted) when it deviates, and that is all that can or should be said.
        - V(unknown) when it could not be judged.
        - V(failed) when an activation did not end well, which fails the task.
      type: str
    reason:
      description: Why, where it is not obvious.
      type: str
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
        - What withholds the setting in this task; empty if it is in sync or written.
        - V(irreversible), V(plugin), V(side_effects), V(max_writes), V(connection), V(baseline) and V(stricter), V(locked) by
          ServiceNow, V(elevation) and V(manual) for a manual step.
      type: str
    switch:
      description: The option that has it written; empty if there is none.
      type: str
  sample:
    - object: setting session.idle_timeout
      status: changed
      id: session.idle_timeout
      name: glide.ui.session_timeout
      title: Idle sessions end
      category: Session management
      severity: high
      actual: 60
      expected: 60
      comparator: le
      verdict: compliant
      reason: ''
      write_class: ordinary
      irreversible: false
      side_effects: ''
      secure_score_control: MDA_SNOW_uiSessionTimeout
      points: 4
      withheld_by: ''
      switch: ''
posture:
  description: What the verdicts add up to, after the writes; in check mode as it is.
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
writes_left:
  description: How many settings are left for further runs because of O(max_writes).
  returned: success
  type: int
  sample: 0
update_set:
  description:
    - An update set with the properties that only a person can write, as XML. An administrator imports it at System
      Update Sets > Retrieved Update Sets > Import Update Set from XML, previews and commits it. Empty where there is
      nothing to import.
  returned: success
  type: str
  sample: ''
changed:
  description:
    - Whether anything was changed, or would be outside check mode. What is left to a person (RV(manual_steps)) is no
      change.
  returned: always
  type: bool
  sample: true
diff:
  description: What was found and what is described, by property; only what is written.
  returned: success, in diff mode
  type: dict
  contains:
    before:
      description: What was found.
      type: dict
    after:
      description: What is described.
      type: dict
  sample:
    before:
      hardening:
        glide.ui.session_timeout: '120'
    after:
      hardening:
        glide.ui.session_timeout: '60'
drift:
  description: Every deviation that was found, whether it was then repaired or not. Secrets are masked.
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: What deviates.
      type: str
    field:
      description: The option, column or state that deviates.
      type: str
    before:
      description: What was found; null where there was nothing.
      type: raw
    after:
      description: What is described.
      type: raw
  sample:
    - object: setting session.idle_timeout
      field: glide.ui.session_timeout
      before: '120'
      after: '60'
manual_steps:
  description: What no API can do and a person has to, with every value to enter. It counts as drift until it is done.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Name of the step, the same in every run.
      type: str
    title:
      description: What to do, in one line.
      type: str
    reason:
      description: Why it cannot be automated.
      type: str
    where:
      description: The way to the page on which to do it.
      type: str
    values:
      description: What to enter, by the label of the field on that page.
      type: dict
    secret_values:
      description: Labels of fields whose value is a secret, and so not shown.
      type: list
      elements: str
  sample:
    - id: setting:request_auth.scripted_processor
      title: Set the system property glide.basicauth.required.scriptedprocessor
      reason: Its write roles include security_admin, an elevated role that no API call can
        hold
      where: 'ServiceNow: user menu > Elevate role > security_admin, then sys_properties.list
        > glide.basicauth.required.scriptedprocessor'
      values:
        Name: glide.basicauth.required.scriptedprocessor
        Value: 'true'
      secret_values: []
put_back:
  description: What was put back, because the account no longer signed in after it had been written.
  returned: when a group was put back
  type: list
  elements: str
  sample:
    - setting session.idle_timeout
not_put_back:
  description: What could not be put back, and why.
  returned: when a group was put back
  type: list
  elements: str
  sample: []
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
    read: 14
    write: 6
warnings:
  description: What deserves attention although the task went well.
  returned: when there is any
  type: list
  elements: str
  sample:
    - 7 settings remain after max_writes=10; run again to write them. Every write flushes
      the caches of all nodes
"""

from ..module_utils import ansible_module
from ..module_utils.hardening.task import harden, selection_of
from ..module_utils.snow import SNOW_OPTIONS, connect
from ..module_utils.snow.specs import HARDENING_OPTIONS, WAIT_OPTIONS

SPEC = ansible_module.ModuleSpec(options={**HARDENING_OPTIONS, **WAIT_OPTIONS}, groups=[SNOW_OPTIONS])


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring one instance to a hardening baseline."""
    selection = selection_of(params)
    with connect(params, context) as instance:
        return harden(instance, params, selection)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
