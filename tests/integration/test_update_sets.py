# SPDX-License-Identifier: GPL-3.0-or-later
"""snow_update_set: an update set of one instance is retrieved, previewed, committed and backed out on another."""

from __future__ import annotations

import subprocess
import time
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import PREDICTED, assert_alike, predicted_and_done
from tests.integration.playbooks import SHELLS, Playbooks, Run, Task, read_results
from tests.integration.update_set_fleet import CICD, SET, add_source, complete_set, take_over

pytestmark = pytest.mark.walk(6)

NEWER = "Found a local update that is newer than this one"
LACKING = "Could not find a record in sys_user for column user referenced in this update"


@pytest.fixture
def source(new_instance: NewInstance) -> Instance:
    """The instance on which a set with two properties is complete."""
    found = new_instance()
    complete_set(found, "acme.one", "acme.two")
    return found


def target_of(new_instance: NewInstance, source: Instance, **knobs: Any) -> Instance:
    """Return an instance that can retrieve from the source."""
    cicd = {**CICD, **knobs.pop("cicd", {})}
    instance = new_instance(cicd=cicd, **knobs)
    add_source(instance, source)
    return instance


def ignoring(step: Task) -> Task:
    return {**step, "ignore_errors": True}


def taken_over(instance: Instance) -> list[str]:
    return sorted(row["name"] for row in instance.rows("sys_properties") if row["name"].startswith("acme."))


def test_a_set_is_committed_and_backed_out_again(
    playbook: Playbooks, new_instance: NewInstance, source: Instance
) -> None:
    steps = [take_over(source, "commit"), take_over(source, "undo", state="backed_out")]
    lives = []
    for shell in SHELLS:
        instance = target_of(new_instance, source)
        tasks = [each for step in steps for each in predicted_and_done(step)]
        run = playbook(tasks, instance, "-vvvv", shell=shell).went_well()
        assert source.access.password not in run.output
        for name in ("commit", "undo"):
            check, real, again = (run[f"{name}: {time}"] for time in ("check", "real", "again"))
            assert (check.changed, real.changed, again.changed) == (True, True, False)
            assert not check.writes
            assert not again.writes
            assert again["drift"] == []
            for key in PREDICTED:
                assert check.result.get(key) == real.result.get(key), f"{name} does not predict {key}"
        lives.append((run, instance))
    assert_alike(*lives)
    run, instance = lives[0]
    real = run["commit: real"]
    assert real["drift"] == [
        {"object": f"update_set {SET}", "field": "state", "before": "absent", "after": "committed"}
    ]
    assert [(each["state"], each["updates"]) for each in real["update_set"]["sets"]] == [("committed", 2)]
    assert real.writes == {
        "POST /api/sn_cicd/update_set/retrieve": 1,
        "POST /api/sn_cicd/update_set/preview/{sys_id}": 1,
        "POST /api/sn_cicd/update_set/commitMultiple": 1,
    }
    shown = [line for line in run.output.splitlines() if f"{instance.name}: commit update set {SET}" in line]
    assert any("Pending 0 %" in line for line in shown), "progress is shown while an operation runs"
    assert "Successful after" in shown[-1]
    assert run["commit: again"]["msg"].endswith(f"{instance.name}: update_set {SET} in sync")
    assert taken_over(instance) == []
    assert list(run["undo: real"].writes) == ["POST /api/sn_cicd/update_set/back_out"]


@pytest.mark.parametrize("left_as", ["loaded", "committed"])
def test_what_was_backed_out_conflicts_until_that_is_accepted(
    playbook: Playbooks, new_instance: NewInstance, source: Instance, left_as: str
) -> None:
    instance = target_of(new_instance, source, cicd={"backed_out_state": left_as})
    run = playbook(
        [
            take_over(source, "first"),
            take_over(source, "undo", state="backed_out"),
            take_over(source, "undo again", state="backed_out"),
            ignoring(take_over(source, "refused")),
            take_over(source, "look", state="previewed"),
            take_over(source, "accepted", accept_conflicts=True),
            take_over(source, "again"),
        ],
        instance,
    ).went_well()
    assert not run["undo again"].changed
    assert run["refused"].failed
    assert f"its preview found 2 problems: acme.one: {NEWER}; acme.two: {NEWER}" in run["refused"].message
    assert [each["description"] for each in run["refused"]["update_set"]["problems"]] == [NEWER, NEWER]
    assert [each["object"] for each in run["look"]["update_set"]["problems"]] == ["acme.one", "acme.two"]
    assert not run["look"].changed, "the refused run has previewed it"
    assert run["accepted"].changed
    assert {each["status"] for each in run["accepted"]["update_set"]["problems"]} == {"ignored"}
    assert not run["again"].changed
    assert taken_over(instance) == ["acme.one", "acme.two"]


