# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of the Application Registry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...engine.errors import EngineError, InvalidInput
from ...engine.field import BOOLEAN, INTEGER, LIST, Field, Reference
from ...engine.plan import Plan, SecretDecision, Value
from ...engine.snapshot import Query, Row, Snapshot
from ...option_names import named_option
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
# Options of an entry of `snow_instance` only, which also revokes the tokens that a clone has from its source.
OF_INSTANCE_OPTIONS: Options = {
    **OAUTH_APPLICATION_OPTIONS,
    "own_client_id": {"type": "str"},
    "foreign_client_ids": {"type": "list", "elements": "str"},
    "read_token_end": {"type": "bool", "default": False, "no_log": False},
}

# Options that are fields of the record.
FIELD_OPTIONS = (
    "name", "client_id", "client_secret", "access_token_lifespan", "refresh_token_lifespan", "redirect_urls", "logo_url",
    "active", "comments", "scope_restriction", "oauth_user", "default_grant_type",
)  # fmt: skip


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

    # An application of a clone has the client id of its source. `foreign` are client ids that `own_client_id` replaces, None
    # for any other; a new application keeps the one that the instance generates.
    own_client_id: str = ""
    foreign: frozenset[str] | None = None
    reads_token_end = False
    is_new = False

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> OAuthApplication:
        """Return the application of a task or of an entry of `snow_instance`."""
        application = cls(
            {name: params.get(name) for name in FIELD_OPTIONS},
            state=params["state"],
            row_id=params.get("sys_id"),
            update_secret=params["update_secret"],
            extra_fields=params.get("extra_fields"),
        )
        foreign = params.get("foreign_client_ids")
        application.own_client_id = params.get("own_client_id") or ""
        application.foreign = None if foreign is None else frozenset(foreign)
        application.reads_token_end = bool(params.get("read_token_end"))
        return application

    def check(self) -> None:
        """Raise `InvalidInput` for invalid redirect URLs."""
        for url in self.values.get("redirect_urls", []):
            if "," in url:
                raise InvalidInput(
                    f"{self.label}: {named_option('redirect_urls', 'snow_connection')} holds {url!r}; a comma separates addresses on the instance"
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

    def reads(self) -> list[Query]:
        """Query the record, and the tokens if their end is to be returned."""
        return super().reads() + ([self.token_query()] if self.reads_token_end else [])

    def token_query(self) -> Query:
        """Return the query for the tokens of the application, which few accounts may read."""
        columns = ("sys_id", "peer", "peer.name", "type", "expires")
        return Query("oauth_credential", "peer.name", (self.display_name,), columns, optional=True)

    def is_copied(self, row: Row) -> bool:
        """Return whether a record has a client id that is not its own: a clone has that of its source."""
        found = row.get("client_id")
        if not found or not self.own_client_id or self.is_new or found == self.own_client_id:
            return False
        return self.foreign is None or found in self.foreign

    def _plan_update(self, plan: Plan, row: Row, snapshot: Snapshot, secrets: SecretDecision) -> None:
        if self.is_copied(row):
            self.values.setdefault("client_id", self.own_client_id)
        # Also after a creation: the instance generates the client id.
        if row.get("client_id") == "" and not self.values.get("client_id"):
            raise EngineError(
                f"{self.label} ({row['sys_id']}) has no client_id, so nothing can sign in with it. A business rule, a data policy or a missing "
                f"plugin may have prevented that one was generated. Set client_id, or delete the record and run again"
            )
        super()._plan_update(plan, row, snapshot, secrets)
        if self.reads_token_end and plan.object is not None:
            tokens = snapshot.rows("oauth_credential", "peer.name", self.display_name)
            plan.object["refresh_token_expires_at"] = refresh_token_end(row, tokens)

    def _plan_creation(self, plan: Plan, snapshot: Snapshot) -> None:
        self.is_new = True
        super()._plan_creation(plan, snapshot)
        if "client_secret" not in self.values:
            plan.creation_warnings.append(
                f"{self.label} is created without client_secret, so the instance generates one that cannot be read by any API and is not "
                f"stored: no client can sign in with it. Set {named_option('client_secret', 'snow_connection')} to choose one, "
                f"which is written to an existing application, too"
            )

    def defaults(self) -> dict[str, Value]:
        """Return the type of a record that the form for external clients creates."""
        return {"type": "client"}


def refresh_token_end(application: Row, tokens: Iterable[Row]) -> str | None:
    """Return the latest expiry (ISO 8601, UTC) of a refresh token of a record, None if none is issued or visible.

    See docs/facts/servicenow_platform.md#related-oauth-tables.
    """
    ends = sorted(
        token.get("expires", "")
        for token in tokens
        if token.get("peer") == application.get("sys_id") and "refresh" in token.get("type", "")
    )
    return f"{ends[-1].replace(' ', 'T')}Z" if ends and ends[-1] else None
