# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a file: what is in sync in short, read back as it was, and earlier versions of the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.store import DAMAGED, write
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.stored import from_json, to_json
from tests.unit.plugins.plugin_utils.report import fleets
from tests.unit.plugins.plugin_utils.report.fleets import LIFESPAN, NOW, TIMEOUT
from tests.unit.plugins.plugin_utils.report.strategies import document_of, documents
from tests.unit.plugins.plugin_utils.report.test_collect import report


def version_1(document: dict[str, Any]) -> bytes:
    """Return a report as it was written before objects in sync had a list of their own."""
    return json.dumps({**document, "schema": 1}).encode()


@given(documents)
def test_any_report_reads_back_the_same(document: Any) -> None:
    assert from_json(to_json(document)) == document
    assert from_json(version_1(document)) == document


def test_the_order_of_tasks_does_not_show_in_the_file() -> None:
    found = [report({"drift": [LIFESPAN]}, host=host) for host in ("acme-test", "acme-dev")]
    found += [report({"drift": [{**LIFESPAN, "field": field}]}) for field in ("b", "a")]
    assert to_json(document_of(found)) == to_json(document_of(found[::-1]))


def test_of_what_is_in_sync_the_file_has_kind_and_name() -> None:
    host = json.loads(to_json(fleets.small()))["hosts"]["acme-dev"]
    assert [row["object"] for row in host["objects"]] == [
        "oauth_application CloudAppSecurity",
        "user svc_defender",
    ]
    assert host["in_sync"]["role"] == ["custom_table_access"]
    assert host["in_sync"]["table_acl"] == sorted(fleets.TABLES)


def test_what_was_repaired_or_is_unproven_is_whole() -> None:
    repaired = report({"changed": True, "objects": ["user a"], "drift": [TIMEOUT]}, check_mode=False)
    (row,) = json.loads(to_json(document_of([repaired])))["hosts"]["acme-dev"]["objects"]
    assert (row["status"], row["repaired"]) == ("ok", 1)
    host = json.loads(to_json(fleets.unproven()))["hosts"]["acme-dev"]
    assert [row["status"] for row in host["objects"]] == ["unproven"]
    assert "plugin" not in host["in_sync"]


def test_a_thousand_instances_with_sixty_objects_make_a_file_of_moderate_size() -> None:
    assert len(to_json(fleets.thousand())) < 4_500_000


def test_slices_that_were_written_equal_the_undivided_report(tmp_path: Path) -> None:
    found = [
        report({"objects": ["user a", "user b"], "drift": [LIFESPAN] if number % 2 else []}, host=f"acme-{number}")
        for number in range(6)
    ]
    # Two slices see one host: one of them what the other has in sync.
    found += [report({"drift": [{**LIFESPAN, "object": "user b"}]}, host="acme-0")]
    _path, whole = write(tmp_path / "whole", document_of(found, "7"), ["json"], NOW)
    for part in (found[:2], found[2:4], found[4:]):
        _path, merged = write(tmp_path / "slices", document_of(part, "7"), ["json"], NOW)
    assert (merged["hosts"], merged["totals"]) == (whole["hosts"], whole["totals"])
    files = [json.loads((tmp_path / name / "drift.json").read_bytes()) for name in ("whole", "slices")]
    assert files[0]["hosts"] == files[1]["hosts"]


def test_a_report_of_an_earlier_version_is_the_history_of_the_next(tmp_path: Path) -> None:
    before = document_of([report({"objects": ["user a"], "drift": [LIFESPAN]})])
    (tmp_path / "drift.json").write_bytes(version_1(before))
    after = document_of([report({"objects": ["oauth_application CloudAppSecurity"], "drift": [TIMEOUT]})])
    _path, document = write(tmp_path, after, ["json"], NOW)
    assert "notes" not in document["play"]
    assert [row["object"] for row in document["since"]["new"]] == [TIMEOUT["object"]]
    assert [row["object"] for row in document["since"]["gone"]] == [LIFESPAN["object"]]
    assert [row["deviations"] for row in document["trend"]] == [1]


def test_a_slice_of_an_earlier_version_is_extended(tmp_path: Path) -> None:
    first, second = (document_of([report({"objects": ["user a"]}, host=host)], "7") for host in ("acme-a", "acme-b"))
    (tmp_path / "drift.json").write_bytes(version_1(first))
    _path, document = write(tmp_path, second, ["json"], NOW)
    assert [row["object"] for host in document["hosts"].values() for row in host["objects"]] == ["user a"] * 2


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        {"acme-dev": 1},
        {"acme-dev": {"in_sync": 1}},
        {"acme-dev": {"in_sync": {"user": [1, {}], "role": 5}, "objects": ["x", {"kind": []}]}},
    ],
)
def test_a_report_that_lies_about_its_form_is_never_a_crash(tmp_path: Path, hosts: Any) -> None:
    (tmp_path / "drift.json").write_text(json.dumps({"schema": 2, "play": {"run_id": "6"}, "hosts": hosts}))
    _path, document = write(tmp_path, document_of([report({"drift": [LIFESPAN]})]), ["json"], NOW)
    assert document["totals"]["deviations"] == 1


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff\xfe", b"{", b'{"schema": 3}', b"[]"])
def test_what_cannot_be_read_is_kept(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "drift.json").write_bytes(content)
    _path, document = write(tmp_path, document_of([report({"drift": [LIFESPAN]})]), ["json"], NOW)
    assert len(document["play"]["notes"]) == 1
    assert (tmp_path / DAMAGED[0]).read_bytes() == content
