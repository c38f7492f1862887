# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that the user does not supply survive a lost folder, a killed run and a backend that forgets."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import SHELLS, Playbooks, Run
from tests.integration.secret_backend import plain_file

pytestmark = pytest.mark.walk(3)

USER, APPLICATION = "svc_defender_cloud_apps", "Microsoft Defender for Cloud Apps"
QUICK = {"drift_include_hardening": False}


def folder(playbook: Playbooks, instance: Instance) -> Path:
    return playbook.folder / "secrets" / instance.name


def failure(run: Run, instance: Instance) -> str:
    assert run.status == 2, run.output
    return run.on(instance.name, "Fail if the work on this host failed").message


def test_a_lost_folder_stops_the_run_until_rotation_is_requested(playbook: Playbooks, instance: Instance) -> None:
    playbook.onboarded(instance)
    secrets = folder(playbook, instance)
    kept = {path.name: path.read_text() for path in secrets.iterdir()}
    shutil.rmtree(secrets.parent)
    before = instance.content()
    for check in (True, False):
        message = failure(playbook("onboard", instance, check=check), instance)
        assert f"user {USER} exists on the instance, but its secret is not stored: {secrets}/mda_password." in message
        assert f"oauth_application {APPLICATION} exists on the instance, but its secret is not stored" in message
        assert "servicenow_defender_rotate: true" in message
    assert instance.content() == before
    assert not secrets.parent.exists()

    drift = playbook("drift", instance, variables=QUICK)
    assert drift.status == 2
    unproven = {
        (entry["object"], entry["field"])
        for entry in drift["Compare account, application, role and settings"]["unproven"]
    }
    assert {(f"user {USER}", "password"), (f"oauth_application {APPLICATION}", "client_secret")} <= unproven
    said = "the secret is not stored, or was not supplied (password is empty)"
    assert said in drift.summary and "Restore servicenow_defender_secrets" in drift.summary

    planned = playbook("onboard", instance, check=True, variables={"servicenow_defender_rotate": True}).went_well()
    assert f"user {USER} (password)" in planned.summary
    assert not secrets.parent.exists()
    rotated = playbook("onboard", instance, variables={"servicenow_defender_rotate": True}).went_well()
    assert rotated.recap[instance.name]["changed"] == 1
    assert {path.name for path in secrets.iterdir()} == set(kept)
    assert not any(path.read_text() == kept[path.name] for path in secrets.iterdir())
    assert playbook("onboard", instance).went_well().recap[instance.name]["changed"] == 0


def test_half_a_folder_names_what_is_missing(playbook: Playbooks, instance: Instance) -> None:
    playbook.onboarded(instance)
    (folder(playbook, instance) / "mda_client_secret").unlink()
    message = failure(playbook("onboard", instance), instance)
    assert f"oauth_application {APPLICATION} exists" in message
    assert USER not in message
    assert [path.name for path in folder(playbook, instance).iterdir()] == ["mda_password"]


def test_check_mode_creates_no_secret(playbook: Playbooks, instance: Instance) -> None:
    planned = playbook("onboard", instance, check=True).went_well()
    assert planned.recap[instance.name]["changed"] == 1
    assert not (playbook.folder / "secrets").exists()


@pytest.mark.parametrize("content", ["", "one\ntwo\n"], ids=["empty", "damaged"])
def test_a_file_that_a_killed_run_left_is_named(playbook: Playbooks, instance: Instance, content: str) -> None:
    path = folder(playbook, instance) / "mda_password"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    before = instance.content()
    message = failure(playbook("onboard", instance), instance)
    assert message.startswith(f"{instance.name}: {path} is ")
    assert "Restore the file from a copy, or remove it" in message
    assert instance.content() == before
    path.unlink()
    playbook("onboard", instance).went_well()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_backend_keeps_the_secrets(playbook: Playbooks, instance: Instance, shell: str) -> None:
    variables = plain_file(playbook)
    planned = playbook("onboard", instance, check=True, variables=variables, shell=shell).went_well()
    assert planned.recap[instance.name]["changed"] == 1
    files = playbook.folder / "files"
    assert not list(files.iterdir())
    run = playbook("onboard", instance, "-vvvv", variables=variables, shell=shell).went_well()
    stored = {path.name: path.read_text() for path in files.iterdir()}
    assert set(stored) == {f"{instance.name}.mda_password", f"{instance.name}.mda_client_secret"}
    assert not any(secret in run.output for secret in stored.values())
    again = playbook("onboard", instance, variables=variables, shell=shell).went_well()
    assert again.recap[instance.name]["changed"] == 0
    assert {path.name: path.read_text() for path in files.iterdir()} == stored
    assert not (playbook.folder / "secrets").exists()


def test_a_backend_that_does_not_return_what_it_was_given_is_refused(playbook: Playbooks, instance: Instance) -> None:
    before = instance.content()
    message = failure(playbook("onboard", instance, variables=plain_file(playbook, read="'' ~ ''")), instance)
    assert "plain_file.yml stored mda_password, but servicenow_defender_secrets.read does not return it" in message
    assert "nothing was sent" in message
    assert instance.content() == before


def test_a_backend_that_cannot_be_written_stops_before_anything_is_sent(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = new_instance()
    before = instance.content()
    refuses = playbook.folder / "refuses.yml"
    refuses.write_text("- ansible.builtin.fail: {msg: the vault is read-only}\n")
    message = failure(playbook("onboard", instance, variables=plain_file(playbook, write=str(refuses))), instance)
    assert "the vault is read-only" in message
    malformed = playbook("onboard", instance, variables={"servicenow_defender_secrets": {"read": "'x'"}})
    assert "servicenow_defender_secrets must be a folder, or a dictionary of read" in failure(malformed, instance)
    assert instance.content() == before
