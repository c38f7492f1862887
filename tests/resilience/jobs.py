# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks that are disturbed, each with its variables."""

from __future__ import annotations

from typing import Any

JOBS: dict[str, dict[str, Any]] = {
    "onboard": {
        "servicenow_defender_services": ["mda", "mdc"],
        "servicenow_defender_accept_costs": True,
        "mdc_itsm_rules": [
            {"display_name": "High", "priority": 10, "severities": ["Critical", "High"], "owner": {"by_tag": "owner"}},
        ],
        "mda_protection_ip_ranges": [
            {"name": "Head office", "category": "corporate", "subnets": ["192.0.2.0/24"]},
            {"name": "Branch", "subnets": ["198.51.100.0/24"]},
        ],
    },
    "harden": {"snow_hardening_max_writes": 0, "snow_hardening_allow_irreversible": True},
    "rotate": {"servicenow_defender_services": ["mda", "mdc"], "snow_connection_legacy_admin": True},
    "offboard": {
        "servicenow_defender_services": ["mda", "mdc"],
        "snow_connection_legacy_admin": True,
        "offboarding_confirm": True,
    },
    "adopt": {"servicenow_defender_services": ["mda"]},
    "tickets": {"servicenow_defender_services": ["mdc"], "mdc_tickets_severities": ["Critical", "High", "Medium"]},
    # One ticket, with its list as a file.
    "list": {
        "servicenow_defender_services": ["mdc"],
        "mdc_tickets_severities": ["Critical", "High", "Medium", "Low"],
        "mdc_tickets_group_by": ["subscription"],
    },
    "alerts": {
        "servicenow_defender_services": ["mdc"],
        "defender_alerts_severities": ["High", "Medium", "Low"],
        "defender_alerts_since_days": 3650,
    },
    # `onboard` with a change request that is approved and inside its window.
    "change": {
        "servicenow_defender_services": ["mdc"],
        "servicenow_defender_accept_costs": True,
        "servicenow_defender_change": True,
        "servicenow_defender_change_instance": "acme-fleet",
        "servicenow_defender_change_fields": {"assignment_group": "Change Control"},
    },
}
