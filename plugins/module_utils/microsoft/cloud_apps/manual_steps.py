# SPDX-License-Identifier: GPL-3.0-or-later
"""Manual steps in the portal, with the value of each field.

See docs/facts/defender_for_cloud_apps.md#connector-wizard,
docs/facts/defender_for_cloud_apps.md#connector-states-and-errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.result import ManualStep
from .policy_catalogue import FILE_TEMPLATE, PagePolicy

PORTAL = "https://security.microsoft.com"
CONNECTORS_PAGE = f"{PORTAL} > Settings > Cloud Apps > Connected apps > App connectors"
POLICIES_PAGE = f"{PORTAL} > Cloud apps > Policies > Policy management"
TEMPLATES_PAGE = f"{PORTAL} > Cloud apps > Policies > Policy templates"
MODES = {
    "oauth": "Connect using OAuth token (recommended)",
    "password": "Connect using username and password only",
}
NO_API = "Microsoft documents no API that writes app connectors"
# By operation: title, and where on the page of connectors.
STEPS = {
    "create": ("Connect {name} to Defender for Cloud Apps", "Connect an app > ServiceNow"),
    "look": (
        "Look whether {name} is connected to Defender for Cloud Apps",
        "its row; if there is none: Connect an app > ServiceNow",
    ),
    "update": ("Enter the details of {name} again", "the menu of its row > Edit settings"),
    "disable": ("Disable the connector {name}", "the menu of its row > Disable App connector"),
    "delete": ("Remove the connector {name}", "the menu of its row"),
}


def connector_step(
    operation: str, entry: Mapping[str, Any], address: str, reason: str, with_details: bool
) -> ManualStep:
    """Return the step for `operation` on a connector, with the portal's labels and values; `reason` is why it is manual."""
    title, where = STEPS[operation]
    values = {"Connection name": entry["name"]}
    secrets: list[str] = []
    if operation in ("create", "update", "look") and with_details:
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
        reason=reason,
        where=f"{CONNECTORS_PAGE} > {where}",
        values={label: value for label, value in values.items() if value},
        secret_values=secrets,
    )


def secure_score_step(name: str, *, turn_on: bool) -> ManualStep:
    """Return the step that turns the Secure Score recommendations of a connector on or off."""
    state = "on" if turn_on else "off"
    return ManualStep(
        id=f"connector:secure_score:{name}",
        title=f"Turn {state} the Secure Score recommendations of {name}",
        reason="Microsoft documents no API for this switch, and no contract with the operation secure_score was given",
        where=f"{CONNECTORS_PAGE} > {name}",
        values={"Turn on Secure Score recommendations": state},
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


def new_policy_step(name: str, page: PagePolicy) -> ManualStep:
    """Return the step that creates the policy `name` from its template."""
    reason = "Microsoft documents no API that creates policies, and the policy has no contract of its own with the operation create"
    if page.kind == FILE_TEMPLATE:
        reason += f". File policies retire on {page.date}; {page.note}"
    return ManualStep(
        id=f"policy:create:{name}",
        title=f"Create the policy {name}",
        reason=reason,
        where=f"{TEMPLATES_PAGE} > + in the row of the template > Create",
        values={"Template": page.name, "Policy name": name, "App": "ServiceNow"},
    )


def built_in_policy_step(name: str) -> ManualStep:
    """Return the step for a built-in policy that the tenant does not list: it cannot be created."""
    return ManualStep(
        id=f"policy:find:{name}",
        title=f"Find the built-in policy {name} and enable it",
        reason="the tenant does not list this built-in policy, and built-in policies cannot be created. If the portal does not show it "
        "either, Microsoft has withdrawn it: remove it from policies",
        where=f"{POLICIES_PAGE} > Type: Anomaly detection policy > the menu of its row > Enable",
        values={"Policy": name},
    )
