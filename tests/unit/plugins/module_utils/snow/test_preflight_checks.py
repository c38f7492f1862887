# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a connection from working, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.reconcile import Account
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.preflight_checks import Findings, problems
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.release import Release

FINE = Findings(
    release=Release("zurich", "patch2", "glide-zurich-07-01-2025__patch2"),
    account=Account("svc_ansible", frozenset({"admin"})),
    properties={},
    plugins={"com.snc.platform.security.oauth": "active"},
    tables={"sys_user": "readable", "incident": "empty"},
)


def found(findings: Findings = FINE, **changed: Any) -> dict[str, dict[str, Any]]:
    """Return the problems by id."""
    return {problem.id: problem.as_dict() for problem in problems(replace(findings, **changed))}


def test_an_instance_as_it_should_be_has_none() -> None:
    assert problems(FINE) == []


@pytest.mark.parametrize(
    ("properties", "problem", "severity"),
    [
        ({"com.snc.platform.security.oauth.is.active": "false"}, "oauth_inactive", "error"),
        ({"glide.oauth.inbound.ropc.grant_type.disabled": "true"}, "password_grant_disabled", "error"),
        ({"glide.authenticate.multifactor.for_integrations": "true"}, "multifactor_for_integrations", "warning"),
        ({"glide.authenticate.api.user.reset_password.mandatory": "true"}, "password_reset_mandatory", "warning"),
        ({"glide.authenticate.basic_auth.restriction.enforce": "true"}, "basic_auth_restricted", "warning"),
        ({"glide.ip.authenticate.strict": " TRUE "}, "address_restriction", "warning"),
        ({"glide.oauth.allow.parameters.in.post.body.only": "false"}, "token_parameters_in_url", "warning"),
        ({"glide.oauth.access_token.expire_in.system_max_seconds": "1800"}, "access_token_capped", "error"),
    ],
)
def test_a_property_that_breaks_a_connector_is_a_problem(
    properties: Mapping[str, str], problem: str, severity: str
) -> None:
    (only,) = found(properties=properties).values()
    (name,) = properties
    assert (only["id"], only["severity"]) == (problem, severity)
    assert only["message"]
    assert only["remedy"]
    assert name in only["remedy"] or problem in (
        "basic_auth_restricted",
        "address_restriction",
        "password_reset_mandatory",
    )


@pytest.mark.parametrize(
    "properties",
    [
        {"com.snc.platform.security.oauth.is.active": "true"},
        {"glide.oauth.inbound.ropc.grant_type.disabled": "false"},
        {"glide.oauth.access_token.expire_in.system_max_seconds": "3600"},
        {"glide.oauth.access_token.expire_in.system_max_seconds": ""},
        {"glide.oauth.access_token.expire_in.system_max_seconds": "unlimited"},
    ],
)
def test_a_property_that_is_as_it_should_be_is_none(properties: Mapping[str, str]) -> None:
    assert found(properties=properties) == {}


@pytest.mark.parametrize(
    ("family", "problem"),
    [
        ("", "release_unknown"),
        ("brazil", "release_unsupported"),
        ("dublin", "release_unsupported"),
        ("canada", "release_unsupported"),
        ("eureka", None),
        ("australia", None),
    ],
)
def test_a_release_is_supported_unsupported_or_unknown(family: str, problem: str | None) -> None:
    assert list(found(release=Release(family))) == ([problem] if problem else [])


def test_an_unsupported_release_is_named_with_what_is_supported() -> None:
    message = found(release=Release("brazil"))["release_unsupported"]["message"]
    assert "Brazil" in message
    assert "Eureka to Australia" in message


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        (None, ["account_unknown"]),
        (Account("svc_ansible", None), ["roles_unreadable"]),
        (Account("svc_ansible", frozenset({"itil"})), ["cannot_write_applications", "cannot_write_users"]),
        (Account("svc_ansible", frozenset({"oauth_admin"})), ["cannot_write_users"]),
        (Account("svc_ansible", frozenset({"mi_admin", "user_admin"})), []),
        (Account("svc_ansible", frozenset({"admin", "snc_read_only"}), "snc_read_only"), ["account_read_only"]),
    ],
)
def test_what_the_account_may_not_do_is_reported(account: Account | None, expected: list[str]) -> None:
    assert sorted(found(account=account)) == expected


@pytest.mark.parametrize(
    ("plugins", "asked", "expected"),
    [
        ({"com.snc.platform.security.oauth": "inactive"}, (), ["oauth_plugin_inactive"]),
        ({"com.snc.platform.security.oauth": "unknown"}, (), []),
        ({"com.x": "inactive"}, ("com.x",), ["plugin_inactive:com.x"]),
        ({"com.x": "unknown"}, ("com.x",), ["plugin_unknown:com.x"]),
        ({"com.x": "active"}, ("com.x",), []),
        (
            {"com.snc.platform.security.oauth": "inactive"},
            ("com.snc.platform.security.oauth",),
            ["oauth_plugin_inactive"],
        ),
    ],
)
def test_missing_plugins_are_reported_and_unknown_ones_not_guessed(
    plugins: Mapping[str, str], asked: tuple[str, ...], expected: list[str]
) -> None:
    assert list(found(plugins=plugins, asked_plugins=asked)) == expected


@pytest.mark.parametrize(
    ("state", "problem", "severity"),
    [
        ("absent", "table_absent:u_x", "error"),
        ("refused", "table_refused:u_x", "warning"),
        ("empty", None, ""),
        ("readable", None, ""),
    ],
)
def test_tables_that_cannot_be_read_are_reported(state: str, problem: str | None, severity: str) -> None:
    reported = found(tables={"u_x": state})
    assert list(reported) == ([problem] if problem else [])
    assert all(entry["severity"] == severity and "u_x" in entry["message"] for entry in reported.values())


def test_errors_come_first() -> None:
    order = problems(
        replace(
            FINE,
            release=Release(),
            account=None,
            properties={"com.snc.platform.security.oauth.is.active": "false"},
            tables={"a": "refused", "b": "absent"},
        )
    )
    reported = [problem.as_dict() for problem in order]
    assert [entry["severity"] for entry in reported] == ["error", "error", "warning", "warning", "warning"]
    assert all(set(entry) == {"id", "severity", "message", "remedy"} for entry in reported)
    assert len({entry["id"] for entry in reported}) == len(reported)
