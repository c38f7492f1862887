# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks onboard and verify with their roles: from nothing to a token that works, and in sync afterwards."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import ORDINARY, Playbooks, Run
from tests.integration.tenant import HOST, SimulatedTenant
from tests.integration.test_table_acls import grant
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(6)

ROLE = "defender_cloud_apps_reader"
USERS = {"mda": "svc_defender_cloud_apps", "mdc": "svc_defender_cloud"}
APPLICATIONS = {"mda": "Microsoft Defender for Cloud Apps", "mdc": "Microsoft Defender for Cloud"}
TABLES = (
    "sys_user", "sys_user_group", "sys_user_grmember", "sys_user_has_role", "sys_user_role_contains", "sys_properties",
    "v_plugin", "sysevent", "sysevent_script_action", "syslog_transaction", "sys_attachment", "sys_attachment_doc",
    "incident",
)  # fmt: skip


def enter_rules(instance: Instance) -> None:
    """Do the manual step."""
    for table in TABLES:
        grant(instance, ROLE, table)


def written(run: Run) -> dict[str, int]:
    return {route: count for done in run.done for route, count in done.writes.items()}


def secret_files(playbook: Playbooks, instance: Instance) -> dict[str, Path]:
    return {path.name: path for path in (playbook.folder / "secrets" / instance.name).iterdir() if path.is_file()}


def gets_a_token(playbook: Playbooks, instance: Instance, consumer: str) -> bool:
    """Return whether the pair of the secrets folder signs in."""
    files = secret_files(playbook, instance)
    answer = instance.ask_for_token(
        grant_type="password",
        client_id=instance.row("oauth_entity", name=APPLICATIONS[consumer])["client_id"],
        client_secret=files[f"{consumer}_client_secret"].read_text().strip(),
        username=USERS[consumer],
        password=files[f"{consumer}_password"].read_text().strip(),
    )
    return "access_token" in answer


@pytest.mark.parametrize(
    ("consumer", "roles", "refresh"), [("mda", [ROLE], "7776000"), ("mdc", ["itil"], "315360000")], ids=["mda", "mdc"]
)
@pytest.mark.always
def test_an_instance_is_onboarded_once(
    playbook: Playbooks, instance: Instance, consumer: str, roles: list[str], refresh: str
) -> None:
    variables = {"servicenow_defender_services": [consumer]}
    before = instance.content()
    check = playbook("onboard", instance, check=True, variables=variables).went_well()
    assert check.recap[instance.name]["changed"] == 1
    assert not written(check)
    assert instance.content() == before
    assert "token" not in check.summary, "there is nothing yet that could be verified"
    assert check.summary.startswith("1 instance: 1 would be corrected")

    real = playbook("onboard", instance, variables=variables).went_well()
    user = instance.row("sys_user", user_name=USERS[consumer])
    assert instance.roles_of(USERS[consumer], inherited="false") == roles
    assert user["web_service_access_only"] == "true"
    application = instance.row("oauth_entity", name=APPLICATIONS[consumer])
    assert application["access_token_lifespan"] == "3600"
    assert application["refresh_token_lifespan"] == refresh
    assert application["scope_restriction_status"] == "unrestricted"
    assert gets_a_token(playbook, instance, consumer)
    (token,) = real.on(instance.name, "Get a token and use it")["results"]
    assert token["verified"]
    assert 3500 <= token["expires_in"] <= 3600
    assert real.summary.startswith("1 instance: 1 corrected")
    assert "1 token verified" in real.summary
    assert f"user {USERS[consumer]} (state), oauth_application {APPLICATIONS[consumer]} (state)" in real.summary

    again = playbook("onboard", instance, variables=variables).went_well()
    assert again.recap[instance.name]["changed"] == 0
    assert not written(again)
    steps = again.on(instance.name, "Configure role, account and application")["manual_steps"]
    assert len(steps) == (1 if consumer == "mda" else 0)
    if consumer == "mda":
        assert steps[0]["values"]["Name"] == ", ".join(TABLES)
        assert "1 with manual steps" in again.summary
        assert "1 manual step:\n- Create 13 access control rules" in again.summary
        assert f"\n    Name: {', '.join(TABLES)}\n" in again.summary
        enter_rules(instance)
        again = playbook("onboard", instance, variables=variables).went_well()
    assert again.summary == (
        "1 instance: 1 in sync, 1 token verified; tenant: unproven (the inventory has no group defender)"
    )


def test_both_services_share_an_instance_in_any_order(playbook: Playbooks, instance: Instance) -> None:
    runs = [
        playbook("onboard", instance, variables={"servicenow_defender_services": [each]}) for each in ("mda", "mdc")
    ]
    assert all(run.went_well() for run in runs)
    assert all(gets_a_token(playbook, instance, consumer) for consumer in USERS)
    again = playbook("onboard", instance, variables={"servicenow_defender_services": ["mda", "mdc"]}).went_well()
    assert again.recap[instance.name]["changed"] == 0


