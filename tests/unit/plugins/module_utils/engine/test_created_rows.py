# SPDX-License-Identifier: GPL-3.0-or-later
"""One row for each key: late commits, two runs at once, rows that cannot be seen, and keys that are cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    InvalidInput,
    Refused,
    UnclearOutcome,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.plan import Write
from tests.unit.plugins.module_utils.builders import application, properties, role, user
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


def test_the_older_row_stays_when_the_other_run_deletes_its_own() -> None:
    platform = Platform()
    other_run(platform, "2026-11-01 11:00:00", "another-text")

    def delete_theirs() -> None:
        for row_id in [i for i, row in platform.tables[TABLE].items() if row["sys_created_by"] == "somebody"]:
            del platform.tables[TABLE][row_id], platform.secrets[TABLE, row_id]

    platform.on_wait = delete_theirs
    assert platform.ensure(application("A", client_secret="s3cret-text")).changed
    assert list(platform.secrets.values()) == ["s3cret-text"]
    assert "delete oauth_entity" not in platform.verbs


def test_a_run_gives_way_to_a_row_whose_run_has_ended() -> None:
    platform = Platform()
    other_run(platform, "2026-11-01 11:00:00", "s3cret-text")
    assert not platform.ensure(application("A", client_secret="s3cret-text")).changed
    (row,) = platform.tables[TABLE].values()
    assert row["sys_created_by"] == "somebody", "a row of another run is never deleted"
    assert len(platform.waits) == 4


def test_two_rows_of_other_runs_are_left_and_named() -> None:
    platform = Platform()
    for _run in "12":
        other_run(platform, "2026-11-01 09:00:00", "s3cret-text")
    with pytest.raises(
        EngineError, match="2 rows are oauth_application A .*run again when it has ended; else remove all"
    ):
        platform.ensure(application("A", client_secret="s3cret-text"))
    assert [row["sys_created_by"] for row in platform.tables[TABLE].values()] == ["somebody"] * 2


class Turns(Platform):
    """What another run does until ours has its turn."""

    first: Any = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        with super().turn():
            if self.first and self.turns == ["begins"]:
                self.first()
            yield


def test_a_row_created_before_our_turn_is_adopted() -> None:
    platform = Turns()
    platform.first = lambda: platform.add(TABLE, name="A", secret="s3cret-text", comments="theirs")
    result = platform.ensure(application("A", client_secret="s3cret-text", comments="ours"))
    assert result.changed, "the comment is corrected"
    (row,) = platform.tables[TABLE].values()
    assert (row["sys_created_by"], row["comments"]) == ("somebody", "ours")
    assert platform.verbs == [f"update {TABLE}"], "the secret is known to be right"


def test_a_row_of_another_run_keeps_the_secret_of_the_other_run() -> None:
    platform = Turns()
    platform.first = lambda: platform.add(TABLE, name="A", secret="another-text")
    with pytest.raises(EngineError, match="its secret is not known to be that of this run. The row was left as it is"):
        platform.ensure(application("A", client_secret="s3cret-text"))
    assert list(platform.secrets.values()) == ["another-text"]


@pytest.mark.parametrize("ends", [False, True], ids=["under way", "ended"])
def test_another_run_gets_the_time_to_write_its_secret(ends: bool) -> None:
    platform = Turns()
    ids: list[str] = []
    platform.first = lambda: ids.append(platform._insert(TABLE, {"name": "A"}, US, mod_count="0"))

    def write_theirs() -> None:
        if not ends and len(platform.waits) == 3:
            platform.secrets[TABLE, ids[0]] = "another-text"
            platform.tables[TABLE][ids[0]]["sys_mod_count"] = "1"

    platform.on_wait = write_theirs
    if ends:
        platform.ensure(application("A", client_secret="s3cret-text"))
        assert platform.secrets == {(TABLE, ids[0]): "s3cret-text"}
    else:
        with pytest.raises(EngineError, match="run again with the secrets of the other run"):
            platform.ensure(application("A", client_secret="s3cret-text"))
        assert platform.secrets == {(TABLE, ids[0]): "another-text"}


def test_a_create_that_is_refused_because_another_run_was_faster_is_none() -> None:
    platform = Platform()
    create = platform.create

    def unique(write: Write, values: Any) -> Any:
        if write.collection == "sys_user":
            platform.add("sys_user", user_name="svc", secret="s3cret-text")
            raise Refused("acme-dev refused to create user svc: Unique User ID")
        return create(write, values)

    platform.create = unique  # type: ignore[method-assign]
    platform.ensure(role("u_new"), user("svc", password="s3cret-text", roles=["u_new"]))
    assert platform.roles_of("svc") == ["u_new"]
    assert len(platform.tables["sys_user"]) == 1


def test_join_rows_and_bulk_objects_are_one_as_well() -> None:
    platform = Platform()
    create = platform.create

    def twice(write: Write, values: Any) -> Any:
        row = create(write, values)
        late = platform._insert(write.collection, values, "somebody", mod_count="0")
        platform.tables[write.collection][late]["sys_created_on"] = "2026-11-01 09:00:00"
        return row

    platform.create = twice  # type: ignore[method-assign]
    platform.ensure(properties({"acme.flag": True}), role("u_new"), user("svc", roles=["u_new"]))
    for table in ("sys_properties", "sys_user_role", "sys_user", "sys_user_has_role"):
        (row,) = platform.tables[table].values()
        assert row["sys_created_by"] == "somebody", table


def test_an_inherited_row_is_not_the_direct_one() -> None:
    platform = Platform()
    platform.ensure(role("u_all", contains=["u_part"]), role("u_part"), user("svc", roles=["u_all", "u_part"]))
    assert platform.roles_of("svc", inherited=False) == ["u_all", "u_part"]


def test_without_ages_all_runs_agree_on_the_order_of_ids() -> None:
    platform = Platform(age_columns=())
    other_run(platform, "", "s3cret-text")
    platform.ensure(application("A"))
    assert len(platform.tables[TABLE]) == 1


def test_a_turn_is_taken_where_something_is_created_and_nowhere_else() -> None:
    platform = Platform()
    platform.ensure(application("A"))
    assert platform.turns == ["begins", "ends"]
    platform.ensure(application("A"))
    platform.ensure(application("A", comments="new"))
    platform.ensure(application("B"), check=True)
    assert platform.turns == ["begins", "ends"]


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
