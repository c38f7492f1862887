# SPDX-License-Identifier: GPL-3.0-or-later
"""For each option of the tenant: what someone changes behind everyone's back, or why no platform depends on it."""

from __future__ import annotations

from typing import Any

from tests.integration.walk.options import (
    ACTS,
    ALLOWS,
    BRANCH,
    CREDENTIALS,
    FAILS,
    GROUP,
    IN_ENTRIES,
    LATER,
    MALWARE,
    NEW_APP,
    NOT_RETURNED,
    NOT_WRITTEN,
    OTHER,
    PORTAL_ONLY,
    READS,
    RENAMED,
    SELECTS,
    STORED,
    TENANT,
    TERMINATED,
    WAITS,
    Change,
)

WALK_RULE = "governance_rule Walk fields"
RANGE = "ip_range Walk office"
INSERTED = {"name": "00000000-0000-0000-0000-0000000000aa", "scope": GROUP}
EXTENSIONS = [
    {"name": "AgentlessVmScanning", "isEnabled": "True"},
    {"name": "SensitiveDataDiscovery", "isEnabled": "True"},
]
MONITORED = {"cloudAppSecurity": {"cloudAppSecurityType": "monitorOnly", "isEnabled": True}}
OTHER_CONDITIONS = {
    "clientAppTypes": ["all"],
    "applications": {"includeApplications": ["Office365"], "excludeApplications": []},
    "users": {"includeUsers": ["All"], "excludeUsers": ["GuestsOrExternalUsers"]},
    "locations": None,
}
SEVERITY_OTHER_PATH = [
    {"conditions": [{"property": "$.Other.Severity", "operator": "Equals", "value": "High"}]},
]


def ip_range(field: str, **values: Any) -> Change:
    """Change an IP range."""
    return Change(TENANT, "subnets", {"name": "Walk office"}, values, RANGE, field)


def policy(name: str, *, enabled: bool) -> Change:
    """Enable or disable a policy."""
    return Change(TENANT, "policies", {"name": name}, {"enabled": enabled}, f"policy {name}")


def session(field: str, **values: Any) -> Change:
    """Change the policy for session control."""
    match = {"displayName": "Walk sessions [servicenow_defender]"}
    return Change(TENANT, "conditional_access_policies", match, values, "session_control Walk sessions", field)


def extension(name: str, what: str = "extension") -> Change:
    """Change all extensions of the plan."""
    changed = {"extensions": EXTENSIONS}
    return Change(TENANT, "pricings", {"name": "CloudPosture"}, changed, "plan CloudPosture", f"{what} {name}")


def integration(field: str, **values: Any) -> Change:
    """Change an integration."""
    return Change(TENANT, "integrations", {"displayName": "Walk fields"}, values, "integration Walk fields", field)


def rule(field: str, **values: Any) -> Change:
    """Change a governance rule."""
    return Change(TENANT, "rules", {"displayName": "Walk fields"}, values, WALK_RULE, field)


def conditions(name: str, field: str) -> Change:
    """Change what a governance rule selects by."""
    changed = {"conditionSets": SEVERITY_OTHER_PATH}
    return Change(TENANT, "rules", {"displayName": name}, changed, f"governance_rule {name}", field)


def removed_rule(name: str) -> Change:
    """Remove a governance rule."""
    return Change(TENANT, "rules", {"displayName": name}, {}, f"governance_rule {name}")


def mails(owner: bool, manager: bool) -> dict[str, bool]:
    """Return which e-mail is disabled."""
    return {"disableOwnerEmailNotification": owner, "disableManagerEmailNotification": manager}


