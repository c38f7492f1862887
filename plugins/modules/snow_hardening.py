#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_hardening
short_description: Manage the hardening settings of a ServiceNow instance
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Compares an instance with a hardening baseline in one batch of reads, and writes the settings that deviate and may
    be written. Run it in check mode first, with C(--check --diff).
  - Only differences are written, and a stricter value is never loosened. Settings are written in small groups, because
    every write of a property flushes caches on all nodes of the instance.
  - Irreversible settings, plugins, and settings with known side effects are withheld unless an option allows them. A
    setting that would block an existing connection, or this automation, is refused.
  - Settings that require the elevated role C(security_admin), or ServiceNow support, are returned as RV(manual_steps)
    with all values, and as an update set to import in RV(update_set).
  - After each group of writes, the module signs in again. If that fails, the group is rolled back and the task fails.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._hardening
  - secops.servicenow_defender._update_set_source
  - secops.servicenow_defender._polling
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - Whether ServiceNow activates a plugin only on request, and whether an application protects its properties, is
        only known when it is attempted.
options:
  exclude:
    description:
      - Ids of settings to exclude.
    type: list
    elements: str
    default: []
  overrides:
    description:
      - Values that replace the recommended ones, as id to value. The value must have the type of the setting. For a
        limit it is the limit, and for a list that should be empty it is the allowed content.
      - An unknown id, a value of another type, and an id that is excluded or not selected fail the task before anything
        is written.
    type: dict
    default: {}
  max_writes:
    description:
      - Maximum number of settings to write in this run; V(0) disables the limit. Remaining settings are reported and
        written by the next run.
    type: int
    default: 10
  allow_irreversible:
    description:
      - Whether to write irreversible settings, which the ServiceNow documentation marks with a safe harbor warning.
    type: bool
    default: false
  allow_plugins:
    description:
      - Whether to activate plugins. A plugin cannot be deactivated.
    type: bool
    default: false
  accept_side_effects:
    description:
      - Ids of settings whose known side effects are accepted. RV(results[].side_effects) lists them.
      - A setting that would disconnect one of O(services) is not written even then.
    type: list
    elements: str
    default: []
  exceptions:
    description:
      - Deviations that are accepted. Such a setting is not written, and is not in RV(drift); it has the status V(accepted).
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description:
          - Id of the setting.
        type: str
        required: true
      reason:
        description:
          - Why the deviation is accepted.
        type: str
        required: true
      owner:
        description:
          - Who has accepted it.
        type: str
      until:
        description:
          - Last day of the exception in UTC, such as V(2027-06-30). After it the setting is treated like any other, with a warning.
          - If not set, the exception has no end.
        type: str
  services:
    description:
      - Services whose connections must keep working. A setting that would block one is refused as long as its OAuth
        application exists on the instance. With an empty list, only the sign-in of this automation is protected.
      - Other consumers that are registered on the instance are protected as well, under any name. These are
        applications that act as an account of their own, and those that hold a valid token of an account without
        interactive sign-in. They are read in the same batch.
      - With the secrets of its sign-in, O(services[].client_secret) and O(services[].password), the module also verifies after each group of writes
        that the service still gets a token that gives access to the API.
    type: list
    elements: dict
    default:
      - application: Microsoft Defender for Cloud Apps
        user_name: svc_defender_cloud_apps
      - application: Microsoft Defender for Cloud
        user_name: svc_defender_cloud
      - application: Microsoft Security Exposure Management
        user_name: svc_defender_exposure_management
        grant_type: client_credentials
    suboptions:
      application:
        description:
          - Name of the entry in the Application Registry.
        type: str
        required: true
      user_name:
        description:
          - User name of the account of the service.
        type: str
        required: true
      grant_type:
        description:
          - How the service signs in, with client and account (V(password)), the client alone or the account alone.
        type: str
        choices: [password, client_credentials, basic]
        default: password
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
      - Whether to create rows only because Microsoft Secure Score evaluates rows, such as properties that a newer
        release no longer uses, or whose default is already the recommended value.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the activation of a plugin has finished.
    type: bool
    default: true
notes:
  - Settings that were removed from the hardening baseline are reported, and written only if O(ids) lists them.
  - Writing requires the role C(admin). Settings that the account cannot read are V(unknown) and never written.
  - Settings are written in this order. Ordinary settings first, then those that affect sign-in, then irreversible ones
    one by one, plugins last.
  - Progress is shown after each write if the module runs in the worker process (see the attribute C(action)).
  - With Basic authentication, a session is opened before the first write, so that a group can be rolled back even if
    the password is no longer accepted. With a token, the existing token is used.
  - Secure Score is updated within 24 hours.
