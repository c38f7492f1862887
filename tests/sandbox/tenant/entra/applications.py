# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph: applications, their secrets and service principals (docs/facts/entra.md#applications)."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

from ...web import Call, Reply, json_reply
from ..errors import graph_error
from ..graph import odata
from ..graph.permissions import denied, require_directory, throttle
from ..routes import Route, Table
from ..secure_score.scores import read_json
from ..state import Row, Tenant
from . import access_tokens
from .registered import application_row, principal_row

_ALL = ["Application.ReadWrite.All"]
_OWNED = ["Application.ReadWrite.OwnedBy"]
_WRITE = (_ALL, _OWNED)
_READ = (["Application.Read.All"], *_WRITE, ["Directory.Read.All"])
_WRITABLE = {"displayName", "tags", "notes", "signInAudience", "description"}
_TWO_YEARS = timedelta(days=730)


def applications(tenant: Tenant, call: Call) -> Reply:
    """Answer a GET of `/v1.0/applications`; new ones appear in lists after `directory_delay`, deleted ones stay as long."""
    require_directory(tenant, call, *_READ)
    throttle(tenant)
    gone = [row for row in tenant.deleted_applications if tenant.now() < row["_deleted"] + tenant.knobs.directory_delay]
    return _list(tenant, call, [*tenant.applications, *gone], "applications")


def _list(tenant: Tenant, call: Call, rows: list[Row], context: str) -> Reply:
    shown = [_shown(row) for row in rows if _is_known(tenant, row)]
    content = odata.page(call, shown, tenant.knobs.graph_page, context)
    content["value"] = [odata.selected(call, row, tuple(row)) for row in content["value"]]
    return json_reply(200, content)


