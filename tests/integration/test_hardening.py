# SPDX-License-Identifier: GPL-3.0-or-later
"""snow_hardening and snow_hardening_info: the posture of an instance, and how it is brought to a baseline."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
import requests

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import run_lifecycle
from tests.integration.playbooks import Done, Playbooks, Task, task
from tests.integration.tenant import SimulatedTenant
from tests.sandbox.process import SandboxProcess

MODULE, INFO = "snow_hardening", "snow_hardening_info"
BATCH = "POST /api/now/v1/batch"
TIMEOUT = "glide.ui.session_timeout"
ROPC = "glide.oauth.inbound.ropc.grant_type.disabled"
CONNECTOR = "Microsoft Defender for Cloud Apps"
ACCOUNT = "svc_defender_cloud_apps"
BREAKING = ["auth.mfa_enabled", "auth.lockout_action", "auth.lockout_action_unlock", "soap.content_type", "acl.ccsi_public",
            "request_auth.scripted_processor", "plugin.high_security", "plugin.security_jump_start"]  # fmt: skip
EVERYTHING: dict[str, Any] = {
    "baseline": "secure_score",
    "max_writes": 0,
    "allow_irreversible": True,
    "allow_plugins": True,
    "accept_side_effects": BREAKING,
    "poll_interval": 0.1,
}
CLIENT = {"snow_client_id": "ansible-client", "snow_client_secret": "client-secret-1"}


def statuses(done: Done) -> dict[str, str]:
    return {entry["id"]: entry["status"] for entry in done["results"]}


def verdicts(done: Done) -> dict[str, str]:
    return {entry["id"]: entry["verdict"] for entry in done["settings"]}


def value(instance: Instance, name: str) -> str:
    return instance.row("sys_properties", name=name).get("value", "")


def wrong(name: str, **options: Any) -> Task:
    return task(MODULE, name, **options, more={"ignore_errors": True})


# -- bringing an instance to a baseline -------------------------------------------------------------------------------


def test_an_instance_comes_to_the_baseline_of_secure_score(playbook: Playbooks, new_instance: NewInstance) -> None:
    run, instance = run_lifecycle(playbook, new_instance, task(MODULE, "harden", **EVERYTHING))
    real, again = run["harden: real"], run["harden: again"]
    assert {id for id, status in statuses(real).items() if status == "changed"} == {
        "auth.mfa_enabled", "auth.password_policy", "auth.lockout_action_unlock", "acl.ccsi_public", "soap.content_type",
        "session.idle_timeout", "session.remember_me_max_days",
    }  # fmt: skip
    assert value(instance, TIMEOUT) == "60"
    assert instance.row("sysevent_script_action", name="SNC User Lockout Check with Auto Unlock")["active"] == "true"
    assert statuses(again)["request_auth.scripted_processor"] == "needs_elevation"
    (step,) = again["manual_steps"]
    assert step["values"] == {"Name": "glide.basicauth.required.scriptedprocessor", "Value": "true"}
    assert "Elevate role" in step["where"]
    assert real["posture"] == again["posture"]
    assert real["diff"]["after"]["hardening"][TIMEOUT] == "60"
    assert {"object": "setting session.idle_timeout", "field": TIMEOUT, "before": "120", "after": "60"} in real["drift"]


def test_what_has_its_own_switch_waits_for_it(playbook: Playbooks, instance: Instance) -> None:
    first = playbook([task(MODULE)], instance).went_well().last
    withheld = {entry["id"]: entry["reason"] for entry in first["results"] if entry["status"] == "withheld"}
    assert "allow_irreversible" in withheld["auth.password_policy"]
    assert "accept_side_effects" in withheld["auth.mfa_enabled"]
    assert {id for id, status in statuses(first).items() if status == "changed"} == {
        "session.idle_timeout", "session.remember_me_max_days",
    }  # fmt: skip
    tasks = [
        task(MODULE, "irreversible", allow_irreversible=True),
        task(MODULE, "acknowledged", accept_side_effects=["auth.mfa_enabled"]),
        task(MODULE, "plugin", ids=["plugin.limit_concurrent_sessions"]),
        task(MODULE, "allowed", ids=["plugin.limit_concurrent_sessions"], allow_plugins=True, poll_interval=0.1),
    ]
    run = playbook(tasks, instance).went_well()
    assert statuses(run["irreversible"])["auth.password_policy"] == "changed"
    assert statuses(run["irreversible"])["acl.ccsi_public"] == "withheld", "it breaks something as well"
    assert statuses(run["acknowledged"])["auth.mfa_enabled"] == "changed"
    assert statuses(run["plugin"]) == {"plugin.limit_concurrent_sessions": "withheld"}
    assert statuses(run["allowed"]) == {"plugin.limit_concurrent_sessions": "changed"}
    assert instance.rows("v_plugin", id="com.glide.limit.concurrent.sessions", active="active")


def test_few_settings_are_written_at_a_time(playbook: Playbooks, instance: Instance) -> None:
    limited = {**EVERYTHING, "max_writes": 3}
    names = ["check", *(f"run {number}" for number in range(4))]
    tasks = [task(MODULE, name, **limited, more={"check_mode": name == "check"}) for name in names]
    run = playbook(tasks, instance).went_well()
    assert [run[name]["writes_left"] for name in names] == [4, 4, 1, 0, 0]
    assert [sum(run[name].writes.values()) for name in names] == [0, 3, 3, 1, 0]
    assert any(
        "4 settings remain after 3 writes, which is max_writes (snow_hardening_max_writes in the role)" in warning
        for warning in run["run 0"]["warnings"]
    )
    assert sum(entry["status"] == "withheld" for entry in run["run 0"]["results"]) == 4


def test_the_points_agree_with_secure_score(playbook: Playbooks, instance: Instance, sandbox: SandboxProcess) -> None:
    tenant = SimulatedTenant(sandbox)
    account = {"username": instance.access.username, "password": instance.access.password, "mode": "password"}
    tenant.connector(instance.name, instance.connection["snow_url"], **account)

    def reported(**options: Any) -> int:
        done = playbook([task(MODULE, **{**EVERYTHING, **options})], instance).went_well().last
        points: int = done["posture"]["secure_score"]["points"]
        return points

    before = playbook([task(INFO)], instance).went_well().last["posture"]["secure_score"]
    assert before["points"] == secure_score(tenant)
    assert before["points"] < before["possible_points"] == 114
    assert reported() == secure_score(tenant) == 104
    instance.change("sys_properties", {"name": "glide.basicauth.required.scriptedprocessor"}, value="true")
    assert reported() == secure_score(tenant) == 108
    assert reported(create_for_score=True) == secure_score(tenant) == 114
    assert value(instance, "glide.script.use.sandbox") == "true"


def secure_score(tenant: SimulatedTenant) -> float:
    """Return the points that Graph gives for ServiceNow."""
    known = tenant.access
    form = {
        "grant_type": "client_credentials",
        "client_id": known["azure_client_id"],
        "client_secret": known["azure_client_secret"],
        "scope": "https://graph.microsoft.com/.default",
    }
    address = f"{known['azure_authority_url']}/{known['azure_tenant_id']}/oauth2/v2.0/token"
    token = requests.post(address, form, timeout=30).json()["access_token"]
    address = f"{known['azure_graph_url']}/v1.0/security/secureScores?$top=1"
    (score,) = requests.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=30).json()["value"]
    return sum(row["score"] for row in score["controlScores"] if row["controlName"].startswith("MDA_SNOW_"))


def test_a_stricter_value_is_left_alone(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(properties={TIMEOUT: "15", "glide.ui.user_cookie.max_life_span_in_days": "7"})
    tasks = [
        task(MODULE, "baseline"),
        task(MODULE, "looser", overrides={"session.idle_timeout": 90, "auth.no_blank_password": False}),
        task(MODULE, "tighter", overrides={"session.idle_timeout": 10}),
    ]
    run = playbook(tasks, instance).went_well()
    assert not run["baseline"].changed
    assert not run["looser"].changed
    assert statuses(run["tighter"])["session.idle_timeout"] == "changed"
    assert value(instance, TIMEOUT) == "10"


# -- what would cut a connection --------------------------------------------------------------------------------------


def test_a_setting_that_cuts_a_connection_is_refused_while_it_is_there(playbook: Playbooks, instance: Instance) -> None:
    sys_id = instance.add("oauth_entity", name=CONNECTOR, client_id="c1", client_secret="client-secret-1")
    both = {"ids": ["oauth.ropc_disabled", "plugin.ip_authenticator"], "allow_plugins": True, "poll_interval": 0.1}
    both["accept_side_effects"] = both["ids"]
    run = playbook([task(MODULE, **both)], instance).went_well()
    assert statuses(run.last) == {"oauth.ropc_disabled": "refused", "plugin.ip_authenticator": "refused"}
    reasons = {entry["id"]: entry["reason"] for entry in run.last["results"]}
    assert f"{CONNECTOR} signs in with the password grant" in reasons["oauth.ropc_disabled"]
    assert "addresses" in reasons["plugin.ip_authenticator"]
    assert any("oauth.ropc_disabled is refused" in warning for warning in run.last["warnings"])
    assert value(instance, ROPC) == "false"
    assert len(run.last["drift"]) == 2
    instance.remove("oauth_entity", sys_id=sys_id)
    run = playbook([task(MODULE, **both)], instance).went_well()
    assert set(statuses(run.last).values()) == {"changed"}
    assert value(instance, ROPC) == "true"


def test_a_consumer_that_no_option_names_is_found_on_the_instance(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    account = {"password": "casb-Pass-1", "last_name": "Casb", "web_service_access_only": "true"}
    instance = new_instance(users={"svc_casb": account})
    client = {"client_id": "casb-client", "client_secret": "casb-secret-1"}
    peer = instance.add("oauth_entity", name="Cloud access broker", **client)
    user = instance.row("sys_user", user_name="svc_casb")["sys_id"]
    token = {"type": "refresh_token", "expires": "2099-01-01 00:00:00", "peer": peer, "user": user}
    held = instance.add("oauth_credential", **token)
    one = {"ids": ["oauth.ropc_disabled"], "accept_side_effects": ["oauth.ropc_disabled"]}
    tasks = [task(MODULE, "guarded", **one), task(MODULE, "none", **one, services=[], more={"check_mode": True})]
    run = playbook(tasks, instance).went_well()
    (refused,) = run["guarded"]["results"]
    assert refused["status"] == "refused"
    assert "Cloud access broker, which services does not list, holds tokens of svc_casb" in refused["reason"]
    assert run["guarded"].requests == {BATCH: 1}, "found by the same batch"
    assert statuses(run["none"]) == {"oauth.ropc_disabled": "changed"}
    instance.remove("oauth_credential", sys_id=held)
    again = playbook([task(MODULE, **one, more={"check_mode": True})], instance).went_well()
    assert statuses(again.last) == {"oauth.ropc_disabled": "changed"}


def test_this_automations_own_access_is_never_removed(playbook: Playbooks, instance: Instance) -> None:
    instance.add("oauth_entity", name="Ansible", client_id="ansible-client", client_secret="client-secret-1")
    one = {"ids": ["oauth.ropc_disabled"], "accept_side_effects": ["oauth.ropc_disabled"], "services": []}
    run = playbook([task(MODULE, "by password", **one, **CLIENT), task(MODULE, "by basic", **one)], instance)
    assert "this automation itself" in run.went_well()["by password"]["results"][0]["reason"]
    assert not run["by password"].writes
    assert statuses(run["by basic"]) == {"oauth.ropc_disabled": "changed"}


@pytest.mark.parametrize("who", ["svc_ansible", ACCOUNT])
def test_an_account_that_has_to_change_its_password_is_not_shut_out(
    playbook: Playbooks, new_instance: NewInstance, who: str
) -> None:
    instance = new_instance(users={ACCOUNT: {"password": "conn-Pass-1", "last_name": "Connector"}})
    instance.change("sys_user", {"user_name": who}, password_needs_reset="true")
    one = {"ids": ["auth.reset_required_api"], "accept_side_effects": ["auth.reset_required_api"]}
    run = playbook([task(MODULE, **one)], instance).went_well()
    assert statuses(run.last) == {"auth.reset_required_api": "refused"}
    assert f"the account {who} must change its password" in run.last["results"][0]["reason"]


def test_a_group_that_locks_the_caller_out_is_rolled_back(playbook: Playbooks, new_instance: NewInstance) -> None:
    # What would warn of it may not be read, so it is found out only afterwards.
    instance = new_instance(acl={"deny_field": {"sys_user": ["password_needs_reset"]}})
    instance.change("sys_user", {"user_name": "svc_ansible"}, password_needs_reset="true")
    ids = ["session.idle_timeout", "auth.reset_required_api", "session.remember_me_max_days"]
    before = instance.content()["sys_properties"]
    run = playbook([task(MODULE, ids=ids, accept_side_effects=ids)], instance)
    assert run.last.failed
    assert "the account no longer signs in" in run.last.message
    assert "The sign-in works again" in run.last.message
    assert "setting auth.reset_required_api" in run.last["rolled_back"]
    assert run.last["not_rolled_back"] == []
    values = {row["name"]: row.get("value", "") for row in instance.content()["sys_properties"]}
    assert values == {row["name"]: row.get("value", "") for row in before}
    again = playbook([task(MODULE, ids=["session.idle_timeout"])], instance).went_well()
    assert statuses(again.last) == {"session.idle_timeout": "changed"}


def test_with_a_token_the_valid_one_rolls_back(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance()
    instance.add("oauth_entity", name="Ansible", client_id="ansible-client", client_secret="client-secret-1")
    # The token of the run and the trial before the first write are issued; the one after it is not.
    instance.turn(faults=token_faults(2))
    run = playbook([task(MODULE, ids=["session.idle_timeout"], **CLIENT, retries=0)], instance)
    assert run.last.failed
    assert run.last["rolled_back"] == ["setting session.idle_timeout"]
    assert "The sign-in still fails" in run.last.message
    assert value(instance, TIMEOUT) == "120"


def test_a_connection_whose_secrets_are_known_is_tried_after_each_group(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = new_instance(users={ACCOUNT: {"password": "conn-Pass-1", "last_name": "Connector", "roles": ["itil"]}})
    instance.add("oauth_entity", name=CONNECTOR, client_id="c1", client_secret="conn-secret-1")
    secrets = {"client_secret": "conn-secret-1", "password": "conn-Pass-1"}
    one = {
        "ids": ["session.idle_timeout"],
        "services": [{"application": CONNECTOR, "user_name": ACCOUNT, **secrets}],
        "retries": 0,
    }
    instance.turn(faults=token_faults(1))
    run = playbook([task(MODULE, **one)], instance)
    assert run.last.failed
    assert "Rolled back: setting session.idle_timeout" in run.last.message
    assert value(instance, TIMEOUT) == "120"
    instance.turn(faults=[])
    assert statuses(playbook([task(MODULE, **one)], instance).went_well().last) == {"session.idle_timeout": "changed"}
    assert not any(secret in run.output for secret in secrets.values())


def test_a_connection_that_never_worked_is_not_what_a_setting_cut(playbook: Playbooks, instance: Instance) -> None:
    instance.add("oauth_entity", name=CONNECTOR, client_id="c1", client_secret="conn-secret-1")
    connection = {"application": CONNECTOR, "user_name": ACCOUNT, "client_secret": "x-secret-1", "password": "x-Pass-1"}
    run = playbook([task(MODULE, ids=["session.idle_timeout"], services=[connection])], instance).went_well()
    assert any("so the connection is not checked" in warning for warning in run.last["warnings"])
    assert value(instance, TIMEOUT) == "60"


def token_faults(good: int) -> list[dict[str, Any]]:
    """Return the faults of a token endpoint that answers this many times and no more."""
    passing = {"kind": "slow", "seconds": 0.0, "path": "/oauth_token.do", "count": good}
    return [passing, {"kind": "503", "path": "/oauth_token.do"}]


# -- what cannot be written, and what cannot be seen ------------------------------------------------------------------


def test_what_requires_elevation_comes_as_an_update_set(playbook: Playbooks, instance: Instance) -> None:
    tasks = [
        task(MODULE, name, baseline="recommended", allow_irreversible=True, max_writes=0) for name in ("one", "two")
    ]
    run = playbook(tasks, instance).went_well()
    elevated = [entry["name"] for entry in run["two"]["results"] if entry["status"] == "needs_elevation"]
    assert len(elevated) > 5
    root = ElementTree.fromstring(run["two"]["update_set"])
    (header,) = root.findall("sys_remote_update_set")
    updates = root.findall("sys_update_xml")
    assert sorted(each.findtext("target_name") or "" for each in updates) == sorted(elevated)
    for each in updates:
        assert each.findtext("remote_update_set") == header.findtext("sys_id")
        (record,) = ElementTree.fromstring(each.findtext("payload") or "").findall("sys_properties")
        known = instance.row("sys_properties", name=record.findtext("name") or "")
        assert record.findtext("sys_id") == known["sys_id"]
        assert record.findtext("value") not in (None, known.get("value"))
        assert record.findtext("write_roles") == "security_admin"
    assert run["one"]["update_set"] == run["two"]["update_set"]


def test_a_property_private_to_its_application_is_a_manual_step(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance()
    scope = instance.add("sys_store_app", name="Other", scope="sn_other")
    instance.change("sys_properties", {"name": TIMEOUT}, sys_scope=scope)
    run = playbook([task(MODULE, ids=["session.idle_timeout", "session.remember_me_max_days"])], instance).went_well()
    assert statuses(run.last) == {"session.idle_timeout": "refused", "session.remember_me_max_days": "changed"}
    assert run.last["manual_steps"][0]["values"] == {"Name": TIMEOUT, "Value": "60"}
    assert TIMEOUT in run.last["update_set"]


def test_a_plugin_on_request_becomes_a_manual_step(playbook: Playbooks, instance: Instance) -> None:
    one = {"ids": ["plugin.explicit_roles"], "allow_plugins": True, "accept_side_effects": ["plugin.explicit_roles"]}
    run = playbook([task(MODULE, **one, poll_interval=0.1)], instance).went_well()
    assert statuses(run.last) == {"plugin.explicit_roles": "request_only"}
    assert run.last["manual_steps"][0]["where"] == "Now Support > Service Catalog > Activate Plugin"
    assert run.last["manual_steps"][0]["values"]["Plugin or application"] == "com.glide.explicit_roles"


@pytest.mark.parametrize(
    "knobs", [{"hidden_properties": [TIMEOUT]}, {"acl": {"deny_table": {"sys_properties": "403"}}}]
)
def test_what_may_not_be_read_is_neither_compliant_nor_drifting(
    playbook: Playbooks, new_instance: NewInstance, knobs: dict[str, Any]
) -> None:
    instance = new_instance(**knobs)
    run = playbook([task(INFO, ids=["session.idle_timeout"]), task(MODULE, ids=["session.idle_timeout"])], instance)
    assert verdicts(run.went_well()[INFO]) == {"session.idle_timeout": "unknown"}
    assert statuses(run[MODULE]) == {"session.idle_timeout": "unknown"}
    assert not run[MODULE].writes


@pytest.mark.parametrize("total_count", ["before_acl", "after_acl"])
def test_an_account_without_rights_guesses_nothing(
    playbook: Playbooks, new_instance: NewInstance, total_count: str
) -> None:
    instance = new_instance(users={"looker": {"password": "look-Pass-1", "roles": ["itil"]}}, total_count=total_count)
    account = {**instance.connection, "snow_username": "looker", "snow_password": "look-Pass-1"}
    run = playbook([task(INFO, baseline="all")], {instance.name: account}).went_well()
    truth = verdicts(playbook([task(INFO, baseline="all")], instance).went_well().last)
    seen = verdicts(run.last)
    assert {id: verdict for id, verdict in seen.items() if verdict not in ("unknown", truth[id])} == {}
    assert "unknown" in seen.values()


# -- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("baseline", ["secure_score", "recommended", "all"])
def test_any_selection_costs_one_batch(playbook: Playbooks, instance: Instance, baseline: str) -> None:
    tasks = [
        task(INFO, baseline=baseline, production=True),
        task(MODULE, baseline=baseline, more={"check_mode": True}),
    ]
    run = playbook(tasks, instance).went_well()
    assert run[INFO].requests == run[MODULE].requests == {BATCH: 1}
    assert len(run[INFO]["settings"]) == {"secure_score": 23, "recommended": 268, "all": 308}[baseline]
    counts = run[INFO]["posture"]
    assert sum(counts["settings"].values()) == len(run[INFO]["settings"])
    for group in ("by_category", "by_severity"):
        assert sum(sum(each.values()) for each in counts[group].values()) == len(run[INFO]["settings"])


def test_a_newer_release_has_fewer_settings(playbook: Playbooks, new_instance: NewInstance) -> None:
    gone = {"xanadu": set(), "zurich": {"input.sandbox"}, "australia": {"input.sandbox", "auth.no_blank_password"}}
    for release, ids in gone.items():
        run = playbook([task(INFO)], new_instance(release=release)).went_well()
        assert {id for id, verdict in verdicts(run.last).items() if verdict == "not_applicable"} == ids, release


# -- bad input --------------------------------------------------------------------------------------------------------


def test_invalid_input_stops_a_run_before_the_first_write(playbook: Playbooks, instance: Instance) -> None:
    before = instance.content()
    cases: dict[str, tuple[dict[str, Any], str]] = {
        "unknown": (
            {"ids": ["session.idle_timeuot"]},
            "unknown setting 'session.idle_timeuot'; did you mean session.idle_timeout",
        ),
        "property": ({"exclude": [TIMEOUT]}, "did you mean session.idle_timeout?"),
        "acknowledged": (
            {"accept_side_effects": ["auth.mfa"]},
            "accept_side_effects: unknown setting 'auth.mfa'",
        ),
        "type": (
            {"overrides": {"session.idle_timeout": "soon"}},
            "must be an integer of 0 or more, not 'soon'",
        ),
        "truth": ({"overrides": {"auth.mfa_enabled": 7}}, "auth.mfa_enabled must be true or false, not 7"),
        "plugin": ({"overrides": {"plugin.high_security": False}}, "is either active or not"),
        "locked": (
            {"ids": ["acl.strict_updates"], "overrides": {"acl.strict_updates": True}},
            "cannot be set by customers",
        ),
        "both": ({"ids": ["auth.mfa_enabled"], "exclude": ["auth.mfa_enabled"]}, "is in ids and in exclude"),
        "other": ({"overrides": {"tls.key_size": 4096}}, "neither in the baseline nor in ids"),
        "range": (
            {"ids": ["session.ui_lifespan"], "overrides": {"session.ui_lifespan": 0}},
            "must be an integer from 1 to 720, not 0",
        ),
        "limit": ({"max_writes": -1}, "max_writes must be between 0 and 1000000, not -1"),
    }
    run = playbook([wrong(name, **options) for name, (options, _words) in cases.items()], instance)
    for name, (_options, words) in cases.items():
        assert run[name].failed, name
        assert words in run[name].message, (name, run[name].message)
        assert not run[name].requests, name
    assert instance.content() == before


def test_all_errors_are_reported_at_once(playbook: Playbooks, instance: Instance) -> None:
    options = {
        "baseline": "secure_score",
        "ids": ["no.such"],
        "overrides": {"session.idle_timeout": "x"},
        "exclude": ["neither"],
    }
    message = playbook([wrong("all", **options)], instance)["all"].message
    assert all(words in message for words in ("'no.such'", "not 'x'", "'neither'", "Nothing was written"))
