# SPDX-License-Identifier: GPL-3.0-or-later
"""Manual steps in the portal, with the value of each field.

See docs/facts/defender_for_cloud_apps.md#connector-wizard,
docs/facts/defender_for_cloud_apps.md#connector-states-and-errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.result import ManualStep

PORTAL = "https://security.microsoft.com"
CONNECTORS_PAGE = f"{PORTAL} > Settings > Cloud Apps > Connected apps > App connectors"
POLICIES_PAGE = f"{PORTAL} > Cloud apps > Policies > Policy management"
MODES = {
    "oauth": "Connect using OAuth token (recommended)",
    "password": "Connect using username and password only",
}
NO_API = "Microsoft documents no API that writes app connectors, and no contract for it was given"
# By operation: title, and where on the page of connectors.
STEPS = {
    "create": ("Connect {name} to Defender for Cloud Apps", "Connect an app > ServiceNow"),
    "update": ("Enter the details of {name} again", "the menu of its row > Edit settings"),
    "disable": ("Disable the connector {name}", "the menu of its row > Disable App connector"),
    "delete": ("Remove the connector {name}", "the menu of its row"),
}


def connector_step(operation: str, entry: Mapping[str, Any], address: str, with_details: bool) -> ManualStep:
    """Return the step for `operation` on a connector, with the portal's labels and values."""
    title, where = STEPS[operation]
    values = {"Connection name": entry["name"]}
    secrets: list[str] = []
    if operation in ("create", "update") and with_details:
        values["Mode"] = MODES[entry["mode"]]
        values["ServiceNow user ID"] = entry.get("username") or ""
        values["Instance URL"] = address
        secrets.append("Password")
        if entry["mode"] == "oauth":
            values["Client ID"] = entry.get("client_id") or ""
            secrets.append("Client secret")
    return ManualStep(
        id=f"connector:{operation}:{entry['name']}",
        title=title.format(name=entry["name"]),
        reason=NO_API,
        where=f"{CONNECTORS_PAGE} > {where}",
        values={label: value for label, value in values.items() if value},
        secret_values=secrets,
    )


def policy_step(name: str, state: str) -> ManualStep:
    """Return the step that switches a policy on or off."""
    verb = {"enabled": "Enable", "disabled": "Disable"}[state]
    return ManualStep(
        id=f"policy:{state}:{name}",
        title=f"{verb} the policy {name}",
        reason="Microsoft documents no API that switches policies, and no contract for it was given",
        where=f"{POLICIES_PAGE} > the menu of its row > {verb}",
        values={"Policy": name},
    )
