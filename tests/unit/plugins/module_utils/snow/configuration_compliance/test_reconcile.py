# SPDX-License-Identifier: GPL-3.0-or-later
"""The integration of Configuration Compliance with Defender for Cloud.

See docs/facts/configuration_compliance.md#the-application, docs/facts/configuration_compliance.md#the-integration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    InvalidInput,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow import store_for
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.client import RefusedRequest
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.configuration_compliance.constants import (
    JOB_KEYS,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.configuration_compliance.reconcile import (
    reconcile,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.configuration_compliance.settings import (
    Settings,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport import polling
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, answer
from tests.unit.plugins.module_utils.snow.configuration_compliance.fake_instance import (
    COLUMNS,
    CONFIG,
    JOBS,
    NEW,
    OLD,
    SVC,
    Compliant,
    instance,
)
from tests.unit.plugins.module_utils.snow.fake_batch_api import BATCH

TENANT, CLIENT = "5c1e7d0a-6f5b-4d7f-9a55-0c9f1f2f8a11", "0b8f8a3e-3a5f-4b0e-8f0e-5a4c5a1d2e33"
SUBSCRIPTIONS = ["3f6c1c2e-94d4-4b8e-a8f7-6b1a58f7c001", "3f6c1c2e-94d4-4b8e-a8f7-6b1a58f7c002"]
FULL: dict[str, Any] = {
    "tenant_id": TENANT, "client_id": CLIENT, "client_secret": "S3cret-of-Entra", "import_from": "subscriptions",
    "subscriptions": SUBSCRIPTIONS,
}  # fmt: skip
DEFAULTS: dict[str, Any] = {
    "update_secret": "on_create", "jobs": list(JOB_KEYS), "install": False, "wait": True,
    "wait_timeout": 600.0, "poll_interval": 10.0, "jobs_wait": False, "application_managed": False,
}  # fmt: skip


class Runner:
    """Runs the module's work against a server; `contexts` are those of all runs."""

    def __init__(self, server: Loopback, options: Callable[..., dict[str, Any]]) -> None:
        self.server, self.options = server, options
        self.contexts: list[TaskContext] = []

    def __call__(self, given: dict[str, Any] | None = None, *, check: bool = False, **more: Any) -> dict[str, Any]:
        params = self.options(
            snow_username=SVC, snow_password="Pass-word-1", retries=1, **{**DEFAULTS, **(given or {}), **more}
        )
        self.contexts.append(TaskContext(check_mode=check))
        self.shown: list[str] = []
        self.contexts[-1].show = self.shown.append
        settings = Settings.from_params(params)
        return reconcile(store_for(params, self.contexts[-1]), settings).as_dict(with_diff=True)


@pytest.fixture
def run(server: Loopback, options: Callable[..., dict[str, Any]]) -> Runner:
    return Runner(server, options)


@pytest.fixture
def there(server: Loopback) -> Compliant:
    """An instance with the new application, unconfigured."""
    return instance().serve(server)


def ids(result: dict[str, Any], key: str = "problems") -> list[str]:
    return [entry["id"].removeprefix("configuration_compliance:") for entry in result[key]]


def configure(there: Compliant, run: Runner) -> None:
    """Leave an instance that is configured and whose jobs have run well since."""
    there.clock = "2026-06-19 00:00:00"
    run(FULL)
    there.run_all()
    there.written.clear()
    run.server.received.clear()


# -- configuring ------------------------------------------------------------------------------------------------------


def test_the_address_of_an_existing_configuration_is_managed_only_if_set(there: Compliant, run: Runner) -> None:
    there.row(CONFIG)["api_url"] = "https://management.usgovcloudapi.net"
    run(FULL)
    assert there.row(CONFIG)["api_url"] == "https://management.usgovcloudapi.net"
    assert run(FULL, api_url="https://management.azure.com")["changed"]
    assert there.row(CONFIG)["api_url"] == "https://management.azure.com"


def test_a_new_configuration_has_the_address_of_the_public_cloud(there: Compliant, run: Runner) -> None:
    there.tables[CONFIG].clear()
    run(FULL)
    assert there.row(CONFIG)["api_url"] == "https://management.azure.com"
    assert not run(FULL)["changed"]


