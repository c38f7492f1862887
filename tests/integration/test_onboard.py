# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks onboard and verify with their roles: from nothing to a token that works, and at rest afterwards."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import ORDINARY, Playbooks, Run
from tests.integration.test_table_acls import grant

ROLE = "defender_cloud_apps_reader"
USERS = {"mda": "svc_defender_cloud_apps", "mdc": "svc_defender_cloud"}
APPLICATIONS = {"mda": "Microsoft Defender for Cloud Apps", "mdc": "Microsoft Defender for Cloud"}
TABLES = (
    "sys_user", "sys_user_group", "sys_user_grmember", "sys_user_has_role", "sys_user_role_contains", "sys_properties",
    "v_plugin", "sysevent", "sysevent_script_action", "syslog_transaction", "sys_attachment", "sys_attachment_doc",
    "incident",
)  # fmt: skip


def closing(run: Run, instance: Instance) -> str:
    """Return the line that was said last of an instance."""
    return run.on(instance.name, "Say what is true now").message


def enter_rules(instance: Instance) -> None:
    """Do the manual step."""
    for table in TABLES:
        grant(instance, ROLE, table)


def written(run: Run) -> dict[str, int]:
    return {route: count for done in run.done for route, count in done.writes.items()}


def secret_files(playbook: Playbooks, instance: Instance) -> dict[str, Path]:
    return {path.name: path for path in (playbook.folder / "secrets" / instance.name).iterdir() if path.is_file()}


def gets_a_token(playbook: Playbooks, instance: Instance, consumer: str) -> bool:
    """Tell whether the pair of the secrets folder signs in."""
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
def test_an_instance_is_onboarded_once(
    playbook: Playbooks, instance: Instance, consumer: str, roles: list[str], refresh: str
) -> None:
    variables = {"snow_connection_service": consumer}
    before = instance.content()
    check = playbook("onboard", instance, check=True, variables=variables).went_well()
    assert check.recap[instance.name]["changed"] == 1
    assert not written(check)
    assert instance.content() == before
    assert "token" not in closing(check, instance), "there is nothing yet that could be proved"

    real = playbook("onboard", instance, variables=variables).went_well()
    user = instance.row("sys_user", user_name=USERS[consumer])
    assert instance.roles_of(USERS[consumer], inherited="false") == roles
    assert user["web_service_access_only"] == "true"
    application = instance.row("oauth_entity", name=APPLICATIONS[consumer])
    assert application["access_token_lifespan"] == "3600"
    assert application["refresh_token_lifespan"] == refresh
    assert application["scope_restriction_status"] == "unrestricted"
    assert gets_a_token(playbook, instance, consumer)
    assert real.on(instance.name, "Get a token and use it")["verified"]
    assert "3 deviations corrected" in closing(real, instance) or "2 deviations corrected" in closing(real, instance)
    assert "token works (35" in closing(real, instance) or "token works (36" in closing(real, instance)

    again = playbook("onboard", instance, variables=variables).went_well()
    assert again.recap[instance.name]["changed"] == 0
    assert not written(again)
    steps = again.on(instance.name, "Bring role, account and application to their described state")["manual_steps"]
    assert len(steps) == (1 if consumer == "mda" else 0)
    if consumer == "mda":
        assert steps[0]["values"]["Name"] == ", ".join(TABLES)
        assert "1 manual step open: Create 13 access control rules" in closing(again, instance)
        enter_rules(instance)
        again = playbook("onboard", instance, variables=variables).went_well()
    assert "as described" in closing(again, instance)
    assert "manual step" not in closing(again, instance)


def test_both_consumers_share_an_instance(playbook: Playbooks, instance: Instance) -> None:
    runs = [playbook("onboard", instance, variables={"snow_connection_service": each}) for each in ("mda", "mdc")]
    assert all(run.went_well() for run in runs)
    assert all(gets_a_token(playbook, instance, consumer) for consumer in USERS)
    again = playbook("onboard", instance, variables={"snow_connection_service": "mda"}).went_well()
    assert again.recap[instance.name]["changed"] == 0


