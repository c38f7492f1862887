# SPDX-License-Identifier: GPL-3.0-or-later
"""One entry of the option `connectors`: its argument spec, its address, and its values for a contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ...engine.errors import InvalidInput
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
