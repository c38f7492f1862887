# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the connections of an instance this collection made, and what has to be removed at Microsoft first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils.engine.accepted_credentials import OBJECT_ID, PLACE, recorded
from .connections import Connection
from .objects_to_remove import NOT_RECORDED
from .role_values import Stored

# Stored for a service while an instance is connected to it.
RECORDS = ("password", "client_secret", "accepted")
# Variables that, set by a user, name an object as one of this collection: onboard made it under that name, or adopt wrote it.
SET_BY_USER = ("application_name", "user_name", "role_name", "password", "client_secret")
# Name under which the date of the removal is stored.
OFFBOARDED = "offboarded"
MDA, MDC, MSEM = "mda", "mdc", "msem"
CONNECTORS, INTEGRATIONS = "offboarding_connectors", "offboarding_integrations"
DATA_CONNECTORS = "offboarding_data_connectors"
GONE = ("absent", "disabled")
REMOVED = (*GONE, "changed")
# No API shows whether a data connector exists.
DATA_CONNECTOR = (
    "its data connector of Exposure Management may be connected; disconnect it in the Defender portal (Exposure Management > Data connectors > "
    "ServiceNow CMDB), then set offboarding_microsoft_removed to true"
)
# Without a scope, no integration can be read.
NO_SCOPE = (
    "the record of its credentials says that its integration is on {}, but mdc_itsm_scope is empty, and the tenant has no azure_subscription_id. "
    "Set the scope, or remove the integration in the portal and set offboarding_microsoft_removed to true"
)
Json = Mapping[str, Any]


def is_recorded(connection: Connection) -> bool:
    """Return whether stored secrets, a record of accepted credentials or variables of the user show that the objects are ours."""
    if any(connection.stored(connection.secret_name(name)) for name in RECORDS):
        return True
    return not all(connection.values.is_default(f"snow_connection_{name}") for name in SET_BY_USER)


def left_fleet(stored: Stored, services: Iterable[str], host: str) -> str:
    """Return what to do about an instance that was offboarded and not onboarded again since, "" for any other."""
    on = stored(OFFBOARDED)
    if not on or any(stored(f"{service}_{name}") for service in services for name in RECORDS):
        return ""
    return f"{host} was taken out of the fleet on {on}. Take it out of the inventory, too, or run onboard to connect it again"


def removable(connection: Connection, host: str) -> dict[str, Any]:
    """Return one connection: its `host` and `service`, whether it is `recorded` and its credentials were `entered` manually, the
    names of its objects on both sides, and the id, place and address of what has accepted its credentials.
    """
    values, service = connection.values, connection.service
    name = {MDA: "mda_connection_name", MDC: "mdc_itsm_display_name", MSEM: "msem_connection_name"}[service]
    accepted = connection.stored(connection.secret_name("accepted"))
    return {
        "host": host,
        "service": service,
        "recorded": is_recorded(connection),
        "entered": bool(accepted),
        "object_id": recorded(accepted, OBJECT_ID),
        "place": recorded(accepted, PLACE),
        "recorded_url": recorded(accepted, "instance_url"),
        "removed": boolean(values.optional("offboarding_microsoft_removed"), strict=False),
        "name": str(values.optional(name, host)),
        "instance_url": str(values.optional("snow_url")),
        "scope": str(values.optional("mdc_itsm_scope")) if service == MDC else "",
        "application_name": connection.value("application_name"),
        "user_name": connection.value("user_name"),
        "user_roles": list(connection.value("user_roles")),
        "role_name": "" if connection.value("legacy_admin") else connection.value("role_name"),
    }


def waits_for(connection: Json, tenant: Json, *, check_mode: bool) -> str:
    """Return what has to happen at Microsoft before the instance's side can be removed, "" for nothing.

    `tenant` are the variables of the tenant's host, with the results of this run.
    """
    if connection["service"] == MSEM:
        return _data_connector_left(connection, tenant)
    if connection["service"] == MDA:
        return _connector_left(connection, tenant, check_mode)
    return _integration_left(connection, tenant)


def _connector_left(connection: Json, tenant: Json, check_mode: bool) -> str:
    plan = tenant.get("offboarding_plan")
    if plan is None:
        return "the connectors of Defender for Cloud Apps were not read in this run"
    elsewhere = plan.get("waits", {}).get(connection["host"])
    if elsewhere:
        return str(elsewhere)
    names = [name for name, host in plan["hosts"].items() if host == connection["host"]]
    result = tenant.get(CONNECTORS) or {}
    steps = {str(step.get("id")).partition(":")[2].partition(":")[2] for step in result.get("manual_steps") or []}
    rows = {row["name"]: row["status"] for row in result.get("results") or []}
    for name in names:
        status = rows.get(name, "unknown")
        if status in GONE:
            continue
        if name in steps or status == "unknown" or not check_mode:
            return f"its connector {name} is {'in the portal' if status == 'unknown' else status}; remove it there (manual step)"
    return ""


def _data_connector_left(connection: Json, tenant: Json) -> str:
    """Return what is left of a data connector: nothing if this run removed it by contract, or if it was never entered."""
    rows = (tenant.get(DATA_CONNECTORS) or {}).get("results") or []
    status = next((row.get("status") for row in rows if row.get("name") == connection["name"]), "")
    if status in REMOVED or not (status or connection["entered"]):
        return ""
    return DATA_CONNECTOR


def _integration_left(connection: Json, tenant: Json) -> str:
    if tenant.get("offboarding_mdc_unused"):
        return NO_SCOPE.format(connection["place"]) if connection.get("place") else ""
    looped = tenant.get(INTEGRATIONS)
    if looped is None:
        return "the integrations of Defender for Cloud were not read in this run"
    for row in looped.get("results") or []:
        if (row.get("item") or {}).get("host") == connection["host"] and row.get("failed"):
            return "its integration could not be removed"
    plan = tenant.get("offboarding_integrations_plan") or {}
    return str(plan.get("waits", {}).get(connection["host"], ""))


def for_module(connections: Iterable[Json], waits: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the options of snow_offboarding; `waits` says by service what has to happen first."""
    for entry in connections:
        names = {key: entry[key] for key in ("application_name", "user_name", "user_roles", "role_name")}
        keep = "" if entry["recorded"] else NOT_RECORDED
        yield {**names, "keep": keep, "waits_for": waits.get(entry["service"], "")}