def test_one_run_connects_both_services(playbook: Playbooks, instance: Instance) -> None:
    both = {"servicenow_defender_services": ["mda", "mdc"]}
    first = playbook("onboard", instance, variables=both).went_well()
    assert len([done for done in first.done if done.task.endswith("Configure role, account and application")]) == 1
    assert all(gets_a_token(playbook, instance, consumer) for consumer in USERS)
    assert "2 tokens verified" in first.summary
    again = playbook("onboard", instance, variables=both).went_well()
    assert again.recap[instance.name]["changed"] == 0
    assert not written(again)
    verified = playbook("verify", instance, variables={**both, "verify_fail": False}).went_well()
    assert verified.summary.startswith("1 instance: 1 unproven, 2 tokens verified")


def test_each_instance_has_its_own_services(playbook: Playbooks, new_instance: NewInstance) -> None:
    services = {"mda": ["mda"], "mdc": ["mdc"], "both": ["mda", "mdc"]}
    made = {name: new_instance() for name in services}
    hosts = {
        made[name].name: {**made[name].connection, "servicenow_defender_services": wanted}
        for name, wanted in services.items()
    }
    playbook("onboard", hosts).went_well()
    for name, wanted in services.items():
        found = {row["name"] for row in made[name].rows("oauth_entity")} & set(APPLICATIONS.values())
        assert found == {APPLICATIONS[service] for service in wanted}
    again = playbook("onboard", hosts).went_well()
    assert sum(counts["changed"] for counts in again.recap.values()) == 0


def test_services_must_not_share_an_account(playbook: Playbooks, instance: Instance) -> None:
    variables = {"servicenow_defender_services": ["mda", "mdc"], "snow_connection_user_name": "svc_shared"}
    run = playbook("onboard", instance, variables=variables)
    assert run.status == 2
    assert "snow_connection_user_name is 'svc_shared' for two services" in run.summary
    assert not instance.rows("sys_user", user_name="svc_shared")


def test_the_legacy_way_grants_admin_and_no_role_of_its_own(playbook: Playbooks, instance: Instance) -> None:
    variables = {"snow_connection_legacy_admin": True}
    run = playbook("onboard", instance, variables=variables).went_well()
    assert instance.roles_of(USERS["mda"], inherited="false") == ["admin"]
    assert not instance.rows("sys_user_role", name=ROLE)
    results = run.on(instance.name, "Configure role, account and application")["results"]
    assert {"object": "plugin com.glide.rest", "name": "com.glide.rest", "status": "ok"} in results
    assert gets_a_token(playbook, instance, "mda")
    again = playbook("onboard", instance, variables=variables).went_well()
    assert again.recap[instance.name]["changed"] == 0
    back = playbook("onboard", instance).went_well()
    assert back.recap[instance.name]["changed"] == 1
    assert instance.roles_of(USERS["mda"], inherited="false") == [ROLE], "other roles are removed"


