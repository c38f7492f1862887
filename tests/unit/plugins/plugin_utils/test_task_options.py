# SPDX-License-Identifier: GPL-3.0-or-later
"""All options of a task on an instance, from the variables of the roles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.role_variables import defaults_of
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.task_options import MODULES, TaskOptions, flat

from .test_role_values import host_variables, trusted

CONNECTION = {"snow_url": "https://acme-dev.service-now.com", "timeout": 5}


def variables(folder: Path, **more: Any) -> dict[str, Any]:
    return host_variables(folder, **trusted({**defaults_of("snow_preflight"), **CONNECTION, **more}))


def options(module: str, folder: Path, **more: Any) -> dict[str, Any]:
    known = variables(folder, **more)
    return TaskOptions(Templar(DataLoader(), variables=known), known).of(module)


def store(folder: Path, **secrets: str) -> None:
    (folder / "acme-dev").mkdir()
    for name, value in secrets.items():
        (folder / "acme-dev" / name).write_text(f"{value}\n")


@pytest.mark.parametrize("module", MODULES)
def test_the_options_of_each_task_contain_the_connection(tmp_path: Path, module: str) -> None:
    found = options(module, tmp_path)
    assert {name: found[name] for name in CONNECTION} == CONNECTION


def test_the_user_names_connection_options_of_a_role(tmp_path: Path) -> None:
    found = options("snow_instance_info", tmp_path, snow_preflight_options={"snow_url": "https://{{ own }}"}, own="a")
    assert found["snow_url"] == "https://a"
    assert "timeout" not in found


def test_the_check_before_the_first_write_reads_what_the_user_names(tmp_path: Path) -> None:
    found = options("snow_instance_info", tmp_path, snow_preflight_tables=["{{ own }}"], own="incident")
    assert (found["tables"], found["plugins"], found["properties"]) == (["incident"], [], [])


def test_each_service_signs_in_with_its_stored_secrets(tmp_path: Path) -> None:
    store(tmp_path, mdc_password="p", mdc_client_secret="s")
    found = options("snow_oauth_check", tmp_path, snow_connection_service="mdc")
    assert (found["username"], found["password"], found["client_secret"]) == ("svc_defender_cloud", "p", "s")


@pytest.mark.parametrize(
    ("services", "accounts"),
    [
        ("mdc", ["svc_defender_cloud"]),
        ("{{ servicenow_defender_services | default('mda') }}", ["svc_defender_cloud_apps"]),
        (["mda", ["mdc"]], ["svc_defender_cloud_apps", "svc_defender_cloud"]),
    ],
)
def test_an_instance_has_an_account_for_each_service(tmp_path: Path, services: Any, accounts: list[str]) -> None:
    found = options("snow_instance", tmp_path, snow_connection_services=services)
    assert [user["user_name"] for user in found["users"]] == accounts


def test_a_secret_that_is_not_stored_is_predicted_only_where_nothing_is_stored(tmp_path: Path) -> None:
    store(tmp_path, mda_client_secret="s")
    predicted = options("snow_instance", tmp_path, servicenow_defender_planning=True, ansible_check_mode=False)
    assert len(predicted["users"][0]["password"]) == 40
    assert predicted["oauth_applications"][0]["client_secret"] == "s"
    assert options("snow_instance", tmp_path, ansible_check_mode=False)["users"][0]["password"] == ""


def test_an_instance_that_left_the_fleet_is_not_compared(tmp_path: Path) -> None:
    store(tmp_path, offboarded="2026-01-31")
    with pytest.raises(ValueError, match="acme-dev was taken out of the fleet on 2026-01-31"):
        options("snow_drift_info", tmp_path)


def test_a_comparison_reads_the_end_of_tokens_and_takes_no_rules_over(tmp_path: Path) -> None:
    found = options("snow_drift_info", tmp_path, snow_table_acls_source="acme-prod")["instance"]
    assert [application["read_token_end"] for application in found["oauth_applications"]] == [True]
    assert "source" not in found["table_acls"][0]


def test_a_misspelt_variable_is_refused_in_a_playbook_of_the_users_own(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="snow_preflight_tabels is not a variable of this collection"):
        options("snow_instance_info", tmp_path, snow_preflight_tabels=["incident"])


def test_names_are_one_name_or_lists() -> None:
    assert flat("mda") == ["mda"]
    assert flat(["mda", ["mdc", ["msem"]]]) == ["mda", "mdc", "msem"]


@pytest.mark.parametrize("value", [None, {"mda": True}, 1, ["mda", None]])
def test_anything_else_names_no_service(tmp_path: Path, value: Any) -> None:
    with pytest.raises(ValueError, match="snow_connection_services must be a service or a list of services"):
        options("snow_instance", tmp_path, snow_connection_services=value)
