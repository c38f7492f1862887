# SPDX-License-Identifier: GPL-3.0-or-later
"""Days that a token has left are never negative."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.token_end import in_words, remaining

NOW = datetime(2026, 11, 29, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("end", "left", "ago", "words"),
    [
        ("2026-12-01T13:00:00Z", 2, None, "ends in 2 days"),
        ("2026-11-30 12:00:00", 1, None, "ends in 1 day"),
        ("2026-11-29T13:00:00+00:00", 0, None, "ends today"),
        ("2026-11-29T11:00:00+00:00", 0, 0, "ended today"),
        ("2026-11-28T13:00:00+02:00", 0, 1, "ended 1 day ago"),
        ("2026-11-01T12:00:00Z", 0, 28, "ended 28 days ago"),
        ("soon", None, None, "has an unknown end"),
        ("", None, None, "has an unknown end"),
        (None, None, None, "has an unknown end"),
    ],
)
def test_days_are_counted_to_the_end_or_since(end: str | None, left: int | None, ago: int | None, words: str) -> None:
    found = remaining(end, NOW)
    assert found == {"days_left": left, "ended_days_ago": ago}
    assert in_words(found["days_left"], found["ended_days_ago"]) == words
    assert in_words(found["days_left"], found["ended_days_ago"], several=True) == words.replace("ends", "end").replace(
        "has", "have"
    )
