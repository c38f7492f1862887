# SPDX-License-Identifier: GPL-3.0-or-later
"""One entry of the option `connectors`: its argument spec, its address, its connector, and its values for a contract."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ...engine.accepted_credentials import OBJECT_ID, recorded
from ...engine.errors import InvalidInput
from ...engine.snapshot import Row
from ...instance_address import normalize_address
from .connector_credentials import OAUTH
from .connector_health import ABSENT, CONNECTED, DISABLED
from .secure_score_switch import STATES as SWITCH_STATES
from .secure_score_switch import SWITCH, UNMANAGED

PASSWORD = "password"
STATUSES = {"present": CONNECTED, "disabled": DISABLED, "absent": ABSENT}

CONNECTOR_OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "instance_url": {"type": "str"},
    "mode": {"type": "str", "choices": [OAUTH, PASSWORD], "default": OAUTH},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "client_id": {"type": "str"},
    "client_secret": {"type": "str", "no_log": True},
    "accepted": {"type": "json", "no_log": False},
    "accepted_key": {"type": "str", "no_log": True},
    "credentials_entered": {"type": "bool", "default": False, "no_log": False},
    "refresh_token_lifespan": {"type": "int", "no_log": False},
    "refresh_token_expires_at": {"type": "str", "no_log": False},
    "secure_score": {"type": "str", "choices": list(SWITCH_STATES), "default": UNMANAGED},
    "state": {"type": "str", "choices": list(STATUSES), "default": "present"},
}


def by_name(entries: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the entries by name; raise `InvalidInput` for two of one name or instance."""
    found: dict[str, Mapping[str, Any]] = {}
    addresses: dict[str, str] = {}
    for entry in entries:
        name, address = entry["name"], address_of(entry)
        if name in found:
            raise InvalidInput(f"connectors names {name!r} twice")
        found[name] = entry
        if address and addresses.setdefault(address, name) != name:
            raise InvalidInput(
                f"connectors {addresses[address]!r} and {name!r} have the same instance: {address} (case and a trailing slash are ignored)"
            )
    return found


def address_of(entry: Mapping[str, Any]) -> str:
    """Return the normalized address of the instance, "" if there is none; raise `InvalidInput` for one that is not absolute."""
    url = entry.get("instance_url") or ""
    try:
        usable = not url or (urlsplit(url).scheme.lower() in ("http", "https") and bool(urlsplit(url).hostname))
        if usable:
            return normalize_address(url) if url else ""
    except ValueError:
        pass
    raise InvalidInput(
        f"connector {entry['name']}: instance_url must be an absolute URL such as https://acme-prod.service-now.com, not {url!r}"
    )


def row_of_entry(entry: Mapping[str, Any], rows: Sequence[Row], names: Collection[str]) -> Row | None:
    """Return the connector of an entry: that of its name, else that which has accepted its credentials and was renamed since, else
    that of its address. `names` are those of all entries.

    Raises `InvalidInput` if several have its name, or if its connector belongs to another instance.
    """
    name, address = entry["name"], address_of(entry)
    present = [row for row in rows if row["status"] != ABSENT]
    named = [row for row in present if row["name"] == name]
    if len(named) > 1:
        ids = ", ".join(sorted(row["id"] for row in named))
        raise InvalidInput(
            f"the tenant has {len(named)} connectors named {name!r} ({ids}); rename or remove all but one in the portal. None was changed"
        )
    if named:
        if address and named[0]["url"] and named[0]["url"] != address:
            raise InvalidInput(
                f"connector {name!r} belongs to {named[0]['url']}, not to {address}, and was not changed. Choose another name, or remove "
                f"this connector in the portal"
            )
        return named[0]
    object_id = recorded(entry.get("accepted") or "", OBJECT_ID)
    others = [row for row in present if row["name"] not in names]
    renamed = (row for row in others if object_id and row["id"] == object_id and row["url"] in ("", address))
    by_address = (row for row in present if address and row["url"] == address)
    return next(renamed, None) or next(by_address, None)


def values_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a contract that an entry has."""
    names = ("name", "username", "password", "client_id", "client_secret")
    values: dict[str, Any] = {name: entry[name] for name in names if entry.get(name)}
    if entry.get(SWITCH) not in (None, UNMANAGED):
        values[SWITCH] = entry[SWITCH]
    address = address_of(entry)
    if address:
        values |= {"instance_url": address, "instance_host": address.partition("://")[2]}
    return values
