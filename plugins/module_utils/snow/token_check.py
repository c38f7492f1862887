# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifies that a client and a user get a token, and that the API accepts it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..ansible_module import Params, TaskContext
from ..engine.errors import EngineError
from ..engine.snapshot import Row
from ..transport.errors import BadConnectionOption, TransportError
from ..transport.paged_list import checked_rows
from ..transport.responses import Response
from ..transport.session import Session
from .auth import WIRE_GRANT, FixedSigner, ask_for_token, basic_header, likely_causes
from .client import ServiceNowClient, open_session, short_name
from .oauth_application_info import oauth_applications, summary
from .query import TableQuery, any_of, encoded

EXPLAINING_PROPERTIES = (
    "com.snc.platform.security.oauth.is.active",
    "glide.oauth.inbound.ropc.grant_type.disabled",
    "glide.oauth.inbound.client.credential.grant_type.enabled",
    "glide.authenticate.multifactor.for_integrations",
    "glide.authenticate.api.user.reset_password.mandatory",
)
USERS = "sys_user"
# What shows that an account may use the Table API.
PROBED = TableQuery(USERS, "", ("sys_id",), limit=1)
BASIC = "basic"


def verify_token(params: Params, context: TaskContext) -> dict[str, Any]:
    """Check the client and user of a task; with `fail_on_unverified`, raise `EngineError` when they get no usable token."""
    explainer: ServiceNowClient | None = None
    # Without an account the check works too; it then reports the documented causes.
    with suppress(BadConnectionOption):
        explainer = ServiceNowClient.from_params(params, context)
    for option in ("client_secret", "password"):
        context.redactor.add(params.get(option))
    basic = params["grant_type"] == BASIC
    params = {**params, "client_id": "" if basic else params["client_id"] or _client_id(params, context)}
    session = open_session(params, context)
    report = check_token(session, params, explainer)
    user = params["grant_type"] != "client_credentials" and params.get("username")
    who = " with ".join([f"client {params['client_id']}"] * (not basic) + [f"user {user}"] * bool(user))
    may, may_not = (
        ("may use the API", "may not use the API") if basic else
        ("gets a token that may use the API", "does not get a token that may use the API")
    )  # fmt: skip
    msg = f"{short_name(session.base_url)}: {who} {may}"
    if not report["verified"]:
        causes = f". Likely causes: {'; '.join(report['likely_causes'])}" if report["likely_causes"] else ""
        msg = f"{short_name(session.base_url)}: {who} {may_not}. {report['answer']}{causes}"
        if params["fail_on_unverified"]:
            raise EngineError(msg, report)
    return {"msg": msg, **report}


def _client_id(params: Params, context: TaskContext) -> str:
    """Return the client id of the application that a task names; raise `EngineError` unless exactly one has the name."""
    client, name = ServiceNowClient.from_params(params, context), params["application"]
    found = oauth_applications(client, name)
    if len(found) != 1:
        raise EngineError(summary(client.name, [name], found))
    return str(found[0].get("client_id", ""))


def check_token(session: Session, params: Mapping[str, Any], explainer: ServiceNowClient | None) -> dict[str, Any]:
    """Ask for a token and call the Table API with it.

    Returns `verified`, `expires_in` (seconds), `refresh_token_issued`, `api_access`, `row_read`, `likely_causes`.
    `explainer` is a client with an administrator's account: with one, causes are looked up instead of guessed. With grant
    `basic` there is no token: the API is called with user name and password.
    """
    report: dict[str, Any] = {
        "verified": False, "expires_in": 0, "refresh_token_issued": False, "api_access": False, "row_read": False, "likely_causes": [], "answer": "",
    }  # fmt: skip
    if params["grant_type"] == BASIC:
        session.signer = FixedSigner(basic_header(str(params["username"]), str(params["password"])))
        return {**report, **_use(session, params, explainer)}
    form = {
        "grant_type": WIRE_GRANT[params["grant_type"]],
        "client_id": params["client_id"],
        "client_secret": params["client_secret"],
    }
    if params["grant_type"] == "password":
        form |= {"username": params["username"], "password": params["password"]}
    answer = ask_for_token(session, form)
    data = answer.data if isinstance(answer.data, Mapping) else {}
    issued = answer.status == 200 and bool(data.get("access_token"))
    report |= {
        "expires_in": _seconds(data.get("expires_in")) if issued else 0,
        "refresh_token_issued": issued and bool(data.get("refresh_token")),
        "answer": "" if issued else str(answer.error(session.caller.redactor.scrub_text)),
    }
    if not issued:
        report["likely_causes"] = _looked_up_causes(explainer, params, answer) or list(likely_causes(answer))
        return report
    session.signer = FixedSigner({"Authorization": f"Bearer {data['access_token']}"})
    return {**report, **_use(session, params, None)}


