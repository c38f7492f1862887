# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the secret the right one? Found out without a token, without a locked account.

See docs/facts/servicenow_platform.md#token-errors, docs/facts/servicenow_platform.md#sign-in-gates.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.reconcile import (
    CLOSED,
    MATCH,
    MISMATCH,
    UNKNOWN,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow import InstanceStore, ServiceNowClient
from tests.unit.plugins.module_utils.loopback import DROPPED, OK, Loopback, Received, Reply, answer, failure

ClientOf = Callable[..., ServiceNowClient]
INVALID_CLIENT = answer({"error": "invalid_client"}, 401)
ACCESS_DENIED = answer({"error_description": "access_denied", "error": "server_error"}, 401)
APPLICATION = {"sys_id": "a1", "client_id": "c1ient", "active": "true"}
ACCOUNT = {
    "sys_id": "u1", "user_name": "svc_defender", "active": "true", "locked_out": "false", "password_needs_reset": "false",
    "failed_attempts": "0", "web_service_access_only": "true",
}  # fmt: skip


@dataclass
class Door:
    """Plays sign-in: one client with its secret, one user with its password.

    `reports` is false where a wrong client secret is answered like a wrong refresh token; `basic` is false where Basic
    authentication is refused to everybody but `svc_ansible`.
    """

    reports: bool = True
    password_grant: bool = True
    basic: bool = True
    secret: str = "right-Secret-1"
    users: dict[str, str] = field(
        default_factory=lambda: {"svc_ansible": "Pass-word-1", "svc_defender": "right-Password-1"}
    )
    forms: list[dict[str, str]] = field(default_factory=list)
    failed_sign_ins: int = 0
    issued: int = 0

    def __call__(self, request: Received) -> Reply:
        if request.path == "/oauth_token.do":
            self.forms.append(request.form)
            return self._token(request.form)
        kind, _, proof = request.headers.get("authorization", " ").partition(" ")
        if kind == "Basic":
            name, _, password = base64.b64decode(proof).decode().partition(":")
            good = self._signs_in(name, password) and (self.basic or name == "svc_ansible")
            return OK if good else failure(401, "User Not Authenticated")
        return OK if kind == "Bearer" else failure(401, "User Not Authenticated")

    def _signs_in(self, name: str, password: str) -> bool:
        good = self.users.get(name) == password
        self.failed_sign_ins += not good
        return good

    def _token(self, form: dict[str, str]) -> Reply:
        if form.get("client_secret") != self.secret:
            return INVALID_CLIENT if self.reports else ACCESS_DENIED
        if form["grant_type"] != "password" or not self.password_grant:
            return ACCESS_DENIED
        if not self._signs_in(form["username"], form["password"]):
            return ACCESS_DENIED
        self.issued += 1
        return answer({"access_token": f"t0ken-{self.issued}", "expires_in": 1799})


@pytest.fixture
def door(server: Loopback) -> Door:
    made = Door()
    server.answers_by(made)
    return made


WAYS: dict[str, dict[str, Any]] = {
    "basic": {"snow_username": "svc_ansible", "snow_password": "Pass-word-1"},
    "password": {
        "snow_username": "svc_ansible", "snow_password": "Pass-word-1", "snow_client_id": "ours", "snow_client_secret": "right-Secret-1",
    },
    "client_credentials": {"snow_client_id": "ours", "snow_client_secret": "right-Secret-1"},
    "token": {"snow_access_token": "access-T0ken"},
}  # fmt: skip
ways = pytest.mark.parametrize("way", WAYS)


# -- client secrets -------------------------------------------------------------------------------------------------------


@ways
@pytest.mark.parametrize(("secret", "verdict"), [("right-Secret-1", MATCH), ("another-Secret", MISMATCH)])
def test_a_client_secret_is_verified_without_a_token(
    client_of: ClientOf, door: Door, context: TaskContext, way: str, secret: str, verdict: str
) -> None:
    context.check_mode = True
    assert InstanceStore(client_of(**WAYS[way])).verdict("client_secret", secret, APPLICATION) == verdict
    assert (door.issued, door.failed_sign_ins) == (0, 0)
    assert len(door.forms) <= 2
    assert context.calls.write == 0


