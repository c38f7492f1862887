# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in a folder: written whole or not at all, never followed elsewhere, and named when they are lost."""

from __future__ import annotations

import multiprocessing
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.secret_store import (
    VARIABLE,
    SecretBackend,
    SecretFolder,
    store_of,
)

from .test_connections import trusted

HOST, NAME = "acme-dev", "mda_password"


@pytest.fixture
def folder(tmp_path: Path) -> SecretFolder:
    return SecretFolder(tmp_path / "secrets")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_missing_secret_is_empty_and_nothing_is_created(folder: SecretFolder) -> None:
    assert folder.read(HOST, NAME) == ""
    assert not folder.root.exists()


def test_a_secret_is_generated_once(folder: SecretFolder) -> None:
    secret = folder.create(HOST, NAME)
    assert len(secret) == 40 and secret.isalnum()
    assert folder.create(HOST, NAME) == folder.read(HOST, NAME) == secret


def test_only_the_owner_may_read_and_git_ignores_the_folder(folder: SecretFolder) -> None:
    folder.create(HOST, NAME)
    assert mode_of(folder.root) == mode_of(folder.root / HOST) == 0o700
    assert mode_of(folder.root / HOST / NAME) == 0o600
    assert (folder.root / ".gitignore").read_text().splitlines()[-1] == "*"


def test_a_value_replaces_what_is_stored_and_an_empty_one_removes_it(folder: SecretFolder) -> None:
    folder.create(HOST, NAME)
    assert folder.store(HOST, NAME, "new") == folder.read(HOST, NAME) == "new"
    assert folder.store(HOST, NAME, "") == ""
    assert not (folder.root / HOST / NAME).exists()


def test_whether_it_can_be_written_is_found_out_without_a_trace(folder: SecretFolder) -> None:
    folder.create(HOST, NAME)
    before = {path.name: path.read_bytes() for path in (folder.root / HOST).iterdir()}
    assert folder.unwritable(HOST) == ""
    assert {path.name: path.read_bytes() for path in (folder.root / HOST).iterdir()} == before
    (folder.root / "acme-file").write_text("")
    assert folder.unwritable("acme-file") == f"{folder.root} cannot be written: File exists"
    assert "rename the host" in folder.unwritable(".hidden")


def test_what_a_killed_run_left_is_removed(folder: SecretFolder) -> None:
    folder.create(HOST, NAME)
    left = folder.root / HOST / ".mda_client_secret.tmp"
    left.write_text("half")
    folder.create(HOST, "mda_client_secret")
    assert not left.exists()
    assert sorted(os.listdir(folder.root / HOST)) == ["mda_client_secret", "mda_password"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty, so the secret is lost"),
        (b"\n", "is empty"),
        (b"a\nb\n", "is damaged"),
        (b"\xff\xfe", "is empty|is damaged"),
        (b"a" * 70000, "is damaged"),
    ],
)
def test_an_empty_or_damaged_file_is_named(folder: SecretFolder, content: bytes, message: str) -> None:
    folder.create(HOST, NAME)
    path = folder.root / HOST / NAME
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{path} ({message})"):
        folder.read(HOST, NAME)
    with pytest.raises(ValueError, match=str(path)):
        folder.create(HOST, NAME)
    assert path.read_bytes() == content, "nothing is lost"


@pytest.mark.parametrize("dangling", [True, False])
def test_a_link_is_not_followed(folder: SecretFolder, tmp_path: Path, dangling: bool) -> None:
    folder.create(HOST, NAME)
    path, elsewhere = folder.root / HOST / NAME, tmp_path / "elsewhere"
    path.unlink()
    path.symlink_to(elsewhere)
    if not dangling:
        elsewhere.write_text("stolen")
    for attempt in (folder.read, folder.create):
        with pytest.raises(ValueError, match="is a link, which is not followed"):
            attempt(HOST, NAME)
    assert elsewhere.exists() is not dangling


@pytest.mark.parametrize("host", ["../other", "a/b", ".hidden", ""])
def test_a_host_cannot_name_a_file_elsewhere(folder: SecretFolder, host: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a file"):
        folder.create(host, NAME)


def _create(root: str, queue: Any) -> None:
    queue.put(SecretFolder(Path(root)).create(HOST, NAME))


def test_runs_at_the_same_time_get_the_same_secret(folder: SecretFolder) -> None:
    context = multiprocessing.get_context("fork")
    queue: Any = context.Queue()
    runs = [context.Process(target=_create, args=(str(folder.root), queue)) for _ in range(8)]
    for run in runs:
        run.start()
    found = {queue.get(timeout=30) for _ in runs}
    for run in runs:
        run.join()
    assert found == {folder.read(HOST, NAME)}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=f"{tmp_path}/file/secrets cannot be written"):
        SecretFolder(tmp_path / "file/secrets").create(HOST, NAME)


