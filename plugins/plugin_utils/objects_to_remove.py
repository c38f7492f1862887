# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects of a tenant belong to instances that are taken out of the fleet: by name, by recorded id, or by address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..module_utils.instance_address import normalize_address
from ..module_utils.microsoft.arm.scopes import same_path

Json = Mapping[str, Any]
SERVICENOW = "ServiceNow"
GONE = "absent"
NOT_RECORDED = (
    "no stored secret, record or variable shows that this collection made it; name it in snow_connection_application_name, "
    "snow_connection_user_name or snow_connection_role_name to remove it"
)
BY_ADDRESS = "it has the address of the instance, but neither its name nor the recorded id; remove it in the portal if it is not needed"


class _Found:
    """What is to be removed, what is kept, and what was not looked for, with the reasons."""

    def __init__(self) -> None:
        self.kept: list[dict[str, str]] = []
        self.unproven: list[dict[str, str]] = []
        self.waits: dict[str, str] = {}

    def keep(self, noun: str, name: str, host: str, reason: str) -> None:
        self.kept.append({"object": f"{noun} {name}", "status": "kept", "host": host, "reason": reason})

    def leave(self, noun: str, entry: Json, reason: str) -> None:
        """Note an object that this run cannot find where it looks: the side of the instance waits until the user says that it is gone."""
        if entry.get("removed"):
            return
        words = f"it was not looked for: {reason}; if it was removed there, set offboarding_microsoft_removed to true"
        self.unproven.append({"object": f"{noun} {entry['name']}", "field": "state", "reason": words})
        self.waits[entry["host"]] = f"its {noun}: {words}"

    def as_dict(self) -> dict[str, Any]:
        return {"kept": self.kept, "unproven": self.unproven, "waits": self.waits}


def connectors_to_remove(
    connections: Iterable[Json], listed: Iterable[Json], evidence: Iterable[str] = (), place: str = ""
) -> dict[str, Any]:
    """Return the `connectors` to remove, as name and instance_url of mda_connectors, the host of each by name as `hosts`, rows of
    those that are `kept` with a reason, what is `unproven`, and by host why it `waits`.

    `listed` are the connectors of the tenant at `place`, its URL, and `evidence` what stands for a list that was refused. A connector
    belongs to an instance if it has the name and the address, or the recorded id; one that has its address alone only if there is a
    record that this collection connected it. Evidence does not show that there is none: then the connector may exist and is a manual step.
    """
    rows = [row for row in listed if row.get("status") != GONE]
    is_listed = not list(evidence) and all(row.get("name") for row in rows)
    entries = list(connections)
    names = {entry["name"] for entry in entries}
    found = _Found()
    hosts: dict[str, str] = {}
    urls: dict[str, str] = {}
    for entry in entries:
        ours, others = _of_instance(entry, rows, names, is_listed=is_listed)
        for row in [*ours, *others]:
            url = row.get("instance_url")
            if row in ours and url not in (*_addresses(entry), "", None):
                found.keep("connector", row["name"], entry["host"], f"it belongs to {url}")
            elif not entry["recorded"]:
                found.keep("connector", row["name"], entry["host"], NOT_RECORDED)
            elif row in others and ours:
                found.keep("connector", row["name"], entry["host"], BY_ADDRESS)
            else:
                hosts[row["name"]], urls[row["name"]] = entry["host"], url or entry["instance_url"]
        if not ours and not is_listed:
            hosts[entry["name"]], urls[entry["name"]] = entry["host"], entry["instance_url"]
        elif not ours and not others and not same_place(entry, place):
            found.leave("connector", entry, f"the record of its credentials is of {entry['place']}, not of {place}")
    # A row of the list is known by its name; of one address, the module takes one.
    connectors = [
        {"name": name, "instance_url": url if url not in list(urls.values())[:number] else ""}
        for number, (name, url) in enumerate(urls.items())
    ]
    return {"connectors": connectors, "hosts": hosts, **found.as_dict()}


def same_place(entry: Json, place: str) -> bool:
    """Return whether a connection is recorded at a place, or nowhere."""
    return not entry.get("place") or not place or same_path(entry["place"], place.strip())


def _of_instance(entry: Json, rows: list[Json], names: set[str], *, is_listed: bool) -> tuple[list[Json], list[Json]]:
    """Return the rows that are the connector of an instance, and others that have its address."""
    address, object_id = _address(entry["instance_url"]), entry.get("object_id")
    ours = [
        row
        for row in rows
        if row.get("name") == entry["name"]
        or (object_id and row.get("id") == object_id and row.get("name") not in {"", None, *names})
    ]
    others = [row for row in rows if address and row.get("instance_url") == address and row not in ours]
    return ours, others if is_listed else []


def _addresses(entry: Json) -> tuple[str, ...]:
    """Return the address of an instance, and that which its connector has accepted: the instance may have been renamed since."""
    return tuple(_address(url) for url in (entry["instance_url"], entry.get("recorded_url")) if url)


def _address(url: str) -> str:
    return normalize_address(url) if url else ""


def integrations_to_remove(
    connections: Iterable[Json], listed: Iterable[Json], subscription: str = ""
) -> dict[str, Any]:
    """Return the `integrations` to remove, each with name, scope and host, rows of those that are `kept` with a reason, what is
    `unproven`, and by host why it `waits`.

    `listed` are the integrations of the scopes of these connections, of which those without one have `subscription`. An integration
    belongs to an instance if it has the name, or the recorded id.
    """
    rows = [row for row in listed if not row.get("inherited_from")]
    entries = list(connections)
    names = {entry["name"] for entry in entries}
    found = _Found()
    integrations: list[dict[str, str]] = []
    for entry in entries:
        scope = entry["scope"] or (f"/subscriptions/{subscription}" if subscription else "")
        named = [row for row in rows if row["display_name"] == entry["name"] and same_path(row["scope"], scope)]
        renamed = [
            row
            for row in rows
            if entry.get("object_id") and row["id"] == entry["object_id"] and row["display_name"] not in names
        ]
        if not entry["recorded"]:
            for row in named:
                found.keep("integration", row["display_name"], entry["host"], NOT_RECORDED)
        elif not named and not renamed and not same_place(entry, scope):
            reason = f"the record of its credentials is of {entry['place']}, not of {scope}. Set mdc_itsm_scope to that scope"
            found.leave("integration", entry, reason)
        elif named or not renamed:
            integrations.append({"name": entry["name"], "scope": entry["scope"], "host": entry["host"]})
        for row in renamed if entry["recorded"] else ():
            if row["integration_type"] == SERVICENOW:
                integrations.append({"name": row["display_name"], "scope": row["scope"], "host": entry["host"]})
            else:
                found.keep("integration", row["display_name"], entry["host"], f"its type is {row['integration_type']}")
    return {"integrations": integrations, **found.as_dict()}