# Option -> change or reason. `option.entry` for the entries of a list.
OPTIONS: dict[str, Change | str] = {
    # -- mda_connection
    "mda_connection_tenant": SELECTS,
    "mda_connection_instances": SELECTS,
    "mda_connection_name": Change(
        TENANT, "connectors", {"name": "Walk removed"}, {}, "connector Walk removed", "status"
    ),
    "mda_connection_state": Change(
        TENANT,
        "connectors",
        {},
        {"name": OTHER, "instance_url": "https://walk-other.service-now.com", "state": "connected"},
        f"connector {OTHER}",
        "status",
    ),
    "mda_connection_mode": NOT_RETURNED,
    "mda_connection_username": CREDENTIALS,
    "mda_connection_password": CREDENTIALS,
    "mda_connection_client_id": CREDENTIALS,
    "mda_connection_client_secret": CREDENTIALS,
    "mda_connection_accepted": STORED,
    "mda_connection_accepted_key": STORED,
    "mda_connection_credentials_entered": ALLOWS,
    "mda_connection_secure_score": Change(
        TENANT, "connectors", {"name": "Walk fields"}, {"posture": False}, "connector Walk fields", "secure_score"
    ),
    "mda_connection_refresh_token_lifespan": READS,
    "mda_connection_refresh_token_expires_at": READS,
    "mda_connection_contract": ALLOWS,
    "mda_connection_wait": WAITS,
    "mda_connection_wait_timeout": WAITS,
    "mda_connection_poll_interval": WAITS,
    "mda_connection_since_days": READS,
    "mda_connection_require_events": FAILS,
    "mda_connection_fail": FAILS,
    # -- mdc_configuration_compliance, for the secret of the application in Entra
    "rotate_max_age_days": ALLOWS,
    "rotate_renew_before_days": ALLOWS,
    # -- msem_connection
    "msem_connection_tenant": SELECTS,
    "msem_connection_instances": SELECTS,
    "msem_connection_name": SELECTS,
    "msem_connection_username": CREDENTIALS,
    "msem_connection_password": CREDENTIALS,
    "msem_connection_client_id": CREDENTIALS,
    "msem_connection_client_secret": CREDENTIALS,
    "msem_connection_accepted": STORED,
    "msem_connection_accepted_key": STORED,
    "msem_connection_credentials_entered": ALLOWS,
    "msem_connection_contract": ALLOWS,
    "msem_connection_fail": FAILS,
    # -- mda_protection
    "mda_protection_tenant": SELECTS,
    "mda_protection_ip_ranges": IN_ENTRIES,
    "mda_protection_ip_ranges.name": Change(TENANT, "subnets", {"name": BRANCH}, {}, f"ip_range {BRANCH}"),
    "mda_protection_ip_ranges.category": ip_range("category", category=1),
    "mda_protection_ip_ranges.subnets": ip_range("subnets", subnets=[{"originalString": "203.0.113.0/24"}]),
    "mda_protection_ip_ranges.tags": ip_range("tags", tags=[]),
    "mda_protection_ip_ranges.organization": ip_range("organization", organization="Someone's"),
    "mda_protection_purge_ip_ranges": Change(
        TENANT,
        "subnets",
        {},
        {"name": "Someone's", "category": 3, "subnets": [{"originalString": "203.0.113.0/25"}], "tags": []},
        "ip_range Someone's",
    ),
    "mda_protection_policies": IN_ENTRIES,
    "mda_protection_policies.name": policy(TERMINATED, enabled=False),
    "mda_protection_policies.id": policy(NEW_APP, enabled=True),
    "mda_protection_policies.state": policy(MALWARE, enabled=True),
    "mda_protection_policies.contract": ALLOWS,
    "mda_protection_contract": ALLOWS,
    "mda_protection_session_control": session("control", sessionControls=MONITORED),
    "mda_protection_session_policy": SELECTS,
    "mda_protection_session_applications": session("applications", conditions=OTHER_CONDITIONS),
    "mda_protection_session_include": session("include", conditions=OTHER_CONDITIONS),
    "mda_protection_session_exclude": session("exclude", conditions=OTHER_CONDITIONS),
    "mda_protection_session_mode": session("mode", state="enabledForReportingButNotEnforced"),
    "mda_protection_session_location_condition": session("locations", conditions=OTHER_CONDITIONS),
    "mda_protection_session_ip_ranges": Change(
        TENANT,
        "named_locations",
        {"displayName": f"{BRANCH} [servicenow_defender]"},
        {"ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}]},
        f"named_location {BRANCH}",
        "subnets",
    ),
    "mda_protection_session_instances": NOT_WRITTEN,
    # -- mdc_itsm
    "mdc_itsm_instances": SELECTS,
    "mdc_itsm_tenant": SELECTS,
    "mdc_itsm_scope": Change(TENANT, "integrations", {"displayName": RENAMED}, {}, f"integration {RENAMED}"),
    "mdc_itsm_foundational_plan": Change(
        TENANT,
        "pricings",
        {"name": "FoundationalCspm"},
        {"pricingTier": "Free"},
        "plan FoundationalCspm",
        "tier",
    ),
    "mdc_itsm_plan": LATER,
    "servicenow_defender_accept_costs": ALLOWS,
    "mdc_itsm_accept_costs": ALLOWS,
    "mdc_itsm_plan_extensions": IN_ENTRIES,
    "mdc_itsm_plan_extensions.name": extension("EntraPermissionsManagement"),
    "mdc_itsm_plan_extensions.enabled": extension("SensitiveDataDiscovery"),
    "mdc_itsm_plan_extensions.properties": extension("AgentlessVmScanning", "properties of extension"),
    "mdc_itsm_display_name": Change(
        TENANT,
        "integrations",
        {"displayName": "Walk removed"},
        {"displayName": "Someone's"},
        "integration Walk removed",
    ),
    "mdc_itsm_state": Change(TENANT, "integrations", {}, {**INSERTED, "displayName": OTHER}, f"integration {OTHER}"),
    "mdc_itsm_username": CREDENTIALS,
    "mdc_itsm_password": CREDENTIALS,
    "mdc_itsm_client_id": CREDENTIALS,
    "mdc_itsm_client_secret": CREDENTIALS,
    "mdc_itsm_update_credentials": CREDENTIALS,
    "mdc_itsm_accepted": STORED,
    "mdc_itsm_accepted_key": STORED,
    "mdc_itsm_disabled": integration("disabled", isDisabled=False),
    "mdc_itsm_excluded_scopes": integration("excluded_scopes", excludedScopes=[]),
    "mdc_itsm_include_members": integration("include_members", includeMembersInScopes=False),
    "mdc_itsm_confirm_assignment_loss": ALLOWS,
    "mdc_itsm_rules": IN_ENTRIES,
    "mdc_itsm_rules.display_name": removed_rule("Walk key"),
    "mdc_itsm_rules.scope": removed_rule("Walk scope"),
    "mdc_itsm_rules.state": Change(
        TENANT,
        "rules",
        {},
        {
            **INSERTED,
            "name": "00000000-0000-0000-0000-0000000000bb",
            "displayName": "Walk absent",
            "rulePriority": 900,
            "ruleType": "Integrated",
        },
        "governance_rule Walk absent",
    ),
    "mdc_itsm_rules.rule_type": rule("rule_type", ruleType="ServiceNow"),
    "mdc_itsm_rules.priority": rule("priority", rulePriority=511),
    "mdc_itsm_rules.severities": rule("severities", conditionSets=SEVERITY_OTHER_PATH),
    "mdc_itsm_rules.severity_property": rule("severities", conditionSets=SEVERITY_OTHER_PATH),
    "mdc_itsm_rules.risk_levels": conditions("Walk risk", "risk_levels"),
    "mdc_itsm_rules.categories": conditions("Walk category", "categories"),
    "mdc_itsm_rules.recommendations": Change(
        TENANT,
        "rules",
        {"displayName": "Walk keys"},
        {"conditionSets": SEVERITY_OTHER_PATH},
        "governance_rule Walk keys",
        "recommendations",
    ),
    "mdc_itsm_rules.owner": rule("owner", ownerSource={"type": "ByTag", "value": "someone"}),
    "mdc_itsm_rules.remediation_timeframe_days": rule("remediation_timeframe_days", remediationTimeframe="7.00:00:00"),
    "mdc_itsm_rules.grace_period": rule("grace_period", isGracePeriod=False),
    "mdc_itsm_rules.disabled": rule("disabled", isDisabled=False),
    "mdc_itsm_rules.description": rule("description", description="Someone's"),
    "mdc_itsm_rules.include_members": rule("include_members", includeMemberScopes=False),
    "mdc_itsm_rules.excluded_scopes": rule("excluded_scopes", excludedScopes=[]),
    "mdc_itsm_rules.notify_owner": rule("notify_owner", governanceEmailNotification=mails(False, False)),
    "mdc_itsm_rules.notify_manager": rule("notify_manager", governanceEmailNotification=mails(False, False)),
    "mdc_itsm_rules.extra_properties": rule("extra_properties.walk", walk={"more": 2}),
    "mdc_itsm_rules.learn_from": Change(
        TENANT,
        "rules",
        {"displayName": "Walk tickets"},
        {"additionalData": {"ticketType": "Problem"}},
        "governance_rule Walk tickets",
        "extra_properties.additionalData",
    ),
    "mdc_itsm_rules.integration": PORTAL_ONLY,
    "mdc_itsm_rules.ticket_type": PORTAL_ONLY,
    "mdc_itsm_rules.execute": ACTS,
    "mdc_itsm_rules.override": ACTS,
    "mdc_itsm_rules.wait_timeout": WAITS,
}
# More ways to change an object.
MORE = (
    Change(TENANT, "connectors", {"name": "Walk fields"}, {"state": "disabled"}, "connector Walk fields", "status"),
)
# After the repair of all these, as a plan that is off has no extensions.
PLAN_OFF = Change(TENANT, "pricings", {"name": "CloudPosture"}, {"pricingTier": "Free"}, "plan CloudPosture", "tier")
