# SPDX-License-Identifier: GPL-3.0-or-later
"""Hardening settings of an instance: shipped values and refused writes.

See docs/facts/servicenow_hardening.md#secure-score-controls,
docs/facts/servicenow_hardening.md#who-may-write-a-setting, docs/facts/servicenow_hardening.md#hardening-catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.unit.sandbox.client import JSON, RestClient, error_of

Make = Callable[..., RestClient]
PROPERTIES = "sys_properties"
DENIED = "ACL Exception Update Failed due to security constraints"
SCORED = [
    "glide.authenticate.multifactor",
    "glide.basicauth.required.jsonv2",
    "glide.basicauth.required.soap",
    "glide.basicauth.required.unl",
    "glide.basicauth.required.scriptedprocessor",
    "glide.ui.concourse.onmessage_enforce_same_origin",
    "glide.enable.password_policy",
    "glide.http.cache_control",
    "glide.login.no_blank_password",
    "glide.script.ccsi.ispublic",
    "glide.script.secure.ajaxgliderecord",
    "glide.script.use.sandbox",
    "glide.sm.default_mode",
    "glide.soap.require_content_type_xml",
    "glide.soap.strict_security",
    "glide.ui.session_timeout",
    "glide.security.use_csrf_token",
    "glide.ui.user_cookie.max_life_span_in_days",
]


def names(instance: RestClient, query: str) -> set[str]:
    return {row["name"] for row in instance.rows(PROPERTIES, query)}


def write(instance: RestClient, name: str, value: str) -> requests.Response:
    row = instance.row(PROPERTIES, f"name={name}")
    return instance.table(PROPERTIES, row["sys_id"], method="PATCH", body={"value": value})


def make_property(instance: RestClient, name: str, value: str) -> requests.Response:
    return instance.table(PROPERTIES, method="POST", body={"name": name, "value": value, "type": "boolean"})


@pytest.mark.parametrize(
    ("release", "gone"),
    [
        ("xanadu", set()),
        ("yokohama", set()),
        ("zurich", {"glide.script.use.sandbox"}),
        ("australia", {"glide.script.use.sandbox", "glide.login.no_blank_password"}),
        ("brazil", {"glide.script.use.sandbox", "glide.login.no_blank_password"}),
    ],
)
def test_a_release_has_rows_for_the_scored_settings_it_supports(make: Make, release: str, gone: set[str]) -> None:
    assert set(SCORED) - names(make(release=release), f"nameIN{','.join(SCORED)}") == gone


@pytest.mark.parametrize(
    ("name", "first"),
    [("glide.audit.track_impersonation", "australia"), ("angular.jsonp.inclusion_list.enabled", "zurich")],
)
def test_a_setting_has_no_row_before_its_first_release(make: Make, name: str, first: str) -> None:
    releases = ["xanadu", "yokohama", "zurich", "australia"]
    present = [bool(names(make(release=release), f"name={name}")) for release in releases]
    assert present == [releases.index(release) >= releases.index(first) for release in releases]


def test_a_setting_row_has_type_description_roles_and_flags(instance: RestClient) -> None:
    row = instance.row(PROPERTIES, "name=glide.basicauth.required.csv")
    assert row["description"] and (row["type"], row["value"], row["write_roles"]) == (
        *("boolean", "false"),
        "security_admin",
    )
    assert {name: row[name] for name in ("is_private", "ignore_cache", "read_roles")} == {
        "is_private": "false",
        "ignore_cache": "false",
        "read_roles": "",
    }


def test_a_setting_without_a_published_value_has_no_row(instance: RestClient) -> None:
    assert names(instance, "nameINglide.pop3.process_locked_out,glide.sso.acr.enabled") == set()


def test_a_locked_property_can_neither_be_set_nor_created(instance: RestClient) -> None:
    assert error_of(write(instance, "glide.ui.escape_text", "true"))[2] == DENIED
    name = "glide.ui.escape_text"
    instance.sandbox.tamper(instance.name, PROPERTIES, {}, match={"name": name}, delete=True)
    status, message, detail = error_of(make_property(instance, name, "true"))
    assert (status, message) == (403, "Operation Failed") and "Prevent changes of locked properties" in detail


def test_an_irreversible_property_changes_once_and_no_more(instance: RestClient) -> None:
    name = "glide.enable.password_policy"
    assert write(instance, name, "true").status_code == 200
    status, _, detail = error_of(write(instance, name, "false"))
    assert status == 403 and "Prevent changes of safe harbor properties" in detail
    # The same value again is no change; another column may change.
    row = instance.row(PROPERTIES, f"name={name}")
    assert instance.update(PROPERTIES, row["sys_id"], {"value": "true", "is_private": "true"})["is_private"] == "true"
    assert instance.table(PROPERTIES, row["sys_id"], method="DELETE").status_code == 403


def test_a_created_irreversible_property_cannot_be_changed(instance: RestClient) -> None:
    name = "glide.cs.unknown"
    assert make_property(instance, name, "true").status_code == 201
    assert write(instance, name, "false").status_code == 200
    name = "glide.update_set.remote.check_host"
    assert make_property(instance, name, "true").status_code == 201
    assert write(instance, name, "false").status_code == 403


def test_out_of_band_drift_does_not_lock_an_irreversible_property(instance: RestClient) -> None:
    match = {"name": "glide.script.ccsi.ispublic"}
    instance.sandbox.tamper(instance.name, PROPERTIES, {"value": "maybe"}, match=match)
    assert write(instance, match["name"], "false").status_code == 200


def test_the_knob_allows_irreversible_properties_to_change_back(make: Make) -> None:
    instance = make(irreversible="open")
    assert write(instance, "glide.enable.password_policy", "true").status_code == 200
    assert write(instance, "glide.enable.password_policy", "false").status_code == 200


def test_a_property_of_another_application_is_refused_even_to_an_administrator(make: Make) -> None:
    instance = make(applications=["sn_hr_core", "generative_ai"], release="australia")
    row = instance.row(PROPERTIES, "name=sn_hr_core.impersonateCheck", sysparm_display_value="all")
    assert row["sys_scope"]["display_value"] == "sn_hr_core"
    assert error_of(write(instance, "sn_hr_core.impersonateCheck", "true"))[2] == DENIED
    assert write(instance, "glide.enforce_security_scope.sn_hr_core", "false").status_code == 200
    assert instance.rows("sys_store_app", "scope=sn_hr_core") and instance.rows("sys_store_app", "scope=sn_aia")
    instance.sandbox.turn(instance.name, scoped_writes="allowed")
    assert write(instance, "sn_hr_core.impersonateCheck", "true").status_code == 200
    assert names(make(), "nameSTARTSWITHsn_hr_core") == set()


def test_a_hidden_row_is_counted_but_never_returned(make: Make) -> None:
    instance = make(hidden_properties=["glide.ui.session_timeout"])
    answer = instance.table(PROPERTIES, sysparm_query="name=glide.ui.session_timeout")
    assert (answer.json()["result"], answer.headers["X-Total-Count"]) == ([], "1")
    assert make_property(instance, "glide.ui.session_timeout", "5").status_code == 403


def test_rows_that_hold_scored_records(instance: RestClient) -> None:
    ids = {row["sys_id"]: row["active"] for row in instance.rows("sysevent_script_action")}
    lockout, unlock = "5e44f9bf0a0a0a0a019a6440b2137767", "d92636b2975301008e00958e3b297567"
    assert ids[lockout] == ids[unlock] == "false"
    assert instance.update("sysevent_script_action", lockout, {"active": "true"})["active"] == "true"
    assert instance.row("multi_factor_criteria", "sys_id=d427668b73003300fdbd04fbc4f6a7b6")["active"] == "false"
    assert instance.row("sys_public", "sys_id=04b1905473222300e985658b4cf6a7ef")["active"] == "true"
    policy = instance.row("password_policy", "")
    assert (policy["minimum_password_length"], policy["maximum_password_length"]) == ("8", "100")
    assert instance.rows("ip_access") == []


def session(instance: RestClient, user: str, password: str) -> tuple[dict[str, str], str]:
    """The cookies of an API session and the token of its pages."""
    signed_in = instance.as_user(user, password).call("GET", "api/now/ui/user/current_user")
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in signed_in.cookies.items())}
    answer = instance.anonymous().call("GET", "navpage.do", headers=cookies)
    return cookies, answer.text.partition("g_ck = '")[2].partition("'")[0]


def raise_role(instance: RestClient, cookies: dict[str, str], token: str) -> requests.Response:
    headers = {**JSON, **cookies, "X-UserToken": token}
    return instance.anonymous().call(
        "POST", "api/now/ui/impersonate/role", headers=headers, json={"roles": "security_admin"}
    )


def elevated_write(instance: RestClient, cookies: dict[str, str], name: str, value: str) -> requests.Response:
    row = instance.row(PROPERTIES, f"name={name}")
    path = f"api/now/table/{PROPERTIES}/{row['sys_id']}"
    return instance.anonymous().call("PATCH", path, headers={**JSON, **cookies}, json={"value": value})


def test_the_elevation_endpoint_is_closed_unless_the_knob_opens_it(instance: RestClient) -> None:
    cookies, token = session(instance, "admin", instance.access.admin_password)
    assert token == ""
    assert raise_role(instance, cookies, token).status_code == 400


def test_only_an_elevated_session_writes_protected_rows(make: Make) -> None:
    instance = make(elevation=True)
    cookies, token = session(instance, "admin", instance.access.admin_password)
    name = "glide.basicauth.required.scriptedprocessor"
    assert elevated_write(instance, cookies, name, "true").status_code == 403
    assert raise_role(instance, cookies, "wrong").status_code == 401
    assert raise_role(instance, cookies, token).status_code == 200
    assert elevated_write(instance, cookies, name, "true").json()["result"]["value"] == "true"
    assert elevated_write(instance, cookies, "glide.ui.escape_text", "true").status_code == 403
    # The role is limited to that session.
    admin = instance.as_user("admin", instance.access.admin_password)
    assert write(admin, "glide.basicauth.required.csv", "true").status_code == 403


def test_only_holders_of_the_role_can_elevate_it(make: Make) -> None:
    instance = make(elevation=True)
    cookies, token = session(instance, instance.access.username, instance.access.password)
    assert raise_role(instance, cookies, token).status_code == 403


def test_a_hardened_instance_closes_the_elevation_endpoint_to_api_sessions(make: Make) -> None:
    instance = make(elevation=True)
    cookies, token = session(instance, "admin", instance.access.admin_password)
    assert write(instance, "com.glide.processors.aprocessor.donot_reuse_api_session", "true").status_code == 200
    assert raise_role(instance, cookies, token).status_code == 401


def test_a_plugin_that_must_be_requested_is_not_activated(instance: RestClient) -> None:
    answer = instance.call("POST", "api/sn_cicd/plugin/com.snc.snc_access_control/activate")
    progress: dict[str, Any] = answer.json()["result"]["links"]["progress"]
    for _ in range(2):
        result = instance.call("GET", f"api/sn_cicd/progress/{progress['id']}").json()["result"]
    assert (result["status"], "ServiceNow support" in result["error"]) == ("3", True)
    assert instance.row("v_plugin", "id=com.snc.snc_access_control")["active"] == "inactive"


def test_a_plugin_of_a_later_release_is_unknown(make: Make) -> None:
    assert make(release="zurich").rows("v_plugin", "id=com.glide.security.audit") == []
    assert make(release="australia").rows("v_plugin", "id=com.glide.security.audit")
