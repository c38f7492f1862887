# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets as the tasks of a drift check report them, made through the front door of the report."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.collect import Fleet, TaskReport
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.document import make

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=timezone.utc)
STATE = "secops.servicenow_defender.snow_instance"
TABLES = (
    "sys_user",
    "sys_user_group",
    "sys_user_has_role",
    "sys_properties",
    "sysevent",
    "syslog_transaction",
    "incident",
)
OBJECTS = (
    "role custom_table_access",
    "user svc_defender",
    "oauth_application CloudAppSecurity",
    "property glide.ui.session_timeout",
    "property glide.soap.strict_security",
    "property glide.security.use_csrf_token",
    *(f"table_acl {table}" for table in TABLES),
)
PLAY = {"playbooks": ["drift.yml"], "plays": ["Compare"], "started_at": "2026-03-02T08:29:00+00:00", "run_id": None}


def deviation(name: str, field: str, before: Any, after: Any) -> dict[str, Any]:
    """Return a drift entry."""
    return {"object": name, "field": field, "before": before, "after": after}


def elevation(table: str) -> dict[str, Any]:
    """Return the manual step for a read ACL, which REST cannot write."""
    return {
        "id": f"grant_read_acl_{table}",
        "title": f"Let the role custom_table_access read {table}",
        "reason": "Access control rules can only be written with the role security_admin elevated.",
        "where": "System Security > Access Control (ACL) > New",
        "values": {"Type": "record", "Operation": "read", "Name": table, "Requires role": "custom_table_access"},
        "secret_values": [],
    }


LIFESPAN = deviation("oauth_application CloudAppSecurity", "access_token_lifespan", "1800", "3600")
SECRET = deviation("oauth_application CloudAppSecurity", "client_secret", "********", "********")
MISSING_ROLE = deviation("user svc_defender", "roles", "itil", "custom_table_access,itil")
TIMEOUT = deviation("property glide.ui.session_timeout", "value", "1440", "30")
STRICT = deviation("property glide.soap.strict_security", "value", None, "true")
RESTRICTED = {
    "id": "basic_auth_enforced",
    "severity": "warning",
    "message": "Basic authentication is restricted on this instance; the account is not on the list of allowed users.",
    "remedy": "Sign in with OAuth, or add svc_defender to glide.authenticate.basic_auth.allowed_users.",
}


def compared(
    drift: list[dict[str, Any]], steps: list[dict[str, Any]], problems: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what `snow_instance` returns after a comparison."""
    return {
        "changed": bool(drift),
        "objects": [{"object": name} for name in OBJECTS],
        "drift": drift,
        "manual_steps": steps,
        "problems": problems,
    }


def small() -> dict[str, Any]:
    """Return the report of five instances, one of each kind, and the tenant."""
    fleet = Fleet()
    found = {
        "acme-dev": compared([LIFESPAN, SECRET, MISSING_ROLE], [elevation("sys_user"), elevation("incident")], []),
        "acme-test": compared([TIMEOUT], [], [RESTRICTED]),
        "acme-prod": compared([], [], []),
    }
    for host, result in found.items():
        fleet.add(TaskReport(host, STATE, result, "Compare the instance", check_mode=True))
        days = {"acme-dev": 3, "acme-test": 21, "acme-prod": 88}[host]
        expires = (NOW + timedelta(days=days, hours=2)).strftime("%Y-%m-%d %H:%M:%S")
        application = {"name": "CloudAppSecurity", "refresh_token_expires_at": expires}
        listed = {"changed": False, "oauth_applications": [application]}
        fleet.add(TaskReport(host, f"{STATE[:-10]}snow_oauth_application_info", listed, check_mode=True))
    asleep = "snow_instance: acme-lab answered with a page instead of JSON: the developer instance is hibernating. Wake it up."
    fleet.add(TaskReport("acme-lab", STATE, {"msg": asleep, "failed": True}, "Compare the instance", "failed", True))
    away = {"msg": "acme-old did not answer within 60 seconds.", "unreachable": True}
    fleet.add(TaskReport("acme-old", STATE, away, "Compare the instance", "unreachable", True))
    fleet.settle({"acme-lab": 1, "acme-old": 1})
    return make(fleet, PLAY, NOW)


def large(hosts: int = 300) -> dict[str, Any]:
    """Return the report of many instances, a third of which deviate."""
    fleet = Fleet()
    for number in range(1, hosts + 1):
        host = f"acme-{number:03}"
        drift = [LIFESPAN] if number % 5 == 0 else []
        drift += [TIMEOUT, STRICT] if number % 7 == 0 else []
        drift += [MISSING_ROLE, SECRET] if number % 31 == 0 else []
        steps = [elevation("sys_user")] if number % 20 == 0 else []
        fleet.add(TaskReport(host, STATE, compared(drift, steps, []), "Compare the instance", check_mode=True))
        if number % 97 == 0:
            asleep = {"msg": f"snow_oauth_check: {host} is hibernating.", "failed": True}
            fleet.add(TaskReport(host, STATE, asleep, "Prove the token", "failed", True))
    fleet.settle({f"acme-{number:03}": 1 for number in range(97, hosts + 1, 97)})
    return make(fleet, {**PLAY, "run_id": "nightly-61"}, NOW)


def hostile() -> dict[str, Any]:
    """Return the report of an instance whose values try to become markup and script."""
    fleet = Fleet()
    bad = "</td></script><script>window.broken = 1</script><img src=http://192.0.2.1/x onerror='window.broken = 1'>\"'`"
    result = {
        "changed": False,
        "drift": [deviation(f"user {bad}", bad, bad, [bad, {bad: bad}])],
        "manual_steps": [{**elevation("incident"), "title": bad, "where": bad, "values": {bad: bad}}],
        "problems": [{"id": bad, "severity": bad, "message": bad, "remedy": bad}],
        "oauth_applications": [{"name": bad, "refresh_token_expires_at": bad}],
    }
    fleet.add(TaskReport("acme-dev", STATE, result, bad, check_mode=True))
    fleet.add(TaskReport(bad, STATE, {"msg": bad, "failed": True}, bad, "failed", True))
    fleet.settle({bad: 1})
    return make(fleet, {**PLAY, "playbooks": [bad], "run_id": bad}, NOW)
