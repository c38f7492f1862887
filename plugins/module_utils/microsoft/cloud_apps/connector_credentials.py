# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a connector has the credentials that it should have, which Cloud Apps never returns.

See docs/facts/defender_for_cloud_apps.md#connector-wizard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...engine.accepted_credentials import Comparison, Credentials
from ...engine.snapshot import Row
from ...token_end import time_of
from .connector_health import ABSENT, UNKNOWN

OAUTH = "oauth"
SETTLES = "enter the details again, or set credentials_entered (mda_connection_credentials_entered) if they are known to be current"


@dataclass(frozen=True)
class ConnectorCredentials:
    """The credentials of one entry of `connectors`, to be compared with what its connector has accepted."""

    credentials: Credentials
    stored: str
    entered: bool

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any], address: str, place: str) -> ConnectorCredentials | None:
        """Return the credentials of an entry, None if they are not to be compared: no key was given."""
        names = ("password", "client_secret") if entry["mode"] == OAUTH else ("password",)
        secrets = {name: entry.get(name) or "" for name in names}
        plain = {"instance_url": address, "username": entry.get("username") or ""}
        if entry["mode"] == OAUTH:
            plain["client_id"] = entry.get("client_id") or ""
        if entry.get("accepted_key") is None:
            return None
        credentials = Credentials(f"connector {entry['name']}", place, entry["accepted_key"], plain, secrets)
        return cls(credentials, entry.get("accepted") or "", bool(entry.get("credentials_entered")))

    def compare(self, row: Row, object_id: str = "") -> Comparison:
        """Compare with what a connector that is connected has accepted; raise `InvalidInput` for a damaged record.

        `object_id` is its id in the list of connectors, "" if there is no list.
        """
        if self.entered:
            return Comparison()
        found = self.credentials.compare(self.stored).of_object(object_id)
        if self.credentials.unknown:
            return found
        if found.unproven:
            return replace(found, unproven=f"{found.unproven}; {SETTLES}")
        if found.is_equal and found.handed_over and not _entered_since(found.handed_over, row):
            return Comparison(
                f"they were to be entered on {found.handed_over['at']}, and nothing shows that they were; {SETTLES}",
                handed_over=found.handed_over,
            )
        return found

    def recorded(self) -> Comparison:
        """Compare with the record alone; raise `InvalidInput` for a damaged one."""
        return Comparison() if self.entered else self.credentials.compare(self.stored)

    def accepted(self, object_id: str = "") -> str:
        """Return the record of these credentials once the connector has accepted them; the stored one if it says so already."""
        known = not self.credentials.is_complete or (
            self.stored and self.credentials.compare(self.stored).of_object(object_id).is_proven
        )
        return self.stored if known else self.credentials.record(object_id=object_id)

    def handed_over(self, status: str, row: Row | None) -> str:
        """Return the record of a manual step to enter these credentials while the connector had `status`."""
        found = self.credentials.compare(self.stored)
        known = not self.credentials.is_complete or (found.is_equal and found.handed_over)
        return self.stored if known else self.credentials.record(status, row["last_connected"] if row else "")


def _entered_since(handed_over: Mapping[str, str], row: Row) -> bool:
    """Return whether a connector was connected after the manual step was returned: it did not exist then, or its time shows it.

    Both times are those of Cloud Apps, so the clock of this machine does not matter. A connector whose status was unknown may have been
    connected at any time before.
    """
    status = handed_over.get("status")
    if status == ABSENT:
        return True
    connected, before = time_of(row["last_connected"]), time_of(handed_over.get("connected", ""))
    if connected is None or (before is None and status == UNKNOWN):
        return False
    return before is None or connected > before
