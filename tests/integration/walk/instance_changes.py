# SPDX-License-Identifier: GPL-3.0-or-later
"""For each option of an instance: what someone changes behind everyone's back, or why no platform depends on it."""

from __future__ import annotations

from typing import Any

from tests.integration.walk.options import (
    ALLOWS,
    APP_MDA,
    APP_MDC,
    COMPLIANCE,
    CONFIGURATION,
    CONNECTION,
    CREDENTIALS,
    DEFAULT_OF_OTHERS,
    FAILS,
    FIELDS,
    IN_ENTRIES,
    IN_PREFLIGHT,
    OF_ITS_OWN,
    OTHER,
    PLUGINS,
    PORTAL_ONLY,
    READS,
    REMOVED,
    RENAMED,
    ROLE,
    SELECTS,
    SIGN_IN,
    STORED,
    USER_MDA,
    USER_MDC,
    WAITS,
    WRITES_A_FILE,
    Change,
)

APP, MDA, MDC = f"oauth_application {APP_MDA}", f"user {USER_MDA}", f"user {USER_MDC}"


def app(field: str, **values: Any) -> Change:
    """Change the application of an instance."""
    return Change(FIELDS, "oauth_entity", {"name": APP_MDA}, values, APP, field)


def user(field: str, **values: Any) -> Change:
    """Change the account of an instance."""
    return Change(FIELDS, "sys_user", {"user_name": USER_MDA}, values, MDA, field)


def compliance(host: str, field: str, **values: Any) -> Change:
    """Change the configuration of an import."""
    return Change(host, COMPLIANCE, {"impl": "Microsoft Defender for Cloud"}, values, CONFIGURATION, field)


def rule_changes(option: str, table: str, noun: str) -> dict[str, Change | str]:
    """Change rules of Configuration Compliance on the USEM line; the names of most columns are made up."""
    name, condition, group = (
        ("name", "filter_of", "owner_group")
        if noun == "assignment rule"
        else ("rule_name", "condition", "assignment_group")
    )
    fields = {
        "active": {"active": "false"}, "order": {"order": "7"}, "condition": {condition: "active=false"},
        "description": {"description": "Someone's"}, "group": {group: ""}, "extra_fields": {"case_sensitive": "false"},
    }  # fmt: skip
    walk = f"{noun} Walk fields"
    shown = {field: "case_sensitive" if field == "extra_fields" else field for field in fields}
    return {
        f"{option}.name": Change(FIELDS, table, {name: "Walk removed"}, {}, f"{noun} Walk removed"),
        f"{option}.state": Change(FIELDS, table, {}, {name: "Walk absent"}, f"{noun} Walk absent"),
        **{
            f"{option}.{field}": Change(FIELDS, table, {name: "Walk fields"}, values, walk, shown[field])
            for field, values in fields.items()
        },
    }


def prop(name: str, value: str, setting: str) -> Change:
    """Change a system property."""
    return Change(FIELDS, "sys_properties", {"name": name}, {"value": value}, f"setting {setting}", name)