def test_what_the_instance_lacks_is_never_accepted(
    playbook: Playbooks, new_instance: NewInstance, source: Instance
) -> None:
    instance = target_of(new_instance, source, cicd={"preview_problems": [NEWER, LACKING]})
    failed = playbook([take_over(source, accept_conflicts=True)], instance).last
    assert failed.failed
    assert "its preview found 1 problem: acme." in failed.message
    assert f": {LACKING}" in failed.message
    assert "or accept the updates" not in failed.message
    statuses = {row.get("status", "") for row in instance.rows("sys_update_preview_problem")}
    assert statuses == {""}, "nothing is accepted as long as the commit is stopped anyway"
    assert taken_over(instance) == []


def test_an_interrupted_run_is_continued(playbook: Playbooks, new_instance: NewInstance, source: Instance) -> None:
    instance = target_of(new_instance, source, cicd={"steps": 3})
    first = playbook([take_over(source, state="previewed", wait_timeout=0.03)], instance).last
    assert "is still running after 0.03 s, which is wait_timeout. Run again later" in first.message
    # The instance continues by itself; reading the table shows how far it is.
    run = playbook([take_over(source, "look", state="previewed"), take_over(source, "commit")], instance).went_well()
    assert list(run["commit"].writes) == ["POST /api/sn_cicd/update_set/commitMultiple"]
    assert taken_over(instance) == ["acme.one", "acme.two"]


@pytest.mark.parametrize("state", ["committed", "backed_out"])
def test_of_two_runs_on_one_machine_one_takes_over(
    playbook: Playbooks, new_instance: NewInstance, source: Instance, state: str
) -> None:
    instance = target_of(new_instance, source, cicd={"steps": 5})
    if state == "backed_out":
        playbook([take_over(source, poll_interval=0.02)], instance).went_well()
    running, nothing = [], subprocess.DEVNULL
    for _number in range(2):
        command, variables, results = playbook.command([take_over(source, state=state, poll_interval=0.2)], instance)
        running.append(
            (
                subprocess.Popen(
                    command, cwd=playbook.folder, env=variables, stdin=nothing, stdout=nothing, stderr=nothing
                ),
                results,
            )
        )
    runs = [Run(process.wait(180), "", read_results(results)) for process, results in running]
    assert [run.status for run in runs] == [0, 0], [run.last.message for run in runs]
    # One that starts late finds nothing to do at all.
    assert sorted(run.last.changed for run in runs) == [False, True]
    operations = {line: count for line, count in instance.requests().items() if "update_set/" in line}
    assert set(operations.values()) == {1}, operations
    assert taken_over(instance) == (["acme.one", "acme.two"] if state == "committed" else [])


def test_what_a_commit_left_is_read_back_once(playbook: Playbooks, new_instance: NewInstance, source: Instance) -> None:
    instance = target_of(new_instance, source)
    done = playbook([take_over(source)], instance).went_well().last
    # The other reads of properties, in batches, are about the release.
    assert done.requests["GET /api/now/table/sys_properties"] == 1


def test_sets_of_one_name_are_committed_in_their_order(
    playbook: Playbooks, new_instance: NewInstance, source: Instance
) -> None:
    instance = target_of(new_instance, source)
    playbook([take_over(source)], instance).went_well()
    time.sleep(1.1)  # Times of the platform have whole seconds.
    later = complete_set(source, "acme.three")
    run = playbook([take_over(source, "more"), take_over(source, "again")], instance).went_well()
    assert run["more"]["update_set"]["sets"][-1] == {"source_sys_id": later, "state": "committed", "updates": 1}
    assert run["more"].writes["POST /api/sn_cicd/update_set/retrieve"] == 1
    assert not run["again"].changed
    assert taken_over(instance) == ["acme.one", "acme.three", "acme.two"]
    undone = playbook([take_over(source, state="backed_out", source_options=None)], instance).went_well().last
    assert undone.writes == {"POST /api/sn_cicd/update_set/back_out": 2}
    assert taken_over(instance) == []