def test_the_form_is_found_by_its_labels_and_filled_in(there: Compliant, run: Runner) -> None:
    predicted = run(FULL, check=True)
    assert there.written == []
    result = run(FULL)
    row = there.row(CONFIG)
    assert {name: row[name] for name in ("tenant", "client", "import_from", "subs", "api_url")} == {
        "tenant": TENANT,
        "client": CLIENT,
        "import_from": "2",
        "subs": ",".join(SUBSCRIPTIONS),
        "api_url": "https://management.azure.com/",
    }
    assert row["secret"] == "encrypted:S3cret-of-Entra"
    for key in ("changed", "drift", "diff", "manual_steps", "problems"):
        assert predicted[key] == result[key], key
    reported = result["configuration_compliance"]
    assert (reported["generation"], reported["line"]) == (NEW, "classic")
    assert reported["versions"] == {"com.snc.vulc": "15.9.0", NEW: "3.0.3"}
    assert reported["configuration"] == {
        "table": CONFIG,
        "sys_id": row["sys_id"],
        "fields": {
            "api_url": "https://management.azure.com/",
            "tenant_id": TENANT,
            "client_id": CLIENT,
            "import_from": "subscriptions",
            "subscriptions": SUBSCRIPTIONS,
            "management_groups": [],
            "validation_status": "",
        },
    }
    assert "S3cret-of-Entra" not in str(result)


def test_a_second_run_takes_two_batches_and_writes_nothing(there: Compliant, run: Runner) -> None:
    configure(there, run)
    result = run(FULL)
    assert (result["changed"], result["drift"], there.written) == (False, [], [])
    assert run.server.lines == [f"POST {BATCH}"] * 2
    assert (result["problems"], result["manual_steps"]) == ([], [])
    assert all(job["verified"] for job in result["configuration_compliance"]["jobs"])
    assert result["msg"].endswith("in sync, and the last run of every job succeeded")


def test_the_order_and_case_of_ids_do_not_matter(there: Compliant, run: Runner) -> None:
    configure(there, run)
    assert not run({**FULL, "subscriptions": [each.upper() for each in reversed(SUBSCRIPTIONS)]})["changed"]


def test_what_is_not_desired_is_left_alone(there: Compliant, run: Runner) -> None:
    configure(there, run)
    assert not run()["changed"]


@pytest.mark.parametrize(
    ("before", "given", "written"),
    [
        ({}, {}, False),
        ({}, {"update_secret": "always"}, True),
        ({"secret": ""}, {}, True),
        ({"client": "another"}, {}, True),
    ],
    ids=["kept", "always", "none yet", "another application"],
)
def test_the_secret_is_written_where_the_instance_cannot_hold_it(
    there: Compliant, run: Runner, before: dict[str, str], given: dict[str, Any], written: bool
) -> None:
    configure(there, run)
    there.row(CONFIG).update(before)
    result = run(FULL, **given)
    assert ({"secret": "S3cret-of-Entra"} in [values for _verb, _table, values in there.written]) == written
    assert [entry["field"] for entry in result["drift"] if entry["field"] == "client_secret"] == [
        "client_secret"
    ] * written


def test_a_run_that_was_killed_after_the_secret_writes_it_again(there: Compliant, run: Runner) -> None:
    run(FULL)
    secret, fields = (values for _verb, table, values in there.written if table == CONFIG)
    assert list(secret) == ["secret"]
    assert "client" in fields
    there.row(CONFIG).update(client="", tenant="", import_from="0", subs="")
    there.written.clear()
    run(FULL)
    assert [list(values)[0] for _verb, _table, values in there.written] == ["secret", "tenant"]


def test_what_another_scope_refuses_is_a_step_with_the_labels_of_the_form(there: Compliant, run: Runner) -> None:
    there.refuses.add(CONFIG)
    result = run(FULL)
    assert not result["changed"]
    (step,) = (each for each in result["manual_steps"] if each["id"] == "configuration_compliance:configuration")
    assert step["values"] == {
        "Integration instance": "Defender default",
        "API URL": "https://management.azure.com",
        "Tenant ID": TENANT,
        "Client ID": CLIENT,
        "Import Findings from": "Specific Subscriptions",
        "Subscription IDs": ",".join(SUBSCRIPTIONS),
    }
    assert step["secret_values"] == ["Client secret"]
    assert "ACL Exception Update Failed" in step["reason"]
    assert step["where"].endswith("Administration > Configuration > Microsoft Defender for Cloud Configuration")
    assert "tenant_id" in [entry["field"] for entry in result["drift"]], "it is drift until it is done"


