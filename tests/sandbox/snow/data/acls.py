# SPDX-License-Identifier: GPL-3.0-or-later
"""Access controls out of the box.

Each line becomes rows of `sys_security_acl` and `sys_security_acl_role`; the simulator decides by those rows alone.
"-" means no one (administrators pass unless the line is marked "!"), "*" means every signed-in user.

See docs/facts/servicenow_platform.md#role-grants, docs/facts/servicenow_platform.md#access-rules,
docs/facts/defender_for_cloud_apps.md#read-account.
"""

# table or table.field | operations | roles | condition on the row
RULES = """
*                               | read create write delete | admin
sys_user                        | read                     | itil, user_admin
sys_user                        | read                     | *                      | sys_id=javascript:gs.getUserID()
sys_user                        | create write delete      | user_admin
sys_user_group                  | read                     | itil, user_admin
sys_user_group                  | create write delete      | user_admin
sys_user_grmember               | read                     | itil, user_admin
sys_user_grmember               | create write delete      | user_admin
sys_user_role                   | read                     | itil, user_admin, oauth_admin
sys_user_role                   | create write delete      | user_admin
sys_user_role_contains          | read                     | user_admin
sys_user_role_contains          | create write delete      | user_admin
sys_user_has_role               | read                     | itil, user_admin
sys_user_has_role               | create write delete      | user_admin
sys_group_has_role              | read                     | itil, user_admin
sys_group_has_role              | create write delete      | user_admin
core_company                    | read                     | *
cmn_department                  | read                     | *
cmn_location                    | read                     | *
domain                          | read                     | *
sys_properties                  | read                     | oauth_admin, web_service_admin
sys_properties                  | create delete            | admin
sys_properties                  | write                    | *
v_plugin                        | read                     | instance_operator
sys_plugins                     | read                     | admin
sys_store_app                   | read                     | delegated_developer
sys_app                         | read                     | delegated_developer
sys_scope                       | read                     | *
sys_package                     | read                     | *
sys_execution_tracker           | read                     | sn_cicd.sys_ci_automation
sys_dictionary                  | read                     | personalize_dictionary
sys_db_object                   | read                     | personalize_dictionary, itil
sys_choice                      | read                     | personalize_choices, itil
sys_security_acl                | read                     | admin, security_admin
sys_security_acl !              | create write delete      | security_admin
sys_security_acl_role           | read                     | admin, security_admin
sys_security_acl_role !         | create write delete      | security_admin
sysevent_script_action          | read                     | instance_operator
sysevent                        | read                     | audit_admin
syslog_transaction              | read                     | audit_admin
syslog                          | read                     | audit_admin
sys_attachment                  | read                     | itil
sys_attachment_doc              | read                     | audit_admin
sys_journal_field               | read                     | itil
cmdb_ci                         | read                     | cmdb_read
cmdb_ci_vm_object               | read                     | cmdb_read
oauth_entity                    | read                     | oauth_admin, mi_admin
oauth_entity                    | create write delete      | oauth_admin, mi_admin
oauth_entity_profile            | read create write delete | oauth_admin, mi_admin
oauth_entity_scope              | read create write delete | oauth_admin, mi_admin
oauth_entity_profile_scope      | read create write delete | oauth_admin, mi_admin
oauth_entity_auth_scope_mapping | read create write delete | oauth_admin, mi_admin
sys_auth_scope                  | read                     | oauth_admin, api_service_admin
sys_auth_scope                  | create write delete      | api_service_admin
sys_api_access_scope            | read create write delete | api_service_admin
sys_api_access_policy           | read create write delete | api_service_admin
inbound_auth_profile            | read create write delete | api_service_admin
oauth_credential                | read delete              | oauth_admin, mi_admin
oauth_credential !              | create write             | -
oauth_credential.token !        | read                     | -
oidc_provider_configuration     | read create write delete | oauth_admin, mi_admin
jwt_verifier_map                | read create write delete | oauth_admin, mi_admin
jwt_provider                    | read create write delete | oauth_admin, mi_admin
jwt_claim_validation            | read create write delete | oauth_admin, mi_admin
sys_certificate                 | read                     | oauth_admin, mi_admin
incident                        | read                     | itil, sn_incident_read
incident                        | read                     | *      | caller_id=javascript:gs.getUserID()
incident                        | create                   | itil, sn_incident_write
incident                        | write                    | itil, sn_incident_write | active=true
incident                        | write                    | itil_admin
incident                        | delete                   | itil_admin
problem                         | read                     | itil, sn_problem_read
problem                         | create                   | itil, sn_problem_write
problem                         | write                    | itil, sn_problem_write | active=true
problem                         | write                    | itil_admin
problem                         | delete                   | itil_admin
change_request                  | read                     | itil, sn_change_read, change_manager
change_request                  | create                   | itil, sn_change_write, change_manager
change_request                  | write                    | itil, sn_change_write | active=true
change_request                  | write                    | itil_admin, change_manager
change_request                  | delete                   | change_manager
problem_task                    | read create write        | itil
problem_task                    | delete                   | itil_admin
change_task                     | read create write        | itil, change_manager
change_task                     | delete                   | change_manager
sc_req_item                     | read                     | itil
sc_req_item                     | create write             | itil, sn_request_write
task                            | read                     | itil
std_change_producer_version     | read                     | itil, sn_change_read
sys_user_preference             | read create write delete | *      | user=javascript:gs.getUserID()
cmdb_ci_service                 | read                     | itil, cmdb_read
std_change_record_producer      | read                     | itil, sn_change_read
sys_template                    | read                     | itil
imp_user                        | read create write delete | import_admin
sys_import_set                  | read create              | import_admin
multi_factor_criteria           | read                     | user_authn_admin
password_policy                 | read write               | password_policy_admin
sys_tiny_url                    | create read              | *
"""
# ACLs of the REST endpoints themselves ship inactive (docs/facts/servicenow_platform.md#sign-in-gates).
INACTIVE_ENDPOINTS = ("now/table", "now/import", "now/stats", "now/attachment")
ENDPOINT_ROLE = "snc_platform_rest_api_access"
# Tables that answer a reader without rights with 403 instead of an empty list
# (docs/facts/servicenow_platform.md#package-tables).
FORBIDDING_TABLES = frozenset(("sys_plugins",))
# Read-only accounts can still write what the platform itself needs
# (docs/facts/defender_for_cloud_apps.md#traps-of-the-read-account).
READ_ONLY_EXEMPT = ("syslog", "sysevent", "sys_user_session", "syslog_transaction")
