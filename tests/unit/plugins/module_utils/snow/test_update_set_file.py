# SPDX-License-Identifier: GPL-3.0-or-later
"""An update set that an administrator imports."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.update_set_file import (
    NamedReference,
    UpdateRow,
    UpdateSetContent,
    derived_id,
    update_set_file,
)

URL = "https://acme-prod.service-now.com"
# What XML 1.0 can hold; the platform keeps nothing else in a column.
TEXT = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cn", "Co")), max_size=20)


def row(name: str, sys_id: str, columns: dict[str, str], updated: str = "") -> UpdateRow:
    known = sys_id or derived_id(URL, "sys_properties", name)
    return UpdateRow("sys_properties", known, name, {**columns, "name": name}, updated)


def update_set(instance: str, title: str, rows: list[UpdateRow]) -> str:
    return update_set_file(instance, [UpdateSetContent(title, "", rows)])


def payloads(text: str) -> list[ElementTree.Element]:
    updates = ElementTree.fromstring(text).findall("sys_update_xml")
    return [ElementTree.fromstring(each.findtext("payload") or "")[0] for each in updates]


def set_ids(text: str) -> set[str]:
    root = ElementTree.fromstring(text)
    return {
        each.findtext("sys_id") or ""
        for each in [*root.findall("sys_remote_update_set"), *root.findall("sys_update_xml")]
    }


def test_without_rows_there_is_no_update_set() -> None:
    assert update_set(URL, "x", []) == ""


@given(value=TEXT, description=TEXT)
def test_any_value_survives_the_two_layers_of_xml(value: str, description: str) -> None:
    one = row("glide.a", "a" * 32, {"value": value, "description": description, "type": "string"})
    (record,) = payloads(update_set(URL, "A & <B>", [one]))
    assert record.tag == "sys_properties"
    assert (record.findtext("value"), record.findtext("description")) == (value, description)
    assert record.findtext("sys_id") == "a" * 32


def test_the_same_content_gives_the_same_file_and_another_instance_other_ids() -> None:
    rows = [row("glide.a", "", {"value": "true"}), row("glide.b", "b" * 32, {"value": "1"})]
    text = update_set(URL, "x", rows)
    assert text == update_set(URL, "x", rows)
    ids = [record.findtext("sys_id") for record in payloads(text)]
    assert len(set(ids)) == 2
    assert all(id and len(id) == 32 for id in ids)
    other = update_set("https://acme-dev.service-now.com", "x", rows)
    assert set_ids(other).isdisjoint(set_ids(text))


def java_hash(text: str) -> int:
    total = sum(ord(letter) * 31**place for place, letter in enumerate(reversed(text))) % 2**32
    return total - 2**32 if total >= 2**31 else total


def test_updates_carry_what_an_export_of_the_platform_carries() -> None:
    rows = [
        row("glide.a", "a" * 32, {"value": "1"}, "2026-03-05 23:59:59"),
        row("glide.b", "b" * 32, {"value": "2"}, "2025-03-05 10:00:00"),
        row("glide.c", "", {"value": "3"}, "not a date"),
    ]
    root = ElementTree.fromstring(update_set(URL, "x", rows))
    updates = root.findall("sys_update_xml")
    for each in updates:
        payload, guid = each.findtext("payload") or "", each.findtext("update_guid") or ""
        assert each.findtext("payload_hash") == str(java_hash(payload))
        assert each.findtext("update_guid_history") == f"{guid}:{java_hash(payload)}"
        assert each.findtext("update_domain") == "global"
        assert int((each.findtext("sys_recorded_at") or "")[:-7], 16) == 1772755200000
    assert len({each.findtext("update_guid") for each in updates}) == 3
    # Later than every row: a preview rejects an update that is older than the row.
    dated = [*updates, *root.findall("sys_remote_update_set")]
    assert {each.findtext(f"sys_{verb}_on") for each in dated for verb in ("created", "updated")} == {
        "2026-03-06 00:00:00"
    }
    assert root.get("unload_date") == "2026-03-06 00:00:00"


def test_without_a_row_there_is_a_date_too() -> None:
    root = ElementTree.fromstring(update_set(URL, "x", [row("glide.a", "", {"value": "1"})]))
    assert root.findtext("sys_update_xml/sys_updated_on") == "2026-01-01 00:00:00"


def test_a_reference_carries_the_name_by_which_another_instance_finds_the_row() -> None:
    link = UpdateRow("sys_security_acl_role", "c" * 32, "x", {"sys_user_role": NamedReference("r" * 32, 'a "b" & <c>')})
    (record,) = payloads(update_set(URL, "x", [link]))
    role = record.find("sys_user_role")
    assert role is not None
    assert (role.text, role.get("name"), role.get("display_value")) == ("r" * 32, 'a "b" & <c>', 'a "b" & <c>')


def test_a_file_holds_each_set_that_has_rows() -> None:
    one, two = (UpdateSetContent(title, "", [row("glide.a", "", {"value": title})]) for title in ("x", "y"))
    root = ElementTree.fromstring(update_set_file(URL, [one, UpdateSetContent("empty", "", []), two]))
    assert [each.findtext("name") for each in root.findall("sys_remote_update_set")] == ["x", "y"]
    assert len({each.findtext("remote_update_set") for each in root.findall("sys_update_xml")}) == 2
