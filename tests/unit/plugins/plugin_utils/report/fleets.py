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


CLOSED = "the account may not read v_plugin (403 User Not Authorized)"


def unproven() -> dict[str, Any]:
    """Return the report of an instance with a plugin that could not be read, one with drift as well, one in sync, and no tenant."""
    fleet = Fleet()
    entry = {"object": "plugin com.snc.x", "field": "state", "reason": CLOSED}
    row = {"object": "plugin com.snc.x", "name": "com.snc.x", "status": "unknown", "reason": CLOSED}
    for host, drift, entries in (("acme-dev", [], [entry]), ("acme-test", [TIMEOUT], [entry]), ("acme-prod", [], [])):
        result = {**compared(drift, [], []), "results": [row] if entries else [], "unproven": entries}
        fleet.add(TaskReport(host, STATE, result, "Compare the instance", check_mode=True))
    missing = {
        "host": "defender",
        "object": "tenant defender",
        "field": "state",
        "reason": "the inventory has no group defender",
    }
    facts = {"ansible_facts": {"servicenow_defender_unproven": {"unproven": [missing]}}}
    fleet.add(TaskReport("acme-dev", "ansible.builtin.set_fact", facts, "Note"))
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


PORTAL = "https://security.microsoft.com > Settings > Cloud Apps > Connected apps > App connectors > Connect an app > ServiceNow"
CONNECTORS = "secops.servicenow_defender.mda_connectors"
ENTRA = "secops.servicenow_defender.entra_application"
DRIFT_INFO = "secops.servicenow_defender.snow_drift_info"


def portal_step(host: str) -> dict[str, Any]:
    """Return the manual step for the connector of an instance, with values of its own."""
    return {
        "id": f"connector:create:{host}",
        "title": f"Connect {host} to Defender for Cloud Apps",
        "reason": "Microsoft documents no API that writes app connectors, and no contract is set",
        "where": PORTAL,
        "values": {
            "Connection name": host,
            "Mode": "Connect using OAuth token (recommended)",
            "Instance URL": f"https://{host}.service-now.com",
            "Client ID": f"{abs(hash_of(host)):032x}",
        },
        "secret_values": ["Password", "Client secret"],
    }


def hash_of(name: str) -> int:
    """Return a number that is the same in every run."""
    return int.from_bytes(name.encode().ljust(16, b".")[:16], "big")


def setting(id: str, status: str, actual: Any, expected: Any, **more: Any) -> dict[str, Any]:
    """Return the row of a hardening setting as `snow_drift_info` returns it."""
    return {
        "object": f"setting {id}",
        "status": status,
        "id": id,
        "name": f"glide.{id}",
        "title": f"Title of {id}",
        "category": "Session management",
        "severity": "high",
        "actual": actual,
        "expected": expected,
        "comparator": "eq",
        "verdict": "deviating",
        "reason": "",
        "secure_score_control": "",
        "points": 0,
        "withheld_by": "",
        "switch": "",
        **more,
    }


SIDE_EFFECTS = setting(
    "auth.mfa_enabled", "withheld", False, True, title="Multi-factor authentication is enabled", severity="critical",
    reason="side effects: enrolled API accounts have to send a code. Add auth.mfa_enabled to accept_side_effects to have it written",
    secure_score_control="MDA_SNOW_mfa", points=6, withheld_by="side_effects", switch="accept_side_effects",
)  # fmt: skip
IDLE = setting("session.idle_timeout", "changed", 120, 60, title="Idle sessions end", points=4)
PLUGIN = setting(
    "auth.sso_plugin", "withheld", "inactive", "active", title="Single sign-on is installed", severity="medium",
    reason="it is a plugin, which cannot be deactivated again; set allow_plugins to have it activated",
    withheld_by="plugin", switch="allow_plugins",
)  # fmt: skip
EXCEPTION = {
    "reason": "Kiosks in the plants have no keyboard",
    "owner": "workplace team",
    "until": "2026-06-30",
    "ended": False,
}
KIOSKS = setting(
    "session.guest_idle", "accepted", 60, 10, title="Sessions of guests end", exception=EXCEPTION, withheld_by="exception",
    reason="accepted by workplace team until 2026-06-30: Kiosks in the plants have no keyboard",
)  # fmt: skip
ENDED = {"reason": "Migration of the directory", "owner": "identity team", "until": "2026-02-28", "ended": True}
PASSWORDS = setting(
    "auth.password_policy",
    "changed",
    "weak",
    "strong",
    title="The password policy is strong",
    exception=ENDED,
    points=5,
)
COMPLIANT = {"object": "setting logging.audit_roles", "status": "ok", "id": "logging.audit_roles", "actual": True}


def setting_drift(row: dict[str, Any]) -> dict[str, Any]:
    """Return the drift entry of a setting."""
    return deviation(row["object"], row["name"], row["actual"], row["expected"])


