# SPDX-License-Identifier: GPL-3.0-or-later
"""An update set that an administrator imports."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.secret_policy import NeverWrite
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.snapshot import Snapshot, merged
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.baseline import select
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.catalogue import BY_ID
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.connection_impact import Connections
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.observe import Observer
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.queries import WHOLE_ROW
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.resource import Hardening
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.update_set import (
    PropertyRow,
    update_set,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.write_policy import Allowances
from tests.unit.plugins.module_utils.hardening.fake_settings import Shown

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


def java_hash(text: str) -> int:
    total = sum(ord(letter) * 31**place for place, letter in enumerate(reversed(text))) % 2**32
    return total - 2**32 if total >= 2**31 else total


def test_updates_carry_what_an_export_of_the_platform_carries() -> None:
    rows = [
        PropertyRow("glide.a", "a" * 32, {"value": "1"}, "2026-03-05 23:59:59"),
        PropertyRow("glide.b", "b" * 32, {"value": "2"}, "2025-03-05 10:00:00"),
        PropertyRow("glide.c", "", {"value": "3"}, "not a date"),
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
    root = ElementTree.fromstring(update_set(URL, "x", [PropertyRow("glide.a", "", {"value": "1"})]))
    assert root.findtext("sys_update_xml/sys_updated_on") == "2026-01-01 00:00:00"


@pytest.mark.parametrize("private", ["true", "false", ""])
def test_private_properties_are_manual_steps_and_not_imported(private: str) -> None:
    shown = Shown()
    shown.put(BY_ID["csrf.strict"], "false")
    shown.tables["sys_properties"][-1].update(write_roles="security_admin", is_private=private)
    selection = select(ids=["csrf.strict"])
    observer = Observer(selection.settings, shown.account, None, WHOLE_ROW)
    hardening = Hardening(selection, observer, Allowances(), Connections([], "basic", ""))
    reads = merged(hardening.reads())
    plan = hardening.plan(Snapshot.of(reads, shown.answer(reads), "sys_id"), NeverWrite())
    (step,) = plan.manual_steps
    assert ("an import leaves private properties out" in step.reason) == (private == "true")
    assert [entry.setting.id for entry, _value in hardening.properties_to_import()] == (
        [] if private == "true" else ["csrf.strict"]
    )
