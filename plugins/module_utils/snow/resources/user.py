# SPDX-License-Identifier: GPL-3.0-or-later
"""Service accounts and their roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.field import BOOLEAN, Field, Links
from ..account import WRITERS
from ..record_resource import RecordResource

OPTIONS = (
    "user_name", "password", "first_name", "last_name", "email", "web_service_access_only", "identity_type", "time_zone", "roles",
)  # fmt: skip


class User(RecordResource):
    """A row of `sys_user`, known by its user name (docs/facts/servicenow_platform.md#users).

    The password is kept hashed and has to be sent as a display value. Grants that follow from other roles or groups
    are never touched. A described user is active unless its state is `disabled`.
    """

    noun = "user"
    table = "sys_user"
    key = ("user_name",)
    stage = 2
    needs_roles = WRITERS["sys_user"]
    seen = ("locked_out", "failed_attempts")
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
        # The flag refuses the password grant; a password that is described needs no change at first use.
        Field("password_needs_reset", kind=BOOLEAN),
        Field(
            "roles",
            links=Links("sys_user_has_role", "user", "role", "sys_user_role", "name", inherited="inherited"),
        ),
    )

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> User:
        """Return the account that a task or an entry of `snow_instance` describes."""
        state = params["state"]
        policy = params["update_password"]
        values = {name: params.get(name) for name in OPTIONS}
        if state != "absent":
            values["active"] = state == "present"
            values["password_needs_reset"] = False if values["password"] is not None else None
        return cls(
            values,
            state="absent" if state == "absent" else "present",
            # A disabled account refuses every password: there is nothing to find out.
            update_secret="on_create" if state == "disabled" and policy == "on_mismatch" else policy,
            exclusive=("roles",) if params.get("exclusive_roles") else (),
            extra_fields=params.get("extra_fields"),
        )
