# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight checks: the problems of a connection that follow from what was read of an instance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..engine.problem import ERROR, WARNING, Problem, errors_first
from ..engine.store import Account
from .account import WRITERS
from .release import DEFENDER_FOR_CLOUD_APPS, Release


@dataclass(frozen=True)
class BreakingProperty:
    """A property that breaks a connector when its value is `value`; `fallback` applies without a record."""

    name: str
    value: str
    fallback: str
    problem: Problem


# See docs/facts/servicenow_hardening.md#connection-impact, docs/facts/servicenow_platform.md#oauth-properties,
# docs/facts/servicenow_platform.md#sign-in-gates.
BREAKING = (
    BreakingProperty(
        "com.snc.platform.security.oauth.is.active", "false", "true",
        Problem("oauth_inactive", ERROR, "OAuth is switched off on the instance: no token is issued",
                "Set com.snc.platform.security.oauth.is.active to true"),
    ),
    BreakingProperty(
        "glide.oauth.inbound.ropc.grant_type.disabled", "true", "false",
        Problem("password_grant_disabled", ERROR, "The password grant is switched off: both Defender connectors sign in with it",
                "Set glide.oauth.inbound.ropc.grant_type.disabled to false"),
    ),
    BreakingProperty(
        "glide.authenticate.multifactor.for_integrations", "true", "false",
        Problem("multifactor_for_integrations", WARNING, "Multi-factor authentication is required of integrations: an enrolled account is refused",
                "Keep the connector's account out of enrolment, or set glide.authenticate.multifactor.for_integrations to false"),
    ),
    BreakingProperty(
        "glide.authenticate.api.user.reset_password.mandatory", "true", "false",
        Problem("password_reset_mandatory", WARNING, "An account whose password is to be reset is refused on the API",
                "Keep password_needs_reset of the connector's account false; snow_user does so"),
    ),
    BreakingProperty(
        "glide.authenticate.basic_auth.restriction.enforce", "true", "false",
        Problem("basic_auth_restricted", WARNING, "Basic authentication is refused to accounts that can sign in interactively",
                "Use OAuth, or accounts with web_service_access_only"),
    ),
    BreakingProperty(
        "glide.ip.authenticate.strict", "true", "false",
        Problem("address_restriction", WARNING, "Sign-in is restricted by network address",
                "Allow the addresses of Microsoft's data centres and of this controller in ip_access"),
    ),
    BreakingProperty(
        "glide.oauth.allow.parameters.in.post.body.only", "false", "true",
        Problem("token_parameters_in_url", WARNING, "Token requests may carry secrets in their URL, where logs keep them",
                "Set glide.oauth.allow.parameters.in.post.body.only to true"),
    ),
)  # fmt: skip
CAP = "glide.oauth.access_token.expire_in.system_max_seconds"
MIN_TOKEN_LIFESPAN = 3600
CHECKED_PROPERTIES = (*(entry.name for entry in BREAKING), CAP)
OAUTH_PLUGIN = "com.snc.platform.security.oauth"


@dataclass(frozen=True)
class Findings:
    """What was read of an instance for the checks."""

    release: Release
    account: Account | None
    properties: Mapping[str, str]
    plugins: Mapping[str, str]
    tables: Mapping[str, str]
    asked_plugins: tuple[str, ...] = ()


def problems(findings: Findings) -> list[Problem]:
    """Return every problem, errors first, and by id."""
    found = [*_release(findings), *_account(findings), *_settings(findings), *_parts(findings)]
    return errors_first(sorted(found, key=lambda problem: problem.id))


def _release(findings: Findings) -> Iterator[Problem]:
    release = findings.release
    if not release.family:
        yield Problem(
            "release_unknown", WARNING, "The release could not be read: the account sees none of the build properties",
            "Give the account read access to glide.war or glide.buildtag.last, or check the release manually",
        )  # fmt: skip
    elif release.family not in DEFENDER_FOR_CLOUD_APPS:
        yield Problem(
            "release_unsupported", WARNING,
            f"{release.family.capitalize()} is not among the releases that Microsoft supports for Defender for Cloud Apps "
            f"({DEFENDER_FOR_CLOUD_APPS[0].capitalize()} to {DEFENDER_FOR_CLOUD_APPS[-1].capitalize()})",
            "Expect the connector to work at your own risk, or ask Microsoft",
        )  # fmt: skip


def _account(findings: Findings) -> Iterator[Problem]:
    account = findings.account
    if account is None:
        yield Problem(
            "account_unknown", WARNING, "The calling account could not be read from sys_user",
            "Give the account a role that may read its own row in sys_user",
        )  # fmt: skip
    elif account.roles is None:
        yield Problem(
            "roles_unreadable", WARNING, f"The roles of {account.user_name} could not be read: reading sys_user_has_role requires itil or more",
            "Give the account itil, or check its roles manually",
        )  # fmt: skip
    else:
        if account.blocked_by:
            yield Problem(
                "account_read_only", WARNING, f"{account.user_name} has the role {account.blocked_by}, which blocks every write, with any other roles",
                "Remove that role from the account",
            )  # fmt: skip
        for table, problem_id in (("oauth_entity", "cannot_write_applications"), ("sys_user", "cannot_write_users")):
            if not account.roles & set(WRITERS[table]):
                yield Problem(
                    problem_id, WARNING, f"{account.user_name} has no role that may write {table}",
                    f"Give it one of {', '.join(WRITERS[table])}",
                )  # fmt: skip


def _settings(findings: Findings) -> Iterator[Problem]:
    for entry in BREAKING:
        if findings.properties.get(entry.name, entry.fallback).strip().lower() == entry.value:
            yield entry.problem
    cap = findings.properties.get(CAP, "").strip()
    if cap.isdigit() and int(cap) < MIN_TOKEN_LIFESPAN:
        yield Problem(
            "access_token_capped", ERROR,
            f"Access tokens live for at most {cap} s on the instance; the connector needs {MIN_TOKEN_LIFESPAN} s",
            f"Raise {CAP} to {MIN_TOKEN_LIFESPAN} or more",
        )  # fmt: skip


def _parts(findings: Findings) -> Iterator[Problem]:
    if findings.plugins.get(OAUTH_PLUGIN) == "inactive":
        yield Problem("oauth_plugin_inactive", ERROR, "The OAuth 2.0 plug-in is not active", f"Activate {OAUTH_PLUGIN}")
    for plugin in findings.asked_plugins:
        if plugin != OAUTH_PLUGIN and findings.plugins.get(plugin) == "inactive":
            yield Problem(
                f"plugin_inactive:{plugin}", ERROR, f"The plug-in {plugin} is not active", f"Activate {plugin}"
            )
        elif plugin != OAUTH_PLUGIN and findings.plugins.get(plugin) == "unknown":
            yield Problem(
                f"plugin_unknown:{plugin}",
                WARNING,
                f"Whether the plug-in {plugin} is active is unknown: the account may not read v_plugin and sys_plugins",
                "Give the account a role with read access, or check the plug-in manually",
            )
    for table, state in findings.tables.items():
        if state == "absent":
            yield Problem(
                f"table_absent:{table}",
                ERROR,
                f"The table {table} does not exist",
                "Activate the plug-in or application that provides it",
            )
        elif state == "refused":
            yield Problem(
                f"table_refused:{table}",
                WARNING,
                f"The account may not read {table}",
                "Give the account a role with read access",
            )
