# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report keeps of the rows in a result: settings, accepted deviations, tokens and secrets, tickets. The keys identify a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .objects import OK
from .values import Json, identity, mappings, plain, text

# What a report shows of a ticket that was made or changed.
TICKET = ("type", "number", "link", "action", "state", "short_description", "correlation_id")
# What a report shows of a setting of the hardening baseline, besides its values and points.
SETTING = (
    "id",
    "name",
    "title",
    "category",
    "severity",
    "secure_score_control",
    "status",
    "reason",
    "withheld_by",
    "switch",
)
CHANGED = "changed"
ACCEPTED, ENDED, NOT_NEEDED = "accepted", "ended", "not needed"
REFRESH_TOKEN, CLIENT_SECRET = "refresh token", "client secret"


def settings(result: Mapping[str, Any], *, check_mode: bool) -> dict[str, Json]:
    """Return the settings in a result that are not in sync, with severity, points, reason and switch.

    One that is in sync, or was written, replaces an earlier row of it by an empty one, so that the last report of a run counts.
    """
    in_sync = (OK,) if check_mode else (OK, CHANGED)
    found: dict[str, Json] = {}
    for row in mappings(result.get("results")):
        if not str(row.get("object")).startswith("setting ") or not row.get("id"):
            continue
        shown = {key: text(plain(row.get(key) or "")) for key in SETTING}
        points = row.get("points")
        values = {key: plain(row.get(key)) for key in ("actual", "expected")}
        known = {**shown, **values, "points": points if isinstance(points, int) else 0}
        found[shown["id"]] = {} if row.get("status") in in_sync else known
    return found


def exceptions(result: Mapping[str, Any]) -> dict[str, Json]:
    """Return the accepted deviations in a result, with reason, owner and end (ISO 8601).

    `state` is `accepted`, `ended`, or `not needed` if the object is in sync without it.

    Those of settings, and the exemptions of Defender for Cloud.
    """
    found = {}
    for row in mappings(result.get("results")):
        entry = row.get("exception")
        if isinstance(entry, Mapping) and isinstance(row.get("object"), str):
            shown = {key: text(plain(entry.get(key) or "")) for key in ("reason", "owner", "until")}
            title = text(plain(row.get("title") or ""))
            state = NOT_NEEDED if row.get("status") == OK else ENDED if entry.get("ended") is True else ACCEPTED
            found[row["object"]] = {"object": row["object"], "title": title, **shown, "state": state}
        elif str(row.get("object")).startswith("exemption ") and row.get("category"):
            found[row["object"]] = {
                "object": row["object"],
                "title": "",
                "reason": text(plain(row["category"])),
                "owner": "",
                "until": text(plain(row.get("expires_at") or "")),
                "state": ENDED if row.get("status") == "expired" else ACCEPTED,
            }
    return found


def tokens(result: Mapping[str, Any]) -> dict[str, Json]:
    """Return the refresh tokens and client secrets in a result: kind, what they are `of`, its name, and their end (ISO 8601)."""
    return {identity([row["kind"], row["of"], row["name"]]): row for row in _tokens(result)}


def _tokens(result: Mapping[str, Any]) -> Iterator[Json]:
    integration, application = result.get("integration"), result.get("application")
    named = (
        [{**integration, "object": "integration", "name": integration.get("display_name")}]
        if isinstance(integration, Mapping)
        else []
    )
    for entry in (*mappings(result.get("oauth_applications")), *mappings(result.get("results")), *named):
        if entry.get("refresh_token_expires_at"):
            name = text(plain(entry.get("name") or entry.get("client_id") or entry.get("sys_id") or ""))
            of = str(entry.get("object") or "oauth_application").partition(" ")[0]
            yield _token(REFRESH_TOKEN, of, name, entry["refresh_token_expires_at"])
    if isinstance(application, Mapping) and application.get("expires_at"):
        name = text(plain(application.get("display_name") or application.get("client_id") or ""))
        yield _token(CLIENT_SECRET, "entra_application", name, application["expires_at"])


def _token(kind: str, of: str, name: str, end: Any) -> Json:
    return {"kind": kind, "of": of, "name": name, "expires_at": text(plain(end))}


def tickets(result: Mapping[str, Any]) -> dict[str, Json]:
    """Return the tickets that a task made or changed."""
    found = {}
    for row in mappings(result.get("results")):
        if row.get("action") and row.get("correlation_id") and row.get("status") == "changed":
            ticket = {key: text(plain(row.get(key) or "")) for key in TICKET}
            found[identity([ticket["type"], ticket["correlation_id"]])] = ticket
    return found
