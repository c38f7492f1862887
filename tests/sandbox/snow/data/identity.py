# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles, users and groups out of the box.

See docs/facts/servicenow_platform.md#roles, docs/facts/servicenow_tickets.md#ticket-account,
docs/facts/configuration_compliance.md#roles.
"""

# role | contained roles | description; a star marks an elevated privilege.
ROLES = """
admin                          |                                  | System administrator, passes most access controls
security_admin *               |                                  | May modify the security of the instance; elevated
oauth_admin                    |                                  | Configures OAuth applications
mi_admin                       | oauth_admin                      | Machine Identity Console
user_admin                     |                                  | Users, groups and roles except protected ones
api_service_admin              |                                  | REST API access policies and keys
adaptive_auth_policy_admin     |                                  | Adaptive authentication policies
rest_api_explorer              | web_service_admin                | REST API Explorer
web_service_admin              |                                  | Web services
rest_service                   |                                  | REST web services
snc_platform_rest_api_access   |                                  | Platform REST APIs where their rules are active
snc_basic_auth_api_access      |                                  | Keeps Basic authentication for an interactive user
snc_internal                   |                                  | Internal user
snc_external                   |                                  | External user
snc_read_only                  |                                  | Blocks every write
personalize_dictionary         |                                  | Dictionary
personalize_choices            |                                  | Choice lists
query_no_domain_table_api      |                                  | sysparm_query_no_domain
impersonator                   |                                  | Impersonates other users
scim_admin                     |                                  | SCIM
rate_limit_admin               |                                  | Rate limit rules
ai_user_admin                  |                                  | AI identities
import_admin                   |                                  | Import sets
delegated_developer            |                                  | Applications
sn_cicd.sys_ci_automation      |                                  | CI/CD API
sn_incident_read               |                                  | Reads incidents
sn_incident_write              | sn_incident_read                 | Writes incidents
sn_problem_read                |                                  | Reads problems
sn_problem_write               | sn_problem_read                  | Writes problems
sn_change_read                 |                                  | Reads changes
sn_change_write                | sn_change_read                   | Writes changes
sn_request_write               |                                  | Writes requests
cmdb_read                      |                                  | Reads the CMDB
change_manager                 | sn_change_write                  | Manages changes
itil                           | snc_platform_rest_api_access, sn_incident_write, sn_problem_write, sn_change_write, \
    sn_request_write, cmdb_read | Works on tickets
itil_admin                     | itil                             | Administers tickets
audit_admin                    |                                  | Auditing
user_authn_admin               |                                  | User authentication
password_policy_admin          |                                  | Password policies
adaptive_auth_admin            |                                  | Adaptive authentication
instance_operator              |                                  | Operates the instance
sn_vsc.security_center_viewer  |                                  | Security Center, reading
sn_vsc.security_center_admin   | sn_vsc.security_center_viewer, sn_cicd.sys_ci_automation | Security Center
"""
# Roles that only an administrator may grant (only admin may grant admin, docs/facts/servicenow_platform.md#roles).
PROTECTED_ROLES = ("admin", "security_admin")

# user name | first, last name | roles | columns that differ from the default
USERS = """
admin          | System Administrator | admin, security_admin | email=admin@example.com
svc_ansible    | Ansible Automation   | admin                 | web_service_access_only=true; identity_type=machine
guest          | Guest User           |                       |
itil_agent     | ITIL Agent           | itil                  | email=itil.agent@example.com; location=Berlin
service_owner  | Service Owner        | itil_admin            | email=service.owner@example.com
user_manager   | User Manager         | user_admin            | email=user.manager@example.com
oauth_manager  | OAuth Manager        | oauth_admin           | email=oauth.manager@example.com
mid_server     | MID Server           |                       | internal_integration_user=true; \
    web_service_access_only=true
employee       | Plain Employee       |                       | email=employee@example.com; manager=service_owner
former         | Former Employee      |                       | email=former@example.com; active=false
group_member   | Group Member         |                       | email=group.member@example.com
"""
# Well-known sys_ids that are the same on every instance in the field.
KNOWN_IDS = {
    "sys_user:admin": "6816f79cc0a8016401c5a33be04be441",
    "sys_user:guest": "5136503cc611227c0183e96598c4f706",
    "sys_user_role:admin": "2831a114c611228501d4ea6c309d626d",
    "sys_user_role:itil": "282bf1fac6112285017366cb5f867469",
    "sys_user_role:security_admin": "b2d8f7130a0a0baa5bf52498ecaadeb4",
    "sysevent_script_action:SNC User Lockout Check": "5e44f9bf0a0a0a0a019a6440b2137767",
    "sysevent_script_action:SNC User Lockout Check with Auto Unlock": "d92636b2975301008e00958e3b297567",
    "sys_public:Virtual Agent embedded client": "04b1905473222300e985658b4cf6a7ef",
    "multi_factor_criteria:Role based multi-factor authentication": "d427668b73003300fdbd04fbc4f6a7b6",
}

# group | description | members | roles
GROUPS = """
Service Desk        | First contact for all requests        | itil_agent                 |
Security Operations | Looks after security recommendations  | itil_agent, service_owner  |
Cloud Platform      | Runs the cloud subscriptions          | group_member               | itil
Change Control      | Reviews and schedules changes         | service_owner              |
Instance Administrators | itil may not assign to it         |                            | admin
"""
