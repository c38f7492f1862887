# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a new project."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.new_project import (
    folder_problem,
    misspelt_answer,
    project_files,
)


def files(*arguments: Any, **options: Any) -> dict[str, str]:
    return {file.path: file.content for file in project_files(*arguments, **options)}


def test_an_instance_and_nothing_else_is_ten_lines() -> None:
    found = files("acme-dev", "svc_ansible")
    assert len(found["inventory.yml"].splitlines()) <= 10
    assert yaml.safe_load(found["inventory.yml"]) == {
        "servicenow": {
            "hosts": {"acme-dev": None},
            "vars": {
                "ansible_connection": "local",
                "snow_url": "https://{{ inventory_hostname }}.service-now.com",
                "snow_username": "svc_ansible",
                "snow_password": "{{ vault_snow_password }}",
                "servicenow_defender_services": ["mda"],
            },
        }
    }
    assert "group_vars/defender/vault.yml" not in found
    assert configparser.ConfigParser().read_string(found["ansible.cfg"]) is None
    modes = {file.path: file.mode for file in project_files("acme-dev", "svc_ansible")}
    assert {path for path, mode in modes.items() if mode == "0600"} == {"group_vars/servicenow/vault.yml"}


def test_names_urls_and_names_with_urls_are_instances() -> None:
    text = "acme-dev, acme-qa.service-now.com;https://acme-prod.service-now.com/ http://127.0.0.1:8080/acme-test,own=https://servicenow.acme.example, 007"
    hosts = yaml.safe_load(files(text, "svc: # 1")["inventory.yml"])["servicenow"]
    assert hosts["hosts"] == {
        "acme-dev": None,
        "acme-qa": None,
        "acme-prod": None,
        "acme-test": {"snow_url": "http://127.0.0.1:8080/acme-test"},
        "own": {"snow_url": "https://servicenow.acme.example"},
        "007": None,
    }
    assert hosts["vars"]["snow_username"] == "svc: # 1"


def test_the_address_that_a_browser_shows_is_an_instance() -> None:
    text = "http://acme-dev.service-now.com/nav_to.do?x=1 acme-test.service-now.com/ own=acme-prod.service-now.com/now"
    text = f"{text.replace('own=', 'own=https://')} ACME-QA.service-now.com"
    assert yaml.safe_load(files(text, "u")["inventory.yml"])["servicenow"]["hosts"] == {
        "acme-dev": None,
        "acme-test": None,
        "own": {"snow_url": "https://acme-prod.service-now.com"},
        "acme-qa": None,
    }


def test_a_tenant_gets_what_its_services_need() -> None:
    tenant = yaml.safe_load(files("a", "u", "https://acme.portal.example/", "mda")["inventory.yml"])["defender"]
    assert tenant["hosts"]["tenant"] == {
        "ansible_connection": "local",
        "mda_url": "https://acme.portal.example",
        "mda_api_token": "{{ vault_mda_api_token }}",
    }
    found = files("a", "u", "https://acme.portal.example", ["mda", "mdc"])
    variables = yaml.safe_load(found["inventory.yml"])["defender"]["hosts"]["tenant"]
    assert variables["azure_subscription_id"] == "{{ lookup('ansible.builtin.env', 'AZURE_SUBSCRIPTION_ID') }}"
    assert set(yaml.safe_load(found["group_vars/defender/vault.yml"])) == {
        "vault_mda_api_token",
        "vault_azure_client_secret",
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("", "u"), "init_instances is empty"),
        (("None", "u"), "init_instances is empty"),
        (("https://servicenow.acme.example/?x=1", "u"), "init_instances has 'https://servicenow.acme.example/"),
        (("bad name!", "u"), "init_instances has 'name!'"),
        (("a a", "u"), "init_instances names a twice"),
        (("a", " "), "init_username is empty"),
        (("a", "u", "acme.portal"), "init_tenant_url is 'acme.portal'"),
        (("a", "u", "https://acme portal"), "init_tenant_url is 'https://acme portal'"),
        (("a", "u", "https://me:pass-1@acme.example"), "init_tenant_url is 'https://...@acme.example'"),
        (("https://me:pass-1@acme.example", "u"), "init_instances has 'https://...@acme.example'"),
        (("servicenow", "u"), "init_instances has 'servicenow', which the inventory uses itself"),
        (("tenant", "u"), "init_instances has 'tenant', which the inventory uses itself"),
        (("a", "u", "", "mdd"), "init_services has the unknown service 'mdd'"),
    ],
)
def test_an_answer_that_cannot_be_used_is_one_sentence(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(ValueError, match="^" + said):
        files(*arguments)


@pytest.mark.parametrize("word", ["yes", "No", "null", "true"])
def test_a_word_that_yaml_does_not_read_as_text_is_quoted(word: str) -> None:
    found = yaml.safe_load(project_files("acme-dev", word)[0].content)
    assert found["servicenow"]["vars"]["snow_username"] == word


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    assert folder_problem(str(tmp_path / "new" / "folder")) == ""
    for name in ("file", "file/below"):
        assert folder_problem(str(tmp_path / name)).endswith(f"and {tmp_path / 'file'} is a file. Give a folder")
    monkeypatch.setattr("os.access", lambda *_arguments: False)
    assert f"and {tmp_path} is not writable" in folder_problem(str(tmp_path / "new"))


def test_a_misspelt_variable_is_named() -> None:
    assert (
        misspelt_answer(["init_dir", "init__files", "init_dri"])
        == "init_dri is not a variable of init. Did you mean init_dir?"
    )
    assert misspelt_answer(["init_colour"]).startswith(
        "init_colour is not a variable of init. Known variables: init_instances, "
    )
    assert misspelt_answer(["init_dir", "init_services"]) == ""
