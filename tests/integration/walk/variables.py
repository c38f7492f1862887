# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that set every option of the roles of `onboard`, where possible to another value than the default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.integration.walk.options import (
    APP_MDA,
    APP_MDC,
    BRANCH,
    FIELDS,
    GROUP,
    MALWARE,
    NEW_APP,
    OTHER,
    RECOMMENDATION,
    REMOVED,
    RENAMED,
    ROLE,
    TABLES,
    TERMINATED,
    USER_MDA,
    USER_MDC,
    WALK_APP,
)

# Deviate from the baseline on a fresh instance.
EXCLUDED = (
    "auth.mfa_enabled",
    "auth.password_policy",
    "auth.lockout_action",
    "auth.lockout_action_unlock",
    "acl.ccsi_public",
    "request_auth.scripted_processor",
    "soap.content_type",
    "session.remember_me_max_days",
)


def by_service(mda: Any, mdc: Any) -> str:
    """Return a template with another value for each service."""
    return f"{{{{ {{'mda': {mda!r}, 'mdc': {mdc!r}}}[snow_connection_service] }}}}"


def variables(contract: str, ids: Mapping[str, str]) -> dict[str, Any]:
    """Return the variables of the whole fleet; `ids` are those of the policies by name."""
    return {
        "servicenow_defender_services": ["mda", "mdc"],
        "snow_preflight_fail_on": ["error", "warning"],
        "snow_preflight_ignore": ["multifactor_for_integrations"],
        "snow_preflight_properties": ["glide.ui.session_timeout"],
        "snow_preflight_tables": ["oauth_entity", "sys_user", "sys_user_role", "sys_choice"],
        "snow_connection_application_name": by_service(APP_MDA, APP_MDC),
        "snow_connection_user_name": by_service(USER_MDA, USER_MDC),
        "snow_connection_role_name": by_service(ROLE, ""),
        "snow_connection_role_description": "Reads what the walk needs",
        "snow_connection_user_options": {"last_name": "Walker"},
        "snow_connection_access_token_lifespan": 5400,
        "snow_connection_refresh_token_lifespan": 6480000,
        "snow_connection_redirect_urls": ["https://portal.example.com/redirect"],
        "snow_connection_tables": list(TABLES),
        "mda_connection_contract": contract,
        "mda_connection_wait_timeout": 60,
        "mda_connection_poll_interval": 0.3,
        "mda_protection_ip_ranges": [
            {
                "name": "Walk office",
                "category": "vpn",
                "subnets": ["192.0.2.0/24"],
                "tags": ["walk"],
                "organization": "Acme",
            },
            {"name": BRANCH, "category": "risky", "subnets": ["198.51.100.0/25"]},
        ],
        "mda_protection_purge_ip_ranges": True,
        "mda_protection_policies": [
            {"name": TERMINATED, "state": "enabled"},
            {"id": ids[NEW_APP], "state": "disabled"},
            {"name": MALWARE, "state": "disabled"},
        ],
        "mda_protection_contract": "portal_policy_routes",
        "mda_protection_session_control": "block_downloads",
        "mda_protection_session_policy": "Walk sessions",
        "mda_protection_session_applications": [WALK_APP],
        "mda_protection_session_include": ["Service Desk", "guests"],
        "mda_protection_session_exclude": ["Tier Zero"],
        "mda_protection_session_mode": "enabled",
        "mda_protection_session_location_condition": "outside",
        "mda_protection_session_ip_ranges": [BRANCH],
        "mdc_itsm_scope": GROUP,
        "mdc_itsm_accept_costs": True,
        "mdc_itsm_confirm_assignment_loss": True,
        "mdc_configuration_compliance_update_secret": "on_create",
    }