def test_the_legacy_way_grants_admin_and_no_role_of_its_own(playbook: Playbooks, instance: Instance) -> None:
    variables = {"snow_connection_legacy_admin": True}
    run = playbook("onboard", instance, variables=variables).went_well()
    assert instance.roles_of(USERS["mda"], inherited="false") == ["admin"]
    assert not instance.rows("sys_user_role", name=ROLE)
    results = run.on(instance.name, "Bring role, account and application to their described state")["results"]
    assert {"object": "plugin com.glide.rest", "name": "com.glide.rest", "status": "ok"} in results
    assert gets_a_token(playbook, instance, "mda")
    again = playbook("onboard", instance, variables=variables).went_well()
    assert again.recap[instance.name]["changed"] == 0
    back = playbook("onboard", instance).went_well()
    assert back.recap[instance.name]["changed"] == 1
    assert instance.roles_of(USERS["mda"], inherited="false") == [ROLE], (
        "roles beyond the described ones are taken away"
    )


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


def test_secrets_of_the_users_own_need_no_folder(playbook: Playbooks, instance: Instance) -> None:
    variables = {"snow_connection_password": "own-Pass-1", "snow_connection_client_secret": "own-secret-1"}
    run = playbook("onboard", instance, variables=variables).went_well()
    assert run.on(instance.name, "Get a token and use it")["verified"]
    assert not (playbook.folder / "secrets").exists()
    assert "own-Pass-1" not in run.output
    assert "own-secret-1" not in run.output


def test_tags_choose_the_parts(playbook: Playbooks, instance: Instance) -> None:
    looked = playbook("onboard", instance, "--tags", "preflight").went_well()
    assert not written(looked)
    assert closing(looked, instance) == f"{instance.name}: Zurich patch2"
    made = playbook("onboard", instance, "--tags", "snow").went_well()
    assert made.recap[instance.name]["changed"] == 1
    assert not any(done.task.endswith("Look at the instance") for done in made.done)
    assert "token" not in closing(made, instance)
    proved = playbook("onboard", instance, "--tags", "verify").went_well()
    assert "token works" in closing(proved, instance)
    assert "Zurich" not in closing(proved, instance)


def test_an_instance_is_onboarded_by_ordinary_modules_too(playbook: Playbooks, instance: Instance) -> None:
    run = playbook("onboard", instance, shell=ORDINARY).went_well()
    assert run.recap[instance.name]["changed"] == 1
    assert gets_a_token(playbook, instance, "mda")
    assert playbook("onboard", instance).went_well().recap[instance.name]["changed"] == 0


def test_another_group_can_be_named(playbook: Playbooks, new_instance: NewInstance) -> None:
    one, other = new_instance(), new_instance()
    run = playbook("onboard", [one, other], variables={"servicenow_defender_instances": other.name}).went_well()
    assert {done.host for done in run.done} == {other.name}


def test_verify_proves_and_changes_nothing(playbook: Playbooks, instance: Instance) -> None:
    playbook("onboard", instance).went_well()
    before = instance.content()
    run = playbook("verify", instance).went_well()
    assert "token works" in closing(run, instance)
    assert instance.content() == before
    assert not written(run)


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
    "renamed": (("oauth_entity", {"name": APPLICATIONS["mda"]}, {"name": "Somebody else's"}), APPLICATIONS["mda"]),
}  # fmt: skip


def test_verify_says_what_is_broken(playbook: Playbooks, new_instance: NewInstance) -> None:
    made = {name: new_instance() for name in BROKEN}
    playbook("onboard", list(made.values())).went_well()
    for name, ((table, match, values), _words) in BROKEN.items():
        made[name].change(table, match, **values)
    run = playbook("verify", list(made.values()))
    for name, (_change, words) in BROKEN.items():
        assert run.recap[made[name].name]["failed"] == 1, name
        (failed,) = [done for done in run.done if done.host == made[name].name and done.failed]
        assert words in failed.message, (name, failed.result)
        assert made[name].name in failed.message


def test_a_wrong_variable_is_told_before_anything_is_sent(playbook: Playbooks, instance: Instance) -> None:
    wrong: dict[str, Any] = {"snow_connection_service": "mdx"}
    run = playbook("onboard", instance, "--tags", "snow,always", variables=wrong)
    assert run.status == 2
    assert "snow_connection_service" in run.output
    assert "mdx" in run.output
    assert not instance.requests()