def _use(session: Session, params: Mapping[str, Any], explainer: ServiceNowClient | None) -> dict[str, Any]:
    """Return what a call of the Table API shows, as the part of the report about it."""
    table = params.get("table") or USERS
    # Of users, an account without any role reads its own row: of two rows, one is another one.
    probed = (
        TableQuery(USERS, "", ("sys_id", "user_name"), limit=2)
        if table == USERS
        else TableQuery(table, "", ("sys_id",), limit=1)
    )
    used = session.request("GET", probed.path, query=probed.parameters, accept_errors=True)
    if used.status < 400:
        found = used.data.get("result") if isinstance(used.data, Mapping) else None
        rows = checked_rows(found, f"{used.method} {used.path} -> {used.status}")
        own = str(params.get("username") or "") if table == USERS else ""
        return {"api_access": True, "verified": True, "row_read": any(row.get("user_name") != own for row in rows)}
    causes = _looked_up_causes(explainer, params, used) if used.status == 401 else []
    return {
        "answer": str(used.error(session.caller.redactor.scrub_text)),
        "likely_causes": causes or [_api_cause(used)],
    }


def _seconds(value: Any) -> int:
    text = str(value)
    return int(float(text)) if text.replace(".", "", 1).isdigit() else 0


def _api_cause(answer: Response) -> str:
    words = str(answer.error()).lower()
    if "scope" in words:
        return "the application is restricted to scopes that do not cover the API; make it broadly scoped"
    if answer.status == 401:
        return "an access policy of the instance does not accept tokens of this kind"
    return "the account lacks the role that the API requires, such as snc_platform_rest_api_access"


def _looked_up_causes(explainer: ServiceNowClient | None, params: Mapping[str, Any], answer: Response) -> list[str]:
    """Return the causes that records of the instance show."""
    if explainer is None:
        return []
    queries = [
        TableQuery(
            "oauth_entity",
            encoded({"client_id": params["client_id"]}),
            ("sys_id", "client_id", "name", "active", "user"),
            optional=True,
        ),
        TableQuery("sys_properties", any_of("name", EXPLAINING_PROPERTIES), ("name", "value"), optional=True),
    ]
    user_name = params.get("username") if params["grant_type"] in ("password", BASIC) else None
    if user_name:
        columns = ("sys_id", "user_name", "active", "locked_out", "password_needs_reset")
        queries.append(TableQuery("sys_user", encoded({"user_name": user_name}), columns, optional=True))
    try:
        answers = explainer.query(queries)
    except TransportError:
        return []
    applications = [row for row in answers[0].rows if row.get("client_id") == params["client_id"]]
    values = {row.get("name", ""): row.get("value", "").strip().lower() for row in answers[1].rows}
    causes = [] if params["grant_type"] == BASIC else _application_causes(applications, answers[0].refused, params)
    causes += _property_causes(values, params["grant_type"])
    if user_name:
        causes += _user_causes([row for row in answers[2].rows if row.get("user_name") == user_name], user_name, values)
    if not causes:
        # The platform checks the client before the user.
        refused_client = isinstance(answer.data, Mapping) and answer.data.get("error") == "invalid_client"
        causes = ["the client secret is wrong"] if refused_client or not user_name else ["the password is wrong"]
    return causes


def _application_causes(rows: list[Row], refused: str, params: Mapping[str, Any]) -> list[str]:
    if refused:
        return []
    if not rows:
        return [f"no application has the client id {params['client_id']}, or the calling account may not see it"]
    causes = [f"the application {row.get('name')} is inactive" for row in rows if row.get("active") == "false"]
    if params["grant_type"] == "client_credentials":
        causes += [
            f"the application {row.get('name')} has no OAuth application user"
            for row in rows
            if not row.get("user", "x")
        ]
    return causes


def _property_causes(values: Mapping[str, str], grant: str) -> list[str]:
    causes = []
    if grant != BASIC and values.get("com.snc.platform.security.oauth.is.active") == "false":
        causes.append("OAuth is switched off (com.snc.platform.security.oauth.is.active)")
    if grant == "password" and values.get("glide.oauth.inbound.ropc.grant_type.disabled") == "true":
        causes.append("the password grant is switched off (glide.oauth.inbound.ropc.grant_type.disabled)")
    if (
        grant == "client_credentials"
        and values.get("glide.oauth.inbound.client.credential.grant_type.enabled") != "true"
    ):
        causes.append(
            "the client credentials grant is off until glide.oauth.inbound.client.credential.grant_type.enabled is true"
        )
    return causes


def _user_causes(rows: list[Row], user_name: str, values: Mapping[str, str]) -> list[str]:
    if not rows:
        return [f"no user is called {user_name}, or the calling account may not see it"]
    row = rows[0]
    causes = []
    if row.get("active") == "false":
        causes.append(f"{user_name} is inactive")
    if row.get("locked_out") == "true":
        causes.append(f"{user_name} is locked out")
    if row.get("password_needs_reset") == "true":
        causes.append(f"{user_name} has to reset the password first")
    if values.get("glide.authenticate.multifactor.for_integrations") == "true":
        causes.append(
            "multi-factor authentication is demanded of integrations (glide.authenticate.multifactor.for_integrations)"
        )
    return causes
