# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of incidents, and the end of merges."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.incidents import incident
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.incidents.incident_updates import (
    IncidentUpdate,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.incidents.incidents_api import (
    MAX_MERGES,
    IncidentReader,
)


@pytest.mark.parametrize("known", [incident.WRITABLE_STATUSES, incident.CLASSIFICATIONS, incident.DETERMINATIONS])
def test_each_word_has_one_spelling_on_either_side(known: tuple[str, ...]) -> None:
    for word in known:
        wire = incident.on_the_wire(word)
        # Older pages of the vendor write a capital.
        for spelling in (word, wire, wire[0].upper() + wire[1:], word.upper()):
            assert incident.spelled(known, spelling) == word
        assert incident.incident_row({"determination": wire})["determination"] == word
    assert incident.spelled(known, "harmless") == ""


def test_a_key_depends_on_tenant_and_id_alone() -> None:
    key = incident.incident_key("A-1", "7")
    assert key == incident.incident_key("a-1 ", " 7") and len(key) == 49
    assert key != incident.incident_key("a-2", "7")


def reader(merges: dict[str, str]) -> IncidentReader:
    rows = {key: {"redirect_incident_id": target} for key, target in merges.items()}
    client: Any = None
    return IncidentReader(client, known=rows, missing={"gone": "the tenant has no such incident"})


def test_merges_are_followed_to_their_end() -> None:
    chain = reader({"1": "2", "2": "3", "3": "", "4": "5", "5": "4", "6": "gone", "7": "7"})
    assert [chain.end_of(key)[0] for key in ("1", "2", "3")] == ["3", "3", "3"]
    for key, words in (
        ("4", "back into 4"),
        ("6", "merged into gone, but the tenant"),
        ("7", "back into 7"),
        ("8", "not be read"),
    ):
        end, problem = chain.end_of(key)
        assert end == "" and words in problem
    long = reader({str(number): str(number + 1) for number in range(MAX_MERGES + 3)})
    assert long.end_of("0")[0] == ""


def test_an_entry_compares_what_it_sets() -> None:
    row = incident.incident_row(
        {"id": "7", "assignedTo": "Jane@acme.example", "customTags": ["b", "a"], "status": "inProgress"}
    )
    row["comments"] = [{"comment": "Seen", "created_by": "", "created_at": ""}]
    entry = {
        "id": "7",
        "status": "inProgress",
        "assigned_to": "jane@acme.example",
        "tags": ["a", "b"],
        "comment": "Seen",
    }
    assert IncidentUpdate(entry).differences(row) == {}
    other = IncidentUpdate({"id": "7", "status": "resolved", "assigned_to": "", "tags": [], "comment": "Done"})
    assert other.differences(row) == {"status": "resolved", "assigned_to": "", "tags": [], "comment": "Done"}
    assert other.contradicts(IncidentUpdate(entry)) == "assigned_to"
    assert "no classification" in IncidentUpdate({"id": "7", "classification": "harmless"}).refusal
    assert IncidentUpdate({"id": " "}).refusal == "its id is empty"