seealso:
  - module: secops.servicenow_defender.snow_hardening_info
  - module: secops.servicenow_defender.snow_properties
  - module: secops.servicenow_defender.snow_plugins
  - name: Instance security hardening settings
    description: Documentation of ServiceNow. Each setting has a separate page; this one covers the High Security
      plugin.
    link: https://www.servicenow.com/docs/r/platform-security/instance-security-hardening-settings/sc-high-security-plugin.html
  - name: 'Facts: Who may write a setting'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_hardening.md#who-may-write-a-setting
"""

EXAMPLES = r"""
- name: Show the changes of the Secure Score baseline
  secops.servicenow_defender.snow_hardening:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    baseline: secure_score
  check_mode: true
  diff: true

- name: Apply the Secure Score baseline to an instance
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
    exceptions:
      - id: auth.password_policy
        reason: All users sign in with single sign-on
        owner: identity team
        until: '2027-06-30'
    accept_side_effects:
      - soap.content_type
      - acl.ccsi_public
    max_writes: 5
"""

RETURN = r"""
msg:
  description: Posture of the instance and changes made, in one sentence.
  returned: success
  type: str
  sample: 'acme-prod: 18/22 Secure Score settings, 96 of 114 points; 3 changed, 1 need elevation, 2 withheld'
results:
  description: Result for each setting, in the order of the catalogue.
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: The setting, as named in RV(drift).
      type: str
    status:
      description:
        - V(ok) if it is in sync, and V(changed) if it was written, or would be in check mode.
        - V(needs_elevation), V(manual) and V(request_only) if it must be changed manually; each has a manual step.
        - V(withheld) if it requires an option that is not set, or O(max_writes) was reached.
        - V(refused) if it would block a connection, or the instance refused to write it.
        - V(noted) if it deviates and no action is required or possible.
        - V(accepted) if it deviates and O(exceptions) accepts that.
        - V(unknown) if it could not be evaluated.
        - V(failed) if an activation failed, which fails the task.
      type: str
    reason:
      description: Reason of the status, if needed.
      type: str
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
        - What withholds the setting in this task; empty if it is in sync or written.
        - V(irreversible), V(plugin), V(side_effects), V(max_writes), V(connection), V(baseline) and V(stricter), V(locked) by
          ServiceNow, V(elevation) and V(manual) for a manual step.
      type: str
    switch:
      description: The option that has it written; empty if there is none.
      type: str
    exception:
      description: The entry of O(exceptions) for it, with C(reason), C(owner), C(until), and C(ended), which is V(true) once that day has passed.
      returned: when there is one
      type: dict
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
  description: Posture of the instance, after the writes; in check mode, as it is now.
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
writes_left:
  description: Number of settings left for later runs because of O(max_writes).
  returned: success
  type: int
  sample: 0
update_set:
  description:
    - Update set with the properties that must be written manually, as XML. An administrator imports it at System Update
      Sets > Retrieved Update Sets > Import Update Set from XML, then previews and commits it. If the preview reports
      I(Found a local update that is newer than this one), accept the remote update. Private properties are not part of
      it, as an import leaves them out; their manual steps remain. Empty if there is nothing to import.
  returned: success
  type: str
  sample: ''
put_back:
  description: Settings that were rolled back, because the account could no longer sign in after the write.
  returned: when a group was rolled back
  type: list
  elements: str
  sample:
    - setting session.idle_timeout
not_put_back:
  description: Settings that could not be rolled back, with the reason.
  returned: when a group was rolled back
  type: list
  elements: str
  sample: []
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
from ..module_utils.hardening.task import HARDENING_OPTIONS, harden, selection_of
from ..module_utils.snow import SNOW_OPTIONS, store_for
from ..module_utils.snow.update_sets.source import connection_secrets
from ..module_utils.transport.polling import WAIT_OPTIONS

SPEC = ansible_module.ModuleSpec(
    options={**HARDENING_OPTIONS, **WAIT_OPTIONS}, groups=[SNOW_OPTIONS], secrets=connection_secrets
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring one instance to a hardening baseline."""
    selection = selection_of(params)
    return harden(store_for(params, context), params, selection)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