def application(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer a GET of one application, by its id or as `(appId='...')`."""
    require_directory(tenant, call, *_READ)
    throttle(tenant)
    row = _found(tenant, tenant.applications, key)
    return json_reply(200, odata.selected(call, _shown(row), tuple(_shown(row))))


def create(tenant: Tenant, call: Call) -> Reply:
    """Answer a POST to `/v1.0/applications`: the caller becomes the owner. Names need not be unique."""
    require_directory(tenant, call, *_WRITE)
    throttle(tenant)
    body = odata.without_annotations(read_json(call))
    unknown = sorted(set(body) - _WRITABLE)
    if unknown:
        raise graph_error(400, "Request_BadRequest", f"Invalid property '{unknown[0]}'.")
    if not isinstance(body.get("displayName"), str) or not body["displayName"]:
        text = "Invalid value specified for property 'displayName' of resource 'Application'."
        raise graph_error(400, "Request_BadRequest", text)
    row = application_row(str(uuid.uuid4()), str(uuid.uuid4()), body["displayName"], tenant.now())
    row.update({**body, "_owners": [_caller(tenant, call)], "_since": tenant.now()})
    tenant.applications.append(row)
    return json_reply(201, _shown(row))


def delete(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer a DELETE: the application can be restored; the service principal goes with it, its role assignments stay."""
    row = _owned(tenant, call, key)
    tenant.deleted_applications.append({**row, "_deleted": tenant.now()})
    tenant.applications.remove(row)
    tenant.service_principals[:] = [each for each in tenant.service_principals if each["appId"] != row["appId"]]
    return Reply(204)


def add_password(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer `addPassword`: Entra generates the secret and returns it once."""
    row = _owned(tenant, call, key)
    wanted = read_json(call).get("passwordCredential") or {}
    unknown = sorted(set(odata.without_annotations(wanted)) - {"displayName", "startDateTime", "endDateTime"})
    if unknown:
        raise graph_error(400, "Request_BadRequest", f"Property '{unknown[0]}' cannot be set.")
    now = tenant.now()
    start = wanted.get("startDateTime") or odata.moment(now)
    end = wanted.get("endDateTime") or odata.moment(now + _TWO_YEARS.total_seconds())
    if _seconds(end) <= _seconds(start):
        raise graph_error(400, "Request_BadRequest", "The end date of a credential must be after its start date.")
    text = f"{secrets.token_urlsafe(9)[:3]}8Q~{secrets.token_urlsafe(40)[:34]}"
    shown = {
        "customKeyIdentifier": None,
        "displayName": wanted.get("displayName"),
        "endDateTime": end,
        "hint": text[:3],
        "keyId": str(uuid.uuid4()),
        "secretText": None,
        "startDateTime": start,
    }
    row["passwordCredentials"].append(shown)
    row["_secrets"][shown["keyId"]] = text
    context = f"{call.base}/graph/v1.0/$metadata#microsoft.graph.passwordCredential"
    return json_reply(200, {"@odata.context": context, **shown, "secretText": text})


def remove_password(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer `removePassword`, by the key id."""
    row = _owned(tenant, call, key)
    wanted = str(read_json(call).get("keyId", ""))
    left = [each for each in row["passwordCredentials"] if each["keyId"] != wanted]
    if len(left) == len(row["passwordCredentials"]):
        raise graph_error(400, "Request_BadRequest", "No password credential found with keyId.")
    row["passwordCredentials"] = left
    row["_secrets"].pop(wanted, None)
    return Reply(204)


def service_principals(tenant: Tenant, call: Call) -> Reply:
    """Answer a GET of `/v1.0/servicePrincipals`."""
    require_directory(tenant, call, *_READ)
    throttle(tenant)
    return _list(tenant, call, tenant.service_principals, "servicePrincipals")


def create_principal(tenant: Tenant, call: Call) -> Reply:
    """Answer a POST to `/v1.0/servicePrincipals`; an application that is not replicated yet is refused."""
    require_directory(tenant, call, *_WRITE)
    throttle(tenant)
    app_id = str(read_json(call).get("appId", ""))
    row = next((each for each in tenant.applications if each["appId"] == app_id), None)
    if row is None or not _is_known(tenant, row):
        text = (
            f"The appId '{app_id}' of the service principal does not reference a valid application object."
            if row is None
            else f"When using this permission, the backing application of the service principal being created must in the local tenant: {app_id}"
        )
        raise graph_error(400, "Request_BadRequest", text)
    if any(each["appId"] == app_id for each in tenant.service_principals):
        text = (
            "The service principal cannot be created, updated, or restored because the service principal name "
            f"{app_id} is already in use."
        )
        raise graph_error(409, "Request_MultipleObjectsWithSameKeyValue", text)
    principal = principal_row(str(uuid.uuid4()), row)
    principal["_since"] = tenant.now()
    tenant.service_principals.append(principal)
    return json_reply(201, _shown(principal))


def _owned(tenant: Tenant, call: Call, key: str) -> Row:
    """The application that the caller may change: with the lesser permission, one that it owns."""
    roles = set(require_directory(tenant, call, *_WRITE))
    throttle(tenant)
    row = _found(tenant, tenant.applications, key)
    if not set(_ALL) & roles and _caller(tenant, call) not in row["_owners"]:
        raise denied()
    return row


def _caller(tenant: Tenant, call: Call) -> str:
    claims = access_tokens.claims_of_call(tenant, call, "graph") or {}
    return str(claims.get("oid"))


def _found(tenant: Tenant, rows: list[Row], key: str) -> Row:
    """The row of an id, or of `(appId='...')`, once it is replicated."""
    name, wanted = ("appId", key[8:-2]) if key.startswith("(appId='") else ("id", key)
    for row in rows:
        if row[name].lower() == wanted.lower() and _is_known(tenant, row):
            return row
    text = f"Resource '{wanted}' does not exist or one of its queried reference-property objects are not present."
    raise graph_error(404, "Request_ResourceNotFound", text)


def _is_known(tenant: Tenant, row: Row) -> bool:
    return tenant.now() >= float(row.get("_since", 0.0)) + tenant.knobs.directory_delay


def _shown(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.startswith("_")}


def _seconds(text: str) -> float:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise graph_error(400, "Request_BadRequest", f"Invalid date '{text}'.") from error
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()


_ROOT = "/graph/v1.0"
TABLE = Table(
    Route("GET", f"{_ROOT}/applications", applications),
    Route("POST", f"{_ROOT}/applications", create),
    *(
        route
        # An application is addressed by its id, or by its client id as an alternate key.
        for start in (f"{_ROOT}/applications/{{key}}", f"{_ROOT}/applications{{key}}")
        for route in (
            Route("POST", f"{start}/addPassword", add_password),
            Route("POST", f"{start}/removePassword", remove_password),
            Route("GET", start, application),
            Route("DELETE", start, delete),
        )
    ),
    Route("GET", f"{_ROOT}/servicePrincipals", service_principals),
    Route("POST", f"{_ROOT}/servicePrincipals", create_principal),
)