def test_the_probe_calibrates_itself_with_a_secret_that_cannot_be_right(client_of: ClientOf, door: Door) -> None:
    InstanceStore(client_of(**WAYS["basic"])).verdict("client_secret", "right-Secret-1", APPLICATION)
    probe, calibration = door.forms
    assert {form["grant_type"] for form in door.forms} == {"refresh_token"}
    assert {form["client_id"] for form in door.forms} == {"c1ient"}
    assert probe["client_secret"] == "right-Secret-1"
    assert calibration["client_secret"] != probe["client_secret"]
    assert len(calibration["client_secret"]) >= 32
    assert all(len(form["refresh_token"]) >= 32 for form in door.forms)
    assert calibration["refresh_token"] != probe["refresh_token"]


@ways
@pytest.mark.parametrize("reports", [True, False])
@pytest.mark.parametrize("secret", ["right-Secret-1", "another-Secret"])
def test_a_refused_client_secret_is_found_with_one_request(
    client_of: ClientOf, door: Door, way: str, reports: bool, secret: str
) -> None:
    door.reports = reports
    store = InstanceStore(client_of(**WAYS[way]))
    refused = store.is_refused("client_secret", secret, APPLICATION)
    assert len(door.forms) == 1
    assert refused == (store.verdict("client_secret", secret, APPLICATION) == MISMATCH)
    assert refused == (reports and secret == "another-Secret")
    assert (door.issued if way == "token" else door.failed_sign_ins) == 0


@pytest.mark.parametrize(
    ("way", "secret", "verdict"),
    [
        ("basic", "right-Secret-1", MATCH),
        ("basic", "another-Secret", UNKNOWN),
        ("password", "right-Secret-1", MATCH),
        ("password", "another-Secret", UNKNOWN),
        ("token", "right-Secret-1", UNKNOWN),
        ("token", "another-Secret", UNKNOWN),
        ("client_credentials", "right-Secret-1", UNKNOWN),
    ],
)
def test_where_both_answers_are_alike_a_real_grant_decides_if_there_is_one(
    client_of: ClientOf, door: Door, way: str, secret: str, verdict: str
) -> None:
    door.reports = False
    assert InstanceStore(client_of(**WAYS[way])).verdict("client_secret", secret, APPLICATION) == verdict
    assert door.failed_sign_ins == 0, "only a password that is known to be right is used"


def test_a_refused_real_grant_proves_nothing(client_of: ClientOf, door: Door) -> None:
    door.reports = door.password_grant = False
    assert InstanceStore(client_of(**WAYS["basic"])).verdict("client_secret", "right-Secret-1", APPLICATION) == UNKNOWN


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ({**APPLICATION, "active": "false"}, CLOSED),
        ({"sys_id": "a1"}, UNKNOWN),
        ({**APPLICATION, "client_id": ""}, UNKNOWN),
    ],
)
def test_an_application_that_is_refused_anyway_is_not_tried(
    client_of: ClientOf, door: Door, row: dict[str, str], verdict: str
) -> None:
    # An inactive application is answered invalid_client with any secret
    # (docs/facts/servicenow_platform.md#related-oauth-tables).
    store = InstanceStore(client_of(**WAYS["basic"]))
    assert store.verdict("client_secret", "right-Secret-1", row) == verdict
    assert not store.is_refused("client_secret", "right-Secret-1", row)
    assert door.forms == []


def test_probed_secrets_are_secrets(client_of: ClientOf, door: Door, context: TaskContext) -> None:
    InstanceStore(client_of(**WAYS["basic"])).verdict("client_secret", "right-Secret-1", APPLICATION)
    for form in door.forms:
        assert form["client_secret"] not in context.redactor.scrub_text(form["client_secret"])


# -- passwords ------------------------------------------------------------------------------------------------------------


@ways
@pytest.mark.parametrize(("password", "verdict"), [("right-Password-1", MATCH), ("another-Password", MISMATCH)])
def test_a_password_of_a_web_service_account_is_verified_by_one_sign_in(
    client_of: ClientOf, door: Door, context: TaskContext, way: str, password: str, verdict: str
) -> None:
    context.check_mode = True
    assert InstanceStore(client_of(**WAYS[way])).verdict("password", password, ACCOUNT) == verdict
    assert door.failed_sign_ins == (verdict == MISMATCH)
    assert context.calls.write == 0


INTERACTIVE = {**ACCOUNT, "web_service_access_only": "false"}