def host_variables(subscriptions: list[str]) -> dict[str, dict[str, Any]]:
    """Return what differs from instance to instance; plan and rules are those of the first one."""
    excluded = f"/subscriptions/{subscriptions[1]}"
    compliance = {
        "mdc_configuration_compliance_tenant_id": "5c1e7d0a-6f5b-4d7f-9a55-0c9f1f2f8a11",
        "mdc_configuration_compliance_api_url": "https://management.example.com",
        "mdc_configuration_compliance_client_id": "0b8f8a3e-3a5f-4b0e-8f0e-5a4c5a1d2e33",
        "mdc_configuration_compliance_client_secret": "Entra-S3cret-7c1d",
        "mdc_configuration_compliance_jobs": ["assessments", "policy_definitions"],
        "mdc_configuration_compliance_ignore": ["job_not_run:assessments", "job_not_run:policy_definitions"],
    }
    return {
        FIELDS: {
            "mda_connection_name": "Walk fields",
            "mda_connection_secure_score": "enabled",
            "mdc_itsm_display_name": "Walk fields",
            "mdc_itsm_disabled": True,
            "mdc_itsm_excluded_scopes": [excluded],
            "mdc_itsm_include_members": True,
            "mdc_itsm_plan_extensions": [
                {"name": "AgentlessVmScanning", "properties": {"ExclusionTags": "walk"}},
                {"name": "SensitiveDataDiscovery", "enabled": False},
                {"name": "EntraPermissionsManagement"},
            ],
            "mdc_itsm_rules": rules(excluded),
            **compliance,
            "mdc_configuration_compliance_import_from": "subscriptions",
            "mdc_configuration_compliance_subscriptions": subscriptions,
            "mdc_configuration_compliance_assignment_rules": compliance_rules(),
            "mdc_configuration_compliance_task_rules": compliance_rules(),
            "snow_hardening_exclude": list(EXCLUDED),
            "snow_hardening_ids": ["csrf.strict", "instance.production"],
            "snow_hardening_overrides": {"session.idle_timeout": 120},
            "snow_hardening_create_for_score": True,
            "snow_hardening_production": True,
        },
        REMOVED: {
            "snow_hardening_exclude": [*EXCLUDED, "session.idle_timeout"],
            "mda_connection_name": "Walk removed",
            "mdc_itsm_display_name": "Walk removed",
            **compliance,
            "mdc_configuration_compliance_import_from": "management_groups",
            "mdc_configuration_compliance_management_groups": ["mg-acme"],
        },
        RENAMED: {
            "mda_connection_state": "absent",
            "snow_hardening_baseline": "",
            "snow_hardening_ids": ["csrf.token"],
        },
        OTHER: {
            "snow_connection_legacy_admin": True,
            "snow_preflight_plugins": ["com.snc.system_security"],
            "snow_hardening_baseline": "",
            "snow_hardening_ids": ["csrf.token"],
            "mda_connection_state": "disabled",
            "mdc_itsm_state": "absent",
        },
    }


def compliance_rules() -> list[dict[str, Any]]:
    """Return rules of Configuration Compliance that have every option among them."""
    fields = {
        "active": True,
        "order": 5,
        "condition": "active=true",
        "description": "Walk",
        "group": "Security Operations",
    }
    return [
        {"name": "Walk fields", **fields, "extra_fields": {"case_sensitive": True}},
        {"name": "Walk removed", "condition": "result=Failed"},
        {"name": "Walk absent", "state": "absent"},
    ]


def rules(excluded: str) -> list[dict[str, Any]]:
    """Return governance rules that have every option among them."""
    return [
        {
            "display_name": "Walk fields",
            "state": "present",
            "rule_type": "Integrated",
            "priority": 510,
            "severities": ["High"],
            "severity_property": "$.Walk.Severity",
            "owner": {"by_tag": "owner"},
            "remediation_timeframe_days": 14,
            "grace_period": True,
            "disabled": True,
            "description": "Walk",
            "include_members": True,
            "excluded_scopes": [excluded],
            "notify_owner": False,
            "notify_manager": False,
            "extra_properties": {"walk": {"more": 1}},
        },
        {
            "display_name": "Walk key",
            "priority": 520,
            "recommendations": [RECOMMENDATION],
            "owner": {"email": "a@example.com"},
        },
        {
            "display_name": "Walk scope",
            "scope": excluded,
            "priority": 530,
            "severities": ["Low"],
            "owner": {"by_tag": "owner"},
        },
        {
            "display_name": "Walk keys",
            "priority": 540,
            "recommendations": [RECOMMENDATION],
            "owner": {"by_tag": "owner"},
        },
        {
            "display_name": "Walk tickets",
            "priority": 550,
            "rule_type": "ServiceNow",
            "severities": ["Critical"],
            "owner": {"by_tag": "owner"},
            "learn_from": "By hand",
        },
        {
            "display_name": "Walk risk",
            "priority": 560,
            "risk_levels": ["High"],
            "owner": {"by_tag": "owner"},
        },
        {
            "display_name": "Walk category",
            "priority": 570,
            "categories": ["SystemUpdate"],
            "owner": {"by_tag": "owner"},
        },
        {"display_name": "Walk absent", "state": "absent"},
    ]