# Option -> change or reason.
OPTIONS: dict[str, Change | str] = {
    # -- snow_preflight
    "snow_preflight_options": CONNECTION,
    "snow_preflight_fail_on": FAILS,
    "snow_preflight_ignore": FAILS,
    "snow_preflight_properties": READS,
    "snow_preflight_plugins": IN_PREFLIGHT,
    "snow_preflight_tables": IN_PREFLIGHT,
    # -- snow_connection
    "snow_connection_options": CONNECTION,
    "snow_connection_service": SELECTS,
    "snow_connection_services": SELECTS,
    "snow_connection_legacy_admin": Change(
        OTHER, "sys_user_has_role", {"user": USER_MDA, "role": "admin"}, {}, MDA, "roles"
    ),
    "snow_connection_application_name": Change(RENAMED, "oauth_entity", {"name": APP_MDA}, {"name": "Someone's"}, APP),
    "snow_connection_user_name": Change(RENAMED, "sys_user", {"user_name": USER_MDA}, {"user_name": "someone"}, MDA),
    "snow_connection_role_name": Change(RENAMED, "sys_user_role", {"name": ROLE}, {"name": "someones"}, f"role {ROLE}"),
    "snow_connection_role_description": Change(
        FIELDS, "sys_user_role", {"name": ROLE}, {"description": "Someone's"}, f"role {ROLE}", "description"
    ),
    "snow_connection_user_roles": Change(
        FIELDS, "sys_user_has_role", {"user": USER_MDA, "role": ROLE}, {}, MDA, "roles"
    ),
    "snow_connection_exclusive_roles": Change(
        FIELDS, "sys_user_has_role", {}, {"user": USER_MDC, "role": "itil_admin"}, MDC, "roles"
    ),
    "snow_connection_user_options": Change(
        FIELDS, "sys_user", {"user_name": USER_MDC}, {"last_name": "Someone"}, MDC, "last_name"
    ),
    "snow_connection_grant_type": SIGN_IN,
    "snow_connection_access_token_lifespan": app("access_token_lifespan", access_token_lifespan="300"),
    "snow_connection_refresh_token_lifespan": app("refresh_token_lifespan", refresh_token_lifespan="600"),
    "snow_connection_scope_restriction": app("scope_restriction", scope_restriction_status="restricted"),
    "snow_connection_redirect_urls": app("redirect_urls", redirect_url="https://elsewhere.example.com"),
    "snow_connection_tables": Change(
        FIELDS,
        "sys_security_acl_role",
        {"sys_security_acl.name": "problem", "sys_user_role": ROLE},
        {},
        f"table_acl problem ({ROLE})",
        "read",
    ),
    "snow_connection_password": Change(
        FIELDS, "sys_user", {"user_name": USER_MDC}, {"user_password": "Someones-Password-1"}, MDC, "password"
    ),
    "snow_connection_client_secret": Change(
        FIELDS,
        "oauth_entity",
        {"name": APP_MDC},
        {"client_secret": "someones-secret-1"},
        f"oauth_application {APP_MDC}",
        "client_secret",
    ),
    "snow_connection_update_set_file": WRITES_A_FILE,
    "snow_table_acls_source": ALLOWS,
    "servicenow_defender_secrets": STORED,
    "servicenow_defender_rotate": ALLOWS,
    "snow_connection_secrets": STORED,
    "snow_connection_compare_hardening": SELECTS,
    "snow_connection_hardening": DEFAULT_OF_OTHERS,
    "snow_connection_instance_info": DEFAULT_OF_OTHERS,
    # -- mdc_configuration_compliance
    "mdc_configuration_compliance_options": CONNECTION,
    "mdc_configuration_compliance_tenant": DEFAULT_OF_OTHERS,
    "mdc_configuration_compliance_api_url": compliance(FIELDS, "api_url", arm_root="https://elsewhere.example.com"),
    "mdc_configuration_compliance_tenant_id": compliance(FIELDS, "tenant_id", directory="someone"),
    "mdc_configuration_compliance_client_id": compliance(FIELDS, "client_id", app="someone"),
    "mdc_configuration_compliance_client_secret": CREDENTIALS,
    "mdc_configuration_compliance_update_secret": CREDENTIALS,
    "mdc_configuration_compliance_application_name": OF_ITS_OWN,
    "mdc_configuration_compliance_application_role": OF_ITS_OWN,
    "mdc_configuration_compliance_application_scopes": OF_ITS_OWN,
    "mdc_configuration_compliance_secret_lifetime_days": OF_ITS_OWN,
    "mdc_configuration_compliance_secret_entered": OF_ITS_OWN,
    "mdc_configuration_compliance_import_from": compliance(FIELDS, "import_from", import_from="all"),
    "mdc_configuration_compliance_management_groups": compliance(REMOVED, "management_groups", mg_list="mg-other"),
    "mdc_configuration_compliance_subscriptions": compliance(FIELDS, "subscriptions", sub_list=""),
    "mdc_configuration_compliance_integration_instance": SELECTS,
    "mdc_configuration_compliance_jobs": Change(
        FIELDS,
        "sn_vul_rest_integration",
        {"name": "Assessment Integration"},
        {"active": "false"},
        "job Assessment Integration",
        "active",
    ),
    "mdc_configuration_compliance_install": ALLOWS,
    "mdc_configuration_compliance_versions": ALLOWS,
    "mdc_configuration_compliance_jobs_wait": WAITS,
    "mdc_configuration_compliance_wait_timeout": WAITS,
    "mdc_configuration_compliance_poll_interval": WAITS,
    "mdc_configuration_compliance_read_azure": READS,
    "mdc_configuration_compliance_scopes": READS,
    "mdc_configuration_compliance_expected": READS,
    "mdc_configuration_compliance_sources": READS,
    "mdc_configuration_compliance_max_import_age_hours": READS,
    "mdc_configuration_compliance_assignment_rules": IN_ENTRIES,
    **rule_changes("mdc_configuration_compliance_assignment_rules", "sn_sec_wf_assign_rule", "assignment rule"),
    "mdc_configuration_compliance_task_rules": IN_ENTRIES,
    **rule_changes("mdc_configuration_compliance_task_rules", "sn_sec_rem_task_rule", "remediation task rule"),
    "mdc_configuration_compliance_task_rules.group_by": PORTAL_ONLY,
    "mdc_configuration_compliance_fail_on": FAILS,
    "mdc_configuration_compliance_ignore": FAILS,
    # -- snow_hardening
    "snow_hardening_options": CONNECTION,
    "snow_hardening_baseline": prop("glide.security.use_csrf_token", "false", "csrf.token"),
    "snow_hardening_ids": prop("glide.security.csrf.strict.validation.mode", "false", "csrf.strict"),
    "snow_hardening_exclude": SELECTS,
    "snow_hardening_overrides": prop("glide.ui.session_timeout", "480", "session.idle_timeout"),
    "snow_hardening_production": prop("glide.installation.production", "false", "instance.production"),
    "snow_hardening_create_for_score": Change(
        FIELDS,
        "sys_properties",
        {"name": "glide.script.use.sandbox"},
        {},
        "setting input.sandbox",
        "glide.script.use.sandbox",
    ),
    "snow_hardening_max_writes": ALLOWS,
    "snow_hardening_allow_irreversible": ALLOWS,
    "snow_hardening_allow_plugins": ALLOWS,
    "snow_hardening_accept_side_effects": ALLOWS,
    "snow_hardening_exceptions": SELECTS,
    "snow_hardening_services": ALLOWS,
    "snow_hardening_update_set_file": WRITES_A_FILE,
    "snow_hardening_source": ALLOWS,
    "snow_hardening_wait_timeout": WAITS,
    "snow_hardening_poll_interval": WAITS,
}
# What the role snow_connection configures without an option of its own.
FIXED: dict[str, Change | str] = {
    "users.first_name": user("first_name", first_name="Some"),
    "users.last_name": user("last_name", last_name="One"),
    "users.web_service_access_only": user("web_service_access_only", web_service_access_only="false"),
    "users.state": user("active", active="false"),
    "users.extra_fields": user("locked_out", locked_out="true"),
    "oauth_applications.active": app("active", active="false"),
    "plugins.id": Change(OTHER, PLUGINS, {"id": "com.glide.rest"}, {"active": False}, "plugin com.glide.rest"),
}
# What the preflight checks fails the instance: option -> id of the problem.
PREFLIGHT = {
    "snow_preflight_plugins": "plugin_inactive:com.snc.system_security",
    "snow_preflight_tables": "table_refused:sys_choice",
}
