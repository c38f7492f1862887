#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_configuration_compliance
short_description: Configure how ServiceNow reads Defender for Cloud into Configuration Compliance
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Looks for Configuration Compliance (C(com.snc.vulc)) and for the application that reads assessments of Microsoft
    Defender for Cloud from Azure, either the new one (C(sn_vul_msft_tvm), from 3.0.2 or 31.0.2 on) or the old one
    (C(app-vul-asc), C(sn_vul_asc)), and installs what is missing where O(install) says so.
  - Writes what the form I(Microsoft Defender for Cloud Configuration) asks for. ServiceNow does not publish where the form
    keeps it. This module finds the table by the labels of its columns, or the parameters of the integration instance, and
    writes where the instance lets it. Where it does not, the form and every value to enter come back in
    RV(manual_steps).
  - Has the integration instance and its jobs active, and the jobs run as C(VR.System). Looks at the last run of each job.
  - Neither I(Save and test) nor I(Execute Now) has a documented REST call. What verifies the configuration is a run of each
    job that ended with Complete and Success after the configuration was last changed.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - Whether the instance is entitled to an application, and whether it takes a write from outside the application's
        scope, is known only when it is tried.
      - Before something is installed, what its tables will need is not known. Nothing is waited for.
  idempotent:
    details:
      - With O(update_secret=always) every run writes the secret. What the instance refused is tried again in every run.
options:
  api_url:
    description:
      - Root of Azure Resource Manager (field I(API URL)).
    type: str
    default: https://management.azure.com
  tenant_id:
    description:
      - Id of the Microsoft Entra tenant (field I(Tenant ID)).
      - Whatever of the fields is left out is left alone.
    type: str
  client_id:
    description:
      - Id of the application in Microsoft Entra that the instance signs in as (field I(Client ID)). It needs the role
        Security Reader at everything that is imported. It needs no permission of an API and no admin consent.
    type: str
  client_secret:
    description:
      - Its client secret (field I(Client secret)). It is only ever written, never read.
    type: str
  update_secret:
    description:
      - When O(client_secret) is written.
      - With V(on_create), where the instance holds none yet, and with a new O(client_id).
      - With V(always), in every run. There is no way to find out which secret the instance holds.
    type: str
    choices: [on_create, always]
    default: on_create
  import_from:
    description:
      - What to import (field I(Import Findings from)). V(all) is everything that the application may read.
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
      - Name of the integration instance (C(sn_sec_int_impl)). If left out, the default one of Defender for Cloud.
    type: str
  jobs:
    description:
      - Jobs that have to be active, run as C(VR.System), and have run well. Others are left alone. Their order is always
        the one of the default. The old application has no V(container_images).
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
      - Whether to activate Configuration Compliance and install what it needs, and the new application, where they are
        known to be missing. The order is C(com.snc.vul_dep), C(sn_sec_int), C(sn_sec_cmn), C(sn_sec_cmn_orch),
        C(sn_vul_cmn), C(sn_vul), C(com.snc.vulc_dep), C(com.snc.vulc), C(sn_vul_msft_tvm). It ends where one is refused.
      - The new application is never put beside the old one. That migration begins with a person.
    type: bool
    default: false
  versions:
    description:
      - Versions to install, by scope, such as C(sn_vul_msft_tvm) to V(3.0.3). For others the instance chooses.
      - What is installed is never upgraded. A version from 30 on (of C(sn_vul_msft_tvm) from 31 on) is of the USEM line,
        from which there is no way back.
    type: dict
  wait:
    description:
      - Whether to wait until what O(install) started has ended. With V(false) a later run configures it.
    type: bool
    default: true
  jobs_wait:
    description:
      - Whether to wait until each of O(jobs) has had a run that verifies the configuration. Meanwhile a person presses
        I(Execute Now), or the schedule comes round. The comprehensive job is weekly.
      - The task fails when one ends badly, or has not ended after O(wait_timeout).
    type: bool
    default: false
  wait_timeout:
    description:
      - How long to wait for each installation, and for all jobs together, in seconds.
    type: float
    default: 1800
  poll_interval:
    description:
      - Seconds before it is looked for the first time. The pauses grow from there to at most 60 seconds.
    type: float
    default: 10
  expected:
    description:
      - Counts of assessments that Azure has, to compare with. Only after the comprehensive job has ended well are they
        comparable.
    type: dict
    suboptions:
      unhealthy:
        description:
          - How many are unhealthy. ServiceNow calls them Failed.
        type: int
      healthy:
        description:
          - How many are healthy. ServiceNow calls them Passed. The jobs read changes and what has not passed, so what has
            been healthy all along may be missing there.
        type: int
