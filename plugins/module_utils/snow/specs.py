# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of each resource and job: those of its own module, and of its part of `snow_instance` and `snow_drift_info`."""

from __future__ import annotations

from typing import Any

Options = dict[str, dict[str, Any]]

_STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}
_POLICIES = ["on_mismatch", "always", "on_create"]

INSTANCE_INFO_OPTIONS: Options = {
    "properties": {"type": "list", "elements": "str", "default": []},
    "plugins": {"type": "list", "elements": "str", "default": []},
    "tables": {"type": "list", "elements": "str", "default": []},
}

ROLE_OPTIONS: Options = {
    "name": {"type": "str", "required": True},
    "description": {"type": "str"},
    "contains": {"type": "list", "elements": "str"},
    "state": _STATE,
}

USER_OPTIONS: Options = {
    "user_name": {"type": "str", "required": True},
    "password": {"type": "str", "no_log": True},
    "update_password": {"type": "str", "choices": _POLICIES, "default": "on_mismatch", "no_log": False},
    "first_name": {"type": "str"},
    "last_name": {"type": "str"},
    "email": {"type": "str"},
    "web_service_access_only": {"type": "bool", "default": True},
    "identity_type": {"type": "str"},
    "time_zone": {"type": "str"},
    "roles": {"type": "list", "elements": "str"},
    "exclusive_roles": {"type": "bool", "default": False},
    "extra_fields": {"type": "dict"},
    "state": {"type": "str", "choices": ["present", "absent", "disabled"], "default": "present"},
}

OAUTH_APPLICATION_OPTIONS: Options = {
    "name": {"type": "str", "required": True},
    "sys_id": {"type": "str"},
    "client_id": {"type": "str"},
    "client_secret": {"type": "str", "no_log": True},
    "update_secret": {"type": "str", "choices": _POLICIES, "default": "on_mismatch", "no_log": False},
    "access_token_lifespan": {"type": "int", "no_log": False},
    "refresh_token_lifespan": {"type": "int", "no_log": False},
    "redirect_urls": {"type": "list", "elements": "str"},
    "logo_url": {"type": "str"},
    "active": {"type": "bool", "default": True},
    "comments": {"type": "str"},
    "scope_restriction": {"type": "str", "choices": ["broad", "restricted"]},
    "oauth_user": {"type": "str"},
    "default_grant_type": {"type": "str"},
    "extra_fields": {"type": "dict"},
    "state": _STATE,
}

TABLE_ACLS_OPTIONS: Options = {
    "role": {"type": "str", "required": True},
    "tables": {"type": "list", "elements": "str", "required": True},
    "operation": {"type": "str", "choices": ["read"], "default": "read"},
}

PLUGIN_OPTIONS: Options = {
    "id": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["active"], "default": "active"},
}

APPLICATION_OPTIONS: Options = {
    "scope": {"type": "str", "required": True},
    "version": {"type": "str"},
}

WAIT_OPTIONS: Options = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "float", "default": 1800.0},
    "poll_interval": {"type": "float", "default": 10.0},
}

CONNECTION_OPTIONS: Options = {
    "application": {"type": "str", "required": True},
    "user_name": {"type": "str", "required": True},
    "client_secret": {"type": "str", "no_log": True},
    "password": {"type": "str", "no_log": True},
}

HARDENING_OPTIONS: Options = {
    "baseline": {"type": "str", "choices": ["secure_score", "recommended", "all"]},
    "ids": {"type": "list", "elements": "str", "default": []},
    "exclude": {"type": "list", "elements": "str", "default": []},
    "overrides": {"type": "dict", "default": {}},
    "max_writes": {"type": "int", "default": 10},
    "allow_irreversible": {"type": "bool", "default": False},
    "allow_plugins": {"type": "bool", "default": False},
    "accept_side_effects": {"type": "list", "elements": "str", "default": []},
    "services": {
        "type": "list",
        "elements": "dict",
        "options": CONNECTION_OPTIONS,
        "default": [
            {"application": "Microsoft Defender for Cloud Apps", "user_name": "svc_defender_cloud_apps"},
            {"application": "Microsoft Defender for Cloud", "user_name": "svc_defender_cloud"},
        ],
    },
    "create_for_score": {"type": "bool", "default": False},
    "production": {"type": "bool"},
}

RECORD_OPTIONS: Options = {
    "table": {"type": "str", "required": True},
    "match": {"type": "dict", "required": True},
    "values": {"type": "dict"},
    "write_only": {"type": "list", "elements": "str"},
    "state": _STATE,
}

TICKET_OPTIONS: Options = {
    "type": {"type": "str", "choices": ["incident", "problem", "change_request"], "default": "incident"},
    "correlation_id": {"type": "str", "required": True},
    "short_description": {"type": "str"},
    "description": {"type": "str"},
    "impact": {"type": "str"},
    "urgency": {"type": "str"},
    "assignment_group": {"type": "str"},
    "caller": {"type": "str"},
    "assigned_to": {"type": "str"},
    "state": {"type": "str", "choices": ["open", "resolved", "closed", "canceled"], "default": "open"},
    "reopen": {"type": "bool", "default": False},
    "close_code": {"type": "str"},
    "close_notes": {"type": "str"},
    "work_note": {"type": "str"},
    "extra_fields": {"type": "dict"},
}


def entries(options: Options) -> dict[str, Any]:
    """Return the option that takes a list of entries with `options`."""
    return {"type": "list", "elements": "dict", "options": options}
