# SPDX-License-Identifier: GPL-3.0-or-later
"""Service accounts and their roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.field import BOOLEAN, Field
from ...engine.plan import Plan, SecretDecision
from ...engine.snapshot import Snapshot
from ..account import WRITERS
from ..m2m import JoinField, JoinTable
from ..options import SECRET_POLICIES, Options
from ..record_resource import RecordResource

USER_OPTIONS: Options = {
    "user_name": {"type": "str", "required": True},
    "password": {"type": "str", "no_log": True},
    "update_password": {"type": "str", "choices": list(SECRET_POLICIES), "default": "on_mismatch", "no_log": False},
    "first_name": {"type": "str"},
    "last_name": {"type": "str"},
    "email": {"type": "str"},
    "web_service_access_only": {"type": "bool"},
    "identity_type": {"type": "str"},
    "time_zone": {"type": "str"},
    "roles": {"type": "list", "elements": "str"},
    "exclusive_roles": {"type": "bool", "default": False},
    "extra_fields": {"type": "dict"},
    "state": {"type": "str", "choices": ["present", "absent", "disabled"]},
}

# Options that are fields of the record.
FIELD_OPTIONS = (
    "user_name", "password", "first_name", "last_name", "email", "web_service_access_only", "identity_type", "time_zone", "roles",
)  # fmt: skip


class User(RecordResource):
    """A row of `sys_user`, found by its user name (docs/facts/servicenow_platform.md#users).

    The password is stored as a hash and must be sent as a display value. Grants that follow from other roles or groups
    are never changed. Without a state, a new account is active, and whether an existing one is active is not managed.
    """

    noun = "user"
    table = "sys_user"
    key = ("user_name",)
    stage = 2
    needs_roles = WRITERS["sys_user"]
    seen = ("locked_out", "failed_attempts")
    on_create: Mapping[str, Any] = {"web_service_access_only": True, "active": True}
    fields = (
        Field("user_name"),
        Field("password", "user_password", secret="password"),
        Field("first_name"),
        Field("last_name"),
        Field("email"),
        Field("web_service_access_only", kind=BOOLEAN),
        Field("identity_type"),
        Field("time_zone"),
        Field("active", kind=BOOLEAN),
        # With this flag the password grant is refused; a password set by a task needs no change at first use.
        Field("password_needs_reset", kind=BOOLEAN),
        JoinField(
            "roles",
            join=JoinTable("sys_user_has_role", "user", "role", "sys_user_role", "name", inherited="inherited"),
        ),
    )

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> User:
        """Return the account of a task or of an entry of `snow_instance`."""
        state = params.get("state")
        policy = params["update_password"]
        values = {name: params.get(name) for name in FIELD_OPTIONS}
        if state != "absent":
            values["active"] = state == "present" if state else None
            values["password_needs_reset"] = False if values["password"] is not None else None
        return cls(
            values,
            state="absent" if state == "absent" else "present",
            # A disabled account refuses every password: it cannot be verified.
            update_secret="on_create" if state == "disabled" and policy == "on_mismatch" else policy,
            exclusive=("roles",) if params.get("exclusive_roles") else (),
            extra_fields=params.get("extra_fields"),
        )

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare like every record; warn of a lock-out that this task ends, as its cause remains."""
        plan = super().plan(snapshot, secrets)
        if any(write.values.get("locked_out") == "false" for write in plan.writes) and plan.row:
            count = plan.row.get("failed_attempts")
            after = f" after {count} failed sign-ins" if count and count != "0" else ""
            plan.warnings.append(
                f"{self.label} is locked out{after}. A client that signs in with an old password locks it again once it is unlocked"
            )
        return plan
