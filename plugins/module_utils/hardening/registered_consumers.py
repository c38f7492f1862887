# SPDX-License-Identifier: GPL-3.0-or-later
"""Which other consumers an instance has: what is registered there, under any name.

An application that acts as an account of its own, and one that holds tokens of an account without interactive sign-in, is one.

See docs/facts/servicenow_platform.md#related-oauth-tables, docs/facts/servicenow_platform.md#application-registry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ..engine.snapshot import Query, Row, Snapshot
from ..token_end import time_of

APPLICATIONS, TOKENS = "oauth_entity", "oauth_credential"
ACTING, MACHINES = "user.active", "user.web_service_access_only"
CLIENT_CREDENTIALS, PASSWORD, OTHER = "client_credentials", "password", "other"
ACCOUNT = ("user.user_name", "user.password_needs_reset", "user.enable_multifactor_authn")
PARENT_CLASS = "oauth_entity"


@dataclass(frozen=True)
class Consumer:
    """An application on the instance, the grant that it signs in with as far as that is visible, and its account."""

    application: str
    grant: str
    account: Mapping[str, Any]


def consumer_queries() -> list[Query]:
    """Return the queries for the applications that act as an account, and for tokens of accounts without interactive sign-in."""
    acting = ("sys_id", "name", "active", *ACCOUNT)
    held = ("sys_id", "expires", "peer.name", "peer.active", "peer.user", "peer.sys_class_name", *ACCOUNT)
    return [
        Query(APPLICATIONS, ACTING, ("true",), acting, where=(("type", "client"), ("active", "true")), optional=True),
        Query(TOKENS, MACHINES, ("true",), held, optional=True),
    ]


def consumers_in(snapshot: Snapshot, own_user: str, now: datetime | None = None) -> list[Consumer]:
    """Return the consumers on the instance, each pair of application and account once; those of `own_user` are left out."""
    found: dict[tuple[str, str], Consumer] = {}
    for consumer in (*_acting(snapshot), *_holding_tokens(snapshot, now or datetime.now(timezone.utc))):
        user = str(consumer.account.get("user_name") or "")
        if consumer.application and user and user != own_user:
            found.setdefault((consumer.application, user), consumer)
    return list(found.values())


def unread_consumers(snapshot: Snapshot) -> str:
    """Return why tokens of other consumers cannot be seen, "" if they can."""
    refused = snapshot.refused(TOKENS, MACHINES)
    if refused:
        return refused
    hidden = snapshot.hidden_count(TOKENS, MACHINES)
    return f"{hidden} rows of {TOKENS} are hidden from the account" if hidden else ""


def _acting(snapshot: Snapshot) -> Iterator[Consumer]:
    for row in snapshot.all_rows(APPLICATIONS, ACTING):
        # Checked again: an instance that does not know a queried field answers with every row.
        if row.get("active") != "false" and row.get("user.user_name"):
            yield Consumer(str(row.get("name") or ""), CLIENT_CREDENTIALS, _account(row))


def _holding_tokens(snapshot: Snapshot, now: datetime) -> Iterator[Consumer]:
    for row in snapshot.all_rows(TOKENS, MACHINES):
        end = time_of(row.get("expires"))
        if row.get("peer.active") == "false" or (end and end < now):
            continue
        grant = CLIENT_CREDENTIALS if row.get("peer.user") else PASSWORD
        if row.get("peer.sys_class_name") not in (None, "", PARENT_CLASS):
            grant = OTHER
        yield Consumer(str(row.get("peer.name") or ""), grant, _account(row))


def _account(row: Row) -> dict[str, Any]:
    return {column.partition(".")[2]: row.get(column, "") for column in ACCOUNT}
