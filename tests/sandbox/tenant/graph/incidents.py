# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph: incidents and alerts of Microsoft Defender (docs/facts/microsoft_graph.md#alerts-and-incidents)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ...web import Call, Reply, json_reply
from ..errors import graph_error
from ..routes import Route, Table
from ..secure_score.scores import read_json
from ..state import Row, Tenant
from . import odata
from .permissions import require_security, throttle

_STATES = {"incidents": ("active", "resolved", "inProgress"), "alerts_v2": ("new", "inProgress", "resolved")}
_CLASSES = ("unknown", "falsePositive", "truePositive", "informationalExpectedActivity")
_DETERMINATIONS = (
    *("unknown", "apt", "malware", "securityPersonnel", "securityTesting", "unwantedSoftware", "other"),
    *("multiStagedAttack", "compromisedAccount", "phishing", "maliciousUserActivity", "notMalicious"),
    *("notEnoughDataToValidate", "confirmedActivity", "lineOfBusinessApplication"),
    *("compromisedUser", "clean", "insufficientData", "confirmedUserActivity"),
)
_WRITABLE = {
    "incidents": (
        *("status", "assignedTo", "classification", "determination", "customTags", "displayName", "description"),
        *("severity", "resolvingComment", "summary"),
    ),
    "alerts_v2": ("status", "assignedTo", "classification", "determination", "customDetails"),
}
_ROLES = {"incidents": "SecurityIncident", "alerts_v2": "SecurityAlert"}
_CONTEXT = "https://graph.microsoft.com/v1.0/$metadata#security"
_MAX_PAGE = {"incidents": 50, "alerts_v2": 2000}


def _allowed(tenant: Tenant, call: Call, kind: str, *, writes: bool = False) -> None:
    wanted = (
        [f"{_ROLES[kind]}.ReadWrite.All"]
        if writes
        else [f"{_ROLES[kind]}.{each}.All" for each in ("Read", "ReadWrite")]
    )
    require_security(tenant, call, *wanted)
    throttle(tenant)


def _rows(tenant: Tenant, kind: str) -> list[Row]:
    return tenant.incidents if kind == "incidents" else tenant.defender_alerts


def _shown(tenant: Tenant, call: Call, kind: str, row: Row) -> Row:
    shown = {name: value for name, value in row.items() if name != "_id"}
    if kind == "incidents" and "alerts" in call.query.get("$expand", ""):
        related = [each for each in tenant.defender_alerts if each["incidentId"] == row["id"]]
        shown["alerts"] = [_shown(tenant, call, "alerts_v2", each) for each in related]
    names = [name.strip() for name in call.query.get("$select", "").split(",") if name.strip()]
    return {name: shown[name] for name in (*names, "alerts") if name in shown} if names else shown


def _found(tenant: Tenant, kind: str, key: str) -> Row:
    for row in _rows(tenant, kind):
        if row["id"] == key:
            return row
    raise graph_error(404, "NotFound", f"No resource was found with the id '{key}'.")


def _list(kind: str) -> Callable[..., Reply]:
    def answer(tenant: Tenant, call: Call) -> Reply:
        _allowed(tenant, call, kind)
        size = min(tenant.knobs.graph_page, _MAX_PAGE[kind])
        content = odata.page(call, _rows(tenant, kind), size, f"security/{kind}")
        content["value"] = [_shown(tenant, call, kind, row) for row in content["value"]]
        return json_reply(200, content)

    return answer


def _get(kind: str) -> Callable[..., Reply]:
    def answer(tenant: Tenant, call: Call, key: str) -> Reply:
        _allowed(tenant, call, kind)
        shown = _shown(tenant, call, kind, _found(tenant, kind, key))
        return json_reply(200, {"@odata.context": f"{_CONTEXT}/{kind}/$entity", **shown})

    return answer


def _update(kind: str) -> Callable[..., Reply]:
    def answer(tenant: Tenant, call: Call, key: str) -> Reply:
        _allowed(tenant, call, kind, writes=True)
        row = _found(tenant, kind, key)
        sent = odata.without_annotations(read_json(call))
        unknown = sorted(set(sent) - set(_WRITABLE[kind]))
        if unknown or not sent:
            raise graph_error(400, "BadRequest", f"The property '{', '.join(unknown)}' cannot be updated.")
        _check_choice(sent, "status", _STATES[kind])
        _check_choice(sent, "classification", _CLASSES)
        _check_choice(sent, "determination", _DETERMINATIONS)
        row.update(sent)
        _touch(tenant, row)
        return json_reply(200, {"@odata.context": f"{_CONTEXT}/{kind}/$entity", **_shown(tenant, call, kind, row)})

    return answer


def _check_choice(sent: Row, name: str, choices: tuple[str, ...]) -> None:
    if sent.get(name) is not None and sent[name] not in choices:
        raise graph_error(400, "BadRequest", f"Requested value '{sent[name]}' was not found.")


def _comment(kind: str) -> Callable[..., Reply]:
    def answer(tenant: Tenant, call: Call, key: str) -> Reply:
        _allowed(tenant, call, kind, writes=True)
        row, text = _found(tenant, kind, key), _comment_of(call)
        comment = {
            "@odata.type": "#microsoft.graph.security.alertComment",
            "comment": text,
            "createdByDisplayName": "API-Automation",
            "createdDateTime": odata.moment(tenant.now()),
        }
        row["comments"] = [*row["comments"], comment]
        _touch(tenant, row)
        context = f"{_CONTEXT}/{kind}('{key}')/comments"
        return json_reply(200, {"@odata.context": context, "value": row["comments"]})

    return answer


def _comment_of(call: Call) -> str:
    """The text of a comment; SDKs send the list of comments, the examples one comment."""
    try:
        content: Any = json.loads(call.body)
    except ValueError:
        content = None
    first = content[0] if isinstance(content, list) and content else content
    text = first.get("comment") if isinstance(first, dict) else None
    if not isinstance(text, str) or not text:
        raise graph_error(400, "BadRequest", "The comment is missing.")
    return text


def _touch(tenant: Tenant, row: Row) -> None:
    row["lastUpdateDateTime"] = odata.moment(tenant.now())


def _routes(kind: str) -> tuple[Route, ...]:
    path = f"/graph/v1.0/security/{kind}"
    return (
        Route("GET", path, _list(kind)),
        Route("GET", f"{path}/{{key}}", _get(kind)),
        Route("PATCH", f"{path}/{{key}}", _update(kind)),
        Route("POST", f"{path}/{{key}}/comments", _comment(kind)),
    )


TABLE = Table(*_routes("incidents"), *_routes("alerts_v2"))
