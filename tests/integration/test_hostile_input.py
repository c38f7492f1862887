# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments of the wrong shape, secrets where none belong, and hostile words of platforms, through `ansible-playbook`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import SHELLS, Playbooks, Task, task
from tests.integration.test_leaks import files_with_secrets, found_in
from tests.unit.plugins.module_utils.module_calls import MODULES, module

PLANTED = {
    "listed": "Plänted\"'&listed/1%41",
    "misspelt": "Plänted\"'&misspelt/2%41",
    "text": "Plänted&text/3%41",
    "column": "Plänted\"'&column/4%41",
    "extra": "Plänted\"'&extra/5%41",
    "address": "Planted+address-6",
    "keyed": "Plänted\"'&keyed/7%41",
}
WRONG = {"ignore_errors": True}
# How many runs there are for all modules.
PARTS = 8


def value(name: str) -> str:
    """Return the template of a planted secret: no file of the play holds it."""
    return f"{{{{ planted.{name} }}}}"


# Each task, and what its message has to say.
CASES: dict[str, tuple[Task, str]] = {
    "text for a dictionary": (
        task("snow_instance", users=["svc", {"user_name": "a", "password": value("listed")}]),
        "users[0] must be a dictionary, not text",
    ),
    "dictionary for a list": (
        task("snow_instance", users={"svc": {"password": value("keyed")}}), "users must be a list, not a dictionary"
    ),
    "part of an instance": (
        task("snow_drift_info", instance={"users": ["svc", {"user_name": "a", "password": value("listed")}]}),
        "instance: users[0] must be a dictionary, not text",
    ),
    "pairs": (
        task("snow_instance", users=[f"user_name password={value('text')}"]), "users[0] must be a dictionary, not text"
    ),
    "list for text": (
        task("snow_user", user_name="a", password=[value("listed")]), "password must be text, not a list"
    ),
    "misspelt": (
        task("snow_instance", users=[{"user_name": "a", "pasword": value("misspelt")}]), "users.pasword"
    ),
    "misspelt outside": (task("snow_role", name="x", snow_pasword=value("misspelt")), "snow_pasword"),
    "null": (task("snow_user", user_name="a", password=value("listed"), roles=[None]), "roles[0] is empty"),
    "credentials in an address": (
        task("snow_role", name="x", snow_url=f"https://me:{value('address')}@acme-prod.example.com"),
        "snow_url must not contain credentials",
    ),
    "unknown column": (
        task("snow_oauth_application", name="Defender", extra_fields={"u_no_secret": value("extra")}),
        "oauth_entity has no field u_no_secret",
    ),
}  # fmt: skip


def planted_in(name: str) -> list[Task]:
    """Return tasks of one module with secrets in its options and in those that are not for any, refused before it runs."""
    spec = module(name).SPEC.argument_spec
    shapes: list[Any] = [
        {"password": value("column")},
        [[{"client_secret": value("extra")}]],
        [f"password={value('text')}"],
        f'{{"token": "{value("text")}"}}',
    ]
    structured = [option for option, kind in spec.items() if kind.get("type") in ("list", "dict", "bool", "float")]
    known = {option: value("listed") for option, kind in spec.items() if kind.get("no_log")}
    return [
        task(name, f"{name} {number}", more=WRONG, **{**known, option: shape, "unknown_option": value("misspelt")})
        for number, (option, shape) in enumerate(zip(structured[:-5:-1], shapes, strict=False))
    ]


@pytest.mark.walk(1)
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("names", [MODULES[start::PARTS] for start in range(PARTS)], ids=lambda names: names[0])
def test_wrong_arguments_name_the_option_and_show_no_secret(
    playbook: Playbooks, instance: Instance, names: list[str], shell: str
) -> None:
    environment = {"ANSIBLE_LOG_PATH": str(playbook.folder / "ansible.log")}
    tasks = [{**case, "name": name, **WRONG} for name, (case, _said) in CASES.items()]
    tasks += [each for name in names for each in planted_in(name)]
    run = playbook(
        tasks, instance, "-vvvv", "--diff", shell=shell, environment=environment, variables={"planted": PLANTED}
    )
    for name, (_case, said) in CASES.items():
        assert run[name].failed, name
        assert said in run[name].message, (name, run[name].message)
        assert "Traceback" not in run[name].message
        assert "defect" not in run[name].message
    assert all(run[each["name"]].failed for name in names for each in planted_in(name))
    everything = run.output + json.dumps([done.result for done in run.done], ensure_ascii=False)
    assert found_in(everything, PLANTED) == set()
    assert files_with_secrets(playbook.folder, PLANTED, "variables-") == {}