def test_one_switch_is_the_legacy_mode_of_both_sides(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    hosts = {instance.name: instance.connection, **SimulatedTenant(sandbox).hosts()}
    run = playbook("onboard", hosts, variables={"mda_connection_mode": "password"}, defender=[HOST]).went_well()
    assert instance.roles_of(USERS["mda"], inherited="false") == ["admin"]
    results = run.on(instance.name, "Configure role, account and application")["results"]
    assert {"object": "plugin com.glide.rest", "name": "com.glide.rest", "status": "ok"} in results
    assert "Mode: Connect using username and password only" in run.summary
    assert "Client ID" not in run.summary


def test_secrets_exist_in_files_of_their_own_before_they_are_sent(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = new_instance(faults=[{"kind": "500", "method": "POST", "path": "/api/now/table/*"}])
    failed = playbook("onboard", instance)
    assert failed.status != 0
    kept = {name: path.read_text() for name, path in secret_files(playbook, instance).items()}
    assert set(kept) == {"mda_password", "mda_client_secret"}
    folder = playbook.folder / "secrets" / instance.name
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in secret_files(playbook, instance).values():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert len(path.read_text().strip()) == 40
    instance.turn(faults=[])
    playbook("onboard", instance).went_well()
    assert {name: path.read_text() for name, path in secret_files(playbook, instance).items()} == kept
    assert gets_a_token(playbook, instance, "mda")
    assert not any(secret.strip() in failed.output for secret in kept.values())


def test_secrets_of_the_users_own_are_not_stored(playbook: Playbooks, instance: Instance) -> None:
    variables = {"snow_connection_password": "own-Pass-1", "snow_connection_client_secret": "own-secret-1"}
    run = playbook("onboard", instance, variables=variables).went_well()
    assert "1 token verified" in run.summary
    assert not (playbook.folder / "secrets").exists()
    assert "own-Pass-1" not in run.output
    assert "own-secret-1" not in run.output


def test_tags_choose_the_parts(playbook: Playbooks, instance: Instance) -> None:
    checked = playbook("onboard", instance, "--tags", "preflight").went_well()
    assert not written(checked)
    assert checked.summary.startswith("1 instance: 1 in sync; ")
    made = playbook("onboard", instance, "--tags", "snow").went_well()
    assert made.recap[instance.name]["changed"] == 1
    assert not any(done.task.endswith("Check release, account and sign-in settings") for done in made.done)
    assert "token" not in made.summary
    proved = playbook("onboard", instance, "--tags", "verify").went_well()
    assert "1 token verified" in proved.summary
    assert not any(done.task.endswith("Check release, account and sign-in settings") for done in proved.done)


def test_an_instance_is_onboarded_by_ordinary_modules_too(playbook: Playbooks, instance: Instance) -> None:
    run = playbook("onboard", instance, shell=ORDINARY).went_well()
    assert run.recap[instance.name]["changed"] == 1
    assert gets_a_token(playbook, instance, "mda")
    assert playbook("onboard", instance).went_well().recap[instance.name]["changed"] == 0


def test_another_group_can_be_named(playbook: Playbooks, new_instance: NewInstance) -> None:
    one, other = new_instance(), new_instance()
    run = playbook("onboard", [one, other], variables={"servicenow_defender_instances": other.name}).went_well()
    assert {done.host for done in run.done} == {other.name}
    assert not one.requests()


def test_verify_proves_and_changes_nothing(playbook: Playbooks, instance: Instance) -> None:
    playbook.onboarded(instance)
    before = instance.content()
    run = playbook("verify", instance, variables={"verify_fail": False}).went_well()
    assert "1 token verified" in run.summary
    assert instance.content() == before
    assert not written(run)


def test_a_locked_account_of_a_connection_is_drift_and_is_unlocked(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = new_instance()
    playbook.onboarded(instance)
    instance.change("sys_user", {"user_name": USERS["mda"]}, locked_out="true")
    assert f"user {USERS['mda']} (locked_out)" in playbook("drift", instance).summary
    run = playbook("onboard", instance).went_well()
    assert f"user {USERS['mda']} (locked_out)" in run.summary
    assert instance.row("sys_user", user_name=USERS["mda"])["locked_out"] == "false"


BROKEN: dict[str, tuple[tuple[str, dict[str, str], dict[str, str]], str]] = {
    "locked": (("sys_user", {"user_name": USERS["mda"]}, {"locked_out": "true"}), "svc_defender_cloud_apps is locked out"),
    "secret": (
        ("oauth_entity", {"name": APPLICATIONS["mda"]}, {"client_secret": "other-secret-1"}),
        "the client secret is wrong",
    ),
    "restricted": (
        ("oauth_entity", {"name": APPLICATIONS["mda"]}, {"scope_restriction_status": "restricted"}),
        "make it broadly scoped",
    ),
    "renamed": (("oauth_entity", {"name": APPLICATIONS["mda"]}, {"name": "Another application"}), APPLICATIONS["mda"]),
}  # fmt: skip


def test_verify_reports_what_is_broken(playbook: Playbooks, new_instance: NewInstance) -> None:
    made = {name: new_instance() for name in BROKEN}
    playbook.onboarded(*made.values())
    for name, ((table, match, values), _words) in BROKEN.items():
        made[name].change(table, match, **values)
    run = playbook("verify", list(made.values()))
    for name, (_change, words) in BROKEN.items():
        assert run.recap[made[name].name]["failed"] == 1, name
        failed = run.on(made[name].name, "Fail if the work on this host failed")
        assert words in failed.message, (name, failed.result)
        assert made[name].name in failed.message
        assert words in run.summary


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "service": (
        {"servicenow_defender_services": ["mdx"]},
        "servicenow_defender_services has an unknown service 'mdx'. Known services: mda, mdc, msem. Did you mean mdc?",
    ),
    "choice": (
        {"snow_connection_service": "mdx"},
        "value of snow_connection_service must be one of: mda, mdc, msem, got: mdx",
    ),
    "type": ({"snow_hardening_max_writes": "many"}, "snow_hardening_max_writes"),
    "prefix of a role": (
        {"snow_connection_user": "x"},
        "snow_connection_user is not a variable of this collection. Did you mean snow_connection_user_",
    ),
    "other prefix": ({"snow_usrname": "x"}, "Did you mean snow_username?"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_variable_fails_before_anything_is_sent(
    playbook: Playbooks, new_instance: NewInstance, case: str
) -> None:
    good, bad = new_instance(), new_instance()
    wrong, words = WRONG[case]
    run = playbook("onboard", {good.name: good.connection, bad.name: {**bad.connection, **wrong}}, "--tags", "snow")
    assert run.status == 2
    assert run["Check variables"].message.startswith(f"{bad.name}: ")
    assert words in run["Check variables"].message
    assert not good.requests()
    assert not bad.requests()


def test_variables_of_the_users_own_are_accepted(playbook: Playbooks, instance: Instance) -> None:
    own = {"snow_environment": "dev", "azure_location": "westeurope", "mda_owner": "x", "drift_owner": "y"}
    playbook("onboard", instance, "--tags", "preflight", variables=own).went_well()