def test_the_row_of_the_source_is_found_by_its_url_too(
    playbook: Playbooks, new_instance: NewInstance, source: Instance
) -> None:
    instance = new_instance(cicd=CICD)
    add_source(instance, source, name="Development", url=f"{source.access.url}/")
    run = playbook([take_over(source), take_over(source, "known", source_options=None)], instance)
    assert run.done[0].changed
    assert taken_over(instance) == ["acme.one", "acme.two"]


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"skipped_updates": 1}, ["was committed, but 1 of its updates did not take effect: acme.", "backed_out to undo"]),
        ({"outcome": "3"}, ["failed to retrieve update set", "The operation failed", "Test Connection"]),
        ({"disabled": True}, ["com.glide.continuousdelivery activated"]),
    ],
    ids=["in part", "failed", "disabled"],
)  # fmt: skip
def test_what_does_not_end_well_names_the_remedy(
    playbook: Playbooks, new_instance: NewInstance, source: Instance, knobs: dict[str, Any], words: list[str]
) -> None:
    instance = target_of(new_instance, source, cicd=knobs)
    tasks = [ignoring(take_over(source, "one")), ignoring(take_over(source, "two"))]
    run = playbook(tasks, instance)
    for name in ("one", "two"):
        assert run[name].failed
        assert instance.name in run[name].message
        for each in words:
            assert each in run[name].message
    if "skipped_updates" in knobs:
        assert not run["two"].writes, "nothing is committed twice"
        playbook([take_over(source, state="backed_out")], instance).went_well()
        assert taken_over(instance) == []


def test_a_committed_set_whose_rows_are_not_there_is_never_in_sync(
    playbook: Playbooks, new_instance: NewInstance, source: Instance
) -> None:
    for shell in SHELLS:
        instance = target_of(new_instance, source)
        playbook([take_over(source)], instance, shell=shell).went_well()
        instance.remove("sys_properties", name="acme.two")
        run = playbook([ignoring(take_over(source, "one")), ignoring(take_over(source, "two"))], instance, shell=shell)
        for name in ("one", "two"):
            assert run[name].failed
            assert "was committed, but 1 of its updates did not take effect: acme.two" in run[name].message
            assert not run[name].writes


def test_a_committed_set_that_has_more_on_the_source_is_never_in_sync(
    playbook: Playbooks, new_instance: NewInstance, source: Instance
) -> None:
    """It was opened again there, extended and completed: the instance keeps what it has retrieved."""
    instance = target_of(new_instance, source)
    playbook([take_over(source)], instance).went_well()
    (done,) = source.rows("sys_update_set", name=SET)
    moved = complete_set(source, "acme.three", set_name="Elsewhere")
    source.change("sys_update_xml", {"update_set": moved}, update_set=done["sys_id"])
    run = playbook([ignoring(take_over(source, "refused"))], instance)
    assert run["refused"].failed and not run["refused"].writes
    assert (
        f"has 1 update on {source.name} that it did not have when it was retrieved: acme.three"
        in run["refused"].message
    )
    # The remedy helps.
    source.change("sys_update_xml", {"target_name": "acme.three"}, update_set=moved)
    source.change("sys_update_set", {"sys_id": moved}, name=SET)
    run = playbook([take_over(source, "taken"), take_over(source, "again")], instance).went_well()
    assert run["taken"].changed and not run["again"].changed
    assert taken_over(instance) == ["acme.one", "acme.three", "acme.two"]


def test_updates_that_the_source_hides_are_unproven(playbook: Playbooks, new_instance: NewInstance) -> None:
    source = new_instance(acl={"hidden_rows": {"sys_update_xml": "target_name=acme.two"}})
    complete_set(source, "acme.one", "acme.two")
    instance = target_of(new_instance, source)
    run = playbook([take_over(source, "one"), take_over(source, "again")], instance).went_well()
    (unproven,) = run["again"]["unproven"]
    assert f"may not read all of sys_update_xml on {source.name}" in unproven["reason"]
    assert not run["again"].changed


