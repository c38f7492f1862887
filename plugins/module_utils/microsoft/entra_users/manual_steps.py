# SPDX-License-Identifier: GPL-3.0-or-later
"""What remains to be done by hand for users."""

from __future__ import annotations

from collections.abc import Mapping

from ...engine.result import ManualStep
from ...engine.snapshot import Row
from .users_api import NOTIFY, SUSPEND, UNSUSPEND

VERBS = {SUSPEND: "Suspend", UNSUSPEND: "Lift the suspension of"}


def directory_step(action: str, row: Row) -> ManualStep:
    """Return the step for an account that is synced from on premises."""
    name = row["user_principal_name"]
    verb = "Disable" if action == SUSPEND else "Enable"
    return ManualStep(
        f"user:{action}:{name}",
        f"{VERBS[action]} {name} in the directory on premises",
        "The account is synced from on premises, so it has to be changed there",
        f"Active Directory Users and Computers > the account > {verb} Account",
        {"Account": name},
    )


def message_step(row: Row, message: Mapping[str, str]) -> ManualStep:
    """Return the step for a user without a mail address."""
    name = row["user_principal_name"]
    return ManualStep(
        f"user:{NOTIFY}:{name}",
        f"Notify {row['display_name'] or name}",
        "The user has no mail address in Entra",
        "A channel other than mail",
        {"User": name, "Subject": message["subject"], "Message": message["text"]},
    )
