# SPDX-License-Identifier: GPL-3.0-or-later
"""The request as handlers receive it, and the table of resources with their handlers."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

from ...web import Call, Reply, json_reply
from .errors import bad_request
from .scopes import Scope
from .state import ArmState, Row

if TYPE_CHECKING:
    from ..cloud_apps.instance_client import InstanceClient
    from ..state import Tenant

VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}

# Links as recorded: the cloud's own address with its default port.
CLOUD_ADDRESS = "https://management.azure.com:443"


@dataclass(frozen=True)
class ArmRequest:
    """One authorized request of a known api-version."""

    tenant: Tenant
    call: Call
    client: InstanceClient
    scope: Scope
    names: Mapping[str, str]
    version: str
    principal: str

    @property
    def arm(self) -> ArmState:
        """The state."""
        return self.tenant.arm

    @property
    def now(self) -> float:
        """The tenant's clock."""
        return self.tenant.now()

    @property
    def root(self) -> str:
        """The address of the Resource Manager in links."""
        return CLOUD_ADDRESS if self.tenant.knobs.default_port else f"{self.call.base}/arm"

    @property
    def address(self) -> str:
        """The address of the request's path in links."""
        return f"{self.root}{quote(self.call.path.removeprefix('/arm'))}"

    def body(self) -> Row:
        """The JSON object of the request."""
        content = self.json()
        if not isinstance(content, dict):
            raise bad_request("The request content was invalid: an object is expected.", code="InvalidRequestContent")
        return content

    def json(self) -> Any:
        """The JSON body of the request."""
        try:
            return json.loads(self.call.body)
        except ValueError as error:
            text = f"The request content was invalid and could not be deserialized: '{error}'."
            raise bad_request(text, code="InvalidRequestContent") from error

    def properties(self) -> Row:
        """`properties` of the JSON object of the request."""
        found = self.body().get("properties")
        if not isinstance(found, dict):
            raise bad_request("The request body lacks 'properties'.", code="InvalidRequestContent", target="properties")
        return found

    def page(self, rows: list[Any], show: Callable[[Any], Any]) -> Reply:
        """A page of a list with the address of the next one; the last page has no `nextLink`."""
        size = max(1, self.tenant.knobs.arm_page)
        start = _place(self.call.query.get("$skipToken") or self.call.query.get("$skiptoken"))
        content: Row = {"value": [show(row) for row in rows[start : start + size]]}
        if start + size < len(rows):
            query = [
                (name, value)
                for name, value in parse_qsl(self.call.query_text, keep_blank_values=True)
                if name.lower() != "$skiptoken"
            ]
            token = base64.urlsafe_b64encode(f"place:{start + size}".encode()).decode()
            content["nextLink"] = f"{self.address}?{urlencode([*query, ('$skipToken', token)])}"
        return json_reply(200, content)


def _place(token: str | None) -> int:
    if token is None:
        return 0
    try:
        found = re.fullmatch(r"place:(\d+)", base64.urlsafe_b64decode(token).decode())
    except (binascii.Error, UnicodeDecodeError, ValueError):
        found = None
    if found is None:
        raise bad_request("The skip token is invalid.", code="InvalidSkipToken")
    return int(found[1])


Handler = Callable[[ArmRequest], Reply]


@dataclass(frozen=True)
class Resource:
    """One path below a scope. `kind` is the type that determines api-versions and actions.

    `post` is the suffix of the action that a POST requires; `action_kind` replaces the type in actions.
    """

    namespace: str
    kind: str
    path: str
    handlers: Mapping[str, Handler]
    scopes: tuple[str, ...]
    post: str = "action"
    action_kind: str = ""
    _pattern: list[re.Pattern[str]] = field(default_factory=list, compare=False)

    @property
    def route(self) -> str:
        """The name of the route in the request counts."""
        return f"/arm/{{scope}}/providers/{self.namespace}/{self.path}"

    def match(self, tail: str) -> dict[str, str] | None:
        """The names in `Namespace/type/name...`; None if the path does not match."""
        if not self._pattern:
            text = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(f"{self.namespace}/{self.path}"))
            self._pattern.append(re.compile(text, re.IGNORECASE))
        found = self._pattern[0].fullmatch(tail)
        return found.groupdict() if found else None

    def action(self, method: str) -> str:
        """The action that a method requires."""
        return f"{self.namespace}/{self.action_kind or self.kind}/{VERBS.get(method, self.post)}"


def find(resources: Iterable[Resource], tail: str) -> tuple[Resource, dict[str, str]] | None:
    """The resource of a path."""
    for resource in resources:
        names = resource.match(tail)
        if names is not None:
            return resource, names
    return None


def shown(row: Row, kind: str, *, bare: bool = False) -> Row:
    """A row in the format of responses."""
    row_id = row["_id"].lstrip("/") if bare else row["_id"]
    return {"id": row_id, "name": row["name"], "type": kind, "properties": row["properties"]}