def store(**variables: Any) -> SecretFolder | SecretBackend:
    known = {"inventory_hostname": HOST, "inventory_dir": "/inventory", **variables}
    return store_of(Templar(DataLoader(), variables=known), known)


def test_the_default_is_a_folder_next_to_the_inventory() -> None:
    found = store()
    assert isinstance(found, SecretFolder)
    assert found.describe(HOST, NAME) == "/inventory/servicenow_defender_secrets/acme-dev/mda_password"


def test_in_an_inventory_that_is_a_folder_the_secrets_are_hidden_from_ansible(tmp_path: Path) -> None:
    """Ansible reads each other file in it as an inventory, whose lines are names of hosts."""
    inventory = tmp_path / "inventories"
    (inventory / "prod").mkdir(parents=True)
    of_folder = {"inventory_dir": str(inventory / "prod"), "ansible_inventory_sources": [str(inventory), "a,"]}
    of_file = {**of_folder, "ansible_inventory_sources": [str(inventory / "prod/hosts.yml")]}
    plain, hidden = (inventory / "prod" / f"{dot}servicenow_defender_secrets" for dot in ("", "."))
    found = store(**of_folder)
    assert isinstance(found, SecretFolder) and found.root == hidden
    assert store(**of_file) == SecretFolder(plain)
    hidden.mkdir()
    # The same secrets, however the inventory is given.
    assert store(**of_file) == store(**of_folder) == SecretFolder(hidden)
    plain.mkdir()
    for variables, words in ((of_folder, "reads each secret there as an inventory"), (of_file, "as well. Keep one")):
        with pytest.raises(ValueError, match=words):
            store(**variables)
    hidden.rmdir()
    with pytest.raises(ValueError, match=f"Rename it to {hidden}"):
        store(**of_folder)
    assert store(**of_file) == SecretFolder(plain)


def test_a_folder_that_ansible_reads_as_an_inventory_is_refused(tmp_path: Path) -> None:
    sources = {"ansible_inventory_sources": [str(tmp_path)]}
    with pytest.raises(ValueError, match="show it as the name of a host. Move the folder out of it"):
        store(servicenow_defender_secrets=str(tmp_path / "secrets"), **sources)
    for name in (".secrets", "group_vars/secrets"):
        assert store(servicenow_defender_secrets=str(tmp_path / name), **sources) == SecretFolder(tmp_path / name)
    assert store(servicenow_defender_secrets="/elsewhere", **sources) == SecretFolder(Path("/elsewhere"))


def test_no_secret_is_stored_in_the_folder_of_a_collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade of the collection removes it. An inventory without a file, such as `-i acme-dev,`, has no folder of its own."""
    monkeypatch.chdir(tmp_path)
    for playbooks, wanted in (("/c/ansible_collections/a/b/playbooks", str(tmp_path)), ("/mine", "/mine")):
        found = store(inventory_dir=None, playbook_dir=playbooks)
        assert found == SecretFolder(Path(wanted) / "servicenow_defender_secrets")


@pytest.mark.parametrize(
    "wanted",
    [
        {"read": "x"},
        {"write": "x"},
        {"read": "x", "write": "y", "more": 1},
        {"read": "", "write": "y"},
        {"read": 1, "write": "y"},
    ],
)
def test_a_malformed_backend_is_refused(wanted: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be a folder, or a dictionary of read"):
        store(servicenow_defender_secrets=wanted)


@pytest.mark.parametrize(
    ("stored", "found"), [('{"version":1,"id":"42"}', None), ("[1]", None), ("True", None), (" a\n", "a"), (None, "")]
)
def test_a_backend_returns_the_text_that_it_has(stored: str | None, found: str | None) -> None:
    """ansible-core 2.18 would make a dictionary, a list or a truth value of some texts."""
    known = trusted({VARIABLE: {"read": "known[secret_host ~ '/' ~ secret_name]", "write": "write.yml"}})
    known["known"] = {"a/record": stored}
    backend = store_of(Templar(DataLoader(), variables=known), known)
    assert backend.read("a", "record") == (stored if found is None else found)
    known["known"] = {}
    with pytest.raises((AnsibleError, ValueError)):
        store_of(Templar(DataLoader(), variables=known), known).read("a", "record")
