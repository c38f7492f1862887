# SPDX-License-Identifier: GPL-3.0-or-later
"""Which secrets of several hosts are not stored yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.secops.servicenow_defender.plugins.lookup.unstored_secrets import DOCUMENTATION, LookupModule
from tests.unit.plugins.plugin_utils.test_connections import trusted

NAME = "secops.servicenow_defender.unstored_secrets"
HOSTS = ("a", "b")


def look(folder: Path, name: str, hostvars: dict[str, Any] | None = None, **options: Any) -> list[dict[str, str]]:
    # As the loader of plugins does, without which no option is known.
    constants.config.initialize_plugin_configuration_definitions(
        "lookup", NAME, yaml.safe_load(DOCUMENTATION)["options"]
    )
    known = trusted(
        {"servicenow_defender_secrets": str(folder), "hostvars": {**dict.fromkeys(HOSTS, {}), **(hostvars or {})}}
    )
    lookup = LookupModule(loader=DataLoader(), templar=Templar(DataLoader(), variables=known))
    lookup._load_name = NAME
    return lookup.run([name], known, **options)


def stored(folder: Path, host: str, name: str) -> str:
    return (folder / host / name).read_text().strip()


def test_a_value_that_is_stored_is_left_as_it_is(tmp_path: Path) -> None:
    values = {"a": "1", "b": "2"}
    assert [row["host"] for row in look(tmp_path, "record", values=values)] == ["a", "b"]
    assert look(tmp_path, "record", values=values, store=True) == []
    before = (tmp_path / "a" / "record").stat().st_mtime_ns
    assert look(tmp_path, "record", values={"a": "1", "b": "3"}) == [{"host": "b", "value": "3", "tasks": ""}]
    assert look(tmp_path, "record", values={"a": "1", "b": "3"}, store=True) == []
    assert (stored(tmp_path, "a", "record"), stored(tmp_path, "b", "record")) == ("1", "3")
    assert (tmp_path / "a" / "record").stat().st_mtime_ns == before


def test_a_host_without_a_secret_gets_a_new_one(tmp_path: Path) -> None:
    look(tmp_path, "key", values={"a": "mine"}, store=True)
    (missing,) = look(tmp_path, "key", hosts=list(HOSTS))
    assert (missing["host"], len(missing["value"])) == ("b", 40)
    assert look(tmp_path, "key", hosts=list(HOSTS), store=True) == []
    assert stored(tmp_path, "a", "key") == "mine"
    assert len(stored(tmp_path, "b", "key")) == 40


def test_what_belongs_into_a_backend_is_returned_with_its_task_file(tmp_path: Path) -> None:
    backend = {"read": "{'a': '1', 'b': ''}[secret_host]", "write": str(tmp_path / "write.yml")}
    own = trusted({"servicenow_defender_secrets": backend})
    values = {"a": "1", "b": "2"}
    found = look(tmp_path, "record", hostvars=dict.fromkeys(HOSTS, own), values=values, store=True)
    assert found == [{"host": "b", "value": "2", "tasks": str(tmp_path / "write.yml")}]


def test_one_host_that_cannot_be_stored_does_not_keep_others_from_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("not a folder")
    with pytest.raises(AnsibleLookupError, match="^a: "):
        look(tmp_path, "record", values={"a": "1", "b": "2"}, store=True)
    assert stored(tmp_path, "b", "record") == "2"
