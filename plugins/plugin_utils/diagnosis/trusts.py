# SPDX-License-Identifier: GPL-3.0-or-later
"""The trusts between Microsoft and ServiceNow: who signs in where, with what right, when last, and when that ends.

What could not be read is named as unproven. A trust is a text without the name of its instance, so that equal ones are shown once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...module_utils.token_end import in_words, remaining

Json = Mapping[str, Any]
TITLES = {
    "mda": "Defender for Cloud Apps",
    "mdc": "Defender for Cloud",
    "msem": "Exposure Management",
}
PASSWORD, BASIC = "password", "basic"
GRANTS = {PASSWORD: "password and client", "client_credentials": "client credentials", BASIC: "password"}
UNPROVEN = "unproven"


@dataclass(frozen=True)
class Tenant:
    """What was read of the tenant, in results of modules; {} for what was not asked for."""

    connectors: Json = field(default_factory=dict)
    integrations: Json = field(default_factory=dict)
    exposure: Json = field(default_factory=dict)


def is_set_up(variables: Json) -> bool:
    """Return whether every service has its account, and its application if it needs one, on an instance."""
    for _service, user, application, grant in variables.get("doctor_sign_ins") or []:
        if _account(variables, user) is None or (grant != BASIC and _application(variables, application) is None):
            return False
    return True


def trusts(host: str, variables: Json, tenant: Tenant) -> Iterator[tuple[str, str]]:
    """Yield direction and text of each trust of an instance; the direction has `{}` for the names of instances."""
    for service, user, application, grant in variables.get("doctor_sign_ins") or []:
        if service not in TITLES:
            # Among the errors in variables.
            continue
        parts = [
            _who(variables, user, application, grant),
            _rights(variables, user),
            _last_use(variables, user),
            *_other_end(service, host, variables, tenant),
            _end(service, host, variables, application, grant, tenant),
        ]
        yield f"{TITLES[service]} -> {{}}", "; ".join(filter(None, parts))
    compliance = variables.get("mdc_configuration_compliance_result")
    if isinstance(compliance, Mapping):
        yield "{} -> Defender for Cloud (Configuration Compliance)", _compliance(variables, compliance)


def _records(variables: Json, table: str) -> list[Json] | None:
    """Return the rows of a table, None if they could not be read."""
    for result in (variables.get("doctor_accounts") or {}).get("results") or []:
        if result.get("table") == table:
            return None if result.get("refused") else list(result.get("records") or [])
    return None


def _account(variables: Json, user: str) -> Json | None:
    rows = _records(variables, "sys_user") or []
    return next((row for row in rows if row.get("user_name") == user), None)


def _application(variables: Json, name: str) -> Json | None:
    rows = (variables.get("doctor_applications") or {}).get("oauth_applications") or []
    return next((row for row in rows if row.get("name") == name), None)


def _who(variables: Json, user: str, application: str, grant: str) -> str:
    account = _account(variables, user)
    if _records(variables, "sys_user") is None:
        state = f"{UNPROVEN}, the account cannot read sys_user"
    elif account is None:
        state = "not there or not readable"
    elif account.get("locked_out") == "true" or account.get("active") == "false":
        state = "locked out" if account.get("locked_out") == "true" else "inactive"
    else:
        state = ""
    through = "" if grant == BASIC else f" through the application {application}"
    if through and _application(variables, application) is None:
        through += " (not there or not readable)"
    elif through and (_application(variables, application) or {}).get("active") is False:
        through += " (inactive)"
    return f"signs in as {user}{f' ({state})' if state else ''}{through} with {GRANTS.get(grant, grant)}"


def _rights(variables: Json, user: str) -> str:
    if _account(variables, user) is None:
        return ""
    rows = _records(variables, "sys_user_has_role")
    roles = sorted({str(row.get("role.name")) for row in rows or [] if row.get("user.user_name") == user})
    if rows is None or not roles:
        return f"roles {UNPROVEN}: none is readable"
    return f"{'role' if len(roles) == 1 else 'roles'} {', '.join(roles)}"


def _last_use(variables: Json, user: str) -> str:
    account = _account(variables, user)
    if account is None:
        return ""
    time = account.get("last_login_time")
    return f"last sign-in {time[:10]}" if time else f"last sign-in {UNPROVEN}: none is recorded"


def _other_end(service: str, host: str, variables: Json, tenant: Tenant) -> Iterator[str]:
    """Yield what the tenant has for the service and the instance."""
    if service == "mda":
        found = _connector(host, variables, tenant)
        yield _of_tenant(
            tenant.connectors, "connector", f"connector {found.get('status')}" if found else "no connector"
        )
    elif service == "mdc":
        name = _name("mdc", host, variables)
        rows = tenant.integrations.get("integrations") or []
        row = next((each for each in rows if each.get("display_name") == name), None)
        state = "no integration" if row is None else f"integration {'disabled' if row.get('disabled') else 'enabled'}"
        yield _of_tenant(tenant.integrations, "integration", state)
    elif service == "msem":
        assets = tenant.exposure.get("assets")
        counted = f"{assets} assets of ServiceNow in the tenant" if assets is not None else f"assets {UNPROVEN}"
        yield _of_tenant(tenant.exposure, "data connector", counted)


def _name(service: str, host: str, variables: Json) -> str:
    """Return the name that the connection of an instance has in the tenant."""
    return str((variables.get("doctor_names") or {}).get(service) or host)


def _of_tenant(result: Json, noun: str, text: str) -> str:
    if result.get("unread"):
        return f"{noun} {UNPROVEN}: the tenant could not be read"
    if not result:
        return f"{noun} {UNPROVEN}: no tenant takes part"
    if result.get("evidence"):
        return f"{noun} {UNPROVEN}: the tenant does not list it"
    return text


def _connector(host: str, variables: Json, tenant: Tenant) -> Json | None:
    name = _name("mda", host, variables)
    rows: Iterable[Json] = tenant.connectors.get("connectors") or []
    return next((row for row in rows if row.get("name") == name), None)


def _end(service: str, host: str, variables: Json, application: str, grant: str, tenant: Tenant) -> str:
    """Return when the trust ends by itself: what the tenant returns counts first, then the tokens on the instance."""
    if grant != PASSWORD:
        return "no token to renew"
    known = (_connector(host, variables, tenant) or {}) if service == "mda" else {}
    days, ago = known.get("days_left"), known.get("ended_days_ago")
    if days is None:
        end = remaining((_application(variables, application) or {}).get("refresh_token_expires_at"))
        days, ago = end["days_left"], end["ended_days_ago"]
    if days is None:
        return f"end of the refresh token {UNPROVEN}: none is readable" if _application(variables, application) else ""
    return f"refresh token {in_words(days, ago)}"


def _compliance(variables: Json, result: Json) -> str:
    if result.get("unread"):
        return f"{UNPROVEN}: {result['unread']}"
    found = result.get("configuration_compliance") or {}
    fields = (found.get("configuration") or {}).get("fields") or {}
    client = fields.get("client_id")
    managed = (variables.get("mdc_configuration_compliance_application") or {}).get("application") or {}
    runs = [str((job.get("last_run") or {}).get("ended_at") or "") for job in found.get("jobs") or []]
    parts = [
        f"signs in as the application {client}"
        if client
        else f"application {UNPROVEN}: none is configured, or it cannot be read",
        f"role {managed['role']}" if managed.get("role") else f"right {UNPROVEN}: the application is not managed here",
        f"last run {max(runs)[:10]}" if any(runs) else f"last run {UNPROVEN}: none is visible",
        f"secret ends in {managed['days_left']} days"
        if managed.get("days_left") is not None
        else f"end of the secret {UNPROVEN}",
    ]
    return "; ".join(parts)