def test_rows_that_the_account_may_not_read_are_unproven(
    playbook: Playbooks, new_instance: NewInstance, source: Instance
) -> None:
    instance = target_of(new_instance, source, acl={"hidden_rows": {"sys_properties": "name=acme.two"}})
    run = playbook([take_over(source, "one"), take_over(source, "again")], instance).went_well()
    (unproven,) = run["again"]["unproven"]
    assert "may not read sys_properties" in unproven["reason"]


def test_a_source_that_cannot_be_used_is_refused_before_anything_is_written(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    open_set, newer, gone = (new_instance(), new_instance(release="brazil"), new_instance())
    for each in (newer, gone):
        complete_set(each, "acme.one")
    complete_set(open_set, "acme.one", state="in progress")
    instance = new_instance(release="zurich", cicd=CICD)
    cases: list[tuple[Task, list[str]]] = [
        (take_over(open_set, "not complete"), ["is not complete (state: in progress)", "Nothing was written"]),
        (take_over(gone, "no set", update_set="Other"), ["has no completed update set 'Other'"]),
        (take_over(gone, "no row"), ["sys_update_set_source has no row with the name", "Update Sources > New"]),
        (take_over(newer, "newer"), ["runs the release brazil, which is newer than zurich"]),
        (take_over(gone, "no options", source_options=None), ["has not retrieved the update set", "source_options"]),
        (take_over(gone, "empty options", source_options={}), ["source_options: snow_url is missing"]),
        (take_over(instance, "itself"), ["is this instance itself", "Nothing was written"]),
        (take_over(gone, "no url", source_options={"snow_username": "x"}), ["source_options: snow_url is missing"]),
        (take_over(gone, "unknown option", source_options={**gone.connection, "snow_usrname": "x"}), ["snow_usrname"]),
        (
            take_over(gone, "unreachable", source_options={**gone.connection, "snow_url": "http://127.0.0.1:9"}),
            [f"the source {gone.name} cannot be read", "nothing was taken over"],
        ),
        (
            take_over(gone, "wrong password", source_options={**gone.connection, "snow_password": "planted-Pass-1"}),
            [f"the source {gone.name} cannot be read", "401"],
        ),
    ]
    add_source(instance, newer)
    options = {"retries": 0}
    tasks = [
        ignoring({**step, **{key: {**value, **options} for key, value in step.items() if "." in key}})
        for step, _words in cases
    ]
    run = playbook(tasks, instance)
    for step, words in cases:
        done = run[step["name"]]
        assert done.failed, step["name"]
        assert not done.writes
        for each in words:
            assert each in done.message, done.message
    assert "planted-Pass-1" not in run.output


def test_an_inactive_or_unreachable_source_row_is_named(
    playbook: Playbooks, new_instance: NewInstance, source: Instance
) -> None:
    inactive, wrong = new_instance(cicd=CICD), new_instance(cicd=CICD)
    add_source(inactive, source, active="false")
    add_source(wrong, source, url="https://elsewhere.invalid/none")
    refused = playbook([take_over(source)], inactive).last
    assert f"the row '{source.name}' of sys_update_set_source is not active" in refused.message
    assert not refused.writes
    failed = playbook([take_over(source)], wrong).last
    assert "Could not connect to https://elsewhere.invalid/none" in failed.message
    assert "Test Connection" in failed.message


def test_a_missing_role_is_one_sentence(playbook: Playbooks, new_instance: NewInstance, source: Instance) -> None:
    user = {"password": "itil-Pass-1", "roles": ["itil", "oauth_admin"]}
    instance = new_instance(cicd=CICD, users={"reader": user})
    for table in ("sys_update_set_source", "sys_remote_update_set"):
        rule = instance.add("sys_security_acl", name=table, type="record", operation="read", active="true")
        instance.add("sys_security_acl_role", sys_security_acl=rule, sys_user_role="itil")
    add_source(instance, source)
    account = {**instance.connection, "snow_username": "reader", "snow_password": "itil-Pass-1"}
    failed = playbook([take_over(source)], {instance.name: account}).last
    assert failed.failed
    assert (
        "reader may not take over update sets: it needs one of the roles sn_cicd.sys_ci_automation, admin"
        in failed.message
    )
    assert not failed.writes