def test_a_table_without_a_row_for_the_instance_gets_one(there: Compliant, run: Runner) -> None:
    there.tables[CONFIG].clear()
    run(FULL)
    row = there.row(CONFIG)
    assert row["instance_ref"] == there.row("sn_sec_int_impl", name="Defender default")["sys_id"]
    assert (row["tenant"], row["secret"]) == (TENANT, "encrypted:S3cret-of-Entra")
    there.written.clear()
    assert not run(FULL)["changed"]


def test_a_row_that_may_not_be_seen_is_unknown_and_nothing_is_written(there: Compliant, run: Runner) -> None:
    there.shadows.add(there.row(CONFIG)["sys_id"])
    result = run(FULL)
    assert there.written == []
    assert "configuration_unknown" in ids(result)
    assert "configuration" in ids(result, "manual_steps")
    assert result["configuration_compliance"]["configuration"]["fields"] == {}


def test_a_table_that_may_not_be_read_is_unknown_and_nothing_is_written(there: Compliant, run: Runner) -> None:
    there.closed.add(CONFIG)
    result = run(FULL)
    assert there.written == []
    (problem,) = (each for each in result["problems"] if each["id"] == "configuration_unknown")
    assert "Failed API level ACL Validation" in problem["message"]


def test_a_field_that_may_not_be_read_is_neither_written_nor_claimed(there: Compliant, run: Runner) -> None:
    there.hides.add((CONFIG, "tenant"))
    result = run(FULL)
    assert "field_unknown:tenant_id" in ids(result)
    assert not any("tenant" in values for _verb, _table, values in there.written)
    assert "tenant_id" not in result["configuration_compliance"]["configuration"]["fields"]


def test_a_choice_whose_stored_value_is_not_known_becomes_a_manual_step(there: Compliant, run: Runner) -> None:
    there.tables["sys_choice"].clear()
    result = run(FULL)
    assert not any("import_from" in values for _verb, _table, values in there.written)
    (step,) = (each for each in result["manual_steps"] if each["id"].endswith("configuration:import_from"))
    assert step["values"] == {"Import Findings from": "Specific Subscriptions"}
    there.row(CONFIG)["import_from"] = "specific_subscriptions"
    assert "configuration:import_from" not in ids(run(FULL), "manual_steps")


def test_ids_beyond_the_declared_length_are_warned_of(there: Compliant, run: Runner) -> None:
    many = [f"3f6c1c2e-94d4-4b8e-a8f7-6b1a58f7{number:04d}" for number in range(30)]
    assert "ids_too_long:subscriptions" in ids(run(FULL, subscriptions=many, check=True))
    assert "ids_too_long:subscriptions" not in ids(run(FULL, subscriptions=many[:20], check=True))


def test_the_other_half_of_the_application_is_not_taken_for_it(there: Compliant, run: Runner) -> None:
    for label in ("API URL", "Tenant ID", "Client ID", "Client secret"):
        there.add("sys_dictionary", name=f"{NEW}_config", element=label.replace(" ", "_").lower(), column_label=label)
    there.add(f"{NEW}_config", tenant_id="")
    assert run(FULL)["configuration_compliance"]["configuration"]["table"] == CONFIG


def test_two_similar_tables_are_both_left_alone(there: Compliant, run: Runner) -> None:
    for element, label in COLUMNS.items():
        there.add("sys_dictionary", name=f"{NEW}_copy", element=element, column_label=label)
    with pytest.raises(InvalidInput, match=rf"{CONFIG.replace('config', 'copy')[:15]}.* match the configuration"):
        run(FULL)
    assert there.written == []


# -- instance parameters ----------------------------------------------------------------------------------------------


@pytest.fixture
def parameters(there: Compliant) -> Compliant:
    """The same, but the form is kept in the parameters of the integration instance."""
    there.tables["sys_dictionary"].clear()
    there.add("sys_dictionary", name=f"{NEW}_thing", element="x", column_label="X")
    feed = there.row("sn_sec_int_integration", id="mdc")["sys_id"]
    for label in list(COLUMNS.values())[:-1]:
        there.add("sn_sec_int_config", name=label.lower().replace(" ", "_"), label=label, integration=feed)
    there.tables["sn_sec_int_impl_config"] = []
    there.tables["sys_dictionary_extra"] = []
    return there


