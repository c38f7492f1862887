#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_configuration_compliance
short_description: Manage the import of Defender for Cloud into Configuration Compliance
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Detects Configuration Compliance (C(com.snc.vulc)) and the application that imports assessments of Microsoft
    Defender for Cloud, either the new one (C(sn_vul_msft_tvm), from 3.0.2 or 31.0.2 on) or the old one (C(app-vul-asc),
    C(sn_vul_asc)). With O(install=true), missing applications are installed.
  - Writes the values of the form I(Microsoft Defender for Cloud Configuration). ServiceNow does not publish where they
    are stored. This module finds the table by the labels of its columns, or the parameters of the integration instance,
    and writes the values if the instance allows it. Otherwise the form and all values to enter are returned in
    RV(manual_steps).
  - Ensures that the integration instance and its jobs are active and that the jobs run as C(VR.System), and reads the
    last run of each job.
  - Neither I(Save and test) nor I(Execute Now) has a documented REST API. The configuration is verified by a run of
    each job that ended as Complete and Success after the last change of the configuration.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._polling
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - Whether the instance is entitled to an application, and whether it accepts a write from outside the scope of the
        application, is only known when it is attempted.
      - The changes to an application that is not installed yet cannot be predicted. Check mode does not wait.
  idempotent:
    details:
      - With O(update_secret=always), every run writes the secret. Values that the instance refused are tried again in
        every run.
