# SPDX-License-Identifier: GPL-3.0-or-later
"""Which client id belongs to which instance, by the stored records of accepted credentials.

A clone has the client ids of its source. Its own one is the one that was recorded for its address; if none was, it gets one that
follows from its name and address, so that a run that is repeated chooses the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..module_utils.engine.accepted_credentials import recorded
from ..module_utils.instance_address import normalize_address
from .fleet import SERVICES, MergedOnce, chooses_hosts, raw_variables, selected
from .role_values import Stored
from .secret_store import SecretBackend, SecretFolder

RESULT, APPLICATION = "snow_connection_result", "oauth_application "


def identity_options(
    stored: Stored, store: SecretFolder | SecretBackend, host: str, service: str, address: str
) -> dict[str, Any]:
    """Return the options of snow_oauth_application by which a clone gets its own client id."""
    if not address:
        return {}
    own, place = recorded_client_id(stored, service, address), normalize_address(address)
    if own:
        return {"own_client_id": own}
    foreign = sorted(owners(store, hosts_of_folder(store), place)) if isinstance(store, SecretFolder) else []
    if not foreign:
        return {}
    new = hashlib.sha256(f"client id of {service} {host} {place}".encode()).hexdigest()[:32]
    return {"own_client_id": new, "foreign_client_ids": foreign}


def recorded_client_id(stored: Stored, service: str, address: str) -> str:
    """Return the client id that a service has accepted for an instance at `address`, "" if none is recorded."""
    record = stored(f"{service}_accepted")
    return recorded(record, "client_id") if _address_in(record) == normalize_address(address) else ""


def hosts_of_folder(store: SecretFolder) -> list[str]:
    """Return the hosts that have secrets in a folder, those that left the inventory included."""
    try:
        return sorted(entry.name for entry in store.root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        return []


def owners(store: SecretFolder | SecretBackend, hosts: Iterable[str], address: str) -> dict[str, str]:
    """Return whose the recorded client ids are: each with host and address; without those of `address` itself."""
    found: dict[str, str] = {}
    for host in hosts:
        for service in SERVICES:
            try:
                record = store.read(host, f"{service}_accepted")
            except ValueError:  # what is damaged is named where that host is worked on
                continue
            client_id, place = recorded(record, "client_id"), _address_in(record)
            if client_id and place != address:
                found.setdefault(client_id, f"{host} ({place})")
    return found


def _address_in(record: str) -> str:
    text = recorded(record, "instance_url")
    return normalize_address(text) if text else ""


def in_run(hostvars: Any, own: str) -> dict[str, str]:
    """Return which other host of the run has a client id, each with its address."""
    hostvars = MergedOnce(hostvars)
    found: dict[str, str] = {}
    for host in selected(hostvars):
        if host != own:
            variables = raw_variables(hostvars, host)
            for _name, client_id in client_ids_of(variables):
                found.setdefault(client_id, f"{host} ({address_of(variables)})")
    return found


def client_ids_of(variables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name and client id of each application that this run has found on an instance."""
    for row in (variables.get(RESULT) or {}).get("results") or []:
        if str(row.get("object", "")).startswith(APPLICATION) and row.get("client_id"):
            yield str(row["name"]), str(row["client_id"])


def address_of(variables: Mapping[str, Any]) -> str:
    """Return the address of an instance that this run has found."""
    return str(((variables.get(RESULT) or {}).get("instance") or {}).get("url") or variables.get("snow_url") or "")


def copied(variables: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return name and client id of the applications of an instance whose client id was, or is to be replaced."""
    return [
        {"name": str(entry["object"]).removeprefix(APPLICATION), "client_id": str(entry["before"])}
        for entry in (variables.get(RESULT) or {}).get("drift") or []
        if entry.get("field") == "client_id" and str(entry.get("object", "")).startswith(APPLICATION)
    ]


def clone_problems(
    applications: Iterable[Mapping[str, str]], sources: Mapping[str, str], *, repaired: bool
) -> list[dict[str, str]]:
    """Return a problem for each application, as name and client id, that has a client id of another instance, or had it.

    `sources` says which instance has a client id. One that no other instance has is no sign of a clone.
    """
    has, remedy = (
        "has",
        "Run onboard: it gives the instance its own client id, password and secrets, and leaves the other one as it is",
    )
    if repaired:
        has, remedy = "had", "It has its own again; the tokens that it had from there are revoked"
    return [
        {
            "id": f"clone:{entry['name']}",
            "severity": "warning",
            "message": f"cloned from {sources[entry['client_id']]}: the application {entry['name']} {has} the client id of that instance",
            "remedy": f"{remedy}. Data preservers (servicenow_defender_preserver_file) keep the next clone from replacing it",
        }
        for entry in applications
        if entry["client_id"] in sources
    ]


def shared(variables: Mapping[str, Any], elsewhere: Mapping[str, str]) -> list[dict[str, str]]:
    """Return what is unproven of an instance whose applications have client ids of other hosts of the run."""
    return [
        {
            "object": f"{APPLICATION}{name}",
            "field": "client_id",
            "reason": f"{elsewhere[client_id]} has the same client id, and nothing shows which of the two was cloned from the other. Delete "
            f"the application on the clone, and run onboard",
        }
        for name, client_id in client_ids_of(variables)
        if client_id in elsewhere
    ]


@chooses_hosts
def copies(hostvars: Any) -> list[str]:
    """Return the instances of this run with a client id that is not their own, or that another one has, too."""
    hostvars = MergedOnce(hostvars)
    hosts = selected(hostvars)
    known = {host: raw_variables(hostvars, host) for host in hosts}
    users: dict[str, set[str]] = {}
    for host, variables in known.items():
        for _name, client_id in client_ids_of(variables):
            users.setdefault(client_id, set()).add(host)
    shared = {host for those in users.values() if len(those) > 1 for host in those}
    return [host for host in hosts if host in shared or copied(known[host])]
