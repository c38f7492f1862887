# SPDX-License-Identifier: GPL-3.0-or-later
"""An update set that an administrator imports."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.update_set import (
    PropertyRow,
    update_set,
)

URL = "https://acme-prod.service-now.com"
# What XML 1.0 can hold; the platform keeps nothing else in a column.
TEXT = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cn", "Co")), max_size=20)


def payloads(text: str) -> list[ElementTree.Element]:
    updates = ElementTree.fromstring(text).findall("sys_update_xml")
    return [ElementTree.fromstring(each.findtext("payload") or "")[0] for each in updates]


def test_without_rows_there_is_no_update_set() -> None:
    assert update_set(URL, "x", []) == ""


@given(value=TEXT, description=TEXT)
def test_any_value_survives_the_two_layers_of_xml(value: str, description: str) -> None:
    row = PropertyRow("glide.a", "a" * 32, {"value": value, "description": description, "type": "string"})
    (record,) = payloads(update_set(URL, "A & <B>", [row]))
    assert record.tag == "sys_properties"
    assert (record.findtext("value"), record.findtext("description")) == (value, description)
    assert record.findtext("sys_id") == "a" * 32


def test_the_same_content_gives_the_same_file_and_another_instance_other_ids() -> None:
    rows = [PropertyRow("glide.a", "", {"value": "true"}), PropertyRow("glide.b", "b" * 32, {"value": "1"})]
    text = update_set(URL, "x", rows)
    assert text == update_set(URL, "x", rows)
    ids = [record.findtext("sys_id") for record in payloads(text)]
    assert len(set(ids)) == 2
    assert all(id and len(id) == 32 for id in ids)
    assert payloads(update_set("https://acme-dev.service-now.com", "x", rows))[0].findtext("sys_id") != ids[0]
