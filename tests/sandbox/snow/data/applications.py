# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugins, applications, OAuth entries, tickets out of the box.

See docs/facts/servicenow_platform.md#plugins-and-applications,
docs/facts/servicenow_hardening.md#secure-score-controls.
"""

# id | name | active out of the box | first release
PLUGINS = """
com.snc.platform.security.oauth                 | OAuth 2.0                                  | active
com.glide.rest                                  | REST API Provider                          | active
com.glide.rest.auth.scope                       | REST API Auth Scope                        | active
com.glide.tokenbased_auth                       | API Key and HMAC Authentication            | inactive
com.glide.identity.machine_identity_management  | Machine Identity Console                   | active
com.glide.high_security                         | High Security Settings                     | active
com.glide.role_management                       | Contextual Security: Role Management       | active
com.glide.role_management.inh_count             | Contextual Security: Role Management V2    | active
com.glide.explicit_roles                        | Explicit Roles                             | inactive
com.snc.system_security                         | Security Jump Start (ACL Rules)            | active
com.snc.read_only.role                          | Read-only Role                             | active
com.snc.integration.multifactor.authentication  | Multifactor Authentication                 | active
com.snc.integration.sso.multi.installer         | Multiple Provider Single Sign-On           | inactive
com.snc.ipauthenticator                         | IP Range Based Authentication              | inactive
com.glide.protected_tables                      | Log Protection                             | inactive
com.snc.snc_access_control                      | Instance Access Control for Support        | inactive
com.glide.script.packages_call_removal          | Packages Call Removal Tool                 | inactive
com.glide.email_filter                          | Email Filters                              | inactive
com.glide.limit.concurrent.sessions             | Limit Concurrent Sessions                  | inactive
com.glide.security.audit                        | Identity and Access Audit                  | inactive | australia
com.snc.integration.sso.saml20.update1          | SAML 2.0 Single Sign-On                    | inactive
com.snc.itsm.roles                              | ITSM Roles                                 | active
com.snc.itsm.roles.incident_management          | ITSM Roles - Incident Management           | active
com.snc.itsm.roles.problem_management           | ITSM Roles - Problem Management            | active
com.snc.itsm.roles.change_management            | ITSM Roles - Change Management             | active
com.snc.incident                                | Incident                                   | active
com.snc.problem                                 | Problem                                    | active
com.snc.change_management                       | Change Management                          | active
com.glide.continuousdelivery                    | Continuous Delivery                        | active
com.snc.vulc                                    | Configuration Compliance                   | inactive
com.snc.vulc_dep                                | Configuration Compliance Dependencies      | inactive
com.snc.vul_dep                                 | Vulnerability Response Dependencies        | inactive
com.snc.security_support.core                   | Security Support Core                      | inactive
com.snc.security_incident                       | Security Incident Response                 | inactive
"""
# Plugins that only ServiceNow support activates on an instance that lacks them
# (docs/facts/servicenow_hardening.md#settings-with-conditions).
REQUEST_ONLY = (
    "com.glide.high_security",
    "com.glide.explicit_roles",
    "com.snc.system_security",
    "com.snc.snc_access_control",
)

# scope | name | newest version; installable from the store
STORE_APPLICATIONS = """
sn_vul            | Vulnerability Response                          | 30.6.0
sn_vulc           | Configuration Compliance                        | 30.6.0
sn_sec_int        | Security Integration Framework                  | 30.6.0
sn_sec_cmn        | Security Support Common                         | 30.6.0
sn_sec_cmn_orch   | Security Support Orchestration                  | 13.4.1
sn_vul_cmn        | Vulnerability Response Common                   | 30.6.0
sn_vul_cmn_ws     | Vulnerability Response Common Workspace         | 30.6.0
sn_vul_container  | Container Vulnerability Response                | 30.6.0
app-sec-calculator | Security Calculator                            | 30.6.0
app-sec-workflow  | Security Workflow                               | 30.6.0
app-sec-rem       | Security Remediation                            | 30.6.0
app-vul-uasm      | Unified Attack Surface Management               | 30.6.0
app-sec-exception | Security Exception Management                   | 30.6.0
sn_vul_msft_tvm   | Microsoft Defender Integration for Security Exposure Management | 31.3.0
app-vul-asc       | Microsoft Defender for Cloud Integration for Security Operations | 2.8.0
sn_vsc            | Security Center                                 | 3.3.0
"""
INSTALLED_APPLICATIONS = {"sn_vsc": "3.2.1"}

# name | type | comments
OAUTH_APPLICATIONS = """
ServiceNow Agent               | client         | Mobile application of the platform
ServiceNow Onboarding          | client         | Mobile application of the platform
Mail Relay                     | oauth_provider | Outbound mail
"""

# number | short description | state | caller
INCIDENTS = """
INC0010001 | Unable to reach the mail server           | 2 | employee
INC0010002 | Laptop does not start                     | 1 | employee
INC0010003 | Password expired                          | 7 | group_member
"""
# table | prefix | first free number
NUMBERS = {
    "incident": ("INC", 10004),
    "problem": ("PRB", 40001),
    "change_request": ("CHG", 30001),
    "problem_task": ("PTASK", 10001),
    "change_task": ("CTASK", 10001),
    "task": ("TASK", 20001),
    "sc_request": ("REQ", 10001),
    "sc_req_item": ("RITM", 10001),
    "sn_si_incident": ("SIR", 10001),
    "sys_import_set": ("ISET", 10001),
    "sn_vul_integration_run": ("VINTRUN", 10001),
}
# table | condition | columns that become mandatory
DATA_POLICIES = """
incident       | stateIN6,7^ORincident_stateIN6,7            | close_code, close_notes
incident       | state=3                                     | hold_reason
problem        | stateIN102,103,104,106,107                  | assigned_to
problem        | stateIN106,107                              | resolution_code
problem        | stateIN106,107^resolution_code=fix_applied  | cause_notes, fix_notes
problem        | stateIN106,107^resolution_code=risk_accepted | cause_notes, close_notes
problem        | stateIN106,107^resolution_code=duplicate    | duplicate_of
problem        | stateIN106,107^resolution_code=canceled     | close_notes
change_request | stateNOT IN-5,4                             | assignment_group
change_request | state=3                                     | close_code, close_notes
"""
# name | short description | initial values of its change requests
STANDARD_CHANGES = """
Harden a storage account | Apply the baseline to a storage account | description=Apply the security baseline^\
implementation_plan=Set the properties of the baseline^backout_plan=Set the former values^test_plan=Read the properties
Rotate a certificate     | Replace a certificate before it expires | description=Replace the certificate^\
implementation_plan=Install the new one^backout_plan=Install the old one^test_plan=Open a connection
"""
SCRIPT_ACTIONS = """
SNC User Lockout Check                  | login.failed  | false
SNC User Lockout Check with Auto Unlock | login.failed  | false
Record Attachment Download              | attachment.read | true
"""
