# SPDX-License-Identifier: GPL-3.0-or-later
"""What the contract of connectors is asked to do, and why an operation remains manual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import CREATE, DELETE, UPDATE, Write
from ...engine.snapshot import Row
from ...recorded_api.replay import Replay
from .connector_credentials import OAUTH
from .connector_health import ABSENT, CONNECTED, DISABLED, UNKNOWN
from .connectors_api import COLLECTION
from .manual_steps import NO_API

# What to do in the portal while it is recorded, by operation.
RECORD = {
    "create": "connects an instance",
    "update": "enters the details of the new connection again (Edit settings)",
    "disable": "disables the new connection",
    "delete": "removes the new connection",
    "list": "ends when the portal lists the new connection",
}


def operation_for(wanted: str, status: str) -> str:
    """Return the operation that brings a connector of `status` to the `wanted` one."""
    if wanted == CONNECTED:
        return "create" if status in (ABSENT, UNKNOWN) else "update"
    return "disable" if wanted == DISABLED else "delete"


def why_manual(operation: str, replay: Replay | None) -> str:
    """Return why `operation` remains manual: without a contract, or with one that lacks it."""
    if operation == "look":
        return f"{NO_API}, and the list of connectors cannot be read"
    if replay is None:
        return f"{NO_API}, and no contract for it was given"
    if replay.offers(operation):
        return f"{NO_API}, and whether there is a connector to {operation} is not known"
    return (
        f"{NO_API}, and contract {replay.contract.name!r} has no operation {operation}: learn it again from a recording that "
        f"{RECORD[operation]}"
    )


def check_mode(entry: Mapping[str, Any], operation: str, replay: Replay) -> None:
    """Raise `InvalidInput` for a connection without OAuth and a contract that was learned from one with it."""
    if operation not in ("create", "update") or entry["mode"] == OAUTH:
        return
    if replay.contract.required_values(operation) & {"client_id", "client_secret"}:
        raise InvalidInput(
            f"connector {entry['name']}: contract {replay.contract.name!r} was learned from a connection with OAuth. For mode "
            f"password learn one from a connection with user name and password only. Nothing was sent"
        )


def write_of(operation: str, label: str, values: dict[str, Any], row: Row | None, outcome: dict[str, Any]) -> Write:
    """Return the write of `operation` on a connector."""
    if operation == "create":
        identity = {"name": values["name"]}
        return Write(CREATE, COLLECTION, label, values, identity=identity, outcome=outcome, ignored={"status": ABSENT})
    row_id = row["id"] if row else ""
    if operation == "delete":
        return Write(DELETE, COLLECTION, label, values, row_id, outcome=outcome)
    if operation == "disable":
        values = {**values, "status": DISABLED}
    return Write(UPDATE, COLLECTION, label, values, row_id, outcome=outcome)