options:
  api_url:
    description:
      - URL of Azure Resource Manager (field I(API URL)).
      - If not set, a new configuration gets V(https://management.azure.com), and an existing one is not changed.
    type: str
  tenant_id:
    description:
      - Id of the Microsoft Entra tenant (field I(Tenant ID)).
      - If not set, the field is not changed. This also applies to the other fields of the form.
    type: str
  client_id:
    description:
      - Id of the application in Microsoft Entra that the instance signs in as (field I(Client ID)). It requires the
        role Security Reader on all imported scopes, but no API permission and no admin consent.
    type: str
  client_secret:
    description:
      - Client secret of O(client_id) (field I(Client secret)). It is a write-only secret.
    type: str
  update_secret:
    description:
      - When to write O(client_secret).
      - With V(on_create), if the instance has no secret yet, and with a new O(client_id).
      - With V(always), in every run. The secret on the instance cannot be verified.
    type: str
    choices: [on_create, always]
    default: on_create
  application_managed:
    description:
      - Whether M(secops.servicenow_defender.entra_application) manages the application O(client_id), so that registering it is no manual step.
    type: bool
    default: false
  import_from:
    description:
      - Scopes to import (field I(Import Findings from)). V(all) imports everything that the application may read.
    type: str
    choices: [all, management_groups, subscriptions]
  management_groups:
    description:
      - Ids of management groups (field I(Management Group IDs)), without a path. Required with
        O(import_from=management_groups), and only allowed then.
    type: list
    elements: str
  subscriptions:
    description:
      - Ids of subscriptions (field I(Subscription IDs)), without a path. Required with O(import_from=subscriptions), and
        only allowed then.
    type: list
    elements: str
  integration_instance:
    description:
      - Name of the integration instance (C(sn_sec_int_impl)). If not set, the default one of Defender for Cloud is
        used.
    type: str
  jobs:
    description:
      - Jobs that must be active, run as C(VR.System), and have succeeded. Other jobs are not changed. They are always
        processed in the order of the default. The old application has no V(container_images).
    type: list
    elements: str
    choices:
      - policy_definitions
      - assessment_metadata
      - compliance_standards
      - assessments
      - comprehensive_assessments
      - container_images
    default:
      - policy_definitions
      - assessment_metadata
      - compliance_standards
      - assessments
      - comprehensive_assessments
      - container_images
  install:
    description:
      - Whether to install Configuration Compliance with its dependencies, and the new application, if they are known to
        be missing. The order is C(com.snc.vul_dep), C(sn_sec_int), C(sn_sec_cmn), C(sn_sec_cmn_orch), C(sn_vul_cmn),
        C(sn_vul), C(com.snc.vulc_dep), C(com.snc.vulc), C(sn_vul_msft_tvm). It stops if one is refused.
      - The new application is never installed if the old one is present. That migration must be started manually.
    type: bool
    default: false
  versions:
    description:
      - Versions to install, as scope to version, such as C(sn_vul_msft_tvm) to V(3.0.3). If not set for a scope, the
        instance selects the version.
      - Installed applications are never upgraded. Versions from 30 on (31 on for C(sn_vul_msft_tvm)) belong to the USEM
        line, which cannot be reverted.
    type: dict
  wait:
    description:
      - Whether to wait until the installations have finished. With V(false), a later run configures them.
    type: bool
    default: true
  jobs_wait:
    description:
      - Whether to wait until each of O(jobs) has a run that verifies the configuration. Start the runs manually with
        I(Execute Now), or wait for their schedule. The comprehensive job runs weekly.
      - The task fails if a run fails, or has not finished after O(wait_timeout).
    type: bool
    default: false
  wait_timeout:
    description:
      - Maximum time to wait for each installation, and for all jobs together, in seconds.
    type: float
    default: 1800
  expected:
    description:
      - Number of assessments in Azure, to compare with the imported ones. They are only comparable after the
        comprehensive job has succeeded.
    type: dict
    suboptions:
      unhealthy:
        description:
          - Number of unhealthy assessments (Failed in ServiceNow).
        type: int
      healthy:
        description:
          - Number of healthy assessments (Passed in ServiceNow). The jobs read changes and assessments that are not
            passed, so assessments that have always been healthy can be missing in ServiceNow.
        type: int
  sources:
    description:
      - Number of unhealthy assessments in Azure by where the resource is, to check that the findings of every cloud arrive. A source with more than
        0 must have failed results in ServiceNow; the numbers are only compared after the comprehensive job has succeeded.
      - If set, the failed results are counted by source (RV(configuration_compliance.counts.sources)).
    type: dict
    suboptions:
      azure:
        description:
          - Resources of Azure.
        type: int
      aws:
        description:
          - Resources of AWS.
        type: int
      gcp:
        description:
          - Resources of Google Cloud.
        type: int
      on_premises:
        description:
          - Machines on premises, which Azure Arc projects into Azure.
        type: int
  max_import_age_hours:
    description:
      - Age of the last successful import of assessments from which on it is a problem, in hours. The Assessment job reads changes once a day.
      - V(0) is no limit.
    type: int
    default: 0
notes:
  - Configuration Compliance is a separate Store subscription. Production instances require an entitlement.
  - Writing the configuration requires the role C(sn_vul_msft_tvm.configure_integration)
    (C(sn_vul_asc.configure_integration) of the old application); jobs and the integration instance require
    C(sn_vulc.admin) or C(sn_sec_cmn.admin). Installing requires C(sn_cicd.sys_ci_automation) or C(admin).
  - Anything that the account cannot read is reported as unknown in RV(problems), never as absent or in sync.
  - The task only fails for invalid input, errors, and jobs that did not finish in time. Anything else is reported in
    RV(problems), and the role P(secops.servicenow_defender.mdc_configuration_compliance#role) fails for those of
    severity V(error).
  - If everything is in sync, the task sends two batch requests.
seealso:
  - module: secops.servicenow_defender.snow_plugins
  - name: Install and configure the Microsoft Defender for Cloud integration
    description: How to fill in the form manually.
    link: https://www.servicenow.com/docs/r/security-management/vulnerability-response/cc_asc_install_configure.html
  - name: Permissions in Microsoft Defender for Cloud
    description: Permissions of the role Security Reader.
    link: https://learn.microsoft.com/en-us/azure/defender-for-cloud/permissions
  - name: 'Facts: Private configuration table'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/configuration_compliance.md#private-configuration-table
"""

EXAMPLES = r"""
- name: Import the assessments of two subscriptions into ServiceNow
  secops.servicenow_defender.snow_configuration_compliance:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    tenant_id: 5c1e7d0a-6f5b-4d7f-9a55-0c9f1f2f8a11
    client_id: 0b8f8a3e-3a5f-4b0e-8f0e-5a4c5a1d2e33
    client_secret: "{{ vault_defender_client_secret }}"
    import_from: subscriptions
    subscriptions:
      - 3f6c1c2e-94d4-4b8e-a8f7-6b1a58f7c001
      - 3f6c1c2e-94d4-4b8e-a8f7-6b1a58f7c002

- name: Install the applications, and wait until the jobs have run
  secops.servicenow_defender.snow_configuration_compliance:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    tenant_id: 5c1e7d0a-6f5b-4d7f-9a55-0c9f1f2f8a11
    client_id: 0b8f8a3e-3a5f-4b0e-8f0e-5a4c5a1d2e33
    client_secret: "{{ vault_defender_client_secret }}"
    import_from: all
    install: true
    versions:
      sn_vul_msft_tvm: 3.0.3
    jobs_wait: true
    wait_timeout: 7200

- name: Compare the imported assessments with the number in Azure
  secops.servicenow_defender.snow_configuration_compliance:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    expected:
      unhealthy: 1284
  register: compliance

- name: Check that the findings of every cloud arrive, and not later than two days ago
  secops.servicenow_defender.snow_configuration_compliance:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    sources:
      azure: 900
      aws: 300
      gcp: 80
      on_premises: 4
    max_import_age_hours: 48

- name: Show the problems
  ansible.builtin.debug:
    var: compliance.problems
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'acme-prod: Configuration Compliance in sync; 1 warning'
configuration_compliance:
  description: State after the task; in check mode, as it would be.
  returned: success, and when jobs were waited for in vain
  type: dict
  contains:
    generation:
      description:
        - V(sn_vul_msft_tvm) (the new application), V(sn_vul_asc) (the old one), V(both), V(none), or V(unknown) if the
          account cannot read it.
      type: str
    line:
      description: Version line, V(classic), V(usem) or V(unknown).
      type: str
    versions:
      description: Installed versions, as scope or plugin id to version.
      type: dict
    integration_instance:
      description: Name of the integration instance; null if none is visible.
      type: str
    configuration:
      description: The configuration; null if it was not found.
      type: dict
      contains:
        table:
          description: Table that stores it.
          type: str
        sys_id:
          description: The sys_id of the row; empty if each value is a separate row, or there is no row yet.
          type: str
        fields:
          description:
            - Values by option name, and C(validation_status) if present. The secret is never returned. Values that
              cannot be read are omitted.
          type: dict
    jobs:
      description: The jobs that were found, in their order.
      type: list
      elements: dict
      contains:
        job:
          description: Job, as named in O(jobs).
          type: str
        name:
          description: Name on the instance.
          type: str
        table:
          description: Table of the job.
          type: str
        sys_id:
          description: The sys_id of the job.
          type: str
        active:
          description: Whether its schedule is on; null if it cannot be read.
          type: bool
        run_as:
          description: User name of whom it is run as; null if it cannot be read.
          type: str
        last_run:
          description: Last run; null if there is none or none is visible.
          type: dict
          contains:
            number:
              description: Number of the run.
              type: str
            state:
              description: State, as stored on the instance.
              type: str
            substate:
              description: Substate, as stored on the instance.
              type: str
            ended_at:
              description: Time when it ended, UTC; null while it runs.
              type: str
        verified:
          description: Whether the last run succeeded after the last change of the configuration.
          type: bool
    last_import:
      description: Last successful import of assessments; null if the last runs of both assessment jobs did not succeed or are not visible.
      type: dict
      contains:
        ended_at:
          description: Time when it ended, UTC.
          type: str
        age_hours:
          description: How long ago that was, in hours.
          type: int
    counts:
      description: Number of test results; null without an application that imports them.
      type: dict
      contains:
        source:
          description: Source of the test results.
          type: str
        results:
          description: Number by result; null if unknown.
          type: dict
        sources:
          description: Number of failed results by where the resource is, as the keys of O(sources); null without that option, or if unknown.
          type: dict
        comparable:
          description: Whether they can be compared with Azure.
          type: bool
        reason:
          description: Reason if they cannot be compared.
          type: str
  sample:
    generation: sn_vul_msft_tvm
    line: classic
    versions:
      com.snc.vulc: 15.9.0
      sn_vul_msft_tvm: 3.0.3
    integration_instance: Microsoft Defender for Cloud
    configuration:
      table: sn_vul_msft_tvm_mdc_configuration
      sys_id: 6d1f0a8c1b2c41109f3b2f0a2d4bcb11
      fields:
        api_url: https://management.azure.com
        tenant_id: 5c1e7d0a-6f5b-4d7f-9a55-0c9f1f2f8a11
        client_id: 0b8f8a3e-3a5f-4b0e-8f0e-5a4c5a1d2e33
        import_from: subscriptions
        subscriptions:
          - 3f6c1c2e-94d4-4b8e-a8f7-6b1a58f7c001
    jobs:
      - job: policy_definitions
        name: Policy Definition(s) Integration
        table: sn_vul_integration
        sys_id: 0f2e4a6c1b2c41109f3b2f0a2d4bcb22
        active: true
        run_as: VR.System
        last_run:
          number: VINTRUN0010001
          state: complete
          substate: success
          ended_at: '2026-06-25T04:10:31Z'
        verified: true
    last_import:
      ended_at: '2026-06-25T04:10:31Z'
      age_hours: 5
    counts:
      source: Microsoft Defender for Cloud
      results:
        Failed: 1284
        Passed: 310
      sources:
        azure: 900
        aws: 300
        gcp: 80
        on_premises: 4
      comparable: true
      reason: ''
problems:
  description: Problems and unknown states, errors first.
  returned: success, and when jobs were waited for in vain
  type: list
  elements: dict
  contains:
    id:
      description:
        - Id of the problem, stable across runs. One of V(not_entitled), V(installation_awaited), V(compliance_absent),
          V(compliance_unknown), V(integration_absent), V(integration_unknown), V(old_generation), V(both_generations),
          V(instance_absent), V(instance_unknown), V(configuration_absent), V(configuration_unknown),
          V(counts_not_comparable), V(import_old), V(sources_unknown).
        - Or one of V(field_unknown:), V(ids_too_long:), V(counts_differ:), V(source_missing:), V(source_differs:) followed by the name of an
          option.
        - Or one of V(job_absent:), V(job_unknown:), V(job_unclear:), V(job_active_unknown:), V(job_run_as_unknown:),
          V(job_not_run:), V(job_not_verified:), V(job_running:), V(job_failed:), V(job_order:), V(run_unknown:)
          followed by the name of a job.
      type: str
    severity:
      description: V(error) if the import fails or is incomplete; V(warning) if it may be, or the state is unknown.
      type: str
    message:
      description: The problem.
      type: str
    remedy:
      description: How to fix it.
      type: str
  sample:
    - id: job_not_run:comprehensive_assessments
      severity: warning
      message: Comprehensive Assessment Integration has never run
      remedy: Press Execute Now, or wait for its schedule
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
from ..module_utils.snow import SNOW_OPTIONS, store_for
from ..module_utils.snow.configuration_compliance.constants import JOB_KEYS
from ..module_utils.snow.configuration_compliance.reconcile import reconcile
from ..module_utils.snow.configuration_compliance.settings import Settings
from ..module_utils.snow.configuration_compliance.sources import SOURCES
from ..module_utils.transport.polling import WAIT_OPTIONS

SPEC = ansible_module.ModuleSpec(
    options={
        "api_url": {"type": "str"},
        "tenant_id": {"type": "str"},
        "client_id": {"type": "str"},
        "client_secret": {"type": "str", "no_log": True},
        "update_secret": {"type": "str", "choices": ["on_create", "always"], "default": "on_create", "no_log": False},
        "import_from": {"type": "str", "choices": ["all", "management_groups", "subscriptions"]},
        "management_groups": {"type": "list", "elements": "str"},
        "subscriptions": {"type": "list", "elements": "str"},
        "integration_instance": {"type": "str"},
        "jobs": {"type": "list", "elements": "str", "choices": list(JOB_KEYS), "default": list(JOB_KEYS)},
        "install": {"type": "bool", "default": False},
        "versions": {"type": "dict"},
        **WAIT_OPTIONS,
        "jobs_wait": {"type": "bool", "default": False},
        "application_managed": {"type": "bool", "default": False},
        "sources": {"type": "dict", "options": {name: {"type": "int"} for name in SOURCES}},
        "max_import_age_hours": {"type": "int", "default": 0},
        "expected": {"type": "dict", "options": {"unhealthy": {"type": "int"}, "healthy": {"type": "int"}}},
    },
    groups=[SNOW_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring the integration of Configuration Compliance with Defender for Cloud to its desired state."""
    settings = Settings.from_params(params)
    return reconcile(store_for(params, context), settings)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
