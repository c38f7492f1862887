# SPDX-License-Identifier: GPL-3.0-or-later
"""Enterprise applications, and the users and groups that a policy names (docs/facts/microsoft_graph.md#enterprise-applications)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ...engine.snapshot import QueryResult, Row
from ...transport.errors import AmbiguousResponse
from ...transport.responses import Response
from ..collection_store import Endpoint
from ..graph.batch import Call
from ..graph.client import GraphClient, page_of

APPLICATIONS, PRINCIPALS = "enterprise_applications", "principals"
READ_APPLICATIONS, READ_USERS, READ_GROUPS = "Application.Read.All", "User.Read.All", "GroupMember.Read.All"
# Largest page of the list.
MAX_PAGE = 999
COLUMNS = ("id", "appId", "displayName", "accountEnabled", "servicePrincipalNames", "replyUrls", "loginUrl", "homepage")
USER, GROUP = "user", "group"
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class ApplicationsEndpoint(Endpoint):
    """The enterprise applications (service principals) of a tenant, each with the addresses for which users sign in to it."""

    noun = "enterprise applications"

    def __init__(self, client: GraphClient) -> None:
        self.client = client

    def read(self) -> QueryResult:
        """Return every enterprise application."""
        records = self.client.rows("/servicePrincipals", READ_APPLICATIONS, select=",".join(COLUMNS), top=str(MAX_PAGE))
        return QueryResult(tuple(_application(record) for record in records if record.get("appId")))


class PrincipalsEndpoint(Endpoint):
    """The users and groups of a task, by user principal name, object id, or the display name of a group."""

    noun = "users and groups"

    def __init__(self, client: GraphClient, keys: Iterable[str]) -> None:
        self.client, self.keys = client, tuple(dict.fromkeys(keys))

    def read(self) -> QueryResult:
        """Return a row for each key, in as few requests as possible; its `matches` are the objects that the key can mean."""
        found: dict[str, list[dict[str, Any]]] = {key: [] for key in self.keys}
        calls = [(key, call) for key in self.keys for call in _calls_for(key)]
        for (asked, call), response in self._answered(calls):
            found[asked] += self._matches(asked, call, response)
        groups = [match for matches in found.values() for match in matches if match["kind"] == GROUP]
        members = [(match["id"], Call(f"/groups/{match['id']}/members?$select=id&$top=1")) for match in groups]
        for match, (_key, response) in zip(groups, self._answered(members), strict=True):
            self._check(response, READ_GROUPS)
            # The first page is enough: one member is.
            match["effective"] = bool(page_of(response)[0])
        return QueryResult(tuple({"id": key, "matches": matches} for key, matches in found.items()))

    def _answered(self, calls: Sequence[tuple[str, Call]]) -> Iterator[tuple[tuple[str, Call], Response]]:
        return zip(calls, self.client.batch([call for _key, call in calls]) if calls else [], strict=True)

    def _matches(self, key: str, call: Call, response: Response) -> list[dict[str, Any]]:
        if response.status == 404:
            return []
        if call.path.startswith("/users/"):
            user = self._data(response, READ_USERS)
            name = str(user.get("userPrincipalName") or key)
            return [
                {"id": str(user["id"]), "kind": USER, "name": name, "effective": user.get("accountEnabled") is True}
            ]
        if call.path.startswith("/groups/"):
            records = [self._data(response, READ_GROUPS)]
        else:
            records = [each for each in self._listed(response, READ_GROUPS) if each.get("displayName") == key]
        return [{"id": str(each["id"]), "kind": GROUP, "name": str(each.get("displayName") or key)} for each in records]

    def _check(self, response: Response, permission: str) -> None:
        if response.status >= 400:
            raise self.client.refusal(self.client.error_of(response), permission)

    def _data(self, response: Response, permission: str) -> Mapping[str, Any]:
        self._check(response, permission)
        if not isinstance(response.data, Mapping) or not response.data.get("id"):
            raise AmbiguousResponse(f"GET {response.path} -> {response.status}: the response contains no object")
        return response.data

    def _listed(self, response: Response, permission: str) -> list[dict[str, Any]]:
        self._check(response, permission)
        return self.client.rows_from(response, permission)


def _calls_for(key: str) -> list[Call]:
    user = Call(f"/users/{quote(key, safe='')}?$select=id,userPrincipalName,accountEnabled")
    if "@" in key:
        return [user]
    if ID.fullmatch(key):
        return [user, Call(f"/groups/{key}?$select=id,displayName")]
    name = quote(key.replace("'", "''"), safe="")
    return [Call(f"/groups?$filter=displayName%20eq%20'{name}'&$select=id,displayName")]


def _application(record: Mapping[str, Any]) -> Row:
    single = [record.get("loginUrl"), record.get("homepage")]
    texts = [*(record.get("servicePrincipalNames") or []), *(record.get("replyUrls") or []), *single]
    return {
        "id": str(record.get("id") or ""),
        "app_id": str(record["appId"]).lower(),
        "name": str(record.get("displayName") or ""),
        "enabled": record.get("accountEnabled") is not False,
        "addresses": [
            text for text in texts if isinstance(text, str) and text.lower().startswith(("https://", "http://"))
        ],
    }
