# SPDX-License-Identifier: GPL-3.0-or-later
"""A description that people have filled: the lines of both sides have room, and no text of people is lost."""

from __future__ import annotations

import pytest

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.alert_sync import text
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.alert_sync.rest import entries_left
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.alert_sync.room import make_room
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.alert_sync.text import (
    Base,
    base_in,
    identity_in,
    with_lines,
)
from tests.unit.plugins.plugin_utils.alert_sync.test_alert_sync import incident, plan, ticket

NEW = Base("active", "", "new", "")
LONGER = Base("in_progress", "a.very.long.name@acme.example", "in_progress", "jane.doe", 12)
# 400 words that are all different.
WORDS = [f"word{number:04}" for number in range(400)]


def filled(before: str, after: str, length: int = 4000) -> str:
    """Return a description of this length, with what people wrote before and after our lines."""
    described = with_lines(f"{before}Severity: High\nPortal: https://x.example/{'y' * 80}\nIncident: 7\n\n{after}", NEW)
    assert len(described) <= length
    return described + "." * (length - len(described))


@pytest.mark.parametrize(("before", "after"), [(0, 400), (400, 0), (0, 410), (200, 200)])
@pytest.mark.parametrize("length", [3980, 4000])
def test_no_word_of_people_is_lost(before: int, after: int, length: int) -> None:
    words = [f"word{number:04}" for number in range(before + after)]
    described = filled(" ".join(words[:before]) + "\n" if before else "", "\n".join(words[before:]), length)
    room, note = make_room(described, (NEW, LONGER), ["8", "9"])
    for base in (NEW, LONGER):
        final = with_lines(room, base, ["8", "9"])
        assert len(final) <= 4000 - 100
        assert (base_in(final), identity_in(final), text.merged_in(final)) == (base, "7", ["8", "9"])
        assert all(word in final or word in note for word in words)
    # A note of ours, which does not go over to Defender; with room for some further runs.
    assert text.comments_for("INC7", [{"value": note}]) == []
    assert make_room(with_lines(room, LONGER, ["8", "9"]), (LONGER,), ["8", "9", "10"])[1] == ""


def test_a_description_with_room_stays_as_it_is() -> None:
    for length in (3900, 5000):
        described = filled("", "x", length)
        assert make_room(described, (NEW, LONGER), ["8"]) == (described, "")


def test_a_ticket_that_has_ended_loses_lines_of_ours_instead() -> None:
    described = filled("", " ".join(WORDS))
    room, note = make_room(described, (LONGER,), [], has_ended=True)
    final = with_lines(room, LONGER)
    assert not note and len(final) <= 4000
    assert "Portal: " not in final and "Severity: High" in final
    assert all(word in final for word in WORDS)


def test_the_text_that_is_moved_is_noted_once() -> None:
    """Where two writes of one run change the line, the first has the note; where that was refused, the second."""
    item = incident("7", "inProgress")
    owned = {"assigned_to.user_name": "jane", "assigned_to.email": f"{'j' * 60}@acme.example"}
    row = {**ticket(item), "description": filled("", " ".join(WORDS)), **owned}
    found = plan([row], [item])
    (entry,) = found["tickets"]
    assert WORDS[-1] in entry["work_note"] and WORDS[-1] not in entry["description"]
    pushed = [{"id": "7", "status": "changed"}]
    for status, noted in (("changed", False), ("refused", True)):
        first = {"correlation_id": entry["correlation_id"], "status": status}
        (rest,) = entries_left(found, [first], pushed)["tickets"]
        assert (WORDS[-1] in rest.get("work_note", "")) is noted
        assert all(word in rest["description"] or word in entry["work_note"] for word in WORDS)
        assert len(rest["description"]) <= 4000


def test_the_text_that_is_moved_is_noted_by_the_only_write() -> None:
    item = incident("7")
    row = {**ticket(item, "in_progress"), "description": filled("", " ".join(WORDS))}
    found = plan([row], [item])
    assert found["tickets"] == []
    (rest,) = entries_left(found, [], [{"id": "7", "status": "changed"}])["tickets"]
    assert WORDS[-1] in rest["work_note"]