def test_instance_parameters_are_written_where_there_is_no_table(parameters: Compliant, run: Runner) -> None:
    impl = parameters.row("sn_sec_int_impl", name="Defender default")["sys_id"]
    definition = parameters.row("sn_sec_int_config", name="tenant_id")["sys_id"]
    parameters.add("sn_sec_int_impl_config", implementation=impl, configuration=definition, value="", password_value="")
    predicted = run(FULL, check=True)
    result = run(FULL)
    assert predicted["drift"] == result["drift"]
    values = {
        parameters.row("sn_sec_int_config", sys_id=row["configuration"])["name"]: row.get("value")
        or row.get("password_value")
        for row in parameters.tables["sn_sec_int_impl_config"]
    }
    assert values == {
        "api_url": "https://management.azure.com",
        "tenant_id": TENANT,
        "client_id": CLIENT,
        "client_secret": "encrypted:S3cret-of-Entra",
        "subscription_ids": ",".join(SUBSCRIPTIONS),
    }
    assert parameters.row("sn_sec_int_impl_config", configuration=definition)["value"] == TENANT, (
        "the row that was there"
    )
    assert result["configuration_compliance"]["configuration"]["table"] == "sn_sec_int_impl_config"
    assert "configuration:import_from" in ids(result, "manual_steps")
    parameters.written.clear()
    assert not run(FULL)["changed"]
    assert parameters.written == []


def test_a_parameter_takes_512_characters(parameters: Compliant, run: Runner) -> None:
    many = [f"3f6c1c2e-94d4-4b8e-a8f7-6b1a58f7{number:04d}" for number in range(14)]
    assert "ids_too_long:subscriptions" in ids(run(FULL, subscriptions=many, check=True))


def test_where_neither_is_found_the_form_is_a_manual_step(there: Compliant, run: Runner) -> None:
    there.closed |= {"sys_dictionary", "sn_sec_int_config"}
    result = run(FULL)
    assert not any(table == CONFIG for _verb, table, _values in there.written)
    assert {"configuration_unknown"} <= set(ids(result))
    assert result["configuration_compliance"]["configuration"] is None
    there.run_all("2026-07-01")
    assert "configuration" not in ids(run(FULL), "manual_steps"), "runs that ended well prove the form"


# -- integration instance and jobs ------------------------------------------------------------------------------------


def test_instance_and_jobs_are_switched_on_and_run_as_vr_system(there: Compliant, run: Runner) -> None:
    configure(there, run)
    there.row("sn_sec_int_impl", name="Defender default")["active"] = "false"
    job = there.row("sn_vul_integration", name=JOBS["assessments"])
    there.add("sys_user", user_name="admin")
    job.update(active="false", run_as=there.row("sys_user", user_name="admin")["sys_id"])
    predicted, result = run(FULL, check=True), run(FULL)
    assert predicted["drift"] == result["drift"]
    name = f"job {JOBS['assessments']}"
    assert result["drift"] == [
        {"object": "integration instance Defender default", "field": "active", "before": "false", "after": "true"},
        {"object": name, "field": "active", "before": "false", "after": "true"},
        {"object": name, "field": "run_as", "before": "admin", "after": "VR.System"},
    ]
    assert job["run_as"] == there.row("sys_user", user_name="VR.System")["sys_id"]
    assert not run(FULL)["changed"]


def test_a_job_that_takes_no_write_is_a_step(there: Compliant, run: Runner) -> None:
    configure(there, run)
    there.row("sn_vul_integration", name=JOBS["assessments"])["active"] = "false"
    there.refuses.add("sn_vul_integration")
    result = run(FULL)
    assert ids(result, "manual_steps") == ["job:assessments"]
    assert result["manual_steps"][0]["values"] == {"Active": "true", "Run as": "VR.System"}


def test_a_user_who_cannot_be_seen_is_not_set(there: Compliant, run: Runner) -> None:
    configure(there, run)
    there.add("sys_user", user_name="admin")
    there.shadows.add(there.row("sys_user", user_name="VR.System")["sys_id"])
    there.row("sn_vul_integration", name=JOBS["assessments"])["run_as"] = there.row("sys_user", user_name="admin")[
        "sys_id"
    ]
    result = run(FULL)
    assert [(entry["field"], entry["before"]) for entry in result["drift"]] == [("run_as", "admin")]
    assert ids(result, "manual_steps") == ["job:assessments"]
    assert there.written == []


def test_columns_of_a_job_that_may_not_be_read_are_unknown(there: Compliant, run: Runner) -> None:
    configure(there, run)
    there.hides |= {("sn_vul_integration", "run_as"), ("sn_vul_integration", "run_as.user_name")}
    result = run(FULL)
    assert "job_run_as_unknown:assessments" in ids(result)
    assert result["configuration_compliance"]["jobs"][0]["run_as"] is None


