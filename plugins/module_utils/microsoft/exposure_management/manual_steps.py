# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual step for a data connector, with the value of each field.

See docs/facts/exposure_management.md#data-connector.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ...engine.result import ManualStep

PAGE = "https://security.microsoft.com/exposure-data-connectors"
NO_API = "Microsoft documents no API that writes data connectors"
BASIC, CLIENT_CREDENTIALS = "basic", "client_credentials"
MODES = {BASIC: "Basic authentication", CLIENT_CREDENTIALS: "OAuth 2.0 (client credentials)"}
PLACES = {"look": "; if the instance is not listed: Connect", "delete": ""}
TITLES = {
    "create": "Connect {name} to Exposure Management",
    "update": "Enter the details of {name} in Exposure Management again",
    "look": "Look whether {name} is connected to Exposure Management",
    "delete": "Disconnect {name} from Exposure Management",
}


def connector_step(operation: str, entry: Mapping[str, Any], address: str, reason: str = NO_API) -> ManualStep:
    """Return the step that connects an instance, enters its details again, looks whether it is connected, or disconnects it."""
    basic = entry["mode"] == BASIC
    removes = operation == "delete"
    values = {"Instance": urlsplit(address).netloc}
    if not removes:
        values["Authentication"] = MODES[entry["mode"]]
        values["User name" if basic else "Client ID"] = entry.get("username" if basic else "client_id") or ""
    return ManualStep(
        id=f"data_connector:{operation}:{entry['name']}",
        title=TITLES[operation].format(name=entry["name"]),
        reason=reason,
        where=f"{PAGE} > ServiceNow CMDB{PLACES.get(operation, ' > Connect')}",
        values={label: value for label, value in values.items() if value},
        secret_values=[] if removes else ["Password" if basic else "Client secret"],
    )
