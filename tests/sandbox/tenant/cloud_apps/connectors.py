# SPDX-License-Identifier: GPL-3.0-or-later
"""ServiceNow app connectors: their stored state, and their row in the portal.

See docs/facts/defender_for_cloud_apps.md#connector-states-and-errors,
docs/facts/defender_for_cloud_apps.md#reading-connectors.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from . import data

PENDING = "pending"
CONNECTING = "connecting"
CONNECTED = "connected"
WARNING = "warning"
ERROR = "error"
DISABLED = "disabled"
OAUTH = "oauth"
PASSWORD = "password"

_KEPT_SECRET = ("password", "client_secret", "access_token", "refresh_token")
# One of these texts is documented (docs/facts/defender_for_cloud_apps.md#reading-connectors); the others follow its
# pattern.
_TEMPLATES = {
    PENDING: "CONSOLE2_APP_CONNECTORS_STATUS_PENDING",
    CONNECTING: "CONSOLE2_APP_CONNECTORS_STATUS_CONNECTING",
    WARNING: "CONSOLE2_APP_CONNECTORS_STATUS_WARNING",
}


@dataclass
class Connector:
    """One connector; times in epoch milliseconds, 0 for never."""

    id: str
    name: str
    number: int
    instance_url: str
    username: str
    password: str
    mode: str = OAUTH
    client_id: str = ""
    client_secret: str = ""
    state: str = PENDING
    message: str = ""
    """The vendor's error text of a connector in error."""
    creator: str = ""
    disabled_by: str = ""
    created: int = 0
    last_connected: int = 0
    last_check: int = 0
    synced: int = 0
    users: int = 0
    posture: bool = True
    posture_read: int = 0
    posture_found: dict[str, dict[str, str]] = field(default_factory=dict)
    """The posture of the instance at the last reading: property, plugin, action -> name -> value."""
    access_token: str = ""
    access_until: float = 0.0
    refresh_token: str = ""
    attempt: int = 0
    """Number of changes of the connector, so that an outdated attempt has no effect."""
    seen: list[str] = field(default_factory=list)
    """Keys of the events that are already activities."""

    @property
    def instance_id(self) -> int:
        """The number in activities and entities (docs/facts/defender_for_cloud_apps.md#instance-ids)."""
        return (self.number << 20) | data.SERVICENOW

    @property
    def is_connected(self) -> bool:
        """Whether the connector delivers data."""
        return self.state in (CONNECTED, WARNING)

    @property
    def may_sync(self) -> bool:
        """Whether it synchronizes periodically; after a later error it keeps trying."""
        return bool(self.synced) and self.state in (CONNECTED, WARNING, ERROR)

    def disconnect(self) -> None:
        """Delete its credentials; enabling it again requires entering its details again (1.7)."""
        self.attempt += 1
        self.password = self.client_secret = self.access_token = self.refresh_token = ""
        self.access_until = 0.0

    def shown(self) -> dict[str, Any]:
        """For tests: all fields, but only the names of the secrets that it holds."""
        content = asdict(self)
        held = [name for name in _KEPT_SECRET if content.pop(name)]
        return {**content, "instance_id": self.instance_id, "holds": held}

    def row(self) -> dict[str, Any]:
        """The row of the connector in the portal's list."""
        return {
            "_id": self.id,
            "appId": data.SERVICENOW,
            "name": f"ServiceNow - {self.name}",
            "appName": "ServiceNow",
            "instanceName": self.name,
            "category": "SAASDB_CATEGORY_IT_SERVICES",
            "api": self._api(),
            **data.surroundings(),
        }

    def _api(self) -> dict[str, Any]:
        api: dict[str, Any] = {
            "isConnected": self.is_connected,
            "isEnabled": self.state != DISABLED,
            "usersCount": self.users,
            "creator": self.creator,
            "isSSPMEnabled": self.posture,
        }
        text = self.message if self.state == ERROR else _TEMPLATES.get(self.state)
        optional = {
            "hasWarnings": self.state in (WARNING, ERROR) or None,
            "statusTemplateMessage": text,
            "lastConnected": self.last_connected,
            "lastCheckTime": self.last_check,
            "disabledBy": self.disabled_by if self.state == DISABLED else None,
        }
        return {**api, **{name: value for name, value in optional.items() if value}}