def test_jobs_that_cannot_be_seen_are_unknown_and_absent_ones_absent(there: Compliant, run: Runner) -> None:
    there.tables["sn_vul_integration"].pop()
    assert "job_absent:container_images" in ids(run(check=True))
    there.closed.add("sn_vul_integration")
    assert {"job_unknown:container_images", "job_unknown:assessments"} <= set(ids(run(check=True)))


def test_another_instances_jobs_are_left_alone(there: Compliant, run: Runner) -> None:
    other = there.add(
        "sn_sec_int_impl", name="Second tenant", active="true", is_default="false",
        integration=there.row("sn_sec_int_integration", id="mdc")["sys_id"],
    )  # fmt: skip
    there.add("sn_vul_integration", name=JOBS["assessments"], active="false", run_as="", instance=other["sys_id"])
    result = run(check=True)
    assert not [problem for problem in ids(result) if problem.startswith("job_unclear")]
    assert not [entry for entry in result["drift"] if entry["field"] == "active"]
    with pytest.raises(InvalidInput, match=r"named 'Third'; the instance has: 'Defender default', 'Second tenant'"):
        run(integration_instance="Third")
    second = run(integration_instance="Second tenant", check=True)
    found = [entry for entry in second["drift"] if entry["field"] in ("active", "run_as")]
    assert [(entry["field"], entry["after"]) for entry in found] == [("active", "true"), ("run_as", "VR.System")]
    assert "configuration_absent" in ids(second), "an address alone makes no configuration"


# -- runs -------------------------------------------------------------------------------------------------------------


def test_what_has_not_run_is_a_step_in_the_order_of_the_jobs(there: Compliant, run: Runner) -> None:
    result = run(FULL)
    (step,) = (each for each in result["manual_steps"] if each["id"] == "configuration_compliance:run_jobs")
    assert list(step["values"].values()) == list(JOBS.values())
    assert "Save and test" in step["title"]
    assert [problem for problem in ids(result) if problem.startswith("job_not_run")] == [
        f"job_not_run:{key}" for key in JOBS
    ]


def test_a_run_from_before_the_last_change_verifies_nothing(there: Compliant, run: Runner) -> None:
    there.run_all("2026-06-01")
    predicted, result = run(FULL, check=True), run(FULL)
    for each in (predicted, result):
        assert ids(each) == [f"job_not_verified:{key}" for key in JOBS]
    assert ids(run(FULL)) == [f"job_not_verified:{key}" for key in JOBS], "nor in a later task"


@pytest.mark.parametrize(("state", "substate"), [("COMPLETE", "SUCCESS"), ("complete", "success")])
def test_states_are_compared_without_case(there: Compliant, run: Runner, state: str, substate: str) -> None:
    configure(there, run)
    there.run("assessments", "2026-06-24 04:00:00", state, substate)
    result = run(FULL)
    assert result["problems"] == []
    job = result["configuration_compliance"]["jobs"][3]
    assert job["last_run"] == {
        **job["last_run"],
        "state": state,
        "substate": substate,
        "ended_at": "2026-06-24T04:00:59Z",
    }


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (
            "AADSTS7000215: Invalid client secret provided",
            "update_secret (mdc_configuration_compliance_update_secret in the role) always",
        ),
        (
            "AADSTS700016: Application was not found in the directory",
            "check client_id (mdc_configuration_compliance_client_id in the role) and tenant_id",
        ),
        ("404 SubscriptionNotFound", "The subscription or management group does not exist"),
        ("AuthorizationFailed: does not have authorization", "Security Reader"),
        ("Connection reset", "network interruptions and corrupted data"),
    ],
)
def test_a_run_that_failed_reports_what_to_do(there: Compliant, run: Runner, words: str, remedy: str) -> None:
    configure(there, run)
    there.run("assessments", "2026-06-24 04:00:00", "Complete", "Failed", fatal_error_message=words)
    (problem,) = run(FULL)["problems"]
    assert (problem["id"], problem["severity"]) == ("job_failed:assessments", "error")
    assert words in problem["message"]
    assert remedy in problem["remedy"]


