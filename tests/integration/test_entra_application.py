# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_application: an application with its service principal, its role in Azure and its secret."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.graph import GraphTenant
from tests.integration.lifecycle import predicted_and_done
from tests.integration.playbooks import SHELLS, Done, Playbooks, Run, Task, task
from tests.sandbox.process import SandboxProcess

NAME = "ServiceNow O'Neil"
IGNORED = {"ignore_errors": True}
MARK = "secops.servicenow_defender"


class EntraTenant(GraphTenant):
    """A tenant whose automation may assign roles."""

    def __init__(self, sandbox: SandboxProcess, **knobs: Any) -> None:
        super().__init__(sandbox, **{"azure_role": "Owner", **knobs})
        self.scope = f"/subscriptions/{self.access['azure_subscription_id']}"

    def application(self, name: str = NAME) -> dict[str, Any]:
        """Return the application of a name."""
        (row,) = self.rows("applications", displayName=name)
        return row

    def secrets(self) -> dict[str, str]:
        """Return the secrets of the application by key id."""
        found: dict[str, str] = self.application()["_secrets"]
        return found


def application(name: str, **options: Any) -> Task:
    return task("entra_application", name, **{"display_name": NAME, **options})


def entra_writes(done: Done) -> int:
    """Return how many calls of a task could change the tenant."""
    return sum(
        count for route, count in done.requests.items() if not route.startswith("GET ") and "/entra/" not in route
    )


def assert_predicted(run: Run, name: str) -> None:
    """Check that check mode predicts a step without a write, and that nothing is left to do after it."""
    predicted, real, again = (run[f"{name}: {time}"] for time in ("check", "real", "again"))
    assert (predicted.changed, real.changed, again.changed) == (True, True, False)
    assert entra_writes(predicted) == entra_writes(again) == 0
    assert entra_writes(real) > 0
    assert again["drift"] == []
    # A result with a secret is hidden from callbacks.
    if "api_calls" in real.result:
        assert real["api_calls"]["write"] == entra_writes(real)
        for key in ("drift", "diff", "manual_steps"):
            assert predicted[key] == real[key], f"{name} does not predict {key}"


@pytest.mark.parametrize("shell", SHELLS)
def test_an_application_is_created_given_its_role_and_deleted(
    playbook: Playbooks, sandbox: SandboxProcess, shell: str
) -> None:
    tenant = EntraTenant(sandbox)
    granted = {"role": "Security Reader", "scope": tenant.scope}
    steps = [
        application("create", secret_lifetime_days=30),
        application("role", **granted),
        application("delete", **granted, state="absent"),
    ]
    creation, role, deletion = (predicted_and_done(step) for step in steps)
    run = tenant.run(playbook, creation + role, shell=shell).went_well()
    assert_predicted(run, "create")
    created = run["create: real"]
    assert "censored" in created.result
    assert [entry["field"] for entry in run["create: check"]["drift"]] == ["state", "secret"]
    row = tenant.application()
    (secret,) = row["passwordCredentials"]
    assert row["_secrets"][secret["keyId"]] not in run.output
    assert (secret["displayName"], row["tags"]) == (MARK, [MARK])
    again = run["create: again"]["application"]
    assert (again["client_id"], again["key_id"], again["days_left"]) == (row["appId"], secret["keyId"], 29)
    (principal,) = tenant.rows("service_principals", appId=row["appId"])
    assert run["role: again"]["application"]["principal_id"] == principal["id"]
    assert_predicted(run, "role")
    assert run["create: check"]["msg"].endswith(f"would create entra_application {NAME}")
    assert run["role: check"]["msg"].endswith(f"would update entra_application {NAME}"), (
        "it exists, only a part of it is new"
    )
    (assignment,) = tenant.rows("role_assignments")
    assert assignment["properties"]["principalId"] == principal["id"]
    assert assignment["properties"]["scope"] == tenant.scope
    assert sum(run["create: again"].requests.values()) == 2, "a token and the application"
    ended = tenant.run(playbook, deletion, shell=shell).went_well()
    assert_predicted(ended, "delete")
    assert not tenant.rows("applications", displayName=NAME)
    assert not tenant.rows("role_assignments")


