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
_DEFAULT = (
    *("businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation"),
    *("preferredLanguage", "surname", "userPrincipalName", "id"),
)
_DIRECTORY = (["Directory.Read.All"], ["Directory.ReadWrite.All"])
_READ = (["User.Read.All"], ["User.ReadWrite.All"], *_DIRECTORY)
_REVOKE = (["User.RevokeSessions.All"], ["User.ReadWrite.All"], ["Directory.ReadWrite.All"])
_ENABLE = (["User.EnableDisableAccount.All", "User.Read.All"], ["User.ReadWrite.All"], ["Directory.ReadWrite.All"])
_ROLES = (*_DIRECTORY, ["RoleManagement.Read.Directory"], ["RoleManagement.ReadWrite.Directory"])
_MEMBERS = (*_READ, ["GroupMember.Read.All"])
_SEND = (["Mail.Send"],)
_WRITABLE = ("accountEnabled", "displayName", "jobTitle", "officeLocation")


def users(tenant: Tenant, call: Call) -> Reply:
    """Answer `/v1.0/users`."""
    require_directory(tenant, call, *_READ)
    throttle(tenant)
    content = odata.page(call, [_current(tenant, row) for row in tenant.users], tenant.knobs.graph_page, "users")
    content["value"] = [odata.selected(call, row, _DEFAULT) for row in content["value"]]
    return json_reply(200, content)


def user(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer a GET of one user, by id or by user principal name."""
    require_directory(tenant, call, *_READ)
    throttle(tenant)
    shown = odata.selected(call, _current(tenant, _found(tenant, key)), _DEFAULT)
    return json_reply(200, {"@odata.context": f"{call.base}/graph/v1.0/$metadata#users/$entity", **shown})


def me(tenant: Tenant, call: Call) -> Reply:
    """Refuse `/v1.0/me`: an application is not a user."""
    granted(tenant, call)
    raise graph_error(400, "BadRequest", "/me request is only valid with delegated authentication flow.")


def update(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer a PATCH of one user: suspend, reinstate. Privileged users require a role; synced ones keep their state."""
    roles = set(require_directory(tenant, call, *_ENABLE))
    throttle(tenant)
    row, body = _found(tenant, key), read_json(call)
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
    row = _found(tenant, key)
    if row["userType"] != "Guest":
        row["_revoked"] = tenant.now()
    return json_reply(200, {"@odata.context": f"{call.base}/graph/v1.0/$metadata#Edm.Boolean", "value": True})


def send_mail(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer `sendMail`: the user of the path is the sender."""
    require_directory(tenant, call, *_SEND)
    throttle(tenant)
    sender, body = _found(tenant, key), read_json(call)
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


def member_of(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer `memberOf`: direct groups and directory roles of a user."""
    return _memberships(tenant, call, key, through_groups=False)


def transitive_member_of(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer `transitiveMemberOf`: including roles through a group."""
    return _memberships(tenant, call, key, through_groups=True)


def _memberships(tenant: Tenant, call: Call, key: str, *, through_groups: bool) -> Reply:
    roles = set(require_directory(tenant, call, *_MEMBERS))
    throttle(tenant)
    row = _found(tenant, key)
    names = list(row["_roles"])
    if through_groups:
        names += [role for group in row["_groups"] if (role := directory.GROUPS.get(group)) and role not in names]
    found = [_group(name) for name in row["_groups"]] + [_role(name) for name in names]
    if not any(set(choice) <= roles for choice in _ROLES):
        # Objects that the application cannot read have only type and id.
        found = [{name: row[name] if name in ("@odata.type", "id") else None for name in row} for row in found]
    return json_reply(200, odata.page(call, found, tenant.knobs.graph_page, "directoryObjects"))


def roles(tenant: Tenant, call: Call) -> Reply:
    """Answer `/v1.0/directoryRoles`."""
    require_directory(tenant, call, *_ROLES)
    throttle(tenant)
    found = [{name: value for name, value in _role(each).items() if name[0] != "@"} for each in directory.ROLES]
    return json_reply(200, odata.page(call, found, tenant.knobs.graph_page, "directoryRoles"))


def role_members(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer the members of a directory role, by its id or by `roleTemplateId=...`: users, and groups with that role."""
    require_directory(tenant, call, *_ROLES)
    throttle(tenant)
    template = key.partition("=")[2].strip("'") if key.startswith("roleTemplateId=") else ""
    name = next((each for each in directory.ROLES if key == directory.role_id(each)), None) or next(
        (each for each, known in directory.ROLES.items() if template == known), None
    )
    if name is None:
        raise _missing(key)
    people = [row for row in tenant.users if name in row["_roles"]]
    shown = [{"@odata.type": "#microsoft.graph.user", **odata.selected(call, row, _DEFAULT)} for row in people]
    shown += [_group(group) for group, role in directory.GROUPS.items() if role == name]
    return json_reply(200, odata.page(call, shown, tenant.knobs.graph_page, "directoryObjects"))


def group_members(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer the members of a group."""
    require_directory(tenant, call, *_DIRECTORY, ["GroupMember.Read.All"])
    throttle(tenant)
    name = next((each for each in directory.GROUPS if key == directory.group_id(each)), None)
    if name is None:
        raise _missing(key)
    people = [row for row in tenant.users if name in row["_groups"]]
    shown = [{"@odata.type": "#microsoft.graph.user", **odata.selected(call, row, _DEFAULT)} for row in people]
    return json_reply(200, odata.page(call, shown, tenant.knobs.graph_page, "directoryObjects"))


def _found(tenant: Tenant, key: str) -> Row:
    for row in tenant.users:
        if key.lower() in (row["id"], row["userPrincipalName"].lower()):
            return row
    raise _missing(key)


def _missing(key: str) -> Exception:
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


def _group(name: str) -> Row:
    shown = {"@odata.type": "#microsoft.graph.group", "id": directory.group_id(name), "displayName": name}
    return {**shown, "isAssignableToRole": bool(directory.GROUPS[name]) or None}


def _role(name: str) -> Row:
    shown = {"@odata.type": "#microsoft.graph.directoryRole", "id": directory.role_id(name), "displayName": name}
    return {**shown, "roleTemplateId": directory.ROLES[name]}


_USERS = "/graph/v1.0/users"
_ROLE = "/graph/v1.0/directoryRoles"
TABLE = Table(
    Route("GET", _USERS, users),
    Route("GET", "/graph/v1.0/me", me),
    Route("GET", f"{_USERS}/{{key}}", user),
    Route("PATCH", f"{_USERS}/{{key}}", update),
    Route("POST", f"{_USERS}/{{key}}/revokeSignInSessions", revoke),
    Route("POST", f"{_USERS}/{{key}}/sendMail", send_mail),
    Route("GET", f"{_USERS}/{{key}}/memberOf", member_of),
    Route("GET", f"{_USERS}/{{key}}/transitiveMemberOf", transitive_member_of),
    Route("GET", _ROLE, roles),
    Route("GET", f"{_ROLE}/{{key}}/members", role_members),
    Route("GET", f"{_ROLE}({{key}})/members", role_members),
    Route("GET", "/graph/v1.0/groups/{key}/members", group_members),
)
