# SPDX-License-Identifier: GPL-3.0-or-later
"""One row for each key: late commits, two runs at once, rows that cannot be seen, and keys that are cut."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    InvalidInput,
    Refused,
    UnclearOutcome,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.plan import Write
from tests.unit.plugins.module_utils.builders import application, role, user
from tests.unit.plugins.module_utils.fake_store import US, Platform

TABLE = "oauth_entity"


def names(platform: Platform, table: str = TABLE) -> list[str]:
    return [row["name"] for row in platform.tables[table].values()]


class Late(Platform):
    """The first create is answered with nothing; its commit arrives with pause number `after`, or before the last read."""

    after = 99

    def create(self, write: Write, values: Any) -> Any:
        if self.log or write.collection != TABLE:
            row = super().create(write, values)
            if self.after == 99:
                self._commit(values)
            return row
        self.log.append(("create", write.collection, dict(values)))
        self.on_wait = lambda: self._commit(values) if len(self.waits) == self.after else None
        raise UnclearOutcome("acme-dev: timed out")

    def _commit(self, values: Any) -> None:
        row_id = self._insert(TABLE, values, US, mod_count="0")
        self.tables[TABLE][row_id]["sys_created_on"] = self.created_on

    created_on = "2026-11-01 09:00:00"


@pytest.mark.parametrize("pause", [1, 2, 3, 4])
def test_a_commit_that_arrives_late_is_found_before_a_second_create(pause: int) -> None:
    platform = Late()
    platform.after = pause
    result = platform.ensure(application("A", client_secret="s3cret-text"))
    assert result.changed
    assert names(platform) == ["A"]
    assert platform.verbs.count(f"create {TABLE}") == 1
    assert list(platform.secrets.values()) == ["s3cret-text"]


@pytest.mark.parametrize("created_on", ["2026-11-01 09:00:00", "2026-11-01 11:00:00"], ids=["older", "younger"])
def test_of_a_commit_after_the_second_create_the_oldest_row_stays(created_on: str) -> None:
    platform = Late()
    platform.created_on = created_on
    platform.ensure(application("A", client_secret="s3cret-text"))
    assert names(platform) == ["A"]
    assert list(platform.secrets) == [(TABLE, next(iter(platform.tables[TABLE])))]
    assert "1 row too many" in platform.warnings[0]
    assert not platform.ensure(application("A", client_secret="s3cret-text")).changed


def other_run(platform: Platform, created_on: str, secret: str) -> None:
    """Let another run create the same application right after ours."""
    create = platform.create

    def both(write: Write, values: Any) -> Any:
        row = create(write, values)
        row_id = platform.add(TABLE, name="A", secret=secret)
        platform.tables[TABLE][row_id].update(values, sys_created_on=created_on)
        return row

    platform.create = both  # type: ignore[method-assign]


def test_the_slower_of_two_runs_adopts_the_row_of_the_other() -> None:
    platform = Platform()
    other_run(platform, "2026-11-01 09:00:00", "s3cret-text")
    platform.ensure(application("A", client_secret="s3cret-text"))
    (row,) = platform.tables[TABLE].values()
    assert row["sys_created_by"] == "somebody"


def test_a_run_that_lacks_the_secret_of_the_other_stops() -> None:
    platform = Platform()
    other_run(platform, "2026-11-01 09:00:00", "another-text")
    with pytest.raises(EngineError, match="another run created oauth_application A at the same time"):
        platform.ensure(application("A", client_secret="s3cret-text"))
    assert list(platform.secrets.values()) == ["another-text"], "what the other run wrote is untouched"


def test_a_row_of_another_run_is_never_deleted() -> None:
    platform = Platform()
    other_run(platform, "2026-11-01 11:00:00", "s3cret-text")
    with pytest.raises(EngineError, match="this run did not create"):
        platform.ensure(application("A", client_secret="s3cret-text"))
    assert names(platform) == ["A", "A"]
    assert "delete oauth_entity" not in platform.verbs


def test_a_row_that_is_counted_but_not_shown_stops_the_run_before_the_create() -> None:
    platform = Platform()
    platform.hidden.add(platform.add(TABLE, name="A"))
    with pytest.raises(Refused, match="oauth_application A may exist already: 1 matching row .* Nothing was written"):
        platform.ensure(role("u_new"), application("A"))
    assert platform.log == []


def test_a_created_row_that_cannot_be_seen_is_named() -> None:
    platform = Platform()
    create = platform.create

    def hiding(write: Write, values: Any) -> Any:
        row = create(write, values)
        platform.hidden.add(row["sys_id"])
        return row

    platform.create = hiding  # type: ignore[method-assign]
    with pytest.raises(EngineError, match="was created .* but the account may not see it. Give it read access"):
        platform.ensure(role("u_new"))


@pytest.mark.parametrize(
    ("make", "column"), [(lambda name: application(name), "name"), (lambda name: user(name), "user_name")]
)
def test_a_key_that_is_longer_than_its_column_is_refused_before_the_first_write(make: Any, column: str) -> None:
    platform = Platform(max_lengths={column: 40})
    with pytest.raises(InvalidInput, match=f"{column} has 41 characters, and the column {column} of .* holds 40"):
        platform.ensure(role("u_new"), make("a" * 41))
    assert platform.log == []
    assert platform.ensure(make("a" * 40)).changed


def test_a_key_that_is_cut_without_a_word_leaves_no_row() -> None:
    platform = Platform(cuts={"name": 40})
    with pytest.raises(
        EngineError, match="stored name as 'a{40}' when .* was created, not as sent; the row was deleted"
    ):
        platform.ensure(application("a" * 50))
    assert names(platform) == []