notes:
  - Configuration Compliance is a Store subscription of its own. On production it takes an entitlement.
  - Writing the configuration takes the role C(sn_vul_msft_tvm.configure_integration) (C(sn_vul_asc.configure_integration)
    of the old application), jobs and the integration instance C(sn_vulc.admin) or C(sn_sec_cmn.admin). Installing takes
    C(sn_cicd.sys_ci_automation) or C(admin).
  - What the account may not see is said to be unknown (RV(problems)), never taken to be absent or as described.
  - The task fails only for what cannot be meant, what breaks, and jobs that were waited for in vain. Anything else is in
    RV(problems), and the role P(secops.servicenow_defender.mdc_configuration_compliance#role) fails for those of severity
    V(error).
  - When nothing deviates, a task takes two batch requests.
seealso:
  - module: secops.servicenow_defender.snow_plugins
  - name: Install and configure the Microsoft Defender for Cloud integration
    description: How a person fills in the form.
    link: https://www.servicenow.com/docs/r/security-management/vulnerability-response/cc_asc_install_configure.html
  - name: Permissions in Microsoft Defender for Cloud
    description: What the role Security Reader may read.
    link: https://learn.microsoft.com/en-us/azure/defender-for-cloud/permissions
"""

EXAMPLES = r"""
- name: Let ServiceNow read the assessments of two subscriptions
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

- name: Install it first, and wait until a person has run the jobs
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

- name: Compare what was imported with what Azure counts
  secops.servicenow_defender.snow_configuration_compliance:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    expected:
      unhealthy: 1284
  register: compliance

- name: Show what is not as it should be
  ansible.builtin.debug:
    var: compliance.problems
"""

RETURN = r"""
configuration_compliance:
  description: What was found, or would be there outside check mode.
  returned: success, and when jobs were waited for in vain
  type: dict
  contains:
    generation:
      description:
        - V(sn_vul_msft_tvm) (the new application), V(sn_vul_asc) (the old one), V(both), V(none), or V(unknown) where the
          account may not see it.
      type: str
    line:
      description: Line of versions, V(classic), V(usem) or V(unknown).
      type: str
    versions:
      description: Installed versions, by scope or plugin id.
      type: dict
    integration_instance:
      description: Name of the integration instance that is meant; null where none can be seen.
      type: str
    configuration:
      description: The configuration; null where it was not found.
      type: dict
      contains:
        table:
          description: The table that was found.
          type: str
        sys_id:
          description: The row in it; empty where each value is a row of its own, or there is none yet.
          type: str
        fields:
          description:
            - What it holds, by option, and C(validation_status) where there is one. Never the secret. What may not be read
              is left out.
          type: dict
    jobs:
      description: The jobs that were found, in their order.
      type: list
      elements: dict
      contains:
        job:
          description: Which one it is, as O(jobs) calls it.
          type: str
        name:
          description: What the instance calls it.
          type: str
        table:
          description: The table that it is a row of.
          type: str
        sys_id:
          description: That row.
          type: str
        active:
          description: Whether its schedule is on; null where that may not be read.
          type: bool
        run_as:
          description: User name of whom it is run as; null where that may not be read.
          type: str
        last_run:
          description: Its last run; null where there is none, or none may be seen.
          type: dict
          contains:
            number:
              description: Number of the run.
              type: str
            state:
              description: State, as the instance keeps it.
              type: str
            substate:
              description: Substate, as the instance keeps it.
              type: str
            ended_at:
              description: When it ended, in UTC; null while it runs.
              type: str
        verified:
          description: Whether the last run ended well, after the configuration was last changed.
          type: bool
    counts:
      description: How many test results there are; null without an application that brings them.
      type: dict
      contains:
        source:
          description: The source that they are counted for.
          type: str
        results:
          description: How many, by result; null where that is unknown.
          type: dict
        comparable:
          description: Whether it is fair to compare them with Azure.
          type: bool
        reason:
          description: Why not.
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
    counts:
      source: Microsoft Defender for Cloud
      results:
        Failed: 1284
        Passed: 310
      comparable: true
      reason: ''
problems:
  description: What is wrong or unknown, errors first.
  returned: success, and when jobs were waited for in vain
  type: list
  elements: dict
  contains:
    id:
      description:
        - What it is, the same in every run. One of V(not_entitled), V(installation_awaited), V(compliance_absent),
          V(compliance_unknown), V(integration_absent), V(integration_unknown), V(old_generation), V(both_generations),
          V(instance_absent), V(instance_unknown), V(configuration_absent), V(configuration_unknown), V(counts_not_comparable).
        - Or one of V(field_unknown:), V(ids_too_long:), V(counts_differ:) with an option behind the colon.
        - Or one of V(job_absent:), V(job_unknown:), V(job_unclear:), V(job_active_unknown:), V(job_run_as_unknown:),
          V(job_not_run:), V(job_not_verified:), V(job_running:), V(job_failed:), V(job_order:), V(run_unknown:) with a
          job behind the colon.
      type: str
    severity:
      description: V(error) when nothing is imported, or not all; V(warning) when it may not be, or is not known.
      type: str
    message:
      description: What was found.
      type: str
    remedy:
      description: What to do about it.
      type: str
  sample:
    - id: job_not_run:comprehensive_assessments
      severity: warning
      message: Comprehensive Assessment Integration has never run
      remedy: Press Execute Now, or wait for its schedule
changed:
  description:
    - Whether anything was changed, or would be outside check mode. What is left to a person (RV(manual_steps)) is no
      change.
  returned: always
  type: bool
  sample: true
diff:
  description: What was found and what is described, by object; only what deviates. Secrets are masked.
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
      configuration Microsoft Defender for Cloud:
        tenant_id: ''
    after:
      configuration Microsoft Defender for Cloud:
        tenant_id: 5c1e7d0a-6f5b-4d7f-9a55-0c9f1f2f8a11
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
    - object: configuration Microsoft Defender for Cloud
      field: tenant_id
      before: ''
      after: 5c1e7d0a-6f5b-4d7f-9a55-0c9f1f2f8a11
    - object: job Assessment Integration
      field: run_as
      before: admin
      after: VR.System
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
    - id: configuration_compliance:configuration
      title: Fill in the Microsoft Defender for Cloud Configuration, then press Save and test
      reason: 'acme-prod refused to change configuration Microsoft Defender for Cloud. PATCH
        /api/now/table/sn_vul_msft_tvm_mdc_configuration/6d1f0a8c1b2c41109f3b2f0a2d4bcb11 -> 403 Operation
        Failed: ACL Exception Update Failed due to security constraints'
      where: All > Microsoft Defender Integration for Security Exposure Management > Microsoft Defender for Cloud
        Integration > Administration > Configuration > Microsoft Defender for Cloud Configuration
      values:
        Integration instance: Microsoft Defender for Cloud
        API URL: https://management.azure.com
        Tenant ID: 5c1e7d0a-6f5b-4d7f-9a55-0c9f1f2f8a11
        Client ID: 0b8f8a3e-3a5f-4b0e-8f0e-5a4c5a1d2e33
      secret_values:
        - Client secret
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
    read: 4
    write: 2
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
from ..module_utils.snow import SNOW_OPTIONS, connect
from ..module_utils.snow.configuration_compliance.constants import JOB_KEYS
from ..module_utils.snow.configuration_compliance.reconcile import reconcile
from ..module_utils.snow.configuration_compliance.settings import Settings
from ..module_utils.snow.specs import WAIT_OPTIONS

SPEC = ansible_module.ModuleSpec(
    options={
        "api_url": {"type": "str", "default": "https://management.azure.com"},
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
        "expected": {"type": "dict", "options": {"unhealthy": {"type": "int"}, "healthy": {"type": "int"}}},
    },
    groups=[SNOW_OPTIONS],
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring the integration of Configuration Compliance with Defender for Cloud to its desired state."""
    settings = Settings.from_params(params)
    with connect(params, context) as instance:
        return reconcile(instance, settings)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