def test_a_later_job_that_ran_before_an_earlier_one_is_named(there: Compliant, run: Runner) -> None:
    configure(there, run)
    there.tables["sn_vul_integration_run"].clear()
    for hour, job in enumerate(("assessments", *(key for key in JOBS if key != "assessments")), 1):
        there.run(job, f"2026-06-21 {hour:02d}:00:00")
    assert ids(run(FULL)) == ["job_order:assessments"]
    there.run("assessments", "2026-06-22 01:00:00")
    assert ids(run(FULL)) == []


@pytest.mark.parametrize("how", ["closed", "shadows"])
def test_runs_that_may_not_be_seen_are_unknown(there: Compliant, run: Runner, how: str) -> None:
    configure(there, run)
    if how == "closed":
        there.closed.add("sn_vul_integration_run")
    else:
        there.shadows |= {row["sys_id"] for row in there.tables["sn_vul_integration_run"]}
    assert ids(run(FULL)) == [f"run_unknown:{key}" for key in JOBS]


# -- waiting ----------------------------------------------------------------------------------------------------------


class Person(Clock):
    """A clock on which an operator presses Execute Now: each nap longer than a second lets the next job run."""

    def __init__(self, there: Compliant, *, state: str = "Complete", substate: str = "Success", most: int = 6) -> None:
        super().__init__()
        self.there, self.ended, self.left = there, (state, substate), list(JOBS)[:most]

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.left:
            job = self.left.pop(0)
            self.there.run(job, f"2026-06-26 {10 - len(self.left):02d}:00:00", *self.ended)


