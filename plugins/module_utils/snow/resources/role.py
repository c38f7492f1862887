# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.field import Field, Links
from ..account import WRITERS
from ..record_resource import RecordResource


class Role(RecordResource):
    """A row of `sys_user_role`, known by its name; `contains` lists exactly the roles it contains.

    See docs/facts/servicenow_platform.md#role-grants.
    """

    noun = "role"
    table = "sys_user_role"
    key = ("name",)
    stage = 0
    needs_roles = WRITERS["sys_user_role"]
    fields = (
        Field("name"),
        Field("description"),
        Field("contains", links=Links("sys_user_role_contains", "role", "contains", "sys_user_role", "name")),
    )

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Role:
        """Return the role that a task or an entry of `snow_instance` describes."""
        values = {name: params.get(name) for name in ("name", "description", "contains")}
        return cls(values, state=params["state"], exclusive=("contains",))
