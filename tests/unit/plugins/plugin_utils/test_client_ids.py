# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose client id an application has: its own, that of the instance it was cloned from, or one that two instances share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.client_ids import (
    clone_problems,
    copied,
    copies,
    hosts_of_folder,
    identity_options,
    in_run,
    owners,
    shared,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.fleet import SELECTED
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.secret_store import SecretFolder, reader

PROD, DEV = "https://acme-prod.service-now.com", "https://acme-dev.service-now.com"


def record(client_id: str, url: str) -> str:
    return json.dumps({"version": 1, "client_id": client_id, "instance_url": url})


@pytest.fixture
def store(tmp_path: Path) -> SecretFolder:
    """A folder of secrets in which the client id of acme-prod is recorded."""
    folder = SecretFolder(tmp_path)
    folder.store("acme-prod", "mda_accepted", record("prod-1", PROD))
    return folder


def options(store: SecretFolder, host: str, url: str) -> dict[str, Any]:
    return identity_options(reader(store, host), store, host, "mda", url)


def test_an_application_gets_the_client_id_that_was_recorded_for_its_address(store: SecretFolder) -> None:
    store.store("acme-dev", "mda_accepted", record("dev-1", DEV))
    assert options(store, "acme-dev", f"{DEV}/") == {"own_client_id": "dev-1"}
    assert options(store, "acme-dev", "") == {}


def test_without_a_record_of_its_own_those_of_other_instances_are_replaced(store: SecretFolder) -> None:
    found = options(store, "acme-dev", DEV)
    assert found["foreign_client_ids"] == ["prod-1"]
    assert len(found["own_client_id"]) == 32
    assert options(store, "acme-dev", DEV) == found, "a run that is repeated chooses the same"
    assert options(store, "acme-test", "https://acme-test.service-now.com") != found
    # Another name for the same instance is no clone.
    assert options(store, "production", PROD) == {}


@pytest.mark.parametrize("text", ["damaged", "[]", "{}", record("dev-1", "https://acme-old.service-now.com")])
def test_a_record_that_is_damaged_or_of_another_address_does_not_count(store: SecretFolder, text: str) -> None:
    store.store("acme-dev", "mda_accepted", text)
    assert options(store, "acme-dev", DEV)["own_client_id"] != "dev-1"


def test_the_hosts_of_a_folder_have_records(store: SecretFolder) -> None:
    store.store("acme-dev", "mdc_accepted", record("dev-1", DEV))
    assert hosts_of_folder(store) == ["acme-dev", "acme-prod"]
    assert hosts_of_folder(SecretFolder(store.root / "missing")) == []
    assert owners(store, hosts_of_folder(store), DEV) == {"prod-1": f"acme-prod ({PROD})"}


def found(host: str, client_id: str, before: str = "") -> dict[str, Any]:
    drift = [{"object": "oauth_application App", "field": "client_id", "before": before, "after": client_id}]
    row = {"object": "oauth_application App", "name": "App", "client_id": client_id}
    result = {"results": [{"object": "user svc"}, row], "drift": drift if before else []}
    return {SELECTED: {}, "snow_url": f"https://{host}", "snow_connection_result": result}


def test_the_source_of_a_clone_is_named() -> None:
    hostvars = {
        "prod": found("prod", "prod-1"),
        "dev": found("dev", "dev-1", before="prod-1"),
        "test": found("test", "3"),
    }
    assert copies(hostvars) == ["dev"]
    sources = in_run(hostvars, "dev")
    assert sources == {"prod-1": "prod (https://prod)", "3": "test (https://test)"}
    (problem,) = clone_problems(copied(hostvars["dev"]), sources, repaired=False)
    assert problem["id"] == "clone:App"
    assert problem["message"].startswith("cloned from prod (https://prod): the application App has the client id")
    (problem,) = clone_problems(copied(hostvars["dev"]), sources, repaired=True)
    assert "had the client id" in problem["message"]
    assert not clone_problems([{"name": "App", "client_id": "of no instance"}], sources, repaired=False)


def test_a_client_id_that_two_instances_share_is_unproven_for_both() -> None:
    hostvars = {"prod": found("prod", "same"), "dev": found("dev", "same"), "test": found("test", "3")}
    assert copies(hostvars) == ["prod", "dev"]
    (entry,) = shared(hostvars["dev"], in_run(hostvars, "dev"))
    assert (entry["object"], entry["field"]) == ("oauth_application App", "client_id")
    assert entry["reason"].startswith("prod (https://prod) has the same client id")
    assert not shared(hostvars["test"], in_run(hostvars, "test"))
