# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph: applications, service principals, and the secrets that Entra generates (docs/facts/entra.md#applications)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ...engine.errors import PlatformFailure
from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ...timestamps import format_utc
from ...transport.errors import AmbiguousResponse
from ...transport.responses import Response
from ..collection_store import Endpoint
from ..graph.client import GraphClient
from .secrets import Secret

APPLICATIONS, PRINCIPALS, SECRETS = "entra_applications", "entra_service_principals", "entra_application_secrets"
PERMISSION = "Application.ReadWrite.OwnedBy"
COLUMNS = "id,appId,displayName,tags,passwordCredentials"
# Read only where it matters whether others use the application: calls with it are limited more.
CERTIFICATES = "keyCredentials"
# The tag of applications that this collection created, and the display name of their secrets.
MARK = "secops.servicenow_defender"
# How often a call is repeated that the directory refuses since it does not know a new object yet: for about half a minute.
ATTEMPTS, MAX_PAUSE = 8, 6.0
NOT_REPLICATED = ("does not reference a valid application object", "backing application")
UNKNOWN_KEY = "no password credential found"


class Directory:
    """One application by its display name, and what belongs to it. `found` are the rows that were read last.

    `issued` has the secrets that this run requested, by key id, and `gone` the ids of what it removed. `verify` raises `SignInFailed`
    unless the application of a client id signs in with the secret in use.
    """

    def __init__(
        self, client: GraphClient, name: str, verify: Callable[[str], None], *, with_certificates: bool = False
    ) -> None:
        self.client, self.name, self.verify = client, name, verify
        self.columns = f"{COLUMNS},{CERTIFICATES}" if with_certificates else COLUMNS
        self.found: list[Row] = []
        self.created = self.principal = ""
        self.issued: dict[str, str] = {}
        self.gone: set[str] = set()
        # Whether `found` has everything that was written since it was read.
        self.is_current = False

    def key_ids(self) -> frozenset[str]:
        """Return the key ids of the secrets that this run requested."""
        return frozenset(self.issued)

    def endpoints(self) -> dict[str, Endpoint]:
        """Return the endpoints by collection. Applications are read first: the others need their ids."""
        return {
            APPLICATIONS: ApplicationsEndpoint(self),
            PRINCIPALS: PrincipalsEndpoint(self),
            SECRETS: SecretsEndpoint(self),
        }

    @property
    def application(self) -> str:
        """The client id of the application, "" unless there is exactly one."""
        return str(self.found[0]["id"]) if len(self.found) == 1 else ""

    def read(self) -> list[Row]:
        """Read the application, until the list has what this run created, and no more what it removed: it is replicated late.

        A secret that was only added is known from its response: a read that fails would lose the only copy of its value.
        """
        if self.issued and self.is_current:
            return self.found
        condition = f"displayName eq '{self.name.replace(chr(39), chr(39) * 2)}'"
        for attempt in range(ATTEMPTS):
            rows = self.client.rows("/applications", PERMISSION, filter=condition, select=self.columns)
            self.found = [row_of(row) for row in rows if row.get("appId")]
            shown = {str(row["id"]) for row in self.found}
            shown |= {secret.key_id for row in self.found for secret in row["secrets"]}
            if shown.issuperset({self.created, *self.issued} - {""}) and shown.isdisjoint(self.gone):
                self.is_current = True
                return self.found
            time.sleep(min(MAX_PAUSE, 1.0 + attempt))
        raise PlatformFailure(
            f"Microsoft Entra does not show what was written of the application {self.name} a moment ago. Run again in a few minutes"
        )

    def repeated(
        self,
        call: Callable[[], Response],
        *statuses: int,
        words: tuple[str, ...] = (),
        made: Callable[[], bool] = lambda: False,
    ) -> Response:
        """Return the response of `call`, repeated while the directory does not know a new object: by status, or by its words.

        A conflict (409) is repeated, too, unless another run has `made` the object: it may write the same application.

        Raises `Refused` and what the client raises.
        """
        for attempt in range(ATTEMPTS):
            response = call()
            if response.status < 400 or (response.status == 409 and made()):
                return response
            error = self.client.error_of(response)
            if response.status not in (*statuses, 409) and not any(word in str(error).lower() for word in words):
                raise self.client.refusal(error, PERMISSION)
            time.sleep(min(MAX_PAUSE, 1.0 + attempt))
        raise PlatformFailure(
            f"Microsoft Entra does not show what was created a moment ago: {self.client.error_of(response)}. Run again in a few minutes"
        )

    def post(self, path: str, body: Any, **more: Any) -> Response:
        """Send one write and return its response, also an error."""
        return self.client.call("POST", path, PERMISSION, body=body, accept_errors=True, **more)