@pytest.mark.parametrize("shell", SHELLS)
def test_an_application_that_others_use_only_loses_secrets(
    playbook: Playbooks, sandbox: SandboxProcess, shell: str
) -> None:
    """With a directory that shows for a moment what was removed."""
    tenant = EntraTenant(sandbox, directory_delay=0.2)
    ours = {"secret_name": "acme-dev"}
    made = [
        application("create", **ours),
        application("other user", secret_name="acme-prod"),
        application("reporting", secret_name="reporting"),
    ]
    tenant.run(playbook, made).went_well()
    removed = {"state": "absent", "removable_secrets": ["acme-dev", "acme-prod"]}
    steps = predicted_and_done(application("remove", **removed))
    run = tenant.run(playbook, steps, shell=shell).went_well()
    assert_predicted(run, "remove")
    kept = {
        "object": f"entra_application {NAME}",
        "status": "kept",
        "reason": "others use it: it has the secret reporting",
    }
    for step in run.done:
        assert step["results"] == [kept]
    assert [entry["object"] for entry in run["remove: real"]["drift"]] == [
        f"secret acme-dev of entra_application {NAME}", f"secret acme-prod of entra_application {NAME}",
    ]  # fmt: skip
    (left,) = tenant.application()["passwordCredentials"]
    assert left["displayName"] == "reporting"
    certified = {"keyCredentials": [{"keyId": "key", "key": ""}], "passwordCredentials": []}
    sandbox.tamper_tenant("applications", certified, match={"displayName": NAME})
    run = tenant.run(playbook, [application("certified", **removed)], shell=shell).went_well()
    assert run.last["results"][0]["reason"] == "others use it: it has a certificate"
    ended = {"keyCredentials": [], "passwordCredentials": [{**left, "endDateTime": "2026-01-01T00:00:00Z"}]}
    sandbox.tamper_tenant("applications", ended, match={"displayName": NAME})
    run = tenant.run(playbook, predicted_and_done(application("last", **removed)), shell=shell).went_well()
    assert_predicted(run, "last")
    assert "results" not in run["last: real"].result
    assert not tenant.rows("applications", displayName=NAME)
    assert tenant.rows("deleted_applications", displayName=NAME), "it can be restored"
    foreign = application("foreign", display_name="automation", **removed)
    refused = tenant.run(playbook, [foreign], shell=shell).went_well()
    assert not refused.last.changed
    assert "was not created by this collection" in refused.last["results"][0]["reason"]


