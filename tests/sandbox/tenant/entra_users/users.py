# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph: users, their roles, and actions on them (docs/facts/microsoft_graph.md#user-actions).

A message to a user is `sendMail` as the vendor documents it; no other call that notifies is documented.
"""

from __future__ import annotations

from datetime import datetime, timezone

from ...web import Call, Reply, json_reply
from ..errors import graph_error
from ..graph import odata
from ..graph.permissions import denied, granted, require_directory, throttle
from ..routes import Route, Table
from ..secure_score.scores import read_json
from ..state import Row, Tenant
from . import directory

# Properties without $select; accountEnabled is not one of them.
DEFAULT = (
    *("businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation"),
    *("preferredLanguage", "surname", "userPrincipalName", "id"),
)
DIRECTORY = (["Directory.Read.All"], ["Directory.ReadWrite.All"])
READ = (["User.Read.All"], ["User.ReadWrite.All"], *DIRECTORY)
_REVOKE = (["User.RevokeSessions.All"], ["User.ReadWrite.All"], ["Directory.ReadWrite.All"])
_ENABLE = (["User.EnableDisableAccount.All", "User.Read.All"], ["User.ReadWrite.All"], ["Directory.ReadWrite.All"])
_SEND = (["Mail.Send"],)
_WRITABLE = ("accountEnabled", "displayName", "jobTitle", "officeLocation")


def users(tenant: Tenant, call: Call) -> Reply:
    """Answer `/v1.0/users`."""
    require_directory(tenant, call, *READ)
    throttle(tenant)
    content = odata.page(call, [_current(tenant, row) for row in tenant.users], tenant.knobs.graph_page, "users")
    content["value"] = [odata.selected(call, row, DEFAULT) for row in content["value"]]
    return json_reply(200, content)


def user(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer a GET of one user, by id or by user principal name."""
    require_directory(tenant, call, *READ)
    throttle(tenant)
    shown = odata.selected(call, _current(tenant, found(tenant, key)), DEFAULT)
    return json_reply(200, {"@odata.context": f"{call.base}/graph/v1.0/$metadata#users/$entity", **shown})


def me(tenant: Tenant, call: Call) -> Reply:
    """Refuse `/v1.0/me`: an application is not a user."""
    granted(tenant, call)
    raise graph_error(400, "BadRequest", "/me request is only valid with delegated authentication flow.")


def update(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer a PATCH of one user: suspend, reinstate. Privileged users require a role; synced ones keep their state."""
    roles = set(require_directory(tenant, call, *_ENABLE))
    throttle(tenant)
    row, body = found(tenant, key), odata.without_annotations(read_json(call))
    unknown = sorted(set(body) - set(_WRITABLE))
    if unknown or not body:
        raise graph_error(400, "Request_BadRequest", f"Invalid property '{', '.join(unknown)}'.")
    if set(body) != {"accountEnabled"} and not roles & {"User.ReadWrite.All", "Directory.ReadWrite.All"}:
        raise denied()
    if "accountEnabled" in body and not isinstance(body["accountEnabled"], bool):
        raise graph_error(400, "Request_BadRequest", "Invalid value specified for property 'accountEnabled'.")
    if _is_privileged(row) and not tenant.knobs.application_is_privileged:
        raise denied()
    if row["onPremisesSyncEnabled"]:
        if tenant.knobs.synced_users == "refused":
            text = "Unable to update the specified properties for on-premises mastered Directory Sync objects."
            raise graph_error(400, "Request_BadRequest", text)
        # The on-premises account wins: the change does not persist.
        return Reply(204)
    row.update(body)
    return Reply(204)


def revoke(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer `revokeSignInSessions`; it becomes effective with a delay, and never for a guest."""
    require_directory(tenant, call, *_REVOKE)
    throttle(tenant)
    row = found(tenant, key)
    if row["userType"] != "Guest":
        row["_revoked"] = tenant.now()
    return json_reply(200, {"@odata.context": f"{call.base}/graph/v1.0/$metadata#Edm.Boolean", "value": True})


def send_mail(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer `sendMail`: the user of the path is the sender."""
    require_directory(tenant, call, *_SEND)
    throttle(tenant)
    # Parameters of an action are read without regard to case.
    sender, body = found(tenant, key), {name.lower(): value for name, value in read_json(call).items()}
    message = body.get("message")
    recipients = message.get("toRecipients") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not recipients or not sender["accountEnabled"]:
        raise graph_error(400, "ErrorInvalidRecipients", "At least one recipient is not valid.")
    tenant.mails.append(
        {
            "_id": tenant.new_id(),
            "from": sender["userPrincipalName"],
            "to": [each["emailAddress"]["address"] for each in recipients],
            "subject": message.get("subject", ""),
            "body": (message.get("body") or {}).get("content", ""),
        }
    )
    return Reply(202)


def users_count(tenant: Tenant, call: Call) -> Reply:
    """Answer `/v1.0/users/$count`."""
    require_directory(tenant, call, *READ)
    throttle(tenant)
    return odata.count(call, [_current(tenant, row) for row in tenant.users])


def found(tenant: Tenant, key: str) -> Row:
    for row in tenant.users:
        if key.lower() in (row["id"], row["userPrincipalName"].lower()):
            return row
    raise missing(key)


def missing(key: str) -> Exception:
    text = f"Resource '{key}' does not exist or one of its queried reference-property objects are not present."
    return graph_error(404, "Request_ResourceNotFound", text)


def _current(tenant: Tenant, row: Row) -> Row:
    """A user in the format of Graph: revoked sessions end with a delay."""
    revoked = row.get("_revoked")
    if revoked is not None and revoked + tenant.knobs.revoke_seconds <= tenant.now():
        moment = datetime.fromtimestamp(revoked, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        row = {**row, "signInSessionsValidFromDateTime": moment}
    return {name: value for name, value in row.items() if name[0] != "_"}


def _is_privileged(row: Row) -> bool:
    return bool(row["_roles"]) or any(directory.GROUPS.get(group) for group in row["_groups"])


_USERS = "/graph/v1.0/users"
TABLE = Table(
    Route("GET", _USERS, users),
    Route("GET", "/graph/v1.0/me", me),
    Route("GET", f"{_USERS}/$count", users_count),
    Route("GET", f"{_USERS}/{{key}}", user),
    Route("PATCH", f"{_USERS}/{{key}}", update),
    Route("POST", f"{_USERS}/{{key}}/revokeSignInSessions", revoke),
    Route("POST", f"{_USERS}/{{key}}/sendMail", send_mail),
)