def weekly() -> dict[str, Any]:
    """Return the report of three instances and a tenant, with one of everything that a page shows."""
    fleet = Fleet(inventory=("acme-dev", "acme-test", "acme-prod", "acme-tenant"), tenants=frozenset({"acme-tenant"}))
    found = {
        "acme-dev": (
            [SIDE_EFFECTS, IDLE, PLUGIN, KIOSKS, COMPLIANT],
            [LIFESPAN],
            [elevation("sys_user"), elevation("incident")],
        ),
        "acme-test": (
            [SIDE_EFFECTS, {**IDLE, "actual": 1440}, PASSWORDS, COMPLIANT],
            [TIMEOUT],
            [elevation("incident")],
        ),
        "acme-prod": ([SIDE_EFFECTS, KIOSKS, COMPLIANT], [], [elevation("incident")]),
    }
    for host, (rows, drift, steps) in found.items():
        drift = [*drift, *(setting_drift(row) for row in rows if row["status"] in ("changed", "withheld"))]
        counts = {"compliant": 18, "deviating": len(rows), "unknown": 0, "not_applicable": 1}
        posture = {
            "baseline": "secure_score",
            "settings": counts,
            "by_category": {"Session management": counts},
            "by_severity": {"critical": counts, "high": counts},
            "secure_score": {"controls": 22, "compliant": 18, "points": 96, "possible_points": 114},
        }
        unread = {"object": "plugin com.snc.x", "field": "state", "reason": CLOSED}
        result = {
            **compared(drift, steps, [RESTRICTED] if host == "acme-test" else []),
            "results": [*rows, {"object": "oauth_application CloudAppSecurity", "name": "CloudAppSecurity", "status": "ok",
                                "refresh_token_expires_at": ends(6)}],
            "posture": posture,
            "unproven": [unread] if host != "acme-prod" else [],
        }  # fmt: skip
        fleet.add(TaskReport(host, DRIFT_INFO, result, "Compare the instance", check_mode=True))
    steps = [portal_step("acme-test"), portal_step("acme-prod")]
    rows = [{"object": "connector acme-dev", "name": "acme-dev", "status": "ok", "refresh_token_expires_at": ends(88)}]
    connected = {"changed": False, "drift": [], "results": rows, "manual_steps": steps}
    fleet.add(TaskReport("acme-tenant", CONNECTORS, connected, "Compare the connectors", check_mode=True))
    application = {"display_name": "ServiceNow Configuration Compliance", "expires_at": ends(-3)}
    fleet.add(TaskReport("acme-tenant", ENTRA, {"changed": False, "application": application}, check_mode=True))
    plan = {"changed": True, "drift": [deviation("plan CloudPosture", "tier", "Free", "Standard")]}
    fleet.add(
        TaskReport("acme-tenant", "secops.servicenow_defender.mdc_plan", plan, "Compare the plan", check_mode=True)
    )
    fleet.settle({})
    return make(fleet, PLAY, NOW)


def ends(days: int) -> str:
    """Return the time in `days` days and two hours."""
    return (NOW + timedelta(days=days, hours=2)).isoformat(timespec="seconds")


def thousand(hosts: int = 1000, objects: int = 60) -> dict[str, Any]:
    """Return the report of a large fleet in which every object deviates somewhere, with steps and tokens of each instance."""
    fleet = Fleet(
        inventory=(*(f"acme-{number:04}" for number in range(1, hosts + 1)), "acme-tenant"),
        tenants=frozenset({"acme-tenant"}),
    )
    kinds = ("property", "table_acl", "setting", "role", "user", "oauth_application")
    names = [f"{kinds[number % len(kinds)]} object_{number:02}" for number in range(objects)]
    for number in range(1, hosts + 1):
        host = f"acme-{number:04}"
        drift = [
            deviation(name, "value", str(number % 4), "9")
            for place, name in enumerate(names)
            if (number * 7 + place) % 11 == 0
        ]
        rows = [SIDE_EFFECTS] if number % 3 == 0 else [COMPLIANT]
        token = {"object": "oauth_application CloudAppSecurity", "status": "ok", "name": "CloudAppSecurity",
                 "refresh_token_expires_at": ends(number % 90)}  # fmt: skip
        steps = [elevation(table) for table in TABLES] if number % 4 == 0 else []
        unread = [{"object": f"plugin {host}", "field": "state", "reason": CLOSED}] if number % 5 == 0 else []
        result = {
            "changed": bool(drift),
            "objects": [{"object": name} for name in names],
            "drift": drift,
            "manual_steps": [*steps, *([portal_step(host)] if number % 2 == 0 else [])],
            "results": [*rows, token],
            "unproven": unread,
        }
        fleet.add(TaskReport(host, DRIFT_INFO, result, "Compare the instance", check_mode=True))
    fleet.settle({})
    return make(fleet, PLAY, NOW)


def nothing_in_common(hosts: int = 1000, objects: int = 60) -> dict[str, Any]:
    """Return the report of a fleet in which every object of every instance has another long value, and every step and reason is another."""
    fleet = Fleet()
    for number in range(1, hosts + 1):
        host = f"acme-{number:04}"
        drift = [deviation(f"property p{place}", "value", f"{number} {place} " * 20, "9") for place in range(objects)]
        unread = [{"object": f"plugin {number}", "field": "state", "reason": f"{number} " * 40}]
        step = {**portal_step(host), "title": f"Step {number}"}
        result = {"changed": True, "drift": drift, "manual_steps": [step], "unproven": unread}
        fleet.add(TaskReport(host, DRIFT_INFO, result, "Compare the instance", check_mode=True))
    fleet.settle({})
    return make(fleet, PLAY, NOW)


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
