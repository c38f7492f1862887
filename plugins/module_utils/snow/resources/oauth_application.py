# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of the Application Registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.field import BOOLEAN, INTEGER, LIST, Field, Reference
from ...engine.plan import Value
from ...engine.snapshot import Row
from ..account import WRITERS
from ..options import SECRET_POLICIES, STATE_OPTION, Options
from ..record_resource import RecordResource

OAUTH_APPLICATION_OPTIONS: Options = {
    "name": {"type": "str", "required": True},
    "sys_id": {"type": "str"},
    "client_id": {"type": "str"},
    "client_secret": {"type": "str", "no_log": True},
    "update_secret": {"type": "str", "choices": list(SECRET_POLICIES), "default": "on_mismatch", "no_log": False},
    "access_token_lifespan": {"type": "int", "no_log": False},
    "refresh_token_lifespan": {"type": "int", "no_log": False},
    "redirect_urls": {"type": "list", "elements": "str"},
    "logo_url": {"type": "str"},
    "active": {"type": "bool"},
    "comments": {"type": "str"},
    "scope_restriction": {"type": "str", "choices": ["broad", "restricted"]},
    "oauth_user": {"type": "str"},
    "default_grant_type": {"type": "str"},
    "extra_fields": {"type": "dict"},
    "state": STATE_OPTION,
}

# Options that are fields of the record.
FIELD_OPTIONS = (
    "name", "client_id", "client_secret", "access_token_lifespan", "refresh_token_lifespan", "redirect_urls", "logo_url",
    "active", "comments", "scope_restriction", "oauth_user", "default_grant_type",
)  # fmt: skip
# The largest number of a 32-bit integer column: 68 years.
MAX_LIFESPAN = 2_147_483_647


class OAuthApplication(RecordResource):
    """A row of `oauth_entity`, found by its name, or by its sys_id if names are not unique.

    The client secret is write-only and is sent in a request of its own
    (docs/facts/servicenow_platform.md#encrypted-columns). A release without the column for the scope restriction has
    broad scope only (docs/facts/servicenow_platform.md#scope-restriction).

    See docs/facts/servicenow_platform.md#application-registry.
    """

    noun = "oauth_application"
    table = "oauth_entity"
    key = ("name",)
    stage = 4
    needs_roles = WRITERS["oauth_entity"]
    deactivated_by = "active"
    seen = ("type", "sys_class_name")
    found_by_id = True
    on_create: Mapping[str, Any] = {"active": True}
    fields = (
        Field("name"),
        Field("client_id"),
        Field("client_secret", secret="client_secret"),
        Field("access_token_lifespan", kind=INTEGER),
        Field("refresh_token_lifespan", kind=INTEGER),
        Field("redirect_urls", "redirect_url", kind=LIST),
        Field("logo_url"),
        Field("active", kind=BOOLEAN),
        Field("comments"),
        Field(
            "scope_restriction", "scope_restriction_status",
            choices={"broad": "unrestricted", "restricted": "restricted"}, without_column="broad",
        ),
        Field("oauth_user", "user", reference=Reference("sys_user", "user_name")),
        Field("default_grant_type"),
    )  # fmt: skip

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> OAuthApplication:
        """Return the application of a task or of an entry of `snow_instance`."""
        return cls(
            {name: params.get(name) for name in FIELD_OPTIONS},
            state=params["state"],
            row_id=params.get("sys_id"),
            update_secret=params["update_secret"],
            extra_fields=params.get("extra_fields"),
        )

    def check(self) -> None:
        """Raise `InvalidInput` for a lifespan out of range and for invalid redirect URLs."""
        for name in ("access_token_lifespan", "refresh_token_lifespan"):
            value = self.values.get(name)
            if value is not None and not 0 < int(value) <= MAX_LIFESPAN:
                raise InvalidInput(f"{self.label}: {name} must be a positive number of seconds, not {value}")
        for url in self.values.get("redirect_urls", []):
            if "," in url:
                raise InvalidInput(
                    f"{self.label}: redirect_urls holds {url!r}; a comma separates addresses on the instance"
                )

    def candidates(self, rows: list[Row]) -> list[Row]:
        """Return the clients only: an outbound provider of the same name is a different object."""
        clients = [row for row in rows if row.get("type") in ("client", "", None)]
        if rows and not clients:
            raise InvalidInput(
                f"{self.display_name} exists on the instance as {rows[0].get('type')} ({rows[0]['sys_id']}), not as a client. "
                f"Choose another name, or select the record with sys_id"
            )
        return clients

    def defaults(self) -> dict[str, Value]:
        """Return the type of a record that the form for external clients creates."""
        return {"type": "client"}