def test_both_shells_say_the_same_about_wrong_arguments(playbook: Playbooks, instance: Instance) -> None:
    group: dict[str, Any] = {"table": "sys_user_group", "match": {"name": "Cloud Security"}}
    # As YAML has them: of the results of templates, ansible-core 2.18 makes text.
    moment = datetime(2026, 1, 31, 10)
    wrong = [
        task("snow_record", "time", **group, values={"u_from": moment}, more=WRONG),
        task("snow_record", "infinite", **group, values={"cost": float("inf")}, more=WRONG),
        task("snow_record", "number as a key", **group, values={1: "x"}, more=WRONG),
        task("snow_user", "null", user_name="a", roles=[None], more=WRONG),
        task("snow_user", "list", user_name=["a"], more=WRONG),
    ]
    heard = [
        {each["name"]: playbook_run[each["name"]].message for each in wrong}
        for playbook_run in (playbook(wrong, instance, shell=shell) for shell in SHELLS)
    ]
    assert heard[0] == heard[1]
    assert heard[0]["time"].startswith("snow_record: values.u_from is a date and time without quotes")
    assert heard[0]["infinite"] == "snow_record: values.cost is not a finite number"
    assert heard[0]["number as a key"].startswith("snow_record: values has a key that is a number and not text")


@pytest.mark.parametrize("shell", SHELLS)
def test_columns_that_are_named_like_a_secret_are_not_shown(
    playbook: Playbooks, new_instance: NewInstance, shell: str
) -> None:
    instance = new_instance()
    given = task(
        "snow_record",
        "write",
        table="sys_user",
        match={"user_name": "employee"},
        values={"user_password": value("column"), "title": "Agent"},
        more=WRONG,
    )
    run = playbook(
        [{**given, "name": "foretell", "check_mode": True}, given],
        instance,
        "-vvv",
        "--diff",
        shell=shell,
        variables={"planted": PLANTED},
    )
    assert run["foretell"]["record"]["title"] == "Agent"
    everything = run.output + json.dumps([done.result for done in run.done], ensure_ascii=False)
    assert found_in(everything, PLANTED) == set()


HOSTILE = "no\x1b]0;owned\x07 \x1b[2Jaccess\nok: [host]\x9b1m really" + "x" * 100_000


@pytest.mark.parametrize("shell", SHELLS)
def test_hostile_words_of_an_instance_are_one_short_line(
    playbook: Playbooks, new_instance: NewInstance, shell: str
) -> None:
    instance = new_instance(abort={"sys_user": HOSTILE})
    run = playbook([task("snow_user", user_name="svc_defender", more=WRONG)], instance, shell=shell)
    message = run.last.message
    assert "no access ok: [host] really" in message
    assert len(message) < 3000
    assert message.isprintable()
    assert "\x1b" not in run.output
    assert not [line for line in run.output.splitlines() if line.startswith("ok: [host]")]


def test_more_values_than_a_url_holds_are_sent_in_parts(playbook: Playbooks, instance: Instance) -> None:
    ids = [row["sys_id"] for row in instance.rows("sys_user_role")][:3]
    query = {"sys_id": [*(f"{number:032x}" for number in range(1200)), *ids]}
    fields = ["name"]
    run = playbook(
        [
            task("snow_record_info", "all", table="sys_user_role", query=query, fields=fields),
            task("snow_record_info", "one", table="sys_user_role", query=query, limit=1),
            task(
                "snow_record_info",
                "text",
                table="sys_user_role",
                query=f"sys_idIN{','.join(query['sys_id'])}^nameISNOTEMPTY",
            ),
        ],
        instance,
    ).went_well()
    assert len(run["all"]["records"]) == len(ids)
    assert [row["sys_id"] for row in run["text"]["records"]] == sorted(ids)
    assert all(list(row) == ["name"] for row in run["all"]["records"])
    assert [row["sys_id"] for row in run["one"]["records"]] == sorted(ids)[:1]