def test_the_secret_is_returned_once_and_signs_in(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    """With a directory that is replicated late, and a role that Resource Manager checks."""
    tenant = EntraTenant(sandbox, directory_delay=0.3)
    created = application("create", role="Security Reader", scope=[tenant.scope], more={"register": "made"})
    used = task(
        "mdc_recommendation_info", "use",
        azure_client_id="{{ made.application.client_id }}", azure_client_secret="{{ made.client_secret }}",
        scopes=[tenant.scope],
    )  # fmt: skip
    run = tenant.run(playbook, [created, used]).went_well()
    assert len(run["use"]["recommendations"]) > 0
    (secret,) = tenant.secrets().values()
    assert secret not in run.output


def test_a_secret_gets_a_successor_and_those_that_are_not_stored_are_removed(
    playbook: Playbooks, sandbox: SandboxProcess
) -> None:
    tenant = EntraTenant(sandbox)
    tenant.run(
        playbook, [application("create", secret_lifetime_days=30), application("other user", secret_name="by hand")]
    ).went_well()
    first, other = tenant.application()["passwordCredentials"]
    stored = {"key_ids": [first["keyId"]]}
    kept = tenant.run(playbook, [application("kept", **stored, renew_before_days=20)]).went_well().last
    assert (kept.changed, kept["application"]["key_id"]) == (False, first["keyId"])
    due = [application("due", **stored, renew_before_days=40), application("old", **stored, max_age_days=0)]
    run = tenant.run(playbook, due).went_well()
    # The run before requested a secret and was ended: its successor removes that.
    assert [done.changed for done in run.done] == [True, True]
    left = [each["keyId"] for each in tenant.application()["passwordCredentials"]]
    assert left[:2] == [first["keyId"], other["keyId"]]
    assert len(left) == 3
    values = tenant.secrets()
    wrong = application("wrong", key_ids=[left[2]], client_secret="not-the-secret", more=IGNORED)
    assert "no secret was removed" in tenant.run(playbook, [wrong]).last.message
    assert tenant.secrets() == values
    successor = {"key_ids": [left[2]], "client_secret": values[left[2]]}
    tenant.run(playbook, [application("replaced", **successor)]).went_well()
    assert set(tenant.secrets()) == {other["keyId"], left[2]}


def test_a_lost_response_leaves_no_secret_behind(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = EntraTenant(sandbox)
    tenant.run(playbook, [application("create")]).went_well()
    (first,) = tenant.secrets()
    sandbox.turn_tenant(faults=[{"kind": "reset-after-commit", "count": 1, "path": "*/addPassword"}])
    run = tenant.run(playbook, [application("again", key_ids=[first], max_age_days=0)]).went_well()
    assert run.last.changed
    assert len(tenant.secrets()) == 2, "that in use, and its successor"


def test_what_cannot_work_is_refused_before_anything_is_written(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = EntraTenant(sandbox, azure_role="Security Admin")
    for number in (1, 2):
        row = {"appId": f"app-{number}", "displayName": "Twice", "tags": [], "passwordCredentials": []}
        sandbox.tamper_tenant("applications", row, insert=True)
    wrong = {
        "twice": {"display_name": "twice"},
        "foreign": {"display_name": "automation", "state": "absent"},
        "unknown role": {"role": "Reeder", "scope": tenant.scope},
        "no right": {"role": "Reader", "scope": tenant.scope},
        "no scope": {"role": "Reader", "azure_subscription_id": ""},
        "always due": {"renew_before_days": 180},
        "forever": {"secret_lifetime_days": 0},
    }
    tasks = [application(name, **options, more=IGNORED) for name, options in wrong.items()]
    warned = application("warned", role="Reader", scope=tenant.scope, more={"check_mode": True})
    run = tenant.run(playbook, [*tasks, warned])
    assert "2 applications have the display name twice: app-1 and app-2. Nothing was written" in run["twice"].message
    assert "was not created by this collection" in run["foreign"].message
    assert "has no role 'Reeder'" in run["unknown role"].message
    assert "may not assign roles" in run["no right"].message
    assert "User Access Administrator" in run["no right"].message
    assert "requires scope or azure_subscription_id" in run["no scope"].message
    assert (
        "renew_before_days (rotate_renew_before_days in the playbook) must be less than secret_lifetime_days"
        in run["always due"].message
    )
    assert "secret_lifetime_days must be between 1 and 36500 days, not" in run["forever"].message
    assert run["warned"].changed
    assert "may not assign roles" in run["warned"]["warnings"][0]
    assert "may not assign roles" in run["warned"]["would_fail"], "a playbook fails for it at its end"
    assert not [route for route in tenant.requests() if route.startswith(("POST /graph", "PUT ", "DELETE "))]


def test_a_missing_permission_is_named(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = EntraTenant(sandbox, graph_permissions=["User.Read.All"])
    run = tenant.run(playbook, [application("refused", more=IGNORED)])
    assert "requires the permission Application.ReadWrite.OwnedBy" in run.last.message
