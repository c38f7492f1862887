# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource Manager: the roles of a service principal in Azure (docs/facts/entra.md#role-assignments)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...engine.errors import InvalidInput, NotPermitted, Refused
from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ..arm.client import ArmClient
from ..arm.permissions import DENIED, read_permissions, verdict_on
from ..arm.scopes import Scope, path_key
from ..collection_store import Endpoint
from .directory_api import ATTEMPTS, MAX_PAUSE

ASSIGNMENTS = "azure_role_assignments"
VERSION = "2022-04-01"
AUTHORIZATION = "providers/Microsoft.Authorization"
MANAGEMENT_GROUPS = "providers/microsoft.management/managementgroups/"
WRITE_ACTION = "Microsoft.Authorization/roleAssignments/write"
RIGHTS = "To assign roles, the identity needs Owner or User Access Administrator there (Access control (IAM) > Add role assignment)"


class AssignmentsEndpoint(Endpoint):
    """The assignments of `role` to the principal that `principal` returns, on `scopes`, at them and above."""

    noun = "role assignments"

    def __init__(self, client: ArmClient, role: str, scopes: Sequence[Scope], principal: Callable[[], str]) -> None:
        self.client, self.role, self.scopes, self.principal = client, role, scopes, principal
        self._definitions: dict[str, str] = {}
        self._checked: set[str] = set()
        # In check mode, why the task fails without it.
        self.would_fail = ""

    def read(self) -> QueryResult:
        """Return the assignments of the role to the principal; none before it exists."""
        definitions = {scope.path: self._definition(scope.path) for scope in self.scopes}
        principal = self.principal()
        rows: dict[str, Row] = {}
        for scope in self.scopes if principal else ():
            path = f"{scope.path}/{AUTHORIZATION}/roleAssignments"
            for found in self.client.rows(path, VERSION, **{"$filter": f"principalId eq '{principal}'"}):
                row = row_of(found)
                if row["role"] == definitions[scope.path]:
                    rows[row["id"]] = row
        return QueryResult(tuple(rows.values()))

    def check_rights(self, scopes: Sequence[str]) -> None:
        """Refuse before the first write if the caller certainly may not assign roles on one of `scopes`; in check mode, warn and note it."""
        for scope in scopes:
            if scope in self._checked or verdict_on(read_permissions(self.client, scope), WRITE_ACTION) != DENIED:
                continue
            self._checked.add(scope)
            reason = f"the identity may not assign roles on {scope} ({WRITE_ACTION}). {RIGHTS}"
            if not self.client.context.check_mode:
                raise NotPermitted(f"{reason}. Nothing was written")
            self.client.context.warn(reason)
            self.would_fail = self.would_fail or reason

    def create(self, write: Write, values: Mapping[str, Any]) -> Row:
        """Assign the role, under a name that follows from role, scope and principal; one that exists is what was wanted."""
        scope, principal = str(values["scope"]), str(values["principal"])
        role = self._definition(scope)
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{path_key(scope)}|{role}|{principal}")
        properties = {
            "roleDefinitionId": f"/{AUTHORIZATION}/roleDefinitions/{role}",
            "principalId": principal,
            # With the type, a principal is accepted that is not replicated yet.
            "principalType": "ServicePrincipal",
        }
        path = f"{scope}/{AUTHORIZATION}/roleAssignments/{name}"
        for attempt in range(ATTEMPTS):
            try:
                self.client.call("PUT", path, VERSION, body={"properties": properties}, repeatable=True)
                break
            except Refused as refusal:
                if "RoleAssignmentExists" in str(refusal):
                    break
                if "PrincipalNotFound" not in str(refusal) or attempt == ATTEMPTS - 1:
                    raise Refused(
                        f"{refusal}. {RIGHTS}" if "AuthorizationFailed" in str(refusal) else str(refusal)
                    ) from None
                time.sleep(min(MAX_PAUSE, 1.0 + attempt))
        return {"id": path, "scope": scope, "principal": principal}

    def delete(self, write: Write, row_id: str) -> None:
        """Remove an assignment."""
        self.client.call("DELETE", row_id, VERSION, repeatable=True, may_be_empty=True)

    def _definition(self, scope: str) -> str:
        """Return the id of the role, a GUID; raise `InvalidInput` for a role that the scope does not have."""
        if scope not in self._definitions:
            name = self.role.replace("'", "''")
            rows = self.client.rows(
                f"{scope}/{AUTHORIZATION}/roleDefinitions", VERSION, **{"$filter": f"roleName eq '{name}'"}
            )
            if not rows:
                raise InvalidInput(
                    f"{scope} has no role {self.role!r}. Nothing was written; check the name in Access control (IAM) > Roles"
                )
            self._definitions[scope] = str(rows[0].get("name") or "").lower()
        return self._definitions[scope]


def row_of(shown: Mapping[str, Any]) -> Row:
    """Return an assignment as a row."""
    properties: Mapping[str, Any] = shown.get("properties") or {}
    return {
        "id": str(shown.get("id") or ""),
        "scope": str(properties.get("scope") or ""),
        "role": str(properties.get("roleDefinitionId") or "").rpartition("/")[2].lower(),
        "principal": str(properties.get("principalId") or ""),
    }


def covers(row: Row, scope: str, principal: Any) -> bool:
    """Return whether an assignment gives `principal` its role on `scope`: it is there, or inherited from above."""
    wanted, held = path_key(scope), path_key(row["scope"])
    if row["principal"] != principal:
        return False
    if held in (wanted, "") or wanted.startswith(f"{held}/"):
        return True
    # A list for a subscription has the assignments of the management groups above it, and of no others.
    return held.startswith(MANAGEMENT_GROUPS) and not wanted.startswith(MANAGEMENT_GROUPS)