class ApplicationsEndpoint(Endpoint):
    """Applications with one display name."""

    noun = "applications"

    def __init__(self, directory: Directory) -> None:
        self.directory = directory

    def read(self) -> QueryResult:
        """Return the applications with the display name."""
        return QueryResult(tuple(self.directory.read()))

    def create(self, write: Write, values: Mapping[str, Any]) -> Row:
        """Create the application."""
        body = {"displayName": values["display_name"], "tags": values["tags"], "signInAudience": "AzureADMyOrg"}
        row = row_of(data_of(self.directory.client.call("POST", "/applications", PERMISSION, body=body)))
        self.directory.created = str(row["id"])
        self.directory.found, self.directory.is_current = [row], False
        return row

    def delete(self, write: Write, row_id: str) -> None:
        """Delete the application, and with it its service principal; one that is gone is what was wanted."""
        client = self.directory.client
        response = client.call("DELETE", path_of(row_id), PERMISSION, accept_errors=True, may_be_empty=True)
        self.note_not_found(write, response, client.context.redactor.scrub_text)
        if response.status >= 400 and response.status != 404:
            raise client.refusal(client.error_of(response), PERMISSION)
        self.directory.gone.add(row_id)


class PrincipalsEndpoint(Endpoint):
    """The service principal of the application."""

    noun = "service principals"

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.created: Row | None = None

    def read(self) -> QueryResult:
        """Return the service principal of the application that was read last."""
        rows = self._rows() if self.directory.application else []
        self.directory.principal = str(rows[0]["id"]) if rows else ""
        return QueryResult(tuple(rows))

    def _rows(self) -> list[Row]:
        if self.created:
            # A list may not have it yet.
            return [self.created]
        condition = f"appId eq '{self.directory.application}'"
        rows = self.directory.client.rows("/servicePrincipals", PERMISSION, filter=condition, select="id,appId")
        return [principal_of(row) for row in rows]

    def create(self, write: Write, values: Mapping[str, Any]) -> Row:
        """Create the service principal, as soon as the directory knows the application; one of another run is what was wanted."""
        body = {"appId": values["application"]}
        found: list[Row] = []

        def made() -> bool:
            found[:] = self._rows()
            return bool(found)

        response = self.directory.repeated(
            lambda: self.directory.post("/servicePrincipals", body), words=NOT_REPLICATED, made=made
        )
        self.created = found[0] if found else principal_of(data_of(response))
        self.directory.principal = str(self.created["id"])
        return self.created


class SecretsEndpoint(Endpoint):
    """The secrets of the application. A secret whose response was lost is of no use, so none is ever found."""

    noun = "secrets of applications"

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.has_requested = False

    def read(self) -> QueryResult:
        """Return nothing: the row of the application has its secrets."""
        return QueryResult()

    def create(self, write: Write, values: Mapping[str, Any]) -> Row:
        """Have Entra generate a secret, and keep it for the result."""
        # A request whose response was lost may have left a secret behind.
        self.directory.is_current = self.directory.is_current and not self.has_requested
        self.has_requested = True
        wanted = {"displayName": values["name"], "endDateTime": format_utc(values["ends"].replace(microsecond=0))}
        path = f"{path_of(values['application'])}/addPassword"
        response = self.directory.repeated(
            lambda: self.directory.post(path, {"passwordCredential": wanted}, repeatable=False), 404
        )
        data = data_of(response)
        if not data.get("secretText") or not data.get("keyId"):
            raise AmbiguousResponse(f"POST {path} -> {response.status}: the response contains no secret")
        self.directory.issued[str(data["keyId"])] = str(data["secretText"])
        found = self.directory.found
        self.directory.found = [{**row, "secrets": (*row["secrets"], Secret.of(data))} for row in found]
        return {"id": str(data["keyId"])}

    def delete(self, write: Write, row_id: str) -> None:
        """Remove a secret, once that in use has signed in; one that is gone is what was wanted."""
        self.directory.verify(str(write.values["application"]))
        self.directory.is_current = False
        path = f"{path_of(write.values['application'])}/removePassword"
        response = self.directory.post(path, {"keyId": row_id}, repeatable=True, may_be_empty=True)
        if response.status >= 400:
            error = self.directory.client.error_of(response)
            if UNKNOWN_KEY not in str(error).lower():
                raise self.directory.client.refusal(error, PERMISSION)
        self.directory.gone.add(row_id)


def path_of(application: str) -> str:
    """Return the path of an application by its client id, an alternate key."""
    return f"/applications(appId='{application}')"


def data_of(response: Response) -> Mapping[str, Any]:
    """Return the object in a response."""
    if not isinstance(response.data, Mapping):
        raise AmbiguousResponse(
            f"{response.method} {response.path} -> {response.status}: the response contains no object"
        )
    return response.data


def row_of(shown: Mapping[str, Any]) -> Row:
    """Return an application as a row; its client id identifies it."""
    return {
        "id": str(shown["appId"]),
        "object_id": str(shown.get("id") or ""),
        "display_name": str(shown.get("displayName") or ""),
        "tags": list(shown.get("tags") or ()),
        "secrets": tuple(Secret.of(each) for each in shown.get("passwordCredentials") or () if each.get("keyId")),
        "has_certificate": bool(shown.get(CERTIFICATES)),
    }


def principal_of(shown: Mapping[str, Any]) -> Row:
    """Return a service principal as a row."""
    return {"id": str(shown["id"]), "application": str(shown["appId"])}