def test_the_task_waits_until_an_operator_has_run_the_jobs(
    there: Compliant, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Person(there)
    monkeypatch.setattr(polling, "time", clock)
    there.add("sn_vulc_result", source="Defender for Cloud", result="Failed")
    result = run(FULL, jobs_wait=True)
    assert (result["problems"], result["manual_steps"]) == ([], [])
    assert max(clock.naps) <= 5, "a line at least every five seconds"
    assert len([line for line in run.shown if "waiting for" in line]) >= sum(clock.naps) // 5
    assert any("Execute Now" in line for line in run.shown if "to do" in line)


def test_jobs_that_were_waited_for_in_vain_fail_the_task(
    there: Compliant, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "time", Person(there, most=5))
    with pytest.raises(
        EngineError, match=r"Container Image .* has never run after 600 s, which is wait_timeout"
    ) as caught:
        run(FULL, jobs_wait=True)
    assert caught.value.output["problems"][0]["id"] == "job_not_run:container_images"


def test_a_job_that_ends_badly_ends_the_wait(there: Compliant, run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Person(there, substate="Failed")
    monkeypatch.setattr(polling, "time", clock)
    with pytest.raises(EngineError, match="ended with Complete/Failed"):
        run(FULL, jobs_wait=True)
    assert sum(clock.naps) < 600


def test_nothing_is_waited_for_in_check_mode(there: Compliant, run: Runner) -> None:
    assert ids(run(FULL, jobs_wait=True, check=True))[0] == "job_not_run:policy_definitions"


# -- counts -----------------------------------------------------------------------------------------------------------


def results(there: Compliant, source: str = "Defender for Cloud", **counts: int) -> None:
    for result, count in counts.items():
        for _number in range(count):
            there.add("sn_vulc_result", source=source, result=result.capitalize())


def test_counts_are_compared_after_the_comprehensive_job(there: Compliant, run: Runner) -> None:
    configure(there, run)
    results(there, failed=3, passed=2)
    results(there, "Qualys", failed=7)
    result = run(FULL, expected={"unhealthy": 3, "healthy": None})
    assert result["configuration_compliance"]["counts"] == {
        "source": "Defender for Cloud",
        "results": {"Failed": 3, "Passed": 2},
        "sources": None,
        "comparable": True,
        "reason": "",
    }
    assert result["problems"] == []
    differing = run(FULL, expected={"unhealthy": 4, "healthy": 9})
    assert ids(differing) == ["counts_differ:unhealthy", "counts_differ:healthy"]
    assert "Azure has 4 unhealthy assessments, ServiceNow 3 results failed" in differing["problems"][0]["message"]


def test_counts_are_not_compared_before(there: Compliant, run: Runner) -> None:
    configure(there, run)
    results(there, failed=3)
    there.tables["sn_vul_integration_run"] = [
        row for row in there.tables["sn_vul_integration_run"]
        if row["integration"] != there.row("sn_vul_integration", name=JOBS["comprehensive_assessments"])["sys_id"]
    ]  # fmt: skip
    result = run(FULL, expected={"unhealthy": 4})
    assert ids(result) == ["job_not_run:comprehensive_assessments", "counts_not_comparable"]
    assert result["configuration_compliance"]["counts"]["results"] == {"Failed": 3}


@pytest.mark.parametrize("closed", [True, False])
def test_results_that_may_not_be_seen_are_unknown(there: Compliant, run: Runner, closed: bool) -> None:
    configure(there, run)
    results(there, failed=3)
    if closed:
        there.closed.add("sn_vulc_result")
    else:
        there.shadows |= {row["sys_id"] for row in there.tables["sn_vulc_result"]}
    result = run(FULL, expected={"unhealthy": 3})
    assert ids(result) == ["counts_not_comparable"]
    assert result["configuration_compliance"]["counts"]["results"] is None


# -- applications -----------------------------------------------------------------------------------------------------


def remove(there: Compliant, *tables: str) -> None:
    for table in tables:
        there.tables[table].clear()


def test_an_instance_without_it_is_reported(there: Compliant, run: Runner) -> None:
    for table in ("sn_vulc_result", "sn_vulc_test", "sn_sec_int_impl", "sn_vul_integration"):
        del there.tables[table]
    remove(there, "v_plugin", "sys_store_app", "sys_db_object", "sys_dictionary")
    there.add("sys_store_app", scope="sn_vsc", version="3.2.1", active="true")
    there.add("v_plugin", id="com.glide.rest", active="active")
    result = run(FULL)
    assert ids(result) == ["compliance_absent", "integration_absent"]
    assert "entitlement" in result["problems"][0]["remedy"]
    assert result["configuration_compliance"]["generation"] == "none"
    assert ids(result, "manual_steps") == ["entra_application"]
    (step,) = result["manual_steps"]
    assert step["values"]["Role"] == "Security Reader"
    assert step["values"]["Scope of the role"] == ", ".join(f"/subscriptions/{each}" for each in SUBSCRIPTIONS)
    assert there.written == []


def test_what_the_account_may_not_see_is_unknown(there: Compliant, run: Runner) -> None:
    there.closed |= set(there.tables) - {"sys_user"}
    result = run(FULL, install=True)
    assert ids(result) == ["compliance_unknown", "integration_unknown"]
    assert result["configuration_compliance"]["generation"] == "unknown"
    assert there.written == []


def test_an_account_that_may_read_nothing_hears_the_platforms_words(there: Compliant, run: Runner) -> None:
    there.closed |= set(there.tables)
    with pytest.raises(RefusedRequest, match="Failed API level ACL Validation"):
        run(FULL)


@pytest.mark.parametrize(
    ("scopes", "generation", "line"),
    [
        ({NEW: "3.0.3"}, NEW, "classic"),
        ({NEW: "31.3.0"}, NEW, "usem"),
        ({OLD: "2.8.0"}, OLD, "classic"),
        ({"app-vul-asc": "2.8.0"}, OLD, "classic"),
        ({NEW: "3.0.2", OLD: "2.8.0"}, "both", "classic"),
        ({NEW: "2.9.1"}, "none", "classic"),
    ],
)
def test_generation_and_line_follow_from_scopes_and_versions(
    there: Compliant, run: Runner, scopes: dict[str, str], generation: str, line: str
) -> None:
    remove(there, "sys_store_app")
    there.tables["sys_db_object"] = [row for row in there.tables["sys_db_object"] if row["name"] != CONFIG]
    for scope, version in scopes.items():
        there.add("sys_store_app", scope=scope, version=version, active="true")
    reported = run(check=True)["configuration_compliance"]
    assert (reported["generation"], reported["line"]) == (generation, line)


def test_the_old_application_comes_with_the_steps_to_leave_it(there: Compliant, run: Runner) -> None:
    there.add("sys_store_app", scope=OLD, version="2.8.0", active="true")
    result = run(check=True)
    assert ids(result, "manual_steps")[:2] == ["migration:uninstall", "migration:data"]
    assert result["manual_steps"][1]["values"] == {
        "Name": "Migrate data of Microsoft Defender for Cloud Integration for Security Operations"
    }
    there.row("sys_store_app", scope=NEW)["active"] = "false"
    remove(there, "sys_dictionary")
    old = run(check=True)
    assert ids(old, "manual_steps")[:3] == ["migration:uninstall", "migration:install", "migration:data"]
    assert not [problem for problem in ids(old) if problem.endswith("container_images") and "absent" in problem]


class Cicd:
    """The CI/CD API; what is in `refuses` ends with the words there."""

    def __init__(self, there: Compliant, refuses: dict[str, str] | None = None) -> None:
        self.there, self.refuses, self.ordered = there, refuses or {}, list[str]()
        there.other = self

    def __call__(self, request: Received) -> Reply:
        name = request.query.get("scope") or request.path.split("/")[-2]
        version = request.query.get("version", "")
        self.ordered.append(f"{name} {version}".strip())
        if name in self.refuses:
            return answer({"result": {"status": "3", "status_label": "Failed", "error": self.refuses[name]}})
        if request.query.get("scope"):
            self.there.add("sys_store_app", scope=name, version=version or "3.0.2", active="true")
        else:
            self.there.add("v_plugin", id=name, version="15.9.0", active="active")
        if name == "com.snc.vulc":
            self.there.tables.update(sn_vulc_test=[], sn_vulc_result=[])
        return answer({"result": {"status": "2", "status_label": "Successful", "percent_complete": 100}})


@pytest.fixture
def bare(server: Loopback) -> Compliant:
    """An instance that has the tables of the integration, but neither application."""
    there = instance().serve(server)
    del there.tables["sn_vulc_result"], there.tables["sn_vulc_test"]
    remove(there, "v_plugin", "sys_store_app")
    there.tables["sys_db_object"] = [row for row in there.tables["sys_db_object"] if row["name"] != CONFIG]
    there.add("sys_store_app", scope="sn_vul_cmn", version="15.9.0", active="true")
    there.add("v_plugin", id="com.glide.rest", active="active")
    return there


ORDER = [
    "com.snc.vul_dep", "sn_sec_int", "sn_sec_cmn", "sn_sec_cmn_orch", "sn_vul", "com.snc.vulc_dep", "com.snc.vulc",
    "sn_vul_msft_tvm 3.0.3",
]  # fmt: skip


def test_what_is_missing_is_installed_in_the_documented_order_and_configured(bare: Compliant, run: Runner) -> None:
    cicd = Cicd(bare)
    options = {"install": True, "versions": {NEW: "3.0.3"}}
    predicted = run(FULL, check=True, **options)
    assert (predicted["changed"], cicd.ordered) == (True, [])
    assert ids(predicted) == ["installation_awaited"]
    result = run(FULL, **options)
    assert cicd.ordered == ORDER
    installs = [entry for entry in result["drift"] if entry["object"].startswith(("plugin", "application "))]
    assert installs == predicted["drift"]
    assert bare.row(CONFIG)["tenant"] == TENANT
    assert not run(FULL, **options)["changed"]


def test_nothing_is_installed_unasked(bare: Compliant, run: Runner) -> None:
    cicd = Cicd(bare)
    assert ids(run(FULL)) == ["compliance_absent", "integration_absent"]
    assert cicd.ordered == []


def test_an_application_that_is_switched_off_is_not_reported_as_pending(there: Compliant, run: Runner) -> None:
    there.row("sys_store_app", scope=NEW)["active"] = "false"
    assert ids(run(FULL, install=True)) == ["integration_absent"]


def test_an_instance_that_is_not_entitled_has_its_own_message(bare: Compliant, run: Runner) -> None:
    cicd = Cicd(bare, {"com.snc.vulc": "The instance has no entitlement for com.snc.vulc"})
    result = run(FULL, install=True)
    assert cicd.ordered == ORDER[:7], "what needs it is not tried"
    assert ids(result) == ["not_entitled"]
    assert "no entitlement for com.snc.vulc" in result["problems"][0]["message"]
    assert "sub-production and developer instances do not" in result["problems"][0]["remedy"]
    assert result["manual_steps"][0]["where"] == "ServiceNow Store > Get"


# -- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"import_from": "subscriptions"}, "a blank list would import everything"),
        ({"import_from": "subscriptions", "subscriptions": []}, "a blank list would import everything"),
        (
            {"subscriptions": ["x"]},
            r"^subscriptions \(\w+ in the role\) requires import_from \(\w+ in the role\) subscriptions, not none",
        ),
        ({"import_from": "all", "management_groups": ["x"]}, "not all"),
        ({"import_from": "subscriptions", "subscriptions": ["/subscriptions/x"]}, "without a path"),
        ({"client_secret": ""}, r"client_secret \(mdc_configuration_compliance_client_secret in the role\) is empty"),
    ],
)
def test_invalid_input_is_refused_before_the_first_request(
    there: Compliant, run: Runner, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        run(**given)
    assert run.server.received == []
