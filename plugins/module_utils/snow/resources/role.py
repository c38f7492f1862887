# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.field import Field
from ..account import WRITERS
from ..m2m import JoinField, JoinTable
from ..options import STATE_OPTION, Options
from ..record_resource import RecordResource

ROLE_OPTIONS: Options = {
    "name": {"type": "str", "required": True},
    "description": {"type": "str"},
    "contains": {"type": "list", "elements": "str"},
    "state": STATE_OPTION,
}


class Role(RecordResource):
    """A row of `sys_user_role`, found by its name; `contains` lists exactly the roles it contains.

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
        JoinField("contains", join=JoinTable("sys_user_role_contains", "role", "contains", "sys_user_role", "name")),
    )

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Role:
        """Return the role of a task or of an entry of `snow_instance`."""
        values = {name: params.get(name) for name in ("name", "description", "contains")}
        return cls(values, state=params["state"], exclusive=("contains",))
