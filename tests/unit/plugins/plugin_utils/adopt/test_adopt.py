# SPDX-License-Identifier: GPL-3.0-or-later
"""The text that adopt writes, and how it finds the objects of a service."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.adopt.choice import (
    account_of,
    application_of,
    role_of,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.adopt.file import (
    BEGIN,
    END,
    Template,
    Variable,
    VariablesFile,
    block_of,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.adopt.instance import by_service
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.adopt.tenant import (
    matched,
    not_described,
    policies_of,
    rules_of,
    unmatched,
)
from tests.unit.plugins.plugin_utils.test_connections import trusted

BLOCK = [Variable("first", "a: b", "Why.\nStill why."), Variable("second", ["x", "y"])]


def test_the_text_has_comments_order_and_indented_lists() -> None:
    assert block_of([*BLOCK, Variable("third", {"on": True}, "Third.")]) == (
        f"{BEGIN}\n# Why.\n# Still why.\nfirst: 'a: b'\nsecond:\n  - x\n  - y\n\n# Third.\nthird:\n  'on': true\n{END}\n"
    )


@pytest.mark.parametrize("text", ["{{ lookup('env', 'HOME') }}", "{% if x %}", "{# none #}"])
def test_text_of_a_platform_is_never_a_template(text: str) -> None:
    assert f'name: !unsafe "{text}"' in block_of([Variable("name", text)])
    assert "!unsafe" not in block_of([Variable("name", Template(text))])


@pytest.mark.parametrize("text", ["it's", 'say "x"', 'it\'s "x" # 1', "ACME\\svc", "a\nb", "ä☃"])
def test_a_template_for_two_services_returns_the_text_of_each(text: str) -> None:
    value = by_service("x", {"mda": text, "mdc": [True, {"a": text}]})
    for service, expected in (("mda", text), ("mdc", [True, {"a": text}])):
        templar = Templar(DataLoader(), variables={"snow_connection_service": service})
        assert templar.template(trusted(str(value))) == expected


@pytest.mark.parametrize("text", ["{{ lookup('pipe', 'id') }}", "{% a %}", "a\\", "\\'"])
def test_a_template_for_two_services_holds_no_other_template(text: str) -> None:
    assert by_service("x", {"mda": text, "mdc": text}) == text
    with pytest.raises(ValueError, match="x would be a template for mda and mdc.*Rename the object"):
        by_service("x", {"mda": text, "mdc": "b"})


@pytest.mark.parametrize("value", ["on", "1e3", "# no comment", "Grüße ☃", "a\nb", "'", "- x", "@", ""])
def test_odd_text_is_read_back_as_it_was(value: str) -> None:
    assert yaml.safe_load(block_of([Variable("name", value)])) == {"name": value}


def test_lines_outside_the_block_stay_and_win(tmp_path: Path) -> None:
    path = VariablesFile(tmp_path, "acme").path
    path.parent.mkdir(parents=True)
    for before, after in (
        ("mine: 1\n", f"mine: 1\n\n{block_of(BLOCK)}"),
        (f"# Mine.\n{BEGIN}\nold: 1\n{END}\nsecond: [z]\n", f"# Mine.\n{block_of(BLOCK[:1])}second: [z]\n"),
    ):
        path.write_text(before)
        file = VariablesFile(tmp_path, "acme")
        file.write(file.with_block(BLOCK))
        assert path.read_text() == after
        again = VariablesFile(tmp_path, "acme")
        assert again.with_block(BLOCK) == after
        assert again.own_names() <= {"first", "second"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("$ANSIBLE_VAULT;1.1;AES256\n33\n", "encrypted"),
        ("- a\n", "no variables"),
        ("a: [\n", "not YAML near line"),
        (f"{BEGIN}\na: 1\n", "each be there once"),
        (f"{END}\n", "each be there once"),
    ],
)
def test_a_file_that_cannot_be_extended_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = VariablesFile(tmp_path, "acme").path
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(ValueError, match=words):
        VariablesFile(tmp_path, "acme").with_block(BLOCK)


@pytest.mark.parametrize("host", ["a/b", "..", ""])
def test_a_host_never_leads_out_of_the_folder(tmp_path: Path, host: str) -> None:
    with pytest.raises(ValueError, match="rename it in the inventory"):
        VariablesFile(tmp_path, host)


def test_what_looks_alike_twice_is_not_guessed() -> None:
    one, two = ({"name": name, "sys_id": name[:1], "active": True} for name in ("Cloud App Security", "MCAS"))
    other = {"name": "Defender for Cloud", "sys_id": "d"}
    assert application_of("mda", [one, other], "", "Microsoft Defender for Cloud Apps") is one
    assert application_of("mdc", [one, other], "", "Microsoft Defender for Cloud") is other
    assert application_of("mda", [one, two], "MCAS", "") is two
    assert application_of("mda", [one, {**two, "active": False}], "", "") is one
    with pytest.raises(
        ValueError, match=r"'Cloud App Security' \(C\) and 'MCAS' \(M\).*Set snow_connection_application_name"
    ):
        application_of("mda", [one, two], "", "")
    with pytest.raises(ValueError, match="no application looks like"):
        application_of("mda", [other], "", "")


def test_the_account_is_the_one_with_tokens() -> None:
    users = [{"user_name": "svc_mda", "sys_id": "1"}, {"user_name": "batch", "sys_id": "2"}]
    assert account_of("mda", users, ["2"], "")["user_name"] == "batch"
    assert account_of("mda", users, [], "")["user_name"] == "svc_mda"
    with pytest.raises(ValueError, match="It sees: batch, svc_mda"):
        account_of("mda", users, [], "gone")


def test_the_role_is_the_only_one_of_its_own() -> None:
    assert role_of("mda", ["snc_internal", "x_reader"], "", "usual") == "x_reader"
    assert role_of("mda", ["x_reader", "x_mcas"], "", "usual") == "x_mcas"
    assert role_of("mda", ["x_reader", "y_reader"], "", "usual") == ""
    assert role_of("mda", ["x_reader", "usual"], "", "usual") == "usual"


def test_connectors_are_matched_by_name_address_or_as_the_only_one_left() -> None:
    addresses = {"prod": "https://acme.service-now.com", "dev": "https://acmedev.service-now.com"}
    by_name = {"name": "ACME", "instance_url": ""}
    by_address = {"name": "x", "instance_url": "https://acmedev.service-now.com/"}
    assert matched([by_name, by_address], addresses, {}, "name") == {"prod": by_name, "dev": by_address}
    left = {"name": "y", "instance_url": ""}
    assert matched([by_name, left], addresses, {}, "name")["dev"] is left
    assert matched([by_name, left], addresses, {"dev": "other"}, "name") == {"prod": by_name}
    with pytest.raises(ValueError, match="prod: 2 of the tenant fit it"):
        matched([by_name, {**by_name, "id": "2"}], addresses, {}, "name")


def test_what_is_left_may_serve_another_host() -> None:
    left = {"name": "y", "instance_url": ""}
    address = {"prod": "https://acme.service-now.com"}
    assert matched([left], address, {}, "name", all_hosts=False) == {}
    assert matched([{**left, "instance_url": "https://other.service-now.com"}], address, {}, "name") == {}
    (entry,) = unmatched([left], {}, address, "name", "mda_connection_name", "connect it")
    assert entry["host"] == "prod"
    assert "one of 'y' may be it: set mda_connection_name. Otherwise, connect it" in entry["reason"]


def test_policies_are_those_that_are_wanted() -> None:
    rows = [{"id": "1", "name": "One", "enabled": False}, {"id": "2", "name": "Two", "enabled": None}]
    assert policies_of(rows, [{"name": "One"}, {"id": "2"}, {"name": "gone"}]) == [{"name": "One", "state": "disabled"}]


def test_rules_are_options_of_their_module_and_the_rest_is_named() -> None:
    group = "/providers/Microsoft.Management/managementGroups/mg"
    own = {
        "display_name": "a",
        "options": {"display_name": "a"},
        "not_described": ["conditionSets"],
        "inherited_from": "",
    }
    unknown = {**own, "display_name": "b", "options": {}, "not_described": ["displayName"]}
    inherited = {**own, "display_name": "c", "not_described": [], "inherited_from": group}
    rows = [own, unknown, inherited]
    assert rules_of(rows, "") == [{"display_name": "a"}]
    assert rules_of(rows, "/subscriptions/s") == [{"display_name": "a", "scope": "/subscriptions/s"}]
    named = [(entry["object"], entry["field"]) for entry in not_described("tenant", rows, ["/subscriptions/s"])]
    assert named == [
        ("governance_rule a", "conditionSets"),
        ("governance_rule b", "displayName"),
        ("governance_rule c", "scope"),
    ]
    assert len(not_described("tenant", rows, [group.upper()])) == 2


@pytest.mark.parametrize("name", ["acme", "acme.yml", "acme.yaml"])
def test_a_file_of_the_host_is_not_hidden_by_a_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / "host_vars" / name
    path.parent.mkdir()
    path.write_text("mine: 1")
    file = VariablesFile(tmp_path, "acme")
    file.write(file.with_block(BLOCK))
    assert [each.name for each in path.parent.iterdir()] == [name]
    assert path.read_text() == f"mine: 1\n\n{block_of(BLOCK)}"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("acme.json", "{}", "Move it to .*host_vars/acme;"),
        ("acme.yml", "{mine: 1}\n", "not YAML near line"),
        ("acme.yml", "mine: 1\n...\n", "not YAML near line"),
    ],
)
def test_a_file_of_the_host_that_has_no_place_for_a_block_is_refused(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    path = tmp_path / "host_vars" / name
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ValueError, match=words):
        VariablesFile(tmp_path, "acme").with_block(BLOCK)
    assert path.read_text() == text


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "shared.yml").write_text("mine: 1\n")
    (tmp_path / "host_vars" / "acme.yml").symlink_to(tmp_path / "shared.yml")
    with pytest.raises(ValueError, match="is a link"):
        VariablesFile(tmp_path, "acme")


def test_a_run_that_is_killed_while_it_writes_leaves_the_old_file(tmp_path: Path) -> None:
    file = VariablesFile(tmp_path, "acme")
    file.write(file.with_block(BLOCK[:1]))
    old = file.path.read_text()
    code = "import os, sys; from pathlib import Path; from {0} import VariablesFile as F; {1}; F(Path(sys.argv[1]), 'acme').write('x' * 9)"
    for moment in ("os.replace = lambda *_: os._exit(9)", "Path.chmod = lambda *_: os.kill(os.getpid(), 9)"):
        done = subprocess.run(
            [sys.executable, "-c", code.format(VariablesFile.__module__, moment), str(tmp_path)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=False,
        )
        assert done.returncode in (9, -9)
        assert file.path.read_text() == old
        assert len(list(file.path.parent.iterdir())) == 2
    again = VariablesFile(tmp_path, "acme")
    again.write(again.with_block(BLOCK))
    assert [each.name for each in file.path.parent.iterdir()] == [file.path.name]
    assert file.path.read_text() == f"---\n{block_of(BLOCK)}"
