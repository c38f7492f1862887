# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbook rotate has done with the secrets of one instance: one line of JSON, stored next to these, without any of them.

`{"version": 1, "instance": <address>, "services": {<service>: {"state": ..., "at": <ISO 8601>, "rotated_at": <ISO 8601>}}}`. The state is
`started` from before the first write until both sides have the new secrets, then `done`; `rotated_at` is the time of the last rotation
that was completed, a renewal leaves it unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

NAME, VERSION = "rotation", 1
STARTED, DONE = "started", "done"


@dataclass(frozen=True)
class Journal:
    """The journal of the instance at `address`; `services` holds an entry for each service that was rotated or renewed.

    `problem` is a sentence about a journal that was damaged, and is replaced.
    """

    address: str
    services: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    problem: str = ""

    @classmethod
    def parse(cls, text: str, address: str, place: str) -> Journal:
        """Return the journal that `place` holds; raise `ValueError` if it belongs to another instance.

        One that is damaged or of another version is replaced: secrets that are stored but not yet in use show what is unfinished.
        """
        if not text:
            return cls(address)
        document = _document(text)
        if document is None:
            return cls(address, {}, f"the journal {place} was damaged or of another version, and is replaced")
        if document["instance"] != address:
            raise ValueError(
                f"the journal {place} belongs to {document['instance']}, not to {address}. Nothing was written. If the instance was renamed, "
                f"remove it; else set servicenow_defender_secrets to the secrets of this fleet"
            )
        return cls(address, document["services"])

    def is_unfinished(self, service: str) -> bool:
        """Return whether a run was ended before both sides of a service had the new secrets."""
        return self.services.get(service, {}).get("state") == STARTED

    def rotated_at(self, service: str) -> datetime | None:
        """Return when the last rotation of a service was completed, None if never."""
        return moment(self.services.get(service, {}).get("rotated_at", ""))

    def changed_at(self, service: str) -> datetime | None:
        """Return when the last rotation or renewal of a service was noted, None if never."""
        return moment(self.services.get(service, {}).get("at", ""))

    def noting(self, state: str, rotated: Mapping[str, bool], now: datetime) -> str:
        """Return the journal as text, with a `state` for the services among `rotated`: whether they get new secrets."""
        at = now.isoformat(timespec="seconds")
        services = {name: dict(entry) for name, entry in self.services.items()}
        for name, is_new in rotated.items():
            services[name] = {**services.get(name, {}), "state": state, "at": at}
            if state == DONE and is_new:
                services[name]["rotated_at"] = at
        document = {"version": VERSION, "instance": self.address, "services": services}
        return json.dumps(document, sort_keys=True, separators=(",", ":"))


def unfinished_since(text: str, service: str) -> str:
    """Return when the rotation of a service started that a journal does not show as complete, "" if it shows none."""
    entry = (_document(text) or {}).get("services", {}).get(service, {})
    return str(entry.get("at", "")) if entry.get("state") == STARTED else ""


def moment(text: str) -> datetime | None:
    """Return a time in ISO 8601 as one in UTC, None if it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def _document(text: str) -> Any:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("version") != VERSION or not isinstance(found.get("instance"), str):
        return None
    services = found.get("services")
    if not isinstance(services, dict):
        return None
    entries = [value for entry in services.values() if isinstance(entry, dict) for value in entry.values()]
    valid = all(isinstance(entry, dict) for entry in services.values()) and all(isinstance(v, str) for v in entries)
    return found if valid else None
