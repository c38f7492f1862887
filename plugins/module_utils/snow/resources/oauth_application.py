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
from ..record_resource import RecordResource

OPTIONS = (
    "name", "client_id", "client_secret", "access_token_lifespan", "refresh_token_lifespan", "redirect_urls", "logo_url",
    "active", "comments", "scope_restriction", "oauth_user", "default_grant_type",
)  # fmt: skip
# Longest whole number a 32-bit integer column holds: 68 years.
MAX_LIFESPAN = 2_147_483_647


class OAuthApplication(RecordResource):
    """A row of `oauth_entity`, known by its name, or by its sys_id where names are not unique.

    The client secret is write-only and follows in a request of its own
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
        """Return the application that a task or an entry of `snow_instance` describes."""
        return cls(
            {name: params.get(name) for name in OPTIONS},
            state=params["state"],
            row_id=params.get("sys_id"),
            update_secret=params["update_secret"],
            extra_fields=params.get("extra_fields"),
        )

    def check(self) -> None:
        """Raise `InvalidInput` for a lifespan that is no positive number of seconds, and for bad redirect URLs."""
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
        """Prefer clients: an outbound provider of the same name is another thing."""
        clients = [row for row in rows if row.get("type") in ("client", "", None)]
        if rows and not clients:
            raise InvalidInput(
                f"{self.display_name} exists on the instance as {rows[0].get('type')} ({rows[0]['sys_id']}), not as a client. "
                f"Choose another name, or name the row with sys_id"
            )
        return clients

    def defaults(self) -> dict[str, Value]:
        """Say what the row is: a client, as the form for external clients makes it."""
        return {"type": "client"}