@pytest.mark.parametrize(
    ("way", "basic", "password", "verdict"),
    [
        ("basic", True, "right-Password-1", MATCH),
        ("basic", True, "another-Password", UNKNOWN),
        ("basic", False, "right-Password-1", UNKNOWN),
        ("password", False, "right-Password-1", MATCH),
        ("password", False, "another-Password", MISMATCH),
        ("client_credentials", False, "right-Password-1", MATCH),
        ("client_credentials", False, "another-Password", UNKNOWN),
    ],
)
def test_a_password_of_an_interactive_account_is_not_called_wrong_for_another_reason(
    client_of: ClientOf, door: Door, way: str, basic: bool, password: str, verdict: str
) -> None:
    # The Basic restriction answers just like a wrong password (docs/facts/servicenow_platform.md#sign-in-gates).
    door.basic = basic
    assert InstanceStore(client_of(**WAYS[way])).verdict("password", password, INTERACTIVE) == verdict
    assert door.failed_sign_ins <= 1


def test_a_password_grant_that_is_switched_off_makes_no_password_wrong(client_of: ClientOf, door: Door) -> None:
    door.password_grant = False
    store = InstanceStore(client_of(**WAYS["client_credentials"]))
    assert store.verdict("password", "right-Password-1", INTERACTIVE) == UNKNOWN


@pytest.mark.parametrize(
    "state", [{"active": "false"}, {"locked_out": "true"}, {"password_needs_reset": "true"}], ids=str
)
def test_an_account_that_is_refused_anyway_is_not_tried(
    client_of: ClientOf, door: Door, server: Loopback, state: dict[str, str]
) -> None:
    assert (
        InstanceStore(client_of(**WAYS["basic"])).verdict("password", "right-Password-1", {**ACCOUNT, **state})
        == CLOSED
    )
    assert server.received == []


@pytest.mark.parametrize(
    ("failed", "written", "tried", "verdict"),
    [
        ("1", False, True, MISMATCH),
        ("2", False, False, MISMATCH),
        ("4", False, False, MISMATCH),
        ("1", True, True, MISMATCH),
        ("3", True, True, MISMATCH),
        ("4", True, False, UNKNOWN),
        ("", False, True, MISMATCH),
    ],
)
def test_no_account_is_locked_by_a_probe(
    client_of: ClientOf, door: Door, context: TaskContext, failed: str, written: bool, tried: bool, verdict: str
) -> None:
    # An account that others keep failing with holds another password than they think. After our own write the
    # password is most likely right, and a sign-in resets the count.
    context.calls.write = int(written)
    row = {**ACCOUNT, "failed_attempts": failed}
    assert InstanceStore(client_of(**WAYS["basic"])).verdict("password", "another-Password", row) == verdict
    assert door.failed_sign_ins == tried
    assert bool(context.warnings) == (not tried)
    assert all("failed sign-ins" in warning and "not tried" in warning for warning in context.warnings)


def test_a_name_that_basic_authentication_cannot_carry_is_not_tried(
    client_of: ClientOf, door: Door, server: Loopback
) -> None:
    row = {**ACCOUNT, "user_name": "svc:defender"}
    assert InstanceStore(client_of(**WAYS["basic"])).verdict("password", "right-Password-1", row) == UNKNOWN
    assert server.received == []


def test_a_client_certificate_that_opens_the_door_proves_no_password(
    client_of: ClientOf, door: Door, tmp_path: Any
) -> None:
    (tmp_path / "cert.pem").write_text("a certificate")
    store = InstanceStore(client_of(snow_client_cert=str(tmp_path / "cert.pem")))
    assert store.verdict("password", "right-Password-1", ACCOUNT) == UNKNOWN


def test_a_probe_leaves_our_own_sign_in_alone(client_of: ClientOf, door: Door, server: Loopback) -> None:
    store = InstanceStore(client_of(**WAYS["token"]))
    store.verdict("password", "another-Password", ACCOUNT)
    store.client.session.request("GET", "/api/now/table/sys_user")
    assert server.received[-1].headers["authorization"] == "Bearer access-T0ken"


def test_a_probe_that_breaks_leaves_our_own_sign_in_alone(client_of: ClientOf, server: Loopback) -> None:
    server.answers(DROPPED)
    store = InstanceStore(client_of(**WAYS["token"], retries=0))
    with pytest.raises(Exception, match="dropped"):
        store.verdict("password", "another-Password", ACCOUNT)
    server.answers(OK)
    store.client.session.request("GET", "/api/now/table/sys_user")
    assert server.received[-1].headers["authorization"] == "Bearer access-T0ken"
